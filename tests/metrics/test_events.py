"""Ward's categories: every one drawn alone and together, against a slow reading of the paper."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.metrics.events import (
    FRAME_CATEGORIES,
    EventCounts,
    FrameCounts,
    count_events,
    count_frames,
    delays,
    events_of,
    frame_categories,
)

# Letters of the drawings -> categories of samples.
LETTERS = {
    "TN": ".", "TP": "=", "D": "D", "F": "F", "Ua": "u", "Uo": "U",
    "I": "I", "M": "M", "Oa": "o", "Oo": "O",
}  # fmt: skip


def boolean(drawing):
    return np.array([letter == "#" for letter in drawing])


def shown(true, predicted):
    """The categories of the samples, a letter each."""
    found = frame_categories(boolean(true), boolean(predicted))
    return "".join(LETTERS[FRAME_CATEGORIES[i]] for i in found)


def counted(true, predicted):
    """The categories of the events that occur."""
    found = count_events(
        events_of(boolean(true).astype(int), 1), events_of(boolean(predicted).astype(int), 1)
    )
    return {name: n for name, n in vars(found).items() if n}


# Truth, prediction, categories of samples, categories of events. # is the class.
DRAWN = {
    "correct": (
        "..####..",
        "..####..",
        "..====..",
        {"correct": 1},
    ),
    "deletion": (
        "..####..",
        "........",
        "..DDDD..",
        {"deleted": 1},
    ),
    "insertion": (
        "........",
        "..####..",
        "..IIII..",
        {"inserted": 1},
    ),
    "fragmentation": (
        ".########.",
        ".##..####.",
        ".==FF====.",
        {"fragmented": 1, "fragmenting": 2},
    ),
    "merge": (
        ".##..####.",
        ".########.",
        ".==MM====.",
        {"merged": 2, "merging": 1},
    ),
    "underfill at the start": (
        "..#####..",
        "....###..",
        "..uu===..",
        {"correct": 1},
    ),
    "underfill at the end": (
        "..#####..",
        "..###....",
        "..===UU..",
        {"correct": 1},
    ),
    "overfill at the start": (
        "....###..",
        "..#####..",
        "..oo===..",
        {"correct": 1},
    ),
    "overfill at the end": (
        "..###....",
        "..#####..",
        "..===OO..",
        {"correct": 1},
    ),
    "shifted: underfill and overfill": (
        ".####...",
        "...####.",
        ".uu==OO.",
        {"correct": 1},
    ),
    "next to each other: deletion and insertion": (
        ".###....",
        "....###.",
        ".DDDIII.",
        {"deleted": 1, "inserted": 1},
    ),
    "a merge that also overfills": (
        "...##..##...",
        "..#########.",
        "..o==MM==OO.",
        {"merged": 2, "merging": 1},
    ),
    "a fragmentation that also underfills": (
        ".########.",
        "...##.##..",
        ".uu==F==U.",
        {"fragmented": 1, "fragmenting": 2},
    ),
    "a merge that also underfills": (
        "##.##",
        ".###.",
        "u=M=U",
        {"merged": 2, "merging": 1},
    ),
    "fragmented and merged": (
        "####..####",
        "#..#######",
        "=FF=MM====",
        {
            "fragmented_and_merged": 1,
            "merged": 1,
            "fragmenting": 1,
            "fragmenting_and_merging": 1,
        },
    ),
    "a chain: all but the ends are both": (
        "###.###.####",
        "#.###.###.##",
        "=F=M=F=M=F==",
        {"fragmented_and_merged": 3, "fragmenting": 2, "fragmenting_and_merging": 2},
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_drawn(name):
    true, predicted, samples, events = DRAWN[name]
    assert len(true) == len(predicted) == len(samples)
    assert shown(true, predicted) == samples
    assert counted(true, predicted) == events


binary = st.lists(st.booleans(), max_size=40)
pairs = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40)


def slow_category(true, predicted, i):
    """Walk from a sample to both ends of its segment, and look what lies behind them."""
    if true[i] == predicted[i]:
        return "TP" if true[i] else "TN"
    left, right = i, i
    while left >= 0 and (true[left], predicted[left]) == (true[i], predicted[i]):
        left -= 1
    while right < len(true) and (true[right], predicted[right]) == (true[i], predicted[i]):
        right += 1
    before = left >= 0 and true[left] and predicted[left]
    after = right < len(true) and true[right] and predicted[right]
    missed = bool(true[i])
    if before and after:
        return "F" if missed else "M"
    if before:
        return "Uo" if missed else "Oo"
    if after:
        return "Ua" if missed else "Oa"
    return "D" if missed else "I"


def slow_events(labels):
    """Sets of samples, one an event."""
    found, now = [], set()
    for i, inside in enumerate(labels):
        if inside:
            now.add(i)
        elif now:
            found.append(now)
            now = set()
    return [*found, now] if now else found


def slow_counts(true, predicted):
    """By the sentences of the paper, event by event."""
    events, others = slow_events(true), slow_events(predicted)
    names = []
    for event in events:
        on_it = [other for other in others if event & other]
        fragmented = len(on_it) > 1
        merged = any(sum(bool(other & e) for e in events) > 1 for other in on_it)
        names.append(
            "deleted" if not on_it
            else "fragmented_and_merged" if fragmented and merged
            else "fragmented" if fragmented
            else "merged" if merged
            else "correct"
        )  # fmt: skip
    for other in others:
        under_it = [event for event in events if event & other]
        merging = len(under_it) > 1
        fragmenting = any(sum(bool(event & o) for o in others) > 1 for event in under_it)
        if not under_it:
            names.append("inserted")
        elif merging and fragmenting:
            names.append("fragmenting_and_merging")
        elif merging or fragmenting:
            names.append("merging" if merging else "fragmenting")
    return {name: names.count(name) for name in sorted(set(names))}


def arrays(drawn):
    true, predicted = np.array(drawn, bool).reshape(-1, 2).T
    return true, predicted


def events(labels):
    return events_of(labels.astype(np.int64), 1)


@given(pairs)
def test_samples_are_as_a_slow_reading_has_them(drawn):
    true, predicted = arrays(drawn)
    expected = [slow_category(true, predicted, i) for i in range(len(true))]
    assert [FRAME_CATEGORIES[i] for i in frame_categories(true, predicted)] == expected


@given(pairs)
def test_events_are_as_a_slow_reading_has_them(drawn):
    true, predicted = arrays(drawn)
    found = count_events(events(true), events(predicted))
    assert {k: v for k, v in sorted(vars(found).items()) if v} == slow_counts(true, predicted)


@given(pairs)
def test_samples_and_events_add_up(drawn):
    true, predicted = arrays(drawn)
    frames = count_frames(true, predicted)
    assert sum(astuple(frames)) == len(true)
    assert (frames.positives, frames.negatives) == (true.sum(), (~true).sum())
    found = count_events(events(true), events(predicted))
    assert found.true == len(slow_events(true))
    assert found.predicted == len(slow_events(predicted))
    # A deleted event is one whose every sample is a deletion.
    assert (found.deleted == 0) == (frames.deletion == 0)
    assert (found.inserted == 0) == (frames.insertion == 0)


@given(binary)
def test_a_perfect_prediction_is_all_correct(labels):
    true = np.array(labels, bool)
    n_events = len(slow_events(true))
    assert count_events(events(true), events(true)) == EventCounts(correct=n_events)
    right = FrameCounts(true_negative=int((~true).sum()), true_positive=int(true.sum()))
    assert count_frames(true, true) == right
    assert delays(events(true), events(true)).tolist() == [0] * n_events


@given(pairs)
def test_truth_and_prediction_are_mirror_images(drawn):
    true, predicted = arrays(drawn)
    one, other = count_frames(true, predicted), count_frames(predicted, true)
    assert (one.deletion, one.fragmentation) == (other.insertion, other.merge)
    assert one.underfill_start == other.overfill_start
    assert one.underfill_end == other.overfill_end
    found = count_events(events(true), events(predicted))
    mirror = count_events(events(predicted), events(true))
    assert (found.deleted, found.correct) == (mirror.inserted, mirror.correct)
    assert (found.fragmented, found.merged) == (mirror.merging, mirror.fragmenting)
    assert found.fragmented_and_merged == mirror.fragmenting_and_merging


@given(pairs)
def test_time_turned_round_swaps_start_and_end(drawn):
    true, predicted = arrays(drawn)
    one, other = count_frames(true, predicted), count_frames(true[::-1], predicted[::-1])
    assert one.underfill_start == other.underfill_end
    assert one.overfill_start == other.overfill_end
    assert (one.deletion, one.merge) == (other.deletion, other.merge)


def test_delays_by_hand():
    #            starts 2, 10, 17 and 23
    true = "..####....####...###...##."
    said = "....###.#####......#......"
    found = delays(events(boolean(true)), events(boolean(said)))
    # Late by 2; there before it begins; at its last sample; never.
    assert found.tolist() == [2, 0, 2, -1]
    assert delays(events(boolean(true)), events(boolean("." * 26))).tolist() == [-1] * 4
    assert delays(events(boolean("...")), events(boolean("##."))).tolist() == []


@given(pairs)
def test_delays_are_as_a_slow_reading_has_them(drawn):
    true, predicted = arrays(drawn)
    expected = []
    for event in slow_events(true):
        right = [i for i in sorted(event) if predicted[i]]
        expected.append(right[0] - min(event) if right else -1)
    found = delays(events(true), events(predicted))
    assert found.tolist() == expected
    missed = count_events(events(true), events(predicted)).deleted
    assert (found < 0).sum() == missed


@pytest.fixture(scope="module")
def armetrics_scores():
    utils = pytest.importorskip("armetrics.utils", reason="the package armetrics is not installed")
    return utils.get_scores


@given(drawn=pairs)
def test_armetrics_agrees(armetrics_scores, drawn):
    """The package armetrics (MIT), an independent implementation of the same paper.

    Its rule for the first and the last segment of a recording is another (the last overfill counts
    as one at the start, a single segment has no category), so nothing happens there.
    """
    edge = [(False, False)]
    true, predicted = arrays([*edge, *drawn, *edge])
    theirs = armetrics_scores(true.astype(np.int8), predicted.astype(np.int8))
    frames = count_frames(true, predicted)
    names = ("tn", "tp", "d", "f", "ua", "uz", "i", "m", "oa", "oz")
    assert astuple(frames) == tuple(theirs["frames_summary"][name] for name in names)
    found = count_events(events(true), events(predicted))
    names = ("D", "F", "FM", "M", "C", "M'", "FM'", "F'", "I'")
    assert astuple(found) == tuple(theirs["events_summary"][name] for name in names)
