"""The tie marks: what they say of given scores, and how often they are wrong on equal models."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from harbench.metrics.comparing import Repeats, holm, t_test
from harbench.metrics.ties import adjusted, apart_from_best, repeats_wanted, standing
from harbench.metrics.two_valued import two_valued_p

DRAWS = 10_000
# At most 5 %, plus the binomial error of so many draws: 5 % would be above it once in 1000.
ALLOWED = stats.binom.ppf(0.999, DRAWS, 0.05) / DRAWS


def rows(scores, unit="seed"):
    """[k, n] scores as rows of a table."""
    places = [(f"S{i}", 0) if unit == "fold" else ("all", i) for i in range(len(scores[0]))]
    return [
        Repeats(f"m{k}", dict(zip(places, map(float, of_k), strict=True)), {})
        for k, of_k in enumerate(scores)
    ]


def false_alarms(scores, ratio=0.0):
    """How often any model is told apart from the best; scores [draws, k, n]."""
    first, second = zip(*combinations(range(scores.shape[1]), 2), strict=True)
    test = t_test(scores[:, first] - scores[:, second], ratio)
    apart = apart_from_best(scores.mean(axis=-1), test.mean, adjusted(test, scores.shape[-1]))
    return apart.any(axis=-1).mean(), apart


def apart_by_t_alone(scores):
    """Student's p in place of the larger of both."""
    first, second = zip(*combinations(range(scores.shape[1]), 2), strict=True)
    test = t_test(scores[:, first] - scores[:, second])
    return apart_from_best(scores.mean(axis=-1), test.mean, holm(test.p))


def normal(rng, shape):
    return rng.normal(0.8, 0.02, shape)


def skewed(rng, shape):
    return rng.beta(20, 3, shape)


def shares_of_300_windows(rng, shape):
    return rng.binomial(300, 0.85, shape) / 300


def one_in_ten_fails(rng, shape):
    return np.where(rng.random(shape) < 0.1, 0.3, 0.8) + rng.normal(0, 0.01, shape)


def one_of_two(rng, shape):
    return np.where(rng.random(shape) < 0.5, 0.7, 0.8) + rng.normal(0, 0.0005, shape)


def one_in_three(rng, shape):
    return np.where(rng.random(shape) < 0.35, 0.7, 0.8) + rng.normal(0, 0.005, shape)


