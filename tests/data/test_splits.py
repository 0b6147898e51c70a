from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.data.splits import classes_of, folds_of, parts_of, split_named
from harbench.data.stream import RecordingSpan, Stream
from harbench.errors import ConfigError
from harbench.nouns import (
    BlockSplit,
    FixedSplit,
    GroupSplit,
    LeaveOneOutSplit,
    Protocol,
    RandomWindowSplit,
    Task,
)
from toys.toy_plugin import TOY


def recordings(n_subjects=4, n_sessions=2, length=100):
    found, at = [], 0
    for subject in range(1, n_subjects + 1):
        for session in range(1, n_sessions + 1):
            found.append(
                RecordingSpan(f"s{subject}-{session}", f"s{subject}", str(session), at, at + length)
            )
            at += length
    return found


def stream(labels, spans):
    return Stream(
        "d",
        tuple(spans),
        np.zeros((len(labels), 3), np.float32),
        {"gestures": np.asarray(labels, np.int16)},
    )


GESTURES = Task("gestures", ("Null", "wave", "turn"), null=0)


def samples(spans):
    return {i for start, stop in spans for i in range(start, stop)}


def test_fixed_takes_patterns():
    split = FixedSplit(train=("s1*", "s2-1"), validation=("s3*",), test=("s4*",))
    (parts,) = parts_of(split, recordings())
    assert parts.train == ((0, 100), (100, 200), (200, 300))
    assert parts.validation == ((400, 500), (500, 600))
    assert parts.test == ((600, 700), (700, 800))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (FixedSplit(train=("s9*",), test=("s1*",)), "no recording is called 's9\\*'"),
        (FixedSplit(train=("s1-3",), test=("s1*",)), "did you mean 's1-"),
        (FixedSplit(train=("s1*",), test=("s1-1",)), "'s1-1' is in train and in test"),
        (GroupSplit(folds=9), "9 folds over 4 subjects"),
        (LeaveOneOutSplit(validation=3), "too few"),
        (BlockSplit(ratio=(1, 9, 1), blocks=4), "cannot be dealt"),
    ],
)
def test_splits_that_cannot_be(split, message):
    with pytest.raises(ConfigError, match=message):
        parts_of(split, recordings())


@pytest.mark.parametrize("by", ["subject", "session", "recording"])
@pytest.mark.parametrize("validation", [0, 1, 2])
def test_leave_one_out_tests_every_group_once(by, validation):
    spans = recordings()
    folds = parts_of(LeaveOneOutSplit(by=by, validation=validation), spans)
    assert len(folds) == {"subject": 4, "session": 8, "recording": 8}[by]
    tested = [s for fold in folds for s in fold.test]
    assert sorted(tested) == [(r.start, r.stop) for r in spans]
    for fold in folds:
        parts = [samples(p) for p in (fold.train, fold.validation, fold.test)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert len(set.union(*parts)) == 800
        assert bool(parts[1]) == (validation > 0)


@given(st.integers(2, 6), st.sampled_from([None, 0, 1]))
def test_groups_test_every_subject_once(k, seed):
    spans = recordings(n_subjects=8)
    folds = parts_of(GroupSplit(folds=k, seed=seed), spans)
    assert len(folds) == k
    tested = sorted(s for fold in folds for s in fold.test)
    assert tested == [(r.start, r.stop) for r in spans]


@given(
    st.integers(3, 20),
    st.integers(0, 5),
    st.tuples(st.integers(1, 8), st.integers(0, 2), st.integers(1, 2)),
)
def test_blocks_share_no_sample_and_lose_none(blocks, seed, ratio):
    spans = recordings(length=157)
    try:
        (parts,) = parts_of(BlockSplit(ratio=ratio, blocks=blocks, seed=seed), spans)
    except ConfigError:
        assert blocks < 12
        return
    pieces = [samples(p) for p in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, pieces)) == len(set.union(*pieces)) == 8 * 157
    for start, stop in (*parts.train, *parts.validation, *parts.test):
        assert any(r.start <= start < stop <= r.stop for r in spans)


