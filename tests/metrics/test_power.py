"""Repeats needed, against published tables and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from harbench.metrics.comparing import t_test
from harbench.metrics.power import MOST, power_of, repeats_needed


@pytest.mark.parametrize(("d_z", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_cohens_small_medium_and_large(d_z, n):
    """What G*Power gives for a paired t test, two-sided .05, power .8."""
    assert repeats_needed(d_z, 1.0, 10) == n
    assert repeats_needed(-d_z, 1.0, 10) == n


@pytest.mark.parametrize("n", [2, 5, 34, 500])
@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, 2.5])
def test_power_is_that_of_noncentral_t(n, shift):
    critical = stats.t.ppf(0.975, n - 1)
    nc = shift * math.sqrt(n)
    if nc > 30:
        assert power_of(shift, 1.0, n) == pytest.approx(1, abs=1e-9)
        return
    expected = stats.nct.sf(critical, n - 1, nc)
    if nc < 6:  # beyond, it is below 1e-9 and scipy's is NaN
        expected += stats.nct.cdf(-critical, n - 1, nc)
    assert power_of(shift, 1.0, n) == pytest.approx(expected, abs=1e-6)


def test_power_of_no_difference_is_the_level():
    assert power_of(0.0, 1.0, 12, alpha=0.01) == pytest.approx(0.01, abs=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 15, 0.05 / 190])
@pytest.mark.parametrize("n", [2, 3, 5, 20, 50, 200, 2000, MOST])
def test_power_rises_with_the_difference_from_the_level_to_1(n, alpha):
    """Where scipy's noncentral t gives NaN or 0, too."""
    powers = [power_of(d, 1.0, n, alpha=alpha) for d in [0.0, *np.geomspace(1e-3, 1e6, 100)]]
    assert powers[0] == pytest.approx(alpha, rel=1e-6)
    assert powers[-1] == pytest.approx(1, abs=1e-9)
    assert np.diff(powers).min() > -1e-9


@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_huge_difference_is_found(n):
    assert power_of(1.0, 1e-9, n) == pytest.approx(1, abs=1e-9)


def test_with_the_correction_it_is_what_a_simulation_finds():
    # Folds that correlate by ratio / (1 + ratio), as Nadeau and Bengio assume.
    rng = np.random.default_rng(0)
    n, ratio, mean = 8, 1 / 7, 1.2
    shared = ratio / (1 + ratio)
    noise = math.sqrt(shared) * rng.normal(size=(40_000, 1))
    noise = noise + math.sqrt(1 - shared) * rng.normal(size=(40_000, n))
    found = (t_test(mean + noise, ratio).p < 0.05).mean()
    # What a sample's std estimates is the spread within a draw.
    expected = power_of(mean, math.sqrt(1 - shared), n, ratio=ratio)
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 40_000))


@pytest.mark.parametrize(("ratio", "alpha"), [(0.0, 0.05), (0.0, 0.05 / 15), (1 / 7, 0.05)])
@pytest.mark.parametrize("d_z", [0.3, 1.0, 4.0])
def test_it_is_the_least_number(d_z, ratio, alpha):
    n = repeats_needed(d_z, 1.0, 8, ratio=ratio, alpha=alpha)

    def power(m):
        return power_of(d_z, 1.0, m, ratio=ratio * 7 / (m - 1), alpha=alpha)

    assert power(n) >= 0.8
    assert n == 2 or power(n - 1) < 0.8


def test_more_folds_than_seeds_are_needed():
    assert repeats_needed(0.5, 1.0, 8, ratio=1 / 7) > repeats_needed(0.5, 1.0, 8)


def test_what_cannot_be_told():
    assert repeats_needed(0.0, 1.0, 5) is None
    assert repeats_needed(1e-4, 1.0, 5) is None
    assert repeats_needed(0.1, 0.0, 5) == 2
    # Just within reach: (1.96 + .8416)^2 / d^2 = MOST.
    assert repeats_needed(0.02802, 1.0, 5) == pytest.approx(MOST, rel=0.002)
