"""Segment F1: cases by hand, and the definition written a second time from the papers' text."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.metrics.events import events_of
from harbench.metrics.sampled import sample_scores, score_events, together
from harbench.metrics.segments import OVERLAPS, SegmentCounts, match_segments
from harbench.metrics.spreading import Stretch

labels = st.lists(st.integers(0, 3), min_size=1, max_size=40)
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


def segments_of(frames):
    """(class, samples of the segment) of every segment other than background, class 0."""
    found = []
    for i, number in enumerate(frames):
        if i and frames[i - 1] == number:
            found[-1][1].add(i)
        else:
            found.append((number, {i}))
    return [(number, samples) for number, samples in found if number != 0]


def iou(a, b):
    return Fraction(len(a & b), len(a | b))


def f1_by_the_text(recordings, percent):
    """ "Each predicted segment is a true or false positive by its IoU with the corresponding true
    segment ... if there is more than one correct detection within one true action only one is
    marked as a true positive": summed over recordings, 2 P R / (P + R)."""
    right = wrong = missed = 0
    for true, predicted in recordings:
        truth, taken = segments_of(true), set()
        for number, samples in segments_of(predicted):
            overlaps = [
                (iou(samples, other), -place)
                for place, (name, other) in enumerate(truth)
                if name == number
            ]
            best, place = max(overlaps, default=(Fraction(0), 0))
            if best >= Fraction(percent, 100) and -place not in taken:
                taken.add(-place)
                right += 1
            else:
                wrong += 1
        missed += len(truth) - len(taken)
    if right == 0:
        return 0.0 if wrong + missed else None
    precision, recall = Fraction(right, right + wrong), Fraction(right, right + missed)
    return float(2 * precision * recall / (precision + recall))


def stretch(true, predicted, name="a"):
    return Stretch(name, 0, np.array(true, np.int64), np.array(predicted, np.int64))


@given(st.lists(pairs, min_size=1, max_size=3))
def test_f1_is_as_the_text_has_it(recordings):
    halves = [tuple(zip(*recording, strict=True)) for recording in recordings]
    scores = sample_scores([stretch(*half) for half in halves], "nabc", 0)
    for percent in OVERLAPS:
        expected = f1_by_the_text(halves, percent)
        assert scores[f"segment_f1_{percent}"] == (
            None if expected is None else pytest.approx(expected, abs=1e-12)
        )


def most_matches(true, predicted, percent):
    """The most pairs with enough overlap, each segment in one: tried in every order."""
    few, many = sorted((true, predicted), key=len)
    return max(
        sum(
            iou(set(range(*a)), set(range(*b))) >= Fraction(percent, 100)
            for a, b in zip(few, chosen, strict=True)
        )
        for chosen in permutations(many, len(few))
    )


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=14),
    st.integers(1, 100),
)
def test_no_more_is_right_than_the_best_assignment_has(drawn, percent):
    true, predicted = (events_of(np.array(half, int), 1) for half in zip(*drawn, strict=True))
    found = match_segments(true, predicted, percent)
    best = most_matches(true.tolist(), predicted.tolist(), percent)
    assert found.true_positive <= best
    # Beyond half, no segment has enough overlap with two others: there is nothing to choose.
    if percent > 50:
        assert found.true_positive == best
    assert found.true_positive + found.false_positive == len(predicted)
    assert found.true_positive + found.false_negative == len(true)


@given(labels)
def test_a_perfect_prediction_has_an_f1_of_one(true):
    scores = sample_scores([stretch(true, true)], "nabc", 0)
    assert scores["sample_nf"] == 1
    for percent in OVERLAPS:
        assert scores[f"segment_f1_{percent}"] == (1 if any(true) else None)
    every = together(score_events([stretch(true, true)], 4), 0)
    assert every.events.correct == every.events.true == len(segments_of(true))
    assert every.missed == sum(every.delays) == 0


