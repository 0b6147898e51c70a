"""ActRecTut: what its files hold, what its splits give, and that no damaged file gets through."""

import os
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
import real_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from harbench import DataError, DataMissingError, Source, SourceFile
from harbench.data.fetch import fetch
from harbench.data.splits import folds_of
from harbench.data.stream import open_stream
from harbench.nouns import Protocol
from harbench_datasets.actrectut import ACTRECTUT, ACTRECTUT_WALK, COMMIT, FILES
from toys.thorough import examples

BOTH = pytest.mark.parametrize(
    "dataset", [ACTRECTUT, ACTRECTUT_WALK], ids=lambda dataset: dataset.name
)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    return lambda dataset: open_stream(dataset, real_data.actrectut())


def recordings(dataset):
    for source in dataset.sources(real_data.actrectut()):
        yield from dataset.read(source)


@pytest.mark.parametrize(
    ("dataset", "lengths", "counts"),
    [
        (
            ACTRECTUT,
            [62_480, 70_778],
            [
                [23310, 2826, 3894, 3734, 3368, 4548, 4504, 4612, 6010, 2030, 1824, 1820],
                [30089, 2545, 3972, 4476, 2986, 4762, 4536, 4982, 6982, 2094, 1798, 1556],
            ],
        ),
        (
            ACTRECTUT_WALK,
            [31_392, 32_577],
            [[1556, 8408, 12506, 7611, 599, 712], [2189, 9410, 12076, 7458, 654, 790]],
        ),
    ],
    ids=["gesture", "walk"],
)
def test_counts_of_samples_and_classes(dataset, lengths, counts):
    found = list(recordings(dataset))
    assert [r.name for r in found] == [r.subject for r in found] == ["subject1", "subject2"]
    assert [len(r.signals) for r in found] == lengths
    [task] = dataset.tasks
    for recording, expected in zip(found, counts, strict=True):
        assert recording.signals.dtype == np.float32
        assert recording.signals.shape[1] == len(dataset.channels)
        assert recording.labels[task.name].dtype == np.int16
        found_counts = np.bincount(recording.labels[task.name], minlength=len(task.classes))
        assert found_counts.tolist() == expected


def test_each_gesture_was_made_26_times():
    for recording in recordings(ACTRECTUT):
        labels = recording.labels["gesture"]
        starts = labels[np.flatnonzero(np.diff(labels, prepend=-1))]
        assert np.bincount(starts).tolist()[1:] == [26] * 11


def test_values_are_those_of_the_file():
    first, _ = recordings(ACTRECTUT)
    row = [-78, -38, -960, 448, 378, 196, -9, -898, 380, 423, -19, -942, -287, 420, 419]
    assert first.signals[0].tolist() == row


def test_channels_say_where_each_column_was_worn():
    assert [c.number for c in ACTRECTUT.channels] == list(range(1, 16))
    assert [c.number for c in ACTRECTUT_WALK.channels] == list(range(1, 25))
    assert [c.name for c in ACTRECTUT.channels[:6]] == [
        "acc_1_x", "acc_1_y", "acc_1_z", "gyr_1_x", "gyr_1_y", "acc_2_x",
    ]  # fmt: skip
    assert [c.position for c in ACTRECTUT.channels[::5]] == [
        "right hand", "right lower arm", "right upper arm",
    ]  # fmt: skip
    assert [c.position for c in ACTRECTUT_WALK.channels[::6]] == [
        "right hip", "right lower arm", "right ankle", "right upper leg",
    ]  # fmt: skip
    assert len({c.sensor for c in ACTRECTUT_WALK.channels}) == 4


