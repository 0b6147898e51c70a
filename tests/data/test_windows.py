import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.data.windows import covered, cut, label, overlap_share, segments
from harbench.nouns.lengths import check_length, in_samples
from harbench.nouns.protocol import MostOf

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=5).map(
    lambda pairs: [(start, start + length) for start, length in pairs]
)


@given(spans, st.integers(1, 12), st.integers(1, 12))
def test_cut_gives_every_whole_window_and_no_other(stretches, length, step):
    expected = [
        start
        for begin, end in stretches
        for start in range(begin, end)
        if (start - begin) % step == 0 and start + length <= end
    ]
    assert cut(stretches, length, step).tolist() == expected


@given(st.lists(st.integers(-1, 2), max_size=90), spans)
def test_segments_against_brute_force(values, stretches):
    stretches = [(min(a, len(values)), min(b, len(values))) for a, b in stretches]
    expected = []
    for begin, end in stretches:
        run = begin
        for i in range(begin, end):
            if i + 1 == end or values[i + 1] != values[i]:
                if values[i] >= 0:
                    expected.append((run, i + 1))
                run = i + 1
    assert segments(np.array(values, np.int16), stretches) == expected


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 5))
def test_windows_within_segments_hold_one_label_and_all_of_them_are_there(values, length, step):
    labels = np.array(values, np.int16)
    starts = cut(segments(labels, [(0, len(labels))]), length, step).tolist()
    for start in starts:
        assert len(set(values[start : start + length])) == 1
        assert values[start] >= 0
    if step == 1:
        pure = [set(values[i : i + length]) for i in range(len(values) - length + 1)]
        assert starts == [i for i, held in enumerate(pure) if len(held) == 1 and -1 not in held]


def test_the_literatures_window_counts_over_the_concatenated_stream():
    # facts: 557,963 training and 118,750 test rows at 24/12.
    assert len(cut([(0, 557_963)], 24, 12)) == 46_495
    assert len(cut([(0, 118_750)], 24, 12)) == 9_894


@given(
    st.lists(st.integers(-1, 3), min_size=8, max_size=60),
    st.integers(1, 8),
    st.integers(1, 5),
    st.sampled_from(["last", "majority", MostOf(most_of=0.6), MostOf(most_of=1.0)]),
)
def test_label_against_brute_force(values, length, step, rule):
    labels = np.array(values, np.int16)
    starts = cut([(0, len(labels))], length, step)
    expected = []
    for start in starts:
        window = values[start : start + length]
        if rule == "last":
            expected.append(window[-1])
            continue
        order = [0, 1, 2, 3, -1]  # a class wins a tie against "not labelled"
        winner = max(order, key=lambda c: (window.count(c), -order.index(c)))
        if isinstance(rule, MostOf) and window.count(winner) < rule.most_of * length - 1e-9:
            winner = -1
        expected.append(winner)
    assert label(labels, starts, length, rule, 4).tolist() == expected


def test_six_tenths_of_fifteen_is_nine():
    labels = np.array([1] * 9 + [0] * 6, np.int16)
    starts = np.array([0])
    assert label(labels, starts, 15, MostOf(most_of=0.6), 2).tolist() == [1]
    labels[8] = 0
    assert label(labels, starts, 15, MostOf(most_of=0.6), 2).tolist() == [-1]


@given(
    st.lists(st.integers(0, 40), max_size=12),
    st.lists(st.integers(0, 40), max_size=12),
    st.integers(1, 10),
)
def test_overlap_share_against_brute_force(test, train, length):
    share = overlap_share(np.array(test, np.int64), np.array(train, np.int64), length, 50)
    shared = [any(abs(a - b) < length for b in train) for a in test]
    assert share == (sum(shared) / len(shared) if shared else 0.0)
    mask = covered(np.array(train, np.int64), length, 50)
    assert set(np.flatnonzero(mask)) == {s + i for s in train for i in range(length)}


@pytest.mark.parametrize(
    ("length", "rate", "window", "samples"),
    [
        (24, 30, None, 24),
        ("500 ms", 30, None, 15),
        ("800ms", 30, None, 24),
        ("1.5 s", 50, None, 75),
        ("50%", 30, 15, 7),
        ("100 %", 30, 15, 15),
    ],
)
def test_lengths(length, rate, window, samples):
    assert in_samples(length, rate, window) == samples


@pytest.mark.parametrize(
    ("length", "rate", "window"),
    [("1 ms", 30, None), ("1%", 30, 15), ("50%", 30, None), ("soon", 30, 15)],
)
def test_lengths_that_are_none(length, rate, window):
    with pytest.raises(ValueError, match=r".+"):
        in_samples(length, rate, window)


@pytest.mark.parametrize(
    ("value", "field"),
    [(0, "window"), ("50%", "window"), ("paper", "step"), ("soon", "step"), (-3, "step")],
)
def test_check_length_refuses(value, field):
    with pytest.raises(ValueError, match=field):
        check_length(value, field)
