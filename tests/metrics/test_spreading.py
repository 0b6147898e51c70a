"""Predictions of windows spread over samples: drawn cases, and a vote sample by sample."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.metrics.spreading import intervals, spread, vote


def voted(starts, classes, length, n_samples):
    return vote(np.array(starts, np.int64), np.array(classes, np.int64), length, n_samples)


def by_hand(starts, classes, length, sample):
    """One sample's class, as the module's docstring says it."""
    covering = [
        (start, number)
        for start, number in zip(starts, classes, strict=True)
        if start <= sample < start + length
    ]
    if not covering:
        return -1
    counts = Counter(number for _, number in covering)
    tied = [number for number, count in counts.items() if count == max(counts.values())]
    nearest = min(
        (abs(2 * sample - (2 * start + length - 1)), start, number)
        for start, number in covering
        if number in tied
    )
    return nearest[2]


@st.composite
def windowed(draw):
    length = draw(st.integers(1, 9))
    starts = draw(st.lists(st.integers(0, 25), min_size=1, max_size=15, unique=True))
    classes = draw(st.lists(st.integers(0, 3), min_size=len(starts), max_size=len(starts)))
    return starts, classes, length


@given(windowed(), st.integers(0, 5))
def test_every_sample_is_voted_on_as_by_hand(case, tail):
    starts, _, length = case
    n_samples = max(starts) + length + tail
    expected = [by_hand(*case, sample) for sample in range(n_samples)]
    assert voted(*case, n_samples).tolist() == expected


@given(windowed(), st.permutations(range(4)))
def test_other_numbers_for_the_classes_are_the_same_votes(case, renamed):
    starts, classes, length = case
    n_samples = max(starts) + length
    first = voted(*case, n_samples)
    moved = voted(starts, [renamed[number] for number in classes], length, n_samples)
    assert moved.tolist() == [renamed[v] if v >= 0 else -1 for v in first.tolist()]


@given(windowed())
def test_the_order_of_the_windows_does_not_matter(case):
    starts, classes, length = case
    n_samples = max(starts) + length
    order = np.argsort(starts)
    again = voted(np.array(starts)[order], np.array(classes)[order], length, n_samples)
    assert again.tolist() == voted(*case, n_samples).tolist()


def test_the_majority_wins():
    # windows  00000
    #           11111
    #            11111
    assert voted([0, 1, 2], [0, 1, 1], 5, 7).tolist() == [0, 0, 1, 1, 1, 1, 1]


def test_at_half_overlap_every_window_decides_on_its_middle_half():
    # windows  0000
    #            1111
    #              0000     a gesture in one window among NULL does not vanish
    assert voted([0, 2, 4], [0, 1, 0], 4, 8).tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def test_of_two_centres_as_near_the_earlier_window_wins():
    # centres 1 and 3: sample 2 lies between them
    assert voted([0, 2], [3, 1], 3, 5).tolist() == [3, 3, 3, 1, 1]
    assert voted([0, 2], [1, 3], 3, 5).tolist() == [1, 1, 1, 3, 3]


def test_samples_without_a_window_cut_a_recording_into_stretches():
    # samples 0123456789...
    # windows  111
    #            22             then a dropped window
    #                  333      starts at 8
    found = spread(["a", "a", "b", "a"], [1, 2, 0, 8], [1, 1, 0, 2], [1, 2, 1, 0], 3)
    shown = [(s.recording, s.start, s.true.tolist(), s.predicted.tolist()) for s in found]
    # Sample 2 lies in both windows, with its centre: the first is nearer.
    assert shown == [
        ("a", 1, [1, 1, 1, 1], [1, 1, 2, 2]),
        ("a", 8, [2, 2, 2], [0, 0, 0]),
        ("b", 0, [0, 0, 0], [1, 1, 1]),
    ]
    assert [len(s) for s in found] == [4, 3, 3]


def test_labels_of_samples_take_the_place_of_those_of_windows():
    labels = {"a": np.array([0, 0, 1, 1, -1, 1, 0, 0], np.int16)}
    found = spread(["a", "a"], [0, 4], [0, 1], [0, 1], 3, labels)
    shown = [(s.start, s.true.tolist(), s.predicted.tolist()) for s in found]
    # Sample 3 has no window, sample 4 no label, sample 7 no window.
    assert shown == [(0, [0, 0, 1], [0, 0, 0]), (5, [1, 0], [1, 1])]


def test_nothing_is_no_stretch():
    assert spread([], [], [], [], 5) == []
    assert voted([], [], 5, 3).tolist() == [-1, -1, -1]
    assert intervals(np.zeros(0, bool)).tolist() == []
    assert intervals(np.array([True, True, False, True])).tolist() == [[0, 2], [3, 4]]


def test_refusals():
    for broken, said in [
        ((["a"], [0, 1], [0, 0], [0, 0], 3), "1 recordings, 2 starts"),
        ((["a"], [-1], [0], [0], 3), "reaches out of a recording"),
        ((["a"], [2**40], [0], [0], 3), "would be of 1099511627779 samples"),
        ((["a"], [0], [0], [-2], 3), "class -2 is negative"),
        ((["a"], [0], [0], [0], 0), "windows of 0 samples"),
        ((["a"], [0.5], [0], [0], 3), "starts are of type float64"),
        ((["a"], [0], [[0]], [0], 3), "true classes have shape"),
    ]:
        with pytest.raises(ValueError, match=said):
            spread(*broken)
    with pytest.raises(ValueError, match="recording 'a' has no labels"):
        spread(["a"], [0], [0], [0], 3, {"b": np.zeros(3, int)})
    with pytest.raises(ValueError, match="out of a recording of 2 samples"):
        spread(["a"], [0], [0], [0], 3, {"a": np.zeros(2, int)})