@BOTH
def test_units_are_what_the_values_say(dataset):
    """At rest the acceleration is 1000 mg; turn rates are whole numbers' means in 0 ... 1023."""
    signals = np.concatenate([r.signals for r in recordings(dataset)])
    acc = [i for i, c in enumerate(dataset.channels) if c.unit == "mg"]
    turns = [i for i, c in enumerate(dataset.channels) if c.unit == "ADC counts"]
    assert sorted(acc + turns) == list(range(len(dataset.channels)))
    blocks = signals[: len(signals) // 32 * 32].reshape(-1, 32, len(dataset.channels))
    for imu in range(0, len(acc), 3):
        three = blocks[:, :, acc[imu : imu + 3]]
        still = three.std(axis=1).max(axis=1) < 25
        norms = np.linalg.norm(three.mean(axis=1)[still], axis=1)
        assert np.median(norms) == pytest.approx(1000, abs=30)
    assert signals[:, turns].min() >= 0
    assert signals[:, turns].max() <= 1023


def test_sixth_columns_of_walk_measured_nothing():
    for recording in recordings(ACTRECTUT_WALK):
        sixth = [5, 11, 17, 23]
        names = [ACTRECTUT_WALK.channels[i].name for i in sixth]
        assert names == ["gyr_1_z", "gyr_2_z", "gyr_3_z", "gyr_4_z"]
        assert np.ptp(recording.signals[:, sixth], axis=0).max() <= 8


def test_names_of_the_walk_classes_fit_the_signals():
    """Standing and sitting differ by the leg's direction; walking moves the ankle most."""
    for recording in recordings(ACTRECTUT_WALK):
        labels, ankle = recording.labels["walk"], recording.signals[:, 12:15]
        shake = [np.abs(np.diff(ankle[labels == k], axis=0)).mean() for k in range(6)]
        assert min(shake[3:]) > 5 * max(shake[1:3])
        leg = recording.signals[:, 18:21]
        upright = [leg[labels == k].mean(axis=0) for k in (1, 2, 3)]
        # Downwards is y for who stands or walks, z for who sits.
        assert abs(upright[0][1]) < 200 < 900 < abs(upright[0][2])
        assert all(mean[1] < -900 for mean in upright[1:])


@BOTH
def test_within_subject_gives_every_class_to_every_part_of_both_subjects(dataset, opened):
    stream = opened(dataset)
    [task] = dataset.tasks
    protocol = Protocol(split="within-subject", window="1 s", step="0.5 s")
    (fold,) = folds_of(stream, dataset, task, protocol, 32, 16)
    second = stream.recordings[1].start
    for part in (fold.train, fold.validation, fold.test):
        for chosen in (part.starts < second, part.starts >= second):
            counts = np.bincount(part.labels[chosen], minlength=len(task.classes))
            assert counts.min() >= 10, counts
    assert fold.test_overlap == fold.validation_overlap == 0


@BOTH
def test_default_split_tests_each_subject_once(dataset, opened):
    stream = opened(dataset)
    [task] = dataset.tasks
    one, two = folds_of(stream, dataset, task, Protocol(), 32, 16)
    assert len(one.validation) == len(two.validation) == 0
    assert [one.name, two.name] == ["subject1", "subject2"]
    assert one.test.starts.tolist() == two.train.starts.tolist()
    assert one.train.starts.tolist() == two.test.starts.tolist()
    n = [r.stop - r.start for r in stream.recordings]
    assert [len(one.test), len(two.test)] == [(k - 32) // 16 + 1 for k in n]


@BOTH
def test_files_are_found_in_the_repositorys_layout(dataset, tmp_path):
    for folder in FILES:
        for place in ("a", "b/Data"):
            (tmp_path / place / folder).mkdir(parents=True)
            (tmp_path / place / folder / "data.mat").touch()
    for place, below in (("a", "a"), ("b", "b/Data")):
        found = dataset.sources(tmp_path / place)
        task = dataset.tasks[0].name
        assert [s.files[0].path for s in found] == [
            tmp_path / below / f"subject{k}_{task}/data.mat" for k in (1, 2)
        ]
        assert all(s.files[0].sha256 == FILES[s.name][1] for s in found)


@BOTH
def test_missing_file_names_the_command(dataset, tmp_path):
    with pytest.raises(DataMissingError, match=r"subject1_\w+/data\.mat") as caught:
        dataset.sources(tmp_path)
    assert caught.value.fix == f"harbench datasets fetch {dataset.name}"


@BOTH
def test_fetch_takes_a_copy_of_the_repository(dataset, tmp_path):
    fetch(dataset, tmp_path, source=real_data.actrectut())
    found = dataset.sources(tmp_path)
    assert len(found) == 2
    for source in found:
        assert len(list(dataset.read(source))) == 1
    assert all(COMMIT in member.path for member in dataset.archive.members)


def matfile(**variables) -> bytes:
    buffer = BytesIO()
    savemat(buffer, variables, do_compression=True)
    return buffer.getvalue()


def reading(content, tmp_path, dataset=ACTRECTUT):
    path = tmp_path / "data.mat"
    path.write_bytes(content)
    return list(dataset.read(Source("subject1_gesture", (SourceFile(path),))))


DATA = np.arange(60.0).reshape(4, 15)
LABELS = np.array([[1.0], [12.0], [2.0], [2.0]])


def changed(row, column, value):
    data = DATA.copy()
    data[row, column] = value
    return data


def test_a_written_file_is_read(tmp_path):
    [recording] = reading(matfile(data=DATA, labels=LABELS, other="x"), tmp_path)
    assert recording.signals.tolist() == DATA.tolist()
    assert recording.labels["gesture"].tolist() == [0, 11, 1, 1]


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({"data": DATA}, "the file has no array 'labels'"),
        ({"labels": LABELS}, "the file has no array 'data'"),
        ({"data": DATA[:, :14], "labels": LABELS}, "'data' has shape [4, 14]"),
        ({"data": DATA[None], "labels": LABELS}, "'data' has shape [1, 4, 15]"),
        ({"data": DATA[:0], "labels": LABELS[:0]}, "'data' has shape [0, 15]"),
        ({"data": DATA, "labels": LABELS[:3]}, "'labels' has shape [3, 1]"),
        ({"data": DATA, "labels": LABELS.T}, "'labels' has shape [1, 4]"),
        ({"data": DATA.astype("f4"), "labels": LABELS}, "'data' is of type float32"),
        ({"data": DATA, "labels": LABELS.astype("u1")}, "'labels' is of type uint8"),
        ({"data": DATA, "labels": LABELS + 0.5}, "'labels' holds 1.5 in row 1"),
        ({"data": DATA, "labels": LABELS * np.nan}, "'labels' holds nan in row 1"),
        ({"data": "text", "labels": LABELS}, "the file has no array 'data'"),
        ({"data": {"a": 1.0}, "labels": LABELS}, "the file has no array 'data'"),
        ({"data": DATA, "labels": LABELS - 1}, "'labels' holds 0 in row 1"),
        ({"data": DATA, "labels": LABELS + 1}, "'labels' holds 13 in row 2"),
        (
            {"data": changed(2, 4, np.nan), "labels": LABELS},
            "'data' holds nan in row 3, column 5",
        ),
        (
            {"data": changed(0, 14, 1e39), "labels": LABELS},
            "'data' holds 1e+39 in row 1, column 15",
        ),
    ],
)
def test_wrong_content_is_refused(variables, what, tmp_path):
    with pytest.raises(DataError) as caught:
        reading(matfile(**variables), tmp_path)
    assert caught.value.what == what
    assert caught.value.where == str(tmp_path / "data.mat")
    assert caught.value.expected
    assert caught.value.fix == "harbench datasets fetch actrectut"


