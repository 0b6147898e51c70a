"""Ranks, Friedman and Nemenyi against Demsar's published example and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harbench.metrics.ranks import friedman, nemenyi, ranks

# Demsar 2006, Table 6: the ranks of four versions of C4.5 on 14 data sets.
DEMSAR = np.array([
    [4, 3, 2, 1], [1, 2, 3, 4], [4, 1, 2, 3], [4, 1, 3, 2], [4, 2, 3, 1], [1, 2.5, 4, 2.5],
    [3, 2, 4, 1], [2.5, 2.5, 4, 1], [4, 3, 2, 1], [2.5, 2.5, 2.5, 2.5], [4, 2.5, 1, 2.5],
    [3, 2, 4, 1], [4, 1, 2, 3], [3, 1, 4, 2],
])  # fmt: skip


def test_demsars_average_ranks():
    assert DEMSAR.mean(axis=0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)


def test_demsars_friedman_and_iman_davenport():
    """He prints chi2 = 9.28 and F = 3.69, without the correction for ties."""
    n, k = DEMSAR.shape
    spread = ((DEMSAR - (k + 1) / 2) ** 2).sum() / (n * (k - 1))
    without = friedman(DEMSAR).chi2 * spread / (k * (k + 1) / 12)
    assert without == pytest.approx(9.28, abs=0.005)
    assert (n - 1) * without / (n * (k - 1) - without) == pytest.approx(3.69, abs=0.005)


@pytest.mark.parametrize(
    ("k", "q"),
    list(enumerate([1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164], 2)),
)
def test_demsars_table_5a(k, q):
    # It has three digits behind the point, some of them rounded otherwise.
    assert nemenyi(k, 1) / np.sqrt(k * (k + 1) / 6) == pytest.approx(q, abs=1.1e-3)


def test_demsars_critical_difference():
    assert nemenyi(4, 14) == pytest.approx(1.25, abs=0.005)


@given(st.integers(2, 6), st.integers(3, 5), st.randoms())
def test_friedman_is_scipys(n, k, random):
    scores = np.array([[random.choice([0.1, 0.2, 0.3, 0.4, 0.5]) for _ in range(k)]
                       for _ in range(n)])  # fmt: skip
    placed = ranks(scores)
    assert placed == pytest.approx(stats.rankdata(-scores, axis=1))
    found = friedman(placed)
    if (placed == (k + 1) / 2).all():
        assert (found.chi2, found.p) == (0, 1)
        return
    expected = stats.friedmanchisquare(*scores.T)
    assert found.chi2 == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-9)


def test_iman_davenport_by_hand():
    found = friedman([[1, 2, 3], [1, 3, 2], [1, 2, 3]])
    # Rank sums 3, 7, 8: chi2 = 12 / (3 * 3 * 4) * 122 - 36 = 4.667; F = 2 * 4.667 / (6 - 4.667).
    assert found.chi2 == pytest.approx(14 / 3)
    assert found.f == pytest.approx(7)
    assert found.f_p == pytest.approx(stats.f.sf(7, 2, 4))


def test_all_repeats_alike():
    found = friedman([[1, 2, 3]] * 4)
    assert (found.chi2, found.f, found.f_p) == (pytest.approx(8), np.inf, 0)


def test_rounding_makes_no_rank():
    assert ranks([[0.1 + 0.2, 0.3, 0.2]]).tolist() == [[1.5, 1.5, 3]]


def test_refuses_what_cannot_be_ranked():
    with pytest.raises(ValueError, match="not 1 of 2"):
        friedman([[1, 2]])
