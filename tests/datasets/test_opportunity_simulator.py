"""The simulated OPPORTUNITY: its format, scripts and planted channels, and its care of folders."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock
from real_data import opportunity_values

import harbench_datasets.opportunity_simulator as simulator
from harbench import DataError, DataMissingError, Source, SourceFile
from harbench.errors import ConfigError
from harbench_datasets.opportunity import OPPORTUNITY, SIMULATED
from harbench_datasets.opportunity_columns import CHANNELS, COLUMNS, GESTURES
from harbench_datasets.opportunity_files import FILES, MANIFEST, MARKER
from harbench_datasets.opportunity_reader import read_recording
from harbench_datasets.opportunity_script import DRILL, SMALLEST_FILE, rows_at, write_script
from harbench_datasets.opportunity_simulator import simulate
from harbench_datasets.opportunity_text import MISSING, TableWriter
from harbench_datasets.opportunity_waveforms import PLANTED, sensor_table
from toys.waiting import until

NAMES = [file.name for file in FILES]
CHANNEL_NAMES = [channel.name for channel in CHANNELS]
COLUMN = {column.name: column.number - 1 for column in COLUMNS}
SEED = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A whole simulated dataset, as small as one gets."""
    place = tmp_path_factory.mktemp("simulated") / "opportunity-sim"
    SIMULATED.simulate(place, 0.001, SEED)
    return place


@pytest.fixture(scope="module")
def recordings(folder):
    return {r.name: r for source in SIMULATED.sources(folder) for r in SIMULATED.read(source)}


@pytest.fixture(scope="module")
def tables(folder):
    """All 250 columns of two files, read by plain Python."""
    found = {}
    for session in ("S1-ADL1", "S2-Drill"):
        rows = (folder / f"{session}.dat").read_text().splitlines()
        found[session] = np.array([[float(x) for x in row.split(" ")] for row in rows])
    return found


