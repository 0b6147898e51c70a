"""HAPT: the official windows come out, and nothing but well-formed files is read."""

from fnmatch import fnmatchcase

import numpy as np
import pytest
import real_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harbench import DataError, DataMissingError, Source, SourceFile
from harbench.data.channels import chosen_channels
from harbench.data.fetch import fetch
from harbench.data.splits import folds_of
from harbench.data.stream import open_stream
from harbench.nouns import Protocol
from harbench_datasets.hapt import HAPT, TEST, TRAIN
from harbench_datasets.hapt_files import EXPERIMENTS, FILES
from harbench_datasets.hapt_reader import ACTIVITIES, read_segments, read_table
from toys.thorough import examples


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return real_data.unpacked_hapt(tmp_path_factory.mktemp("hapt"))


@pytest.fixture(scope="module")
def stream(folder, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_stream(HAPT, folder)


def segment_lines(folder):
    """Experiment, user, activity, start, end of every line, by plain Python."""
    text = (folder / "RawData/labels.txt").read_text()
    return [[int(word) for word in line.split()] for line in text.splitlines()]


def test_counts_of_samples_are_the_published_ones(stream):
    assert len(stream.recordings) == 61
    assert stream.signals.shape == (1_122_772, 6)
    assert np.isfinite(stream.signals).all()
    assert len({r.subject for r in stream.recordings}) == 30
    labelled = {task: int((values >= 0).sum()) for task, values in stream.labels.items()}
    assert labelled["all12"] == 815_614
    assert labelled["all12-null"] == 1_122_772
    assert (stream.labels["all12-null"] == 0).sum() == 1_122_772 - 815_614
    assert np.array_equal(stream.labels["all12-null"], stream.labels["all12"] + 1)
    basic = stream.labels["all12"] < 6
    assert np.array_equal(stream.labels["basic6"], np.where(basic, stream.labels["all12"], -1))


def test_labels_are_those_of_the_file_sample_by_sample(stream, folder):
    starts = {r.name: r.start for r in stream.recordings}
    expected = [-1] * 1_122_772
    for experiment, user, activity, start, end in segment_lines(folder):
        at = starts[f"exp{experiment:02d}-user{user:02d}"]
        for i in range(at + start, at + end + 1):
            assert expected[i] == -1
            expected[i] = activity - 1
    assert stream.labels["all12"].tolist() == expected


def test_signals_are_those_of_the_files(stream, folder):
    span = stream.recordings[0]
    assert (span.name, span.subject, span.session) == ("exp01-user01", "user01", "exp01")
    lines = {}
    for kind in ("acc", "gyro"):
        text = (folder / f"RawData/{kind}_exp01_user01.txt").read_text().splitlines()
        lines[kind] = [[float(word) for word in line.split()] for line in text]
    expected = [a + g for a, g in zip(lines["acc"], lines["gyro"], strict=True)]
    assert span.stop - span.start == len(expected)
    assert np.array_equal(stream.signals[: span.stop], np.array(expected, np.float32))


def test_official_windows(stream, folder):
    """7,767 and 3,162 windows of 128 samples every 64, as many of each subject as the dataset's
    own lists of subjects say, of the classes that plain loops over labels.txt give."""
    protocol = Protocol(split="official", window=128, step=64, within="segment")
    (fold,) = folds_of(stream, HAPT, HAPT.task("all12"), protocol, 128, 64)
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (7_767, 0, 3_162)
    assert len(fold.train) + len(fold.test) == 10_929
    for part, name in ((fold.train, "Train/subject_id_train"), (fold.test, "Test/subject_id_test")):
        listed = [int(line) for line in (folder / f"{name}.txt").read_text().split()]
        classes = {user: [] for user in listed}
        for _, user, activity, start, end in segment_lines(folder):
            if user in classes:
                while start + 127 <= end:
                    classes[user].append(activity - 1)
                    start += 64
        assert {user: len(found) for user, found in classes.items()} == {
            user: listed.count(user) for user in classes
        }
        for user, expected in classes.items():
            spans = [r for r in stream.recordings if r.subject == f"user{user:02d}"]
            mine = np.zeros(len(part), bool)
            for span in spans:
                mine |= (part.starts >= span.start) & (part.starts < span.stop)
            assert part.labels[mine].tolist() == expected


def test_no_two_segments_of_one_activity_touch(folder):
    """They would be one run for ``within: segment``."""
    lines = sorted(segment_lines(folder))
    ends = {(experiment, end + 1): activity for experiment, _, activity, _, end in lines}
    touching = [
        line for line in lines if ends.get((line[0], line[3])) == line[2]
    ]  # the segment before ends where this one starts
    assert len(lines) == 1_214
    assert touching == []


def test_windows_over_recordings_are_others(stream):
    protocol = Protocol(split="official", window=128, step=64)
    (fold,) = folds_of(stream, HAPT, HAPT.task("all12"), protocol, 128, 64)
    assert len(fold.train) != 7_767


def test_splits_name_every_recording_once(folder):
    users = {}
    for part in ("Train/subject_id_train", "Test/subject_id_test"):
        users[part[:4]] = {int(line) for line in (folder / f"{part}.txt").read_text().split()}
    assert (users["Trai"], users["Test"]) == (set(TRAIN), set(TEST))
    names = [experiment.name for experiment in EXPERIMENTS]
    for split, sizes in (("official", (21, 0, 9)), ("official-val", (18, 3, 9))):
        parts = [
            {n for n in names if any(fnmatchcase(n, pattern) for pattern in patterns)}
            for patterns in (
                HAPT.splits[split].train,
                HAPT.splits[split].validation,
                HAPT.splits[split].test,
            )
        ]
        assert tuple(len({n.split("-")[1] for n in part}) for part in parts) == sizes
        assert sum(map(len, parts)) == len(set.union(*parts)) == 61
    assert HAPT.splits["official-val"].validation == ("*-user28", "*-user29", "*-user30")
    assert next(iter(HAPT.splits)) == "official"


def test_activities_are_those_of_the_dataset(folder):
    lines = (folder / "activity_labels.txt").read_text().split("\n")
    theirs = [line.split() for line in lines if line.strip()]
    assert theirs == [[str(k), n.upper().replace(" ", "_")] for k, n in enumerate(ACTIVITIES, 1)]


def test_bocks_protocol_cuts(stream):
    """Acceleration only, 1 s windows that overlap by 60 %, NULL as a class, subjects in turn."""
    protocol = Protocol(
        split="loso", task="all12-null", window="1 s", step="40%", channels=("acc *",)
    )
    task = HAPT.task("all12-null")
    assert [HAPT.channels[i].name for i in chosen_channels(HAPT, protocol)] == [
        "acc x", "acc y", "acc z",
    ]  # fmt: skip
    folds = folds_of(stream, HAPT, task, protocol, 50, 20)
    assert [fold.name for fold in folds] == [f"user{k:02d}" for k in range(1, 31)]
    assert (len(task.classes), task.null) == (13, 0)
    tested = sum(len(fold.test) for fold in folds)
    assert tested == sum((r.stop - r.start - 50) // 20 + 1 for r in stream.recordings)
    counts = np.bincount(np.concatenate([fold.test.labels for fold in folds]), minlength=13)
    assert counts.min() > 0
    assert all(fold.test_overlap == 0 for fold in folds)


def test_acceleration_at_rest_is_one_g(stream):
    still = np.linalg.norm(stream.signals[:, 3:], axis=1) < 0.05
    assert still.sum() > 100_000
    norms = np.linalg.norm(stream.signals[still, :3], axis=1)
    assert np.median(norms) == pytest.approx(1, abs=0.03)
    assert [c.unit for c in HAPT.channels] == ["g"] * 3 + ["rad/s"] * 3


def test_fetch_takes_the_official_layout(folder, tmp_path):
    report = fetch(HAPT, tmp_path / "to", source=folder)
    assert len(report.fetched) == len(FILES) == 123
    assert (tmp_path / "to/RawData/labels.txt").is_file()
    assert len(HAPT.sources(tmp_path / "to")) == 61


def test_files_are_found_in_three_places(tmp_path):
    for place in ("a/RawData", "b", "c/HAPT Data Set/RawData"):
        (tmp_path / place).mkdir(parents=True)
        for file in FILES:
            (tmp_path / place / file.name).touch()
        found = HAPT.sources(tmp_path / place[0])
        assert {f.path.parent for source in found for f in source.files} == {tmp_path / place}
    assert [f.path.name for f in found[0].files] == [
        "acc_exp01_user01.txt", "gyro_exp01_user01.txt", "labels.txt",
    ]  # fmt: skip


def test_missing_files_are_counted(tmp_path):
    with pytest.raises(DataMissingError, match="123 of the 123 files of HAPT") as caught:
        HAPT.sources(tmp_path)
    assert caught.value.fix == "harbench datasets fetch hapt"
    for file in FILES[:-1]:
        (tmp_path / file.name).touch()
    with pytest.raises(DataMissingError, match=r"1 of the 123 files of HAPT .*: labels\.txt"):
        HAPT.sources(tmp_path)


ACC = b"0.9 -0.1 0.5\n" * 10
GYRO = b"-0.05 0 1e-3\n" * 10
SEGMENTS = b"1 1 5 2 4\n2 1 1 0 99\n1 1 12 5 9\n"


def reading(tmp_path, acc=ACC, gyro=GYRO, segments=SEGMENTS):
    files = []
    for name, content in (("acc.txt", acc), ("gyro.txt", gyro), ("labels.txt", segments)):
        (tmp_path / name).write_bytes(content)
        files.append(SourceFile(tmp_path / name))
    return list(HAPT.read(Source("exp01-user01", tuple(files))))


def test_a_written_experiment_is_read(tmp_path):
    [recording] = reading(tmp_path)
    assert (recording.subject, recording.session) == ("user01", "exp01")
    assert recording.signals.dtype == np.float32
    assert (
        recording.signals[3].tolist()
        == np.array([0.9, -0.1, 0.5, -0.05, 0, 0.001], np.float32).tolist()
    )
    labels = {task: values.tolist() for task, values in recording.labels.items()}
    assert labels["all12"] == [-1, -1, 4, 4, 4, 11, 11, 11, 11, 11]
    assert labels["basic6"] == [-1, -1, 4, 4, 4, -1, -1, -1, -1, -1]
    assert labels["all12-null"] == [0, 0, 5, 5, 5, 12, 12, 12, 12, 12]
    assert {values.dtype for values in recording.labels.values()} == {np.dtype(np.int16)}


def test_line_ends_and_blanks_mean_nothing(tmp_path):
    odd = ACC.replace(b"\n", b"\r\n").replace(b" ", b"  ").rstrip() + b"\n\n"
    [plain] = reading(tmp_path)
    [recording] = reading(tmp_path, acc=odd, segments=SEGMENTS.replace(b"\n", b" \r\n"))
    assert np.array_equal(recording.signals, plain.signals)


LINE_3 = ACC.split(b"\n")[0] + b"\n"


@pytest.mark.parametrize(
    ("how", "where", "what"),
    [
        ({"acc": LINE_3 * 2 + b"1 2\n" + ACC}, "acc.txt:3", "the line has 2 fields"),
        ({"acc": LINE_3 * 2 + b"1 2 3 4\n"}, "acc.txt:3", "the line has 4 fields"),
        ({"acc": LINE_3 * 2 + b"\n" + ACC}, "acc.txt:3", "the line has 0 fields"),
        ({"acc": b""}, "acc.txt:1", "the line has 0 fields"),
        ({"acc": b"\n"}, "acc.txt:1", "the line has 0 fields"),
        ({"gyro": LINE_3 + b"1 x 3\n"}, "gyro.txt:2:2", "field 2 is 'x'"),
        ({"gyro": LINE_3 + b"1 2 nan\n"}, "gyro.txt:2:3", "field 3 is 'nan'"),
        ({"gyro": LINE_3 + b"inf 2 3\n"}, "gyro.txt:2:1", "field 1 is 'inf'"),
        ({"gyro": b"1_0 2 3\n"}, "gyro.txt:1:1", "field 1 is '1_0'"),
        ({"gyro": b"0x1 2 3\n"}, "gyro.txt:1:1", "field 1 is '0x1'"),
        ({"gyro": b"# 2 3\n"}, "gyro.txt:1:1", "field 1 is '#'"),
        ({"gyro": b"1\x0b2 3 4 5\n"}, "gyro.txt:1", "the line has 4 fields"),
        ({"gyro": b"1\xa0 2 3\n"}, "gyro.txt:1:1", r"field 1 is '1\\xa0'"),
        ({"gyro": b"1 2 3\r4 5 6\n"}, "gyro.txt:1", "the line has 5 fields"),
        ({"gyro": b"1 2 3\r4 5 6\n\n"}, "gyro.txt:1", "the line has 5 fields"),
        ({"gyro": b"1 2 3\r \n4 5 6\n"}, "gyro.txt:1:3", r"field 3 is '3\r'"),
        ({"gyro": LINE_3 + b"1 1e39 3\n"}, "gyro.txt:2", "a number is too large"),
        ({"gyro": LINE_3 * 9}, "gyro.txt:10", "the file ends before that of the other sensor"),
        ({"acc": LINE_3 * 7}, "acc.txt:8", "the file ends before that of the other sensor"),
        ({"segments": b"1 1 5 2\n"}, "labels.txt:1", "the line has 4 fields"),
        ({"segments": b"1 1 5 2 4.0\n"}, "labels.txt:1:5", "field 5 is '4.0'"),
        ({"segments": b"1 1 5 -2 4\n"}, "labels.txt:1:4", "field 4 is '-2'"),
        ({"segments": SEGMENTS + b"7 7 13 1 2\n"}, "labels.txt:4:3", "there is no activity 13"),
        ({"segments": b"1 1 0 1 2\n"}, "labels.txt:1:3", "there is no activity 0"),
        ({"segments": b"1 1 5 4 2\n"}, "labels.txt:1", "the segment ends at 2 and starts at 4"),
        ({"segments": b"1 2 5 2 4\n"}, "labels.txt:1:2", "experiment 1 is of user 2 here"),
        (
            {"segments": SEGMENTS.replace(b"5 9", b"5 10")},
            "labels.txt:3:5",
            "the segment ends at sample 10 of a recording of 10",
        ),
        (
            {"segments": b"1 1 12 4 9\n1 1 5 2 4\n"},
            "labels.txt:1",
            "the segment overlaps that of line 2",
        ),
        ({"segments": b"2 1 1 0 9\n"}, "labels.txt", "no segment is of experiment 1"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_wrong_files_are_refused_with_their_line(how, where, what, tmp_path):
    with pytest.raises(DataError) as caught:
        reading(tmp_path, **how)
    assert caught.value.where == str(tmp_path / where)
    assert caught.value.what == what


def test_absent_file_is_said(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_table(tmp_path / "no.txt")


@given(
    st.lists(
        st.tuples(*[st.floats(width=32, allow_nan=False, allow_infinity=False)] * 3), min_size=1
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_tables_are_read_exactly(tmp_path, rows):
    text = "".join(" ".join(map(repr, row)) + "\n" for row in rows)
    (tmp_path / "t.txt").write_text(text)
    fast = read_table(tmp_path / "t.txt")
    (tmp_path / "t.txt").write_text(text.rstrip())  # without a last line feed: read slowly
    slow = read_table(tmp_path / "t.txt")
    assert fast.tolist() == slow.tolist() == [list(row) for row in rows]


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_damage_ends_otherwise_than_in_a_data_error(tmp_path, data):
    files = {"acc": ACC, "gyro": GYRO, "segments": SEGMENTS}
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        # Half of the bytes put in are such as the files are made of.
        byte = data.draw(st.sampled_from(b"0123456789.-eE \n\r") | st.integers(0, 255))
        content[data.draw(st.integers(0, len(content) - 1))] = byte
    files[name] = bytes(content)
    try:
        [recording] = reading(tmp_path, **files)
    except DataError as error:
        assert str(tmp_path) in str(error)
    else:
        # What is read must be what plain Python reads.
        for kind, columns in (("acc", slice(0, 3)), ("gyro", slice(3, 6))):
            lines = files[kind].decode("ascii").rstrip(" \r\n").split("\n")
            rows = [[float(word) for word in line.split()] for line in lines]
            assert np.array_equal(recording.signals[:, columns], np.array(rows, np.float32))
        classes = [-1] * len(recording.signals)
        for line in files["segments"].decode("ascii").rstrip(" \r\n").split("\n"):
            experiment, _, activity, start, end = map(int, line.split())
            if experiment == 1:
                classes[start : end + 1] = [activity - 1] * (end + 1 - start)
        assert recording.labels["all12"].tolist() == classes


def test_segments_come_in_order(tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"1 1 2 5 9\n1 1 3 0 4\n")
    found = read_segments(tmp_path / "labels.txt", 1, 1, 10)
    assert [(s.activity, s.start, s.stop, s.line) for s in found] == [(3, 0, 5, 2), (2, 5, 10, 1)]
