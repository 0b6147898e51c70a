"""The leakage audit against a count by hand, sample by sample."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harbench.data.audit import FoldAudit, audit_fold, cautions_of
from harbench.data.gap_runs import gap_runs
from harbench.data.gaps import fill_by_part, fill_gaps, ranks_of
from harbench.data.splits import Fold, folds_of
from harbench.data.stream import RecordingSpan, Stream
from harbench.data.windows import Windows, covered, overlap_share
from harbench.nouns import (
    BlockSplit,
    FixedSplit,
    GroupSplit,
    LeaveOneOutSplit,
    Protocol,
    RandomWindowSplit,
)
from harbench.nouns.protocol import MostOf
from toys.thorough import examples
from toys.toy_plugin import TOY

TASK = TOY.tasks[0]
PARTS = ("train", "validation", "test")


def make_stream(lengths, *, n_sessions=2, gaps=0.0, seed=0):
    """Recordings of two sessions a subject; ``gaps`` is the share of missing values."""
    rng = np.random.default_rng(seed)
    spans, at = [], 0
    for i, length in enumerate(lengths):
        subject, session = f"s{i // n_sessions + 1}", "ab"[i % n_sessions]
        spans.append(RecordingSpan(f"{subject}{session}", subject, session, at, at + length))
        at += length
    signals = rng.normal(size=(at, 3)).astype(np.float32)
    signals[rng.random((at, 3)) < gaps] = np.nan
    labels = np.repeat(rng.integers(0, 3, at // 5 + 1), 5)[:at].astype(np.int16)
    return Stream("d", tuple(spans), signals, {"gestures": labels})


def audits(stream, protocol, length, step, channels=(0, 1, 2)):
    return [
        (fold, audit(fold, stream, protocol, length, channels))
        for fold in folds_of(stream, TOY, TASK, protocol, length, step)
    ]


def audit(fold, stream, protocol, length, channels=(0, 1, 2)):
    return audit_fold(
        fold,
        stream,
        protocol,
        length=length,
        channels=channels,
        null=TASK.null,
        runs=lambda: gap_runs(stream),
    )


def samples(windows, length):
    return [set(range(s, s + length)) for s in windows.starts.tolist()]


def share_by_hand(windows, others, length):
    """Every window against every other, as sets of samples."""
    found = samples(windows, length)
    against = samples(others, length)
    return sum(any(w & o for o in against) for w in found) / len(found) if found else 0.0


def known_to(held, i):
    """The samples that sample i may be made of: training's (or nobody's) are any part's to use,
    validation's not training's, test's only test's."""
    if i in held["train"]:
        return lambda k: k in held["train"] or k not in held["validation"] | held["test"]
    if i in held["validation"]:
        return lambda k: k in held["train"] | held["validation"] or k not in held["test"]
    return lambda k: True


def fill_by_hand(stream, how, channel, held):
    """Sample -> the samples that its filled value was made of; filled samples of windows only."""
    made_of = {}
    for recording in stream.recordings:
        inside = range(recording.start, recording.stop)
        for i in inside:
            if not any(i in own for own in held.values()):
                continue
            known = known_to(held, i)
            here = [k for k in inside if not np.isnan(stream.signals[k, channel]) and known(k)]
            before = [k for k in here if k < i]
            after = [k for k in here if k > i]
            if np.isnan(stream.signals[i, channel]) and before:
                made_of[i] = {before[-1]} | ({after[0]} if how == "linear" and after else set())
    return made_of


def gaps_by_hand(fold, stream, how, length, channels):
    """Part -> values, filled, ahead, across."""
    held = {p: set().union(*samples(getattr(fold, p), length), set()) for p in PARTS}
    found = {}
    for part in PARTS:
        own = held[part]
        foreign = set().union(*(held[p] for p in PARTS if p != part)) - own
        filled = ahead = across = 0
        for channel in channels:
            for i, sources in fill_by_hand(stream, how, channel, held).items():
                if i in own:
                    filled += 1
                    ahead += any(k > i for k in sources)
                    across += bool(sources & foreign)
        found[part] = (len(own) * len(channels), filled, ahead, across)
    return found


lengths = st.lists(st.integers(30, 70), min_size=8, max_size=8)
splits = st.one_of(
    st.builds(RandomWindowSplit, ratio=st.just((2.0, 1.0, 1.0)), seed=st.integers(0, 99)),
    st.builds(
        BlockSplit, ratio=st.just((2.0, 1.0, 1.0)), blocks=st.just(4), seed=st.integers(0, 99)
    ),
    st.builds(LeaveOneOutSplit, by=st.sampled_from(["subject", "session", "recording"])),
    st.builds(GroupSplit, folds=st.just(3), by=st.just("session"), seed=st.integers(0, 9)),
    st.just(FixedSplit(train=("s1*", "s2a"), validation=("s2b",), test=("s3*", "s4a"))),
)


@settings(max_examples=examples(150))
@given(
    lengths=lengths,
    split=splits,
    length=st.integers(2, 7),
    step=st.integers(1, 9),
    gaps=st.sampled_from([0.0, 0.1, 0.6]),
    fill=st.sampled_from(["none", "forward", "linear"]),
    seed=st.integers(0, 9),
)
@example(
    # Training holds every sample of a recording, test some of them.
    lengths=[30] * 8,
    split=RandomWindowSplit(ratio=(2.0, 1.0, 1.0), seed=0),
    length=3,
    step=1,
    gaps=0.1,
    fill="forward",
    seed=0,
)
def test_it_is_the_count_by_hand(lengths, split, length, step, gaps, fill, seed):
    stream = make_stream(lengths, gaps=gaps, seed=seed)
    protocol = Protocol(split=split, fill=fill)
    channels = (0, 2)
    by_key = {
        "subjects": lambda r: r.subject,
        "sessions": lambda r: f"{r.subject}/{r.session}",
        "recordings": lambda r: r.name,
    }
    for fold, found in audits(stream, protocol, length, step, channels)[:2]:
        assert set(found.parts) == {p for p in PARTS if len(getattr(fold, p))}
        starts = {p: getattr(fold, p).starts.tolist() for p in PARTS}
        inside = {
            p: [r for r in stream.recordings if any(r.start <= s < r.stop for s in starts[p])]
            for p in PARTS
        }
        for name, part in found.parts.items():
            assert part.windows == len(getattr(fold, name))
            if name == "train":
                assert part.shared == 0
                continue
            assert part.shared == share_by_hand(getattr(fold, name), fold.train, length)
            for kind, key in by_key.items():
                own = {key(r) for r in inside[name]}
                common = getattr(part, kind)
                assert common.n == len(own)
                assert set(common.names) == own & {key(r) for r in inside["train"]}
        in_validation = share_by_hand(fold.test, fold.validation, length)
        assert found.test_in_validation == in_validation
        assert found.leaks == (
            in_validation > 0 or any(part.shared > 0 for part in found.parts.values())
        )
        by_hand = gaps_by_hand(fold, stream, fill, length, channels)
        for name, part in found.parts.items():
            if part.gaps is None:
                # Not counted only where there can be nothing.
                assert fill == "none" or by_hand[name][2:] == (0, 0)
            else:
                counts = (part.gaps.values, part.gaps.filled, part.gaps.ahead, part.gaps.across)
                assert counts == by_hand[name]
        assert FoldAudit.from_json(json.loads(json.dumps(found.to_json()))) == found


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=12),
    st.lists(st.integers(0, 60), max_size=12),
    st.integers(1, 9),
)
def test_any_windows_whatever_made_them(windows, training, length):
    ours, theirs = np.array(windows, np.int64), np.array(training, np.int64)
    one = Windows(ours, np.zeros_like(ours))
    other = Windows(theirs, np.zeros_like(theirs))
    assert overlap_share(ours, theirs, length, 70) == share_by_hand(one, other, length)


@given(
    st.lists(st.sampled_from([0.0, np.nan, 3.0]), min_size=1, max_size=30),
    st.sampled_from(["forward", "linear"]),
)
def test_runs_are_what_fill_gaps_fills(values, how):
    signals = np.array(values, np.float32)[:, None]
    stream = Stream("d", (RecordingSpan("r", "s", "a", 0, len(signals)),), signals.copy(), {})
    runs = gap_runs(stream)
    filled = {i for a, b in zip(runs.start, runs.stop, strict=True) for i in range(a, b)}
    fill_gaps(signals, how)
    before = np.isnan(stream.signals[:, 0])
    assert filled == set(np.flatnonzero(before & ~np.isnan(signals[:, 0])).tolist())


def windows(*starts):
    return Windows(np.array(starts, np.int64), np.zeros(len(starts), np.int64))


def test_a_gap_behind_a_test_block_is_filled_from_the_training_block_before():
    """Four windows of 5 samples: train, test, train, test; a gap of two samples at the beginning
    of the second train window, and one at the beginning of the second test window."""
    signals = np.arange(20, dtype=np.float32)[:, None].repeat(3, axis=1)
    signals[10:12, 1] = np.nan
    signals[15, 1] = np.nan
    stream = Stream("d", (RecordingSpan("r", "s", "a", 0, 20),), signals, {})
    fold = Fold("all", windows(0, 10), windows(), windows(5, 15), 0.0, 0.0, (0, 0, 0))
    held = {"train": covered(fold.train.starts, 5, 20), "test": covered(fold.test.starts, 5, 20)}

    def filled(how):
        values = signals.copy()
        fill_by_part(values, how, ranks_of(held))
        return values[10:12, 1].tolist(), values[15, 1]

    assert filled("forward") == ([4, 4], 14)
    # A line from sample 4 to sample 12 is 10 and 11 there, as they were made.
    assert filled("linear") == ([10, 11], 15)
    found = audit(fold, stream, Protocol(fill="forward"), 5)
    train, test = found.parts["train"].gaps, found.parts["test"].gaps
    assert (train.values, train.filled, train.ahead, train.across) == (30, 2, 0, 0)
    assert (test.values, test.filled, test.ahead, test.across) == (30, 1, 0, 1)
    assert not found.leaks
    assert "gaps are filled from other parts in 3.3 % of the test values" in found.cautions
    # Of the other channels there is nothing to fill.
    assert audit(fold, stream, Protocol(), 5, (0, 2)).parts["train"].gaps.filled == 0
    both = audit(fold, stream, Protocol(fill="linear"), 5)
    assert (both.parts["train"].gaps.ahead, both.parts["train"].gaps.across) == (2, 0)
    assert (both.parts["test"].gaps.ahead, both.parts["test"].gaps.across) == (1, 1)


@given(
    st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=1, max_size=25),
    st.sampled_from(["forward", "linear"]),
    st.integers(0, 999),
)
def test_no_part_is_filled_from_one_that_it_must_not_know(ranks, how, seed):
    rng = np.random.default_rng(seed)
    ranks = np.array(ranks, np.int8)
    signals = rng.normal(size=(len(ranks), 2)).astype(np.float32)
    signals[rng.random(signals.shape) < 0.4] = np.nan
    once = signals.copy()
    fill_by_part(once, how, ranks)
    present = ~np.isnan(signals)
    np.testing.assert_array_equal(once[present], signals[present])
    for level in (0, 1):
        other = signals.copy()
        other[ranks > level] = rng.choice([np.nan, 7.0], other[ranks > level].shape)
        fill_by_part(other, how, ranks)
        own = (ranks >= 0) & (ranks <= level)
        np.testing.assert_array_equal(once[own], other[own])


@pytest.mark.parametrize(
    ("protocol", "cautions"),
    [
        ({"split": "fixed"}, ()),
        ({"split": "loso"}, ()),
        ({"split": "fixed", "normalise": "none"}, ()),
        ({"split": "fixed", "null": "drop"}, ("NULL is left out by labels",)),
        ({"split": "fixed", "within": "segment"}, ("segments are cut by labels",)),
        (
            {"split": "fixed", "label": MostOf(most_of=0.6)},
            ("windows of mixed labels are left out",),
        ),
        ({"split": LeaveOneOutSplit(by="session")}, ("1 of 1 test subjects train too",)),
        ({"split": BlockSplit(blocks=4, ratio=(2, 1, 1))}, ("8 of 8 test recordings train too",)),
    ],
)
def test_cautions(protocol, cautions):
    stream = make_stream([100] * 8)
    found = [a for _, a in audits(stream, Protocol(**protocol), 5, 5)]
    assert cautions_of(found) == cautions
    assert not any(a.leaks for a in found)


def test_the_worst_fold_speaks_and_small_shares_are_no_zero():
    stream = make_stream([1000] * 8, seed=1)
    stream.signals[130] = np.nan
    protocol = Protocol(split="loso", fill="linear")
    found = [a for _, a in audits(stream, protocol, 10, 5)]
    # One sample of 2000 of the first subject's, in all channels.
    assert found[0].parts["test"].gaps.ahead == 3
    assert cautions_of(found) == ("linear fill looks ahead in under 0.1 % of the test values",)
    stream.signals[100:200] = np.nan
    found = [a for _, a in audits(stream, protocol, 10, 5)]
    assert cautions_of(found) == ("linear fill looks ahead in 5.0 % of the test values",)


def test_what_holds_of_the_protocol():
    stream = make_stream([100] * 8)
    for normalise, where in [
        ("z-score", "training windows"),
        ("min-max", "training windows"),
        ("fixed", "fixed limits"),
        ("none", "none"),
    ]:
        ((_, found),) = audits(stream, Protocol(split="fixed", normalise=normalise), 5, 5)
        assert found.normaliser == where
    ((_, found),) = audits(stream, Protocol(split="fixed", label="last"), 5, 5, (1,))
    assert found.label == "last of the window's own samples"
    assert found.channels == (1, 3)
    assert found.cautions == ("1 of 3 channels, chosen by hand",)
    # A task without NULL has none to leave out.
    (fold,) = folds_of(stream, TOY, TASK, Protocol(split="fixed"), 5, 5)
    dropped = audit_fold(
        fold, stream, Protocol(null="drop"), length=5, channels=(0, 1, 2), null=None, runs=list
    )
    assert dropped.chosen_by_labels == ()


def test_signals_are_read_only_where_filling_may_look_elsewhere():
    def unread():
        raise AssertionError("the signals need not be read")

    stream = make_stream([100] * 8, gaps=0.1)
    for protocol in (
        Protocol(split="loso"),
        Protocol(split="fixed"),
        Protocol(split=BlockSplit(blocks=4, ratio=(2, 1, 1)), fill="none"),
    ):
        (fold, *_) = folds_of(stream, TOY, TASK, protocol, 5, 5)
        audit_fold(fold, stream, protocol, length=5, channels=(0,), null=0, runs=unread)


def test_validation_alone_can_leak():
    stream = make_stream([100] * 2)
    (fold,) = folds_of(
        stream, TOY, TASK, Protocol(split=FixedSplit(train=("s1a",), test=("s1b",))), 5, 5
    )
    leaky = replace(fold, validation=fold.train, validation_overlap=1.0)
    found = audit(leaky, stream, Protocol(), 5)
    assert found.leaks
    assert found.parts["validation"].shared == 1
    chosen_on_test = replace(fold, validation=fold.test)
    found = audit(chosen_on_test, stream, Protocol(), 5)
    assert found.leaks
    assert found.test_in_validation == 1
    assert covered(fold.test.starts, 5, 200).sum() == 100