def segments(labels):
    """(class, length) of every run of one label other than 0."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    return [(int(part[0]), len(part)) for part in np.split(labels, edges) if part[0]]


# The format.


def test_files_are_in_the_real_ones_format(folder):
    assert sorted(p.name for p in folder.iterdir()) == sorted([*NAMES, MANIFEST, MARKER])
    for name in NAMES:
        content = (folder / name).read_bytes()
        assert content.endswith(b"\n")
        assert set(content) == set(b"0123456789-Na \n")
        assert b"  " not in content and b" \n" not in content and b"\n " not in content
        lines = content.splitlines()
        assert len(lines) == SMALLEST_FILE
        assert {line.count(b" ") for line in lines} == {249}
        assert [int(line.split(b" ", 1)[0]) for line in lines[:5]] == [0, 33, 67, 100, 133]


def test_manifest_tells_all_and_is_true(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    assert list(manifest["files"]) == NAMES
    for name, said in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert said["rows"] == content.count(b"\n")
        assert said["bytes"] == len(content)
        assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert (manifest["scale"], manifest["seed"], manifest["strength"]) == (0.001, SEED, 1.0)
    assert manifest["simulates"] == "opportunity"
    assert manifest["planted"]["gestures"]["Open Door 1"] == [
        "IMU RLA magneticX",
        "IMU BACK accZ",
        "IMU RLA accX",
        "IMU RUA magneticZ",
        "IMU RUA magneticY",
    ]
    assert "SIMULATED" in (folder / MARKER).read_text()


def test_rows_are_the_real_ones_at_scale_1():
    assert [rows_at(file, 1.0) for file in FILES] == [file.rows for file in FILES]
    assert sum(rows_at(file, 1.0) for file in FILES) == 869_387
    assert rows_at(FILES[0], 0.5) == 25_558  # of 51,116
    assert rows_at(FILES[0], 0.1) == 5_112
    assert rows_at(FILES[0], 0.01) == SMALLEST_FILE


def test_reading_gives_back_what_was_drawn(recordings):
    for session in ("S1-ADL1", "S3-Drill", "S4-ADL2"):
        [(index, file)] = [(k, f) for k, f in enumerate(FILES) if f.session == session]
        of_run = np.random.default_rng([SEED, index])
        of_subject = np.random.default_rng([SEED, 24 + int(session[1])])
        script = write_script(file, SMALLEST_FILE, of_run)
        sensors = sensor_table(script, 1.0, of_subject, of_run)
        drawn = sensors[:, [channel.number - 2 for channel in CHANNELS]].astype(float)
        drawn[drawn == MISSING] = np.nan
        recording = recordings[session]
        assert np.array_equal(recording.signals, drawn, equal_nan=True)
        gestures = np.array(list(GESTURES))[recording.labels["gestures"]]
        assert gestures.tolist() == script.labels[:, 6].tolist()
        locomotion = np.array([0, 1, 2, 4, 5])[recording.labels["locomotion"]]
        assert locomotion.tolist() == script.labels[:, 0].tolist()


def test_values_are_within_the_limits_of_their_channels(recordings):
    low, high = np.array([channel.limits for channel in CHANNELS]).T
    for recording in recordings.values():
        values = recording.signals[~np.isnan(recording.signals).all(1)]
        assert (np.nanmin(values, axis=0) >= low).all()
        assert (np.nanmax(values, axis=0) <= high).all()


def test_values_are_of_the_real_ones_order_of_magnitude(recordings):
    real = np.load(opportunity_values() / "opportunity_tsb_uad_subset.npz")
    seen = {}
    for key in (key for key in real.files if key.endswith("/values")):
        columns = real[key.replace("/values", "/columns0")]
        for column, series in zip(columns, real[key].T, strict=True):
            seen.setdefault(int(column), []).append(series)
    signals = np.concatenate([recording.signals for recording in recordings.values()])
    compared = 0
    for position, channel in enumerate(CHANNELS):
        if channel.number - 1 not in seen:
            continue
        series = np.concatenate(seen[channel.number - 1])
        assert series.min() < np.nanmedian(signals[:, position]) < series.max(), channel.name
        assert 0.1 < np.nanstd(signals[:, position]) / series.std() < 10, channel.name
        compared += 1
    assert compared == 80


def test_the_other_columns_are_of_their_kind(tables):
    for table in tables.values():
        recorded = table[~np.isnan(table[:, 200])]
        switches = [c.number - 1 for c in COLUMNS if c.unit == "logical (0/1)"]
        assert set(np.unique(recorded[:, switches])) == {0, 1}
        turns = [c.number - 1 for c in COLUMNS if "Quaternion" in c.name]
        assert np.abs(recorded[:, turns]).max() <= 1000
        assert np.isfinite(recorded[:, 37:243]).all()


# Where data are missing.


def test_only_wireless_accelerometers_lose_data(recordings):
    for name, recording in recordings.items():
        missing = np.isnan(recording.signals)
        silent = missing.all(axis=1)
        inside = missing[~silent]
        assert not inside[:, 36:].any()
        sensors = inside[:, :36].reshape(-1, 12, 3)
        assert (sensors.all(axis=2) == sensors.any(axis=2)).all()  # all axes at once
        share = sensors[:, :, 0].mean(axis=0)
        assert (share > 0).all(), name
        assert 0.01 < share.mean() < 0.2


def test_every_other_file_ends_in_a_silent_block(recordings, tables):
    ends = []
    for recording in recordings.values():
        silent = np.isnan(recording.signals).all(axis=1)
        ends.append(bool(silent[-1]))
        n = int(silent.sum())
        assert silent.sum() == silent[len(silent) - n :].sum()  # one block, at the end
        assert n == (24 if silent[-1] else 0)
        for labels in recording.labels.values():
            assert not labels[silent].any()
    assert ends == [True, False] * 12
    tail = tables["S1-ADL1"][-24:]
    assert np.isnan(tail[:, 1:243]).all()
    assert not tail[:, 243:].any()
    assert np.isfinite(tail[:, 0]).all()


# What is done, and when.


def test_gestures_last_one_to_four_seconds_and_each_file_has_them_all(recordings):
    for recording in recordings.values():
        found = segments(recording.labels["gestures"])
        assert {k for k, _ in found} == set(range(1, 18))
        assert all(30 <= length <= 120 for _, length in found)
        # Two of the same class do not touch: NULL stands between all of them.
        labels = recording.labels["gestures"]
        before, after = labels[:-1], labels[1:]
        assert not ((before != after) & (before > 0) & (after > 0)).any()


@pytest.mark.parametrize("scale", [0.001, 0.05, 0.1, 0.3, 1.0])
def test_null_is_about_three_quarters(scale):
    null = rows = 0
    lengths = []
    for k, file in enumerate(FILES):
        script = write_script(file, rows_at(file, scale), np.random.default_rng([0, k]))
        null += int((script.labels[:, 6] == 0).sum())
        rows += script.n_rows
        lengths += [segment.stop - segment.start for segment in script.gestures]
    assert 0.69 < null / rows < 0.80
    assert min(lengths) >= 30
    assert max(lengths) <= 120


def test_full_size_has_about_the_real_number_of_gestures():
    counts = np.zeros(18, int)
    drills = []
    for k, file in enumerate(FILES):
        script = write_script(file, file.rows, np.random.default_rng([0, k]))
        order = [list(GESTURES).index(segment.code) for segment in script.gestures]
        if file.is_drill:
            drills.append(order)
        else:
            counts += np.bincount(order, minlength=18)
    assert drills == [list(DRILL) * 20] * 4
    # The dataset's own table, "all A".
    real = [46, 43, 39, 41, 129, 133, 56, 56, 50, 49, 45, 44, 56, 57, 33, 114, 75]
    assert np.abs(counts[1:] - real).max() <= 5


def test_drill_is_a_fixed_sequence_and_daily_life_is_not(recordings):
    orders = {
        name: [k for k, _ in segments(recording.labels["gestures"])]
        for name, recording in recordings.items()
    }
    assert all(orders[f"S{k}-Drill"] == list(DRILL) for k in range(1, 5))
    assert len({tuple(order) for name, order in orders.items() if "ADL" in name}) == 20


def test_locomotion_comes_in_long_segments(recordings):
    lengths = {}
    for name, recording in recordings.items():
        labels = recording.labels["locomotion"]
        # Sit and Lie are both rarer than standing; nobody lies down in a Drill.
        assert set(labels.tolist()) == ({0, 1, 2, 3} if "Drill" in name else {0, 1, 2, 3, 4})
        for k, length in segments(labels):
            lengths.setdefault(k, []).append(length)
    assert np.median(lengths[2]) > 30
    assert np.median(lengths[1]) > 90
    assert np.median(lengths[3]) > 150


def test_the_label_tracks_agree_and_keep_to_the_legend(tables):
    for table in tables.values():
        _, high, left, left_object, right, right_object, gesture = table[:, 243:].T
        assert (right * 1000 + right_object == gesture).all()
        assert set(high.tolist()) <= {0, 101, 102, 103, 104, 105}
        assert set(left.tolist()) <= {0, *range(201, 214)}
        assert set(left_object.tolist()) <= {0, *range(301, 324)}
        assert ((left > 0) == (left_object > 0)).all()
        assert left.any()
    assert set(tables["S1-ADL1"][:, 244].tolist()) == {0, 101, 102, 103, 104, 105}
    assert set(tables["S2-Drill"][:, 244].tolist()) == {0}


# The known answer.


def test_planted_sets_are_distinct_and_of_one_task_only():
    gestures, states = PLANTED["gestures"], PLANTED["locomotion"]
    assert list(gestures) == list(GESTURES.values())[1:]
    assert list(states) == ["Stand", "Walk", "Sit", "Lie"]
    assert {len(set(names)) for names in gestures.values()} == {5}
    assert len({frozenset(names) for names in gestures.values()}) == 17
    arm = {name for names in gestures.values() for name in names}
    shoes = {name for names in states.values() for name in names}
    assert arm <= {name for name in CHANNEL_NAMES if name.split()[1] in ("RLA", "RUA", "BACK")}
    assert shoes <= {name for name in CHANNEL_NAMES if name.split()[1].endswith("SHOE")}
    assert not any(name.startswith("ACC") for name in arm | shoes)


def shift(signals, labels, k):
    """Distance of class k from NULL on each channel, in standard deviations of NULL."""
    null, some = signals[labels == 0], signals[labels == k]
    return np.abs(np.nanmean(some, 0) - np.nanmean(null, 0)) / np.nanstd(null, 0)


@pytest.mark.parametrize("task", ["gestures", "locomotion"])
def test_planted_channels_carry_their_class_and_no_others_do(recordings, task):
    signals = np.concatenate([r.signals for r in recordings.values()])
    labels = np.concatenate([r.labels[task] for r in recordings.values()])
    recorded = ~np.isnan(signals).all(axis=1)
    signals, labels = signals[recorded], labels[recorded]
    for k, (name, planted) in enumerate(PLANTED[task].items(), start=1):
        found = shift(signals, labels, k)
        carries = np.array([channel in planted for channel in CHANNEL_NAMES])
        assert found[carries].min() > 1.5, name
        assert found[~carries].max() < 1.0, name


def features(recordings, sessions, channels):
    """Mean and spread of windows of half a second within gestures, and their classes."""
    xs, ys = [], []
    for session in sessions:
        signals = np.nan_to_num(recordings[session].signals[:, channels])
        labels = recordings[session].labels["gestures"]
        for start in range(0, len(labels) - 14, 5):
            part = labels[start : start + 15]
            if part[0] and (part == part[0]).all():
                window = signals[start : start + 15]
                xs.append(np.concatenate([window.mean(0), window.std(0)]))
                ys.append(part[0])
    return np.array(xs), np.array(ys)


def test_a_linear_model_reads_the_gesture_from_the_planted_channels_only(recordings):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    planted = {name for names in PLANTED["gestures"].values() for name in names}
    scores = {}
    for which in (True, False):
        channels = [k for k, name in enumerate(CHANNEL_NAMES) if (name in planted) == which]
        train = features(recordings, [s for s in recordings if s[:2] in ("S1", "S2")], channels)
        test = features(recordings, [s for s in recordings if s[:2] == "S3"], channels)
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        model.fit(*train)
        scores[which] = f1_score(test[1], model.predict(test[0]), average="macro")
    assert scores[True] > 0.9
    assert scores[False] < 0.15  # chance is 1/17


def test_strength_scales_the_answer_and_0_takes_it_away():
    file = FILES[0]
    tables = {}
    for strength in (0.0, 0.5, 1.0):
        of_run, of_subject = np.random.default_rng(1), np.random.default_rng(2)
        script = write_script(file, 6000, of_run)
        tables[strength] = sensor_table(script, strength, of_subject, of_run).astype(float)
    segment = next(s for s in script.gestures if GESTURES[s.code] == "Close Fridge")
    column = COLUMN["InertialMeasurementUnit RUA accY"] - 1
    middle = slice(segment.start + 5, segment.stop - 5)
    half = np.abs(tables[0.5] - tables[0.0])[middle, column].mean()
    whole = np.abs(tables[1.0] - tables[0.0])[middle, column].mean()
    assert whole == pytest.approx(2 * half, rel=0.01)
    assert whole > 2 * tables[0.0][:, column][tables[0.0][:, column] != MISSING].std()
    # Nothing differs outside the segments and the planted channels.
    differs = (tables[1.0] != tables[0.0]).any(axis=0)
    planted = {name for task in PLANTED.values() for names in task.values() for name in names}
    numbers = {channel.number - 2 for channel in CHANNELS if channel.name in planted}
    assert set(np.flatnonzero(differs).tolist()) == numbers


# The same again, and at full size.


def test_equal_arguments_give_equal_bytes_and_others_do_not(folder, tmp_path):
    simulate(tmp_path / "again", 0.001, SEED)
    for name in (*NAMES, MANIFEST, MARKER):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name
    first = json.loads((folder / MANIFEST).read_text())["files"]["S4-ADL3.dat"]["sha256"]
    writer = TableWriter()
    others = [
        simulator._write_file(tmp_path / "x", FILES[20], 0.001, seed, strength, writer)["sha256"]
        for seed, strength in ((SEED, 1.0), (SEED + 1, 1.0), (SEED, 0.9))
    ]
    assert FILES[20].session == "S4-ADL3"
    assert others[0] == first
    assert len(set(others)) == 3


@pytest.mark.slow
def test_one_file_at_full_size(tmp_path):
    file = FILES[0]
    path = tmp_path / file.name
    said = simulator._write_file(path, file, 1.0, 0, 1.0, TableWriter())
    assert said["rows"] == 51_116
    assert said["bytes"] == path.stat().st_size
    assert 0.9 < said["bytes"] / file.size < 1.1
    recording = read_recording(Source(file.session, (SourceFile(path),)), fix="")
    assert recording.signals.shape == (51_116, 113)
    null = (recording.labels["gestures"] == 0).mean()
    assert 0.8 < null < 0.95  # an ADL run: the Drills bring it down to three quarters
    with path.open("rb") as lines:
        *_, last = lines
    assert last.startswith(b"1703833 NaN ")  # (51,116 - 1) / 30 s


# The folder.


def leftovers(folder):
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0), "0 is no scale"),
        ((-1.0, 0), "-1 is no scale"),
        ((1.01, 0), "1.01 is no scale"),
        ((float("nan"), 0), "nan is no scale"),
        ((0.1, -1), "-1 is no seed"),
    ],
)
def test_refuses_scales_and_seeds_that_cannot_be(tmp_path, arguments, message):
    with pytest.raises(ConfigError, match=message):
        simulate(tmp_path / "new", *arguments)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("strength", [-0.1, float("inf"), float("nan")])
def test_refuses_strengths_that_cannot_be(tmp_path, strength):
    with pytest.raises(ConfigError, match="is no strength"):
        simulate(tmp_path / "new", 0.1, 0, strength=strength)


def test_refuses_a_folder_with_real_recordings(tmp_path):
    (tmp_path / "S2-ADL1.dat").write_text("real")
    with pytest.raises(DataError, match=r"holds recordings of the real .*S2-ADL1\.dat"):
        simulate(tmp_path, 0.001, 0)
    assert leftovers(tmp_path) == ["S2-ADL1.dat"]
    assert (tmp_path / "S2-ADL1.dat").read_text() == "real"


def test_refuses_a_folder_with_other_files_and_a_file(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(DataError, match=r"holds other files \(thesis\.tex\)"):
        simulate(tmp_path, 0.001, 0)
    with pytest.raises(DataError, match="this is a file, not a folder"):
        simulate(tmp_path / "thesis.tex", 0.001, 0)
    assert leftovers(tmp_path) == ["thesis.tex"]


class StoppedError(Exception):
    pass


@pytest.fixture
def stops_at_the_third_file(monkeypatch):
    """Let the writing of the third file fail with a given error."""

    def stop(error):
        real = simulator._write_file

        def failing(path, *rest):
            if path.name == NAMES[2]:
                path.write_bytes(b"0 12")
                raise error
            return real(path, *rest)

        monkeypatch.setattr(simulator, "_write_file", failing)

    return stop


@pytest.mark.parametrize("error", [StoppedError(), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(tmp_path, stops_at_the_third_file, error):
    stops_at_the_third_file(error)
    with pytest.raises(type(error)):
        simulate(tmp_path / "new", 0.001, 0)
    assert leftovers(tmp_path) == []
    (tmp_path / "here").mkdir()
    with pytest.raises(type(error)):
        simulate(tmp_path / "here", 0.001, 0)
    assert leftovers(tmp_path / "here") == []


def test_a_full_disk_is_one_sentence_and_leaves_the_old_simulation(
    folder, tmp_path, stops_at_the_third_file
):
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    stops_at_the_third_file(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(DataError) as caught:
        simulate(folder, 0.001, SEED + 1)
    assert caught.value.what == "no space is left for the simulation, which needs 58 MB"
    assert caught.value.where == str(folder)
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_a_write_that_the_system_refuses(tmp_path):
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from harbench_datasets.opportunity_simulator import simulate\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "try: simulate(Path(sys.argv[1]), 0.001, 0)\n"
        "except Exception as error: print(type(error).__name__, error.what)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "new")],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.stderr == ""
    assert done.stdout == "DataError no space is left for the simulation, which needs 58 MB\n"
    assert leftovers(tmp_path) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the simulation cannot be written: Not a directory"):
        simulate(tmp_path / "file" / "new", 0.001, 0)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_run_is_no_dataset_and_the_next_run_mends_it(tmp_path):
    place = tmp_path / "sim"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from harbench_datasets import opportunity_simulator as room\n"
        "write, written = room._write_file, []\n"
        "def the_fourth_takes_ever(*given):\n"
        "    if len(written) == 3: time.sleep(600)\n"
        "    written.append(1)\n"
        "    return write(*given)\n"
        "room._write_file = the_fourth_takes_ever\n"
        "room.simulate(Path(sys.argv[1]), 0.001, 0)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", code, str(place)], env=environment)
    until(lambda: len(list(place.glob("*/*.dat"))) == 3, "three files")
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with pytest.raises(DataMissingError):
        SIMULATED.sources(place)
    with pytest.raises(DataMissingError):
        OPPORTUNITY.sources(place)
    simulate(place, 0.001, 0)
    assert leftovers(place) == sorted([*NAMES, MANIFEST, MARKER])


def test_moving_the_files_in_never_shows_a_mixture(folder, tmp_path, monkeypatch):
    place = tmp_path / "sim"
    place.mkdir()
    for name in (*NAMES, MANIFEST, MARKER):
        (place / name).hardlink_to(folder / name)
    monkeypatch.setattr(
        simulator, "_write_file", lambda path, *_: {"sha256": str(path.write_bytes(b"new"))}
    )
    moved = []
    real = type(place).replace

    def replace(self, target):
        if len(moved) == 10:
            raise StoppedError
        moved.append(target.name)
        return real(self, target)

    monkeypatch.setattr(type(place), "replace", replace)
    with pytest.raises(StoppedError):
        simulate(place, 0.001, SEED + 1)
    assert moved == [MARKER, *NAMES[:9]]
    with pytest.raises(DataMissingError):
        SIMULATED.sources(place)
    with pytest.raises(DataError, match="these files are simulated"):
        OPPORTUNITY.sources(place)
    monkeypatch.setattr(type(place), "replace", real)
    simulate(place, 0.001, SEED + 1)  # the marker shows whose folder it is
    assert SIMULATED.sources(place)


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    with (
        FileLock(tmp_path / ".simulating.lock"),
        pytest.raises(DataError, match="another harbench is writing a simulation here"),
    ):
        simulate(tmp_path, 0.001, 0)
    assert not list(tmp_path.rglob("*.dat"))


def test_simulating_opportunity_is_simulating_opportunity_sim():
    assert OPPORTUNITY.simulate is SIMULATED.simulate