@given(st.integers(2, 20), st.integers(1, 20), st.integers(0, 3))
def test_only_the_random_split_of_overlapping_windows_leaks(length, step, seed):
    spans = recordings()
    source = stream(np.arange(800) % 3, spans)
    honest = [LeaveOneOutSplit(), GroupSplit(folds=2), BlockSplit(blocks=4, ratio=(2, 1, 1))]
    for split in honest:
        for fold in folds_of(source, TOY, GESTURES, Protocol(split=split), length, step):
            assert fold.test_overlap == fold.validation_overlap == 0
    leaky = Protocol(split=RandomWindowSplit(ratio=(2, 1, 1), seed=seed))
    (fold,) = folds_of(source, TOY, GESTURES, leaky, length, step)
    assert (fold.test_overlap > 0) == (step < length)
    every = np.concatenate([fold.train.starts, fold.validation.starts, fold.test.starts])
    assert len(set(every)) == len(every) == 8 * ((100 - length) // step + 1)


def test_windows_never_cross_a_recording():
    spans = recordings()
    (fold,) = folds_of(
        stream(np.zeros(800), spans),
        TOY,
        GESTURES,
        Protocol(split=FixedSplit(train=("s1*",), test=("s2*",))),
        30,
        7,
    )
    for start in fold.train.starts:
        assert any(r.start <= start and start + 30 <= r.stop for r in spans[:2])


def test_within_segments_no_window_holds_two_labels():
    spans = recordings(n_subjects=2, n_sessions=1)
    labels = np.repeat([-1, 1, 2, 2, 0, -1, 2, 1], 25)
    split = FixedSplit(train=("s1*",), test=("s2*",))
    plain, within = (
        folds_of(stream(labels, spans), TOY, GESTURES, Protocol(split=split, within=w), 20, 5)[0]
        for w in ("recording", "segment")
    )
    # Two segments of one label that touch are one.
    assert within.train.starts.tolist() == [25, 30, *range(50, 81, 5)]
    assert within.train.labels.tolist() == [1, 1, *[2] * 7]
    assert within.test.starts.tolist() == [100, 105, 150, 155, 175, 180]
    assert within.test.labels.tolist() == [0, 0, 2, 2, 1, 1]
    (same,) = folds_of(stream(labels, spans), TOY, GESTURES, Protocol(split=split), 20, 5)
    assert (
        same.train.starts.tolist()
        == plain.train.starts.tolist()
        == [start for start in range(0, 81, 5) if start >= 15]
    )


@pytest.mark.parametrize("split", [BlockSplit(blocks=4, ratio=(2, 1, 1)), RandomWindowSplit()])
def test_within_segments_windows_stay_in_their_part(split):
    spans = recordings()
    labels = np.arange(800) // 40 % 3
    protocol = Protocol(split=split, within="segment")
    (fold,) = folds_of(stream(labels, spans), TOY, GESTURES, protocol, 8, 4)
    (parts,) = parts_of(split, spans)
    for windows, stretches in ((fold.train, parts.train), (fold.test, parts.test or parts.train)):
        assert len(windows)
        for start in windows.starts:
            assert len(set(labels[start : start + 8])) == 1
            assert any(a <= start and start + 8 <= b for a, b in stretches)


def test_null_dropped_moves_the_classes_down():
    spans = recordings()
    labels = np.repeat([0, 1, 2, 1], 200)
    protocol = Protocol(split=FixedSplit(train=("s1*", "s2*"), test=("s3*",)), null="drop")
    (fold,) = folds_of(stream(labels, spans), TOY, GESTURES, protocol, 10, 10)
    assert set(fold.train.labels) == {0}  # wave; the windows of s1 are all NULL
    assert len(fold.train) == 20
    assert set(fold.test.labels) == {1}
    assert classes_of(GESTURES, protocol) == (("wave", "turn"), None)
    assert classes_of(GESTURES, Protocol()) == (GESTURES.classes, 0)


def test_a_fold_without_windows_is_refused():
    spans = recordings(length=5)
    with pytest.raises(ConfigError, match="no training window of 6 samples"):
        folds_of(stream(np.zeros(40), spans), TOY, GESTURES, Protocol(split="loso"), 6, 3)


def test_splits_by_name():
    assert split_named(TOY, Protocol()) == TOY.splits["fixed"]
    assert split_named(TOY, Protocol(split="LOSO")) == LeaveOneOutSplit()
    without = replace(TOY, splits={"fixed": TOY.splits["fixed"]})
    assert split_named(without, Protocol(split="loso")) == LeaveOneOutSplit()
    own = replace(TOY, splits={"loso": LeaveOneOutSplit(validation=0)})
    assert split_named(own, Protocol(split="loso")) == LeaveOneOutSplit(validation=0)
    with pytest.raises(ConfigError, match="no split 'fixd'; did you mean 'fixed'"):
        split_named(TOY, Protocol(split="fixd"))