@given(pairs, st.permutations([1, 2, 3]))
def test_other_numbers_for_the_classes_change_nothing(drawn, renamed):
    true, predicted = zip(*drawn, strict=True)
    new = [0, *renamed]
    moved = stretch([new[t] for t in true], [new[p] for p in predicted])
    first = sample_scores([stretch(true, predicted)], "nabc", 0)
    again = sample_scores([moved], "nabc", 0)
    assert again == {k: v if v is None else pytest.approx(v, abs=1e-12) for k, v in first.items()}
    by_class = score_events([stretch(true, predicted)], 4)
    after = score_events([moved], 4)
    assert [after[number] for number in new] == by_class
    assert together(after, 0).events == together(by_class, 0).events


@given(pairs)
def test_overlaps_asked_for_in_order_give_scores_in_order(drawn):
    true, predicted = zip(*drawn, strict=True)
    scores = sample_scores([stretch(true, predicted)], "nabc", 0)
    values = [scores[f"segment_f1_{percent}"] for percent in sorted(OVERLAPS)]
    if None not in values:
        assert values == sorted(values, reverse=True)


def spans(*found):
    return np.array(found, np.int64).reshape(-1, 2)


def test_overlaps_by_hand():
    # True 0-10; predicted 5-15: 5 of 15 samples, a third.
    for percent, right in ((25, 1), (33, 1), (34, 0), (50, 0)):
        found = match_segments(spans((0, 10)), spans((5, 15)), percent)
        assert found == SegmentCounts(right, 1 - right, 1 - right)
    # Exactly 3 of 30 is 10 percent.
    assert match_segments(spans((0, 30)), spans((0, 3)), 10).true_positive == 1
    # Each half is enough at 50 %, but one true segment is found once.
    halves = match_segments(spans((0, 10)), spans((0, 5), (5, 10))[[0]], 50)
    assert halves == SegmentCounts(1, 0, 0)
    both = match_segments(spans((0, 11)), spans((0, 5), (6, 11)), 25)
    assert both == SegmentCounts(1, 1, 0)
    assert both.f1 == pytest.approx(2 / 3)
    # The best overlap counts, even where it is taken and another would do.
    greedy = match_segments(spans((0, 10), (12, 14)), spans((0, 4), (5, 14)), 20)
    assert greedy == SegmentCounts(1, 1, 1)


def test_where_there_is_nothing_there_is_no_f1():
    nothing = match_segments(spans(), spans(), 10)
    assert (nothing, nothing.f1) == (SegmentCounts(), None)
    assert match_segments(spans((0, 3)), spans(), 10).f1 == 0
    assert match_segments(spans(), spans((0, 3)), 10).f1 == 0
    assert sample_scores([stretch([0, 0], [0, 0])], "na", 0)["segment_f1_10"] is None


def test_touching_segments_of_other_classes_are_two():
    # Without NULL among the classes, class 0 counts too.
    without = sample_scores([stretch([0, 0, 1, 1], [0, 0, 1, 1])], "ab", None)
    assert without["segment_f1_50"] == 1
    shifted = score_events([stretch([0, 0, 0, 1, 1, 1], [0, 1, 1, 1, 1, 1])], 2)
    # Class 0: 1 of 3 samples; class 1: 3 of 5.
    assert [c.segments[50] for c in shifted] == [SegmentCounts(0, 1, 1), SegmentCounts(1, 0, 0)]
    assert together(shifted, None).segments[25] == SegmentCounts(2, 0, 0)


def test_stretches_are_added_up_and_no_event_reaches_from_one_to_the_next():
    parts = [stretch([1, 1], [1, 1]), stretch([1, 1, 0], [0, 1, 0], "b")]
    found = score_events(parts, 2)[1]
    assert (found.events.true, found.events.correct) == (2, 2)
    assert (found.delays, found.missed) == ((0, 1), 0)
    assert (found.frames.true_positive, found.frames.underfill_start) == (3, 1)


def test_refusals():
    with pytest.raises(ValueError, match="an overlap of 0 percent"):
        match_segments(spans(), spans(), 0)
    with pytest.raises(ValueError, match=r"classes 0 to 4, expected 0 \.\. 1"):
        score_events([stretch([0, 4], [0, 0])], 2)