@pytest.mark.parametrize("content", [b"", b"\0", b"<html>", bytes(500), b"\x89HDF\r\n\x1a\n" * 99])
def test_other_files_are_refused(content, tmp_path):
    with pytest.raises(DataError, match=r"read as a MATLAB v5 file|no array"):
        reading(content, tmp_path)


def test_absent_and_closed_files_are_said(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list(ACTRECTUT.read(Source("subject1_gesture", (SourceFile(tmp_path / "no.mat"),))))


PACKED = matfile(data=np.tile(DATA, (20, 1)), labels=np.tile(LABELS, (20, 1)))
_BUFFER = BytesIO()
savemat(_BUFFER, {"data": DATA, "labels": LABELS})
PLAIN = _BUFFER.getvalue()


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_damage_ends_otherwise_than_in_a_data_error(tmp_path, data):
    content = bytearray(data.draw(st.sampled_from([PACKED, PLAIN])))
    for _ in range(data.draw(st.integers(1, 3))):
        # Half of the damage goes to the headers, where the parser is.
        high = data.draw(st.sampled_from([300, len(content) - 1]))
        content[data.draw(st.integers(0, high))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.sampled_from([len(content), len(content) // 2]))]
    try:
        [recording] = reading(bytes(content), tmp_path)
    except DataError as error:
        assert str(tmp_path) in str(error)
    else:
        assert recording.signals.shape[1] == 15
        assert np.isfinite(recording.signals).all()
        assert 0 <= recording.labels["gesture"].min() <= recording.labels["gesture"].max() < 12


def test_importing_the_plugin_imports_no_scipy():
    code = (
        "import sys, harbench_datasets.actrectut, harbench_datasets.hapt\n"
        "print([m for m in ('scipy', 'torch', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=os.environ,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