@pytest.mark.parametrize("law", [normal, skewed, shares_of_300_windows, one_in_ten_fails])
@pytest.mark.parametrize("k", [2, 3, 6])
def test_equal_models_are_seldom_told_apart(law, k):
    """The fewest repeats that the rule accepts, and more."""
    rng = np.random.default_rng([k, len(law.__name__)])
    for n in (repeats_wanted(k * (k - 1) // 2), 10):
        rate, _ = false_alarms(law(rng, (DRAWS, k, n)))
        assert rate <= ALLOWED, (n, rate)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_two_valued_scores_are_why_repeats_are_wanted(k):
    """Trainings that end in one of two scores: with the fewest repeats that the rule accepts it
    holds; with fewer, six models would be told apart much too often."""
    rng = np.random.default_rng(k)
    assert false_alarms(one_of_two(rng, (DRAWS, k, repeats_wanted(k * (k - 1) // 2))))[0] <= ALLOWED
    assert apart_by_t_alone(one_of_two(rng, (DRAWS, 6, 3))).any(axis=-1).mean() > 0.2


@pytest.mark.parametrize("law", [one_of_two, one_in_three])
@pytest.mark.parametrize("k", [2, 3, 6])
def test_two_valued_scores_of_any_number_of_repeats(law, k):
    rng = np.random.default_rng([k, len(law.__name__)])
    for n in range(repeats_wanted(k * (k - 1) // 2), 15):
        rate, _ = false_alarms(law(rng, (DRAWS, k, n)))
        assert rate <= ALLOWED, (n, rate)


def test_student_alone_would_break_the_rule():
    """Half of all trainings fail, three models, ten repeats: 6 to 7 %."""
    scores = one_of_two(np.random.default_rng(0), (DRAWS, 3, 10))
    assert 0.06 < apart_by_t_alone(scores).any(axis=-1).mean() < 0.07


def test_two_valued_p_is_the_counted_chance():
    # n = 3: all the same 2 q^3 (t = inf); two and a zero 6 q^2 (1 - 2 q) (t = 2); the rest t <= 1.
    # The sum of both rises with q up to 1/4.
    assert two_valued_p(1.0, 0.0, 3) == pytest.approx(2 / 64)
    t_of_two = stats.ttest_1samp([1, 1, 0], 0).statistic
    assert t_of_two == pytest.approx(2)
    values = np.array([0.1, 0.1, 0.0])
    both = 2 / 64 + 6 * 0.25**2 * 0.5
    assert two_valued_p(values.mean(), values.std(ddof=1), 3) == pytest.approx(both)
    assert two_valued_p(-values.mean(), values.std(ddof=1), 3) == pytest.approx(both)
    # Between two of these it is that of the higher one.
    assert two_valued_p(3.0, math.sqrt(3), 3) == pytest.approx(2 / 64)
    assert two_valued_p([0.0, 1.0], [0.0, 1.0], 3).tolist() == [1.0, pytest.approx(both)]
    assert two_valued_p([0.0, 1.0], [1.0, 1.0], 201).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("n", [2, 5, 10, 40])
def test_two_valued_p_against_simulated_differences(n):
    rng = np.random.default_rng(n)
    sign = rng.integers(0, 2, (200_000, n)) - rng.integers(0, 2, (200_000, n))
    test = t_test(sign)
    p = two_valued_p(test.mean, test.std, n)
    for bound in (0.2, 0.05, 0.01, 0.002):
        allowed = stats.binom.ppf(0.9999, p.size, bound) / p.size
        assert (p <= bound).mean() <= allowed, bound
    # Where all differences are the same the chance is known.
    assert two_valued_p(1.0, 0.0, n) == pytest.approx(2 / 4**n)
    assert p.min() >= 2 / 4**n * (1 - 1e-9)


@pytest.mark.parametrize(
    ("k", "n", "lost"), [(2, 5, 0.01), (2, 10, 0.07), (3, 10, 0.03), (6, 5, 0.01)]
)
def test_normal_scores_hardly_pay_for_it(k, n, lost):
    """How much seldomer a real difference of 1.5 standard deviations is found."""
    scores = np.random.default_rng([k, n]).normal(0, 1, (DRAWS, k, n))
    scores[:, 0] += 1.5
    _, apart = false_alarms(scores)
    found, before = apart[:, 1].mean(), apart_by_t_alone(scores)[:, 1].mean()
    assert before - lost <= found <= before


@pytest.mark.parametrize("k", [2, 6])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_equal_models_on_folds_that_share_training_windows(k, n):
    """Nadeau and Bengio's model: folds of one model correlate by ratio / (1 + ratio)."""
    rng = np.random.default_rng([k, n])
    ratio = 1 / (n - 1)
    shared = ratio / (1 + ratio)
    scores = math.sqrt(shared) * rng.normal(size=(DRAWS, k, 1))
    scores = scores + math.sqrt(1 - shared) * rng.normal(size=(DRAWS, k, n))
    rate, _ = false_alarms(scores, ratio)
    assert rate <= ALLOWED
    # Without the correction the rule would not hold.
    assert false_alarms(scores)[0] > 2 * ALLOWED


def test_without_holm_the_best_of_six_would_be_told_apart_too_often():
    scores = normal(np.random.default_rng(0), (DRAWS, 6, 5))
    first, second = zip(*combinations(range(6), 2), strict=True)
    test = t_test(scores[:, first] - scores[:, second])
    apart = apart_from_best(scores.mean(axis=-1), test.mean, test.p)
    assert apart.any(axis=-1).mean() > 0.15


def test_real_differences_are_found():
    rng = np.random.default_rng(0)
    means = np.array([0.8, 0.9, 0.8])[:, None]
    _, apart = false_alarms(means + rng.normal(0, 0.02, (2000, 3, 5)))
    assert (apart.mean(axis=0)[[0, 2]] > 0.8).all()
    assert apart.mean(axis=0)[1] == 0


@pytest.mark.parametrize("unit", ["seed", "fold"])
def test_the_simulated_rule_is_the_rule_of_the_tables(unit):
    rng = np.random.default_rng(5)
    spread = np.array([0, 0, 0.02, 0.05])[:, None]
    scores = 0.8 - spread + rng.normal(0, 0.02, (200, 4, 8))
    _, apart = false_alarms(scores, 1 / 7 if unit == "fold" else 0.0)
    assert 0.05 < apart.mean() < 0.95
    for of_draw, told in zip(scores, apart, strict=True):
        found = standing(rows(of_draw, unit))
        assert found.best == f"m{of_draw.mean(axis=1).argmax()}"
        assert set(found.apart) == {f"m{k}" for k in np.flatnonzero(told)}
        assert set(found.tied) == {f"m{k}" for k in range(4)} - {*found.apart, found.best}


@pytest.mark.parametrize(("n_models", "wanted"), [(2, 3), (3, 4), (6, 5), (12, 6)])
def test_repeats_wanted(n_models, wanted):
    m = n_models * (n_models - 1) // 2
    assert repeats_wanted(m) == wanted
    assert 2 * m / 4**wanted <= 0.05 < 2 * m / 4 ** (wanted - 1)


def test_too_few_repeats_tell_nothing():
    found = standing(rows([[0.9, 0.91], [0.1, 0.11]]))
    assert (found.best, found.unknown, found.tied, found.apart) == ("m0", ("m1",), (), ())
    assert found.wanted == 3
    assert found.is_apart(found.pairs[0]) is None


def test_a_row_that_is_not_finished_is_unknown():
    some = rows([[0.9, 0.91, 0.92, 0.93], [0.1, 0.11, 0.13, 0.12], [0.5, 0.52, 0.55, 0.5]])
    cut = Repeats("m2", {("all", 0): 0.5}, {})
    found = standing([*some[:2], cut])
    assert (found.best, found.apart, found.unknown) == ("m0", ("m1",), ("m2",))


def test_the_best_by_mean_may_lose_on_the_common_cells():
    # "a" has the higher mean only because it also has an easy fold.
    a = {("S1", s): 0.5 + 0.001 * s for s in range(5)} | {("S2", 0): 1.0, ("S3", 0): 1.0}
    b = {("S1", s): 0.6 + 0.0013 * s for s in range(5)}
    found = standing([Repeats("a", a, {}), Repeats("b", b, {})])
    assert found.is_apart(found.pairs[0])
    assert (found.best, found.tied, found.apart) == ("a", ("b",), ())


def test_equal_rows_are_tied():
    found = standing(rows([[0.5, 0.6, 0.7]] * 2))
    assert (found.best, found.tied) == ("m0", ("m1",))


def test_a_pair_is_found_either_way():
    found = standing(rows([[0.5, 0.6, 0.7], [0.4, 0.4, 0.6]]))
    assert found.pair("m0", "m1").mean == -found.pair("m1", "m0").mean
    assert found.pair("m0", "m2") is None


def test_refuses_one_row_and_two_of_one_name():
    row = rows([[0.5, 0.6]])
    for some in (row, row * 2):
        with pytest.raises(ValueError, match="two models or more, each with a name of its own"):
            standing(some)
