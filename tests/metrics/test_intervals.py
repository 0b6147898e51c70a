"""Means and intervals against scipy and hand-made cases."""

import math
import statistics
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harbench.metrics import Summary, summarise

SCORES = st.floats(0, 1, allow_subnormal=False)


def test_seeds_of_one_fold_by_hand():
    # t(0.975, 2) = 4.302653; std of .80, .82, .84 = .02.
    summary = summarise({("S1", 0): 0.80, ("S1", 1): 0.82, ("S1", 2): 0.84})
    assert summary.mean == pytest.approx(0.82)
    assert summary.std == pytest.approx(0.02)
    assert summary.low == pytest.approx(0.82 - 4.302653 * 0.02 / math.sqrt(3), abs=1e-7)
    assert summary.high == pytest.approx(0.82 + 4.302653 * 0.02 / math.sqrt(3), abs=1e-7)
    assert (summary.n, summary.unit) == (3, "seed")


def test_with_several_folds_seeds_are_averaged_first():
    # Fold means .5 and .9: std = .4 / sqrt(2); t(0.975, 1) = 12.706205.
    cells = {("S1", 0): 0.4, ("S1", 1): 0.6, ("S2", 0): 0.9, ("S2", 1): 0.9}
    summary = summarise(cells)
    assert summary.mean == pytest.approx(0.7)
    assert summary.std == pytest.approx(0.4 / math.sqrt(2))
    assert summary.low == pytest.approx(0.7 - 12.706205 * 0.2, abs=1e-6)
    assert summary.high == pytest.approx(0.7 + 12.706205 * 0.2, abs=1e-6)
    assert (summary.n, summary.unit) == (2, "fold")


def test_an_unfinished_run_keeps_the_mean_over_all_cells():
    summary = summarise({(0, 0): 0.4, (0, 1): 0.6, (1, 0): 0.9})
    assert summary.mean == pytest.approx(1.9 / 3)
    assert summary.std == pytest.approx(0.4 / math.sqrt(2))
    assert summary.low + summary.high == pytest.approx(2 * 1.9 / 3)


def test_one_value_has_no_spread():
    assert summarise({(0, 0): 0.5}) == Summary(0.5, None, None, None, 1, "seed")


def test_equal_values_have_no_width():
    assert summarise({(0, s): 0.25 for s in range(4)}) == Summary(0.25, 0.0, 0.25, 0.25, 4, "seed")


@given(st.lists(SCORES, min_size=2, max_size=20), st.booleans())
def test_interval_equals_scipy(values, folds):
    cells = {(i, 0) if folds else (0, i): value for i, value in enumerate(values)}
    summary = summarise(cells)
    assert summary.unit == ("fold" if folds else "seed")
    assert summary.mean == pytest.approx(statistics.fmean(values), abs=1e-12)
    assert summary.std == pytest.approx(statistics.stdev(values), abs=1e-12)
    error = statistics.stdev(values) / math.sqrt(len(values))
    if error == 0:
        assert summary.low == summary.mean == summary.high
        return
    low, high = stats.t.interval(0.95, len(values) - 1, statistics.fmean(values), error)
    assert summary.low == pytest.approx(low, rel=1e-9, abs=1e-12)
    assert summary.high == pytest.approx(high, rel=1e-9, abs=1e-12)


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), SCORES, min_size=1))
def test_the_order_of_cells_does_not_matter(cells):
    backwards = dict(reversed(list(cells.items())))
    assert summarise(cells) == summarise(backwards)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=6))
def test_numpy_values_give_python_floats(values):
    summary = summarise({(0, seed): np.float32(value) for seed, value in enumerate(values)})
    assert summary == summarise(dict(zip(((0, s) for s in range(6)), values, strict=False)))
    assert type(summary.mean) is float


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_what_is_no_score(value):
    with pytest.raises(ValueError, match="the score of fold S2, seed 1 is"):
        summarise({("S1", 0): 0.5, ("S2", 1): value})


def test_refuses_nothing():
    with pytest.raises(ValueError, match="no score"):
        summarise({})


def test_imports_neither_scipy_nor_sklearn_before_they_are_needed():
    code = (
        "import sys; from harbench.metrics import summarise; summarise({(0, 0): 0.5});"
        "print([m for m in ('scipy', 'sklearn', 'torch', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
