"""Paired comparisons against scipy, published examples and cases worked out by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harbench.metrics.comparing import (
    Repeats,
    compare,
    compare_all,
    holm,
    rank_biserial,
    t_test,
    wilcoxon,
)

# Demsar 2006, Table 2: AUC of C4.5 and of C4.5 with m tuned, on 14 data sets.
C45 = [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1, 0.940, 0.619, 0.972, 0.957]
C45_M = [
    0.768,
    0.591,
    0.971,
    0.661,
    0.888,
    0.931,
    0.668,
    0.583,
    0.838,
    1,
    0.962,
    0.666,
    0.981,
    0.978,
]
DEMSAR = np.array(C45_M) - np.array(C45)  # fmt: skip


def seeds(name, scores, ratios=None):
    return Repeats(name, {("all", s): x for s, x in enumerate(scores)}, ratios or {})


def folds(name, scores, ratios=None):
    return Repeats(name, {(f"S{f}", 0): x for f, x in enumerate(scores)}, ratios or {})


# t test

DIFFERENCES = st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=2, max_size=30)


@given(DIFFERENCES)
def test_without_a_ratio_it_is_the_paired_t_test_of_scipy(values):
    if np.std(values, ddof=1) < 1e-9:
        return
    found = t_test(values)
    expected = stats.ttest_rel(values, np.zeros(len(values)))
    assert found.t == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


def test_corrected_t_by_hand():
    # Differences 1, 2, 3, 4: mean 2.5, variance 5/3. Nadeau and Bengio: variance (1/4 + 1/3) 5/3.
    found = t_test([1.0, 2.0, 3.0, 4.0], 1 / 3)
    assert found.t == pytest.approx(2.5 / math.sqrt((1 / 4 + 1 / 3) * 5 / 3), abs=1e-12)
    assert found.t == pytest.approx(2.5354627641855498, abs=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(2.5354627641855498, 3), abs=1e-12)


@pytest.mark.slow
def test_scikit_learns_published_example():
    """ "Statistical comparison of models using grid search" prints t = .750, p = .227 one-sided,
    and 2.611 and .005 without the correction: 10 x 10 folds of 90 and 10 windows."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    linear, rbf = (
        cross_val_score(SVC(kernel=k, random_state=0), x, y, cv=cv, scoring="roc_auc")
        for k in ("linear", "rbf")
    )
    corrected, plain = t_test(rbf - linear, 10 / 90), t_test(rbf - linear)
    assert round(float(corrected.t), 3) == 0.750
    assert round(float(corrected.p) / 2, 3) == 0.227
    assert round(float(plain.t), 3) == 2.611
    assert round(float(plain.p) / 2, 3) == 0.005


def test_many_rows_at_once_equal_one_by_one():
    rows = np.random.default_rng(0).normal(size=(3, 4, 6))
    found = t_test(rows, 0.2)
    for place in np.ndindex(3, 4):
        one = t_test(rows[place], 0.2)
        assert found.p[place] == pytest.approx(float(one.p), rel=1e-12)
        assert found.error[place] == pytest.approx(float(one.error), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_without_spread_p_is_that_of_the_signs(n):
    # .3 - .1 and .2 - 0 differ by their rounding.
    values = [0.3 - 0.1, *[0.2] * (n - 1)]
    found = t_test(values)
    assert math.isnan(found.t)
    assert found.p == 2 / 2**n == wilcoxon(values)
    assert t_test([0.0] * n).p == 1


def test_t_test_refuses():
    with pytest.raises(ValueError, match="at least 2 differences, not 1"):
        t_test([0.1])
    with pytest.raises(ValueError, match="cannot be -1"):
        t_test([0.1, 0.2], -1)


# Wilcoxon


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=25, unique=True), st.randoms())
def test_without_ties_it_is_the_exact_test_of_scipy(sizes, random):
    values = [size * random.choice((-1, 1)) / 10**6 for size in sizes]
    expected = stats.wilcoxon(values, method="exact").pvalue
    assert wilcoxon(values) == pytest.approx(expected, abs=1e-10)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_with_ties_and_zeros_it_is_the_count_over_all_signs(values):
    left = [v for v in values if v]
    ranks = stats.rankdata(np.abs(left)) if left else np.zeros(0)
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in itertools.product((0, 1), repeat=len(left))
    ]
    found = sum(rank for rank, v in zip(ranks, left, strict=True) if v > 0)
    low = sum(s <= found + 1e-9 for s in sums) / len(sums)
    high = sum(s >= found - 1e-9 for s in sums) / len(sums)
    assert wilcoxon(np.array(values) / 10) == pytest.approx(min(1, 2 * min(low, high)), abs=1e-12)


def test_demsars_table_2():
    # He splits the two zeros: R+ = 93, R- = 12. Without their ranks (1 and 2): R+ = 93 - 1.5 -
    # 2 * 10 = 71.5, R- = 12 - 1.5 - 2 * 2 = 6.5.
    split = stats.rankdata(np.rint(np.abs(DEMSAR) * 1e6))
    zeros = split[DEMSAR == 0].sum() / 2
    assert split[DEMSAR > 0].sum() + zeros == 93
    assert split[DEMSAR < 0].sum() + zeros == 12
    assert rank_biserial(DEMSAR) == pytest.approx((71.5 - 6.5) / 78, abs=1e-12)
    # The exact p from all 2^12 signs of the ranks that are left.
    ranks = stats.rankdata(np.rint(np.abs(DEMSAR[DEMSAR != 0]) * 1e6))
    sums = np.array(list(itertools.product((0, 1), repeat=12))) @ ranks
    assert wilcoxon(DEMSAR) == pytest.approx(2 * (sums <= 6.5).mean(), abs=1e-12)
    assert wilcoxon(DEMSAR) < 0.05  # as Demsar finds


@pytest.mark.parametrize("n", [1, 3, 6, 60])
def test_the_least_p_and_the_largest_effect(n):
    values = np.arange(1, n + 1) / 100
    assert wilcoxon(values) == pytest.approx(2 / 2**n if n > 1 else 1, rel=1e-12)
    assert (rank_biserial(values), rank_biserial(-values)) == (1, -1)


def test_nothing_but_zeros():
    assert (wilcoxon([0.0, 0.0]), rank_biserial([0.0, 0.0])) == (1, 0)


def test_rank_biserial_by_hand():
    # Ranks of 1, 2, 3, 4: R+ = 1 + 3 + 4 = 8, R- = 2.
    assert rank_biserial([0.1, -0.2, 0.3, 0.4]) == pytest.approx(0.6)


# Holm


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.6, 0.9], [1, 1]),
        ([0.03], [0.03]),
        ([math.nan, 0.01, 0.04], [math.nan, 0.02, 0.04]),
    ],
)
def test_holm_by_hand(p, adjusted):
    assert holm(p) == pytest.approx(adjusted, nan_ok=True, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_the_step_down_procedure_rejects(p):
    rejected, m = set(), len(p)
    for step, place in enumerate(sorted(range(m), key=p.__getitem__)):
        if p[place] * (m - step) >= 0.05:
            break
        rejected.add(place)
    assert {i for i, q in enumerate(holm(p)) if q < 0.05} == rejected


def test_holm_works_row_by_row():
    p = np.random.default_rng(1).random((5, 2, 6))
    adjusted = holm(p)
    for place in np.ndindex(5, 2):
        assert adjusted[place] == pytest.approx(holm(p[place]))


# Comparisons


def test_seeds_of_one_fold():
    found = compare(seeds("a", [0.5, 0.6, 0.7]), seeds("b", [0.4, 0.5, 0.5]))
    assert (found.n, found.unit, found.cells, found.ratio) == (3, "seed", 3, 0)
    assert found.test == "paired t test"
    assert found.mean == pytest.approx(0.4 / 3)
    expected = stats.ttest_rel([0.5, 0.6, 0.7], [0.4, 0.5, 0.5])
    assert (found.t, found.p) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert found.d_z == pytest.approx(found.mean / stats.tstd([0.1, 0.1, 0.2]))
    assert found.wilcoxon == 0.25
    assert found.rank_biserial == 1


def test_folds_are_averaged_over_seeds_and_corrected():
    a = Repeats("a", {("S1", 0): 0.8, ("S1", 1): 0.6, ("S2", 0): 0.9, ("S2", 1): 0.9}, {"S1": 0.5})
    b = Repeats("b", {("S1", 0): 0.5, ("S1", 1): 0.7, ("S2", 0): 0.6, ("S2", 1): 0.5},
                {"S1": 0.1, "S2": 0.1})  # fmt: skip
    found = compare(a, b)
    assert (found.n, found.unit, found.cells) == (2, "fold", 4)
    assert found.test == "corrected resampled t test"
    assert found.differences == pytest.approx({"S1": 0.1, "S2": 0.35})
    # S2 of a is not said: leave-one-out folds of equal size, 1 / (2 - 1). The larger ratio counts.
    assert found.ratio == pytest.approx((0.5 + 1) / 2)
    std = 0.25 / math.sqrt(2)
    assert found.t == pytest.approx(0.225 / math.sqrt((1 / 2 + 0.75) * std**2))
    half = stats.t.ppf(0.975, 1) * math.sqrt((1 / 2 + 0.75) * std**2)
    assert (found.low, found.high) == pytest.approx((0.225 - half, 0.225 + half))


def test_only_common_cells_count():
    a = Repeats("a", {("S1", 0): 0.8, ("S1", 1): 0.6, ("S2", 0): 0.1}, {})
    b = Repeats("b", {("S1", 0): 0.5, ("S1", 1): 0.5, ("S3", 0): 0.9}, {})
    found = compare(a, b)
    assert (found.n, found.unit) == (2, "seed")
    assert found.differences == pytest.approx({"0": 0.3, "1": 0.1})


def test_one_repeat_has_no_test():
    found = compare(seeds("a", [0.5]), seeds("b", [0.4]))
    assert found.mean == pytest.approx(0.1)
    assert found.n == 1
    assert {found.std, found.low, found.p, found.p_holm, found.wilcoxon, found.d_z} == {None}


def test_flipping_swaps_everything():
    a, b = seeds("a", [0.5, 0.6, 0.8, 0.3]), seeds("b", [0.4, 0.5, 0.5, 0.4])
    there, back = compare(a, b), compare(b, a)
    for name, value in vars(there.flipped()).items():
        assert value == pytest.approx(getattr(back, name)), name


def test_all_pairs_are_adjusted_together():
    rows = [seeds("a", [0.5, 0.6, 0.7, 0.65]), seeds("b", [0.4, 0.5, 0.5, 0.6]),
            seeds("c", [0.1, 0.12, 0.2, 0.15])]  # fmt: skip
    found = compare_all(rows)
    assert [(c.a, c.b) for c in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [c.p_holm for c in found] == pytest.approx(holm([c.p for c in found]))
    assert [c.wilcoxon_holm for c in found] == pytest.approx(holm([c.wilcoxon for c in found]))


def test_pairs_without_a_test_do_not_count():
    rows = [seeds("a", [0.5, 0.6, 0.7]), seeds("b", [0.4, 0.5, 0.5]), seeds("c", [0.1]),
            Repeats("d", {("other", 0): 0.5}, {})]  # fmt: skip
    found = {(c.a, c.b): c for c in compare_all(rows)}
    assert set(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found["a", "b"].p_holm == found["a", "b"].p
    assert found["a", "c"].p_holm is None


def test_compare_refuses():
    with pytest.raises(ValueError, match="a and b have no fold and seed in common"):
        compare(seeds("a", [0.5]), folds("b", [0.5]))
    with pytest.raises(ValueError, match="a score of fold all, seed 1 is not finite"):
        compare(seeds("a", [0.5, math.nan]), seeds("b", [0.4, 0.5]))
