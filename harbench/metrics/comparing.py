"""Paired comparison of models on the same folds and seeds.

What is repeated follows :mod:`harbench.metrics.intervals`: with several folds the unit is the fold,
its difference the mean over the seeds that both models have there; with one fold it is the seed.
Folds share training windows, so their differences are no independent draws: the t test over folds
is the corrected one of Nadeau and Bengio. docs/statistics.md says what each number can tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harbench.metrics.intervals import CONFIDENCE

Cell = tuple[str, int]

# Scores are shares: differences nearer than this are rounding, not spread.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Repeats:
    """The scores of one model.

    Args:
        name: Of the row.
        scores: (fold, seed) -> score.
        ratios: Fold -> test windows / training windows. Where a fold is not in it, leave-one-out
            folds of equal size are taken: 1 / (folds - 1).
    """

    name: str
    scores: Mapping[Cell, float]
    ratios: Mapping[str, float]


@dataclass(frozen=True)
class TTest:
    """A paired t test of each of many rows of differences; all arrays have the rows' shape.

    Args:
        mean, std: Of the differences (std divided by n - 1).
        error: Standard error of the mean: sqrt(1 / n + ratio) * std.
        t: mean / error; NaN where the differences have no spread.
        p: Two-sided.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    error: NDArray[np.float64]
    t: NDArray[np.float64]
    p: NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Model ``a`` against model ``b``; differences are a - b.

    Args:
        a, b: Names of the rows.
        n: Units that both have.
        unit: "fold" or "seed".
        differences: Unit -> difference; its name is the fold's or the seed's.
        cells: Cells that both have.
        ratio: Test windows / training windows of the correction; 0 for the plain paired t test.
        mean: Mean of the units' differences.
        std: Their standard deviation. This and all below are None with one unit.
        low, high: 95 % interval of the mean, by the same t as ``p``.
        t: None also where the differences have no spread.
        p: Two-sided p of the t test.
        p_holm: Adjusted for all pairs that were compared.
        wilcoxon, wilcoxon_holm: The same of the exact signed-rank test.
        rank_biserial: Effect size of the signed-rank test, -1 .. 1.
        d_z: mean / std; None also where there is no spread.
    """

    a: str
    b: str
    n: int
    unit: Literal["fold", "seed"]
    differences: Mapping[str, float]
    cells: int
    ratio: float
    mean: float
    std: float | None = None
    low: float | None = None
    high: float | None = None
    t: float | None = None
    p: float | None = None
    p_holm: float | None = None
    wilcoxon: float | None = None
    wilcoxon_holm: float | None = None
    rank_biserial: float | None = None
    d_z: float | None = None

    @property
    def test(self) -> str:
        """Name of the t test."""
        return "corrected resampled t test" if self.unit == "fold" else "paired t test"

    def flipped(self) -> Comparison:
        """The same as b - a."""

        def minus(value: float | None) -> float | None:
            return None if value is None else -value

        return replace(
            self,
            a=self.b,
            b=self.a,
            differences={unit: -value for unit, value in self.differences.items()},
            mean=-self.mean,
            low=minus(self.high),
            high=minus(self.low),
            t=minus(self.t),
            rank_biserial=minus(self.rank_biserial),
            d_z=minus(self.d_z),
        )


def t_test(differences: ArrayLike, ratio: float = 0.0) -> TTest:
    """Paired t test against 0, corrected for overlapping training sets where ``ratio`` > 0.

    t = mean / sqrt((1 / n + ratio) s^2) with n - 1 degrees of freedom: Student's paired t with
    ratio 0, else the corrected resampled t test of Nadeau and Bengio, "Inference for the
    generalization error", Machine Learning 52, 2003, section 3, where ratio is n_test / n_train.

    Without spread t is not defined. Then p is that of the sign test, 2 / 2^n: all differences are
    equal, and what is left to tell is that they have one sign; where they are 0, p is 1.

    Args:
        differences: [..., n], n at least 2.
        ratio: Test windows / training windows.

    Raises:
        ValueError: n is less than 2, or the ratio is negative or no number.
    """
    from scipy.special import stdtr

    values = np.asarray(differences, dtype=np.float64)
    n = values.shape[-1] if values.ndim else 0
    if n < 2:
        raise ValueError(f"a t test needs at least 2 differences, not {n}")
    if not (math.isfinite(ratio) and ratio >= 0):
        raise ValueError(f"test windows / training windows cannot be {ratio}")
    mean = values.mean(axis=-1)
    std = values.std(axis=-1, ddof=1)
    std = np.where(std <= ROUNDING, 0.0, std)
    error = std * math.sqrt(1.0 / n + ratio)
    t = np.divide(mean, error, out=np.full_like(mean, np.nan), where=error > 0)
    one_sided = np.where(np.abs(mean) <= ROUNDING, 1.0, 2.0 ** (1 - n))
    p = np.where(error > 0, 2.0 * stdtr(n - 1, -np.abs(t)), one_sided)
    return TTest(mean, std, error, t, p)


def wilcoxon(differences: ArrayLike) -> float:
    """Two-sided p of Wilcoxon's signed-rank test, exact for every n, ties and zeros included.

    Zeros are dropped and ties share their mean rank, as Wilcoxon has it; the distribution over the
    2^n signs is that of these very ranks, counted out. (scipy's "exact" is that of ranks without
    ties.) With n units p cannot be below 2 / 2^n: five cannot reach .05.

    Args:
        differences: [n].
    """
    doubled, positive = _signed_ranks(differences)
    if doubled.size == 0:
        return 1.0
    # Twice the ranks are whole numbers, also where they are shared.
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled.tolist():
        chance[rank:] = 0.5 * (chance[rank:] + chance[: chance.size - rank])
        chance[:rank] *= 0.5
    found = int(doubled[positive].sum())
    tail = min(chance[: found + 1].sum(), chance[found:].sum())
    return float(min(1.0, 2.0 * tail))


def rank_biserial(differences: ArrayLike) -> float:
    """Matched-pairs rank-biserial correlation: (R+ - R-) / (R+ + R-).

    Kerby, "The simple difference formula", Comprehensive Psychology 3, 2014. R+ and R- are the sums
    of the ranks of positive and negative differences. 0 where all differences are 0.

    Args:
        differences: [n].
    """
    doubled, positive = _signed_ranks(differences)
    if doubled.size == 0:
        return 0.0
    return float((doubled[positive].sum() - doubled[~positive].sum()) / doubled.sum())


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """p values adjusted for their number, which keeps the chance of any false alarm.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979: the i-th smallest of m is multiplied by m - i + 1, none is smaller than one
    before it, none larger than 1.

    Args:
        p: [..., m]; NaN is no test and stays NaN.

    Returns:
        [..., m], in the same order.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, axis=-1)  # NaN comes last
    m = np.isfinite(values).sum(axis=-1, keepdims=True)
    factors = np.maximum(m - np.arange(values.shape[-1]), 1)
    raised = np.maximum.accumulate(np.take_along_axis(values, order, -1) * factors, axis=-1)
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, np.minimum(raised, 1.0), -1)
    return adjusted


def compare(a: Repeats, b: Repeats) -> Comparison:
    """Two models on the cells that both have.

    Raises:
        ValueError: they have none in common, or a score is not finite.
    """
    common = sorted(a.scores.keys() & b.scores.keys())
    if not common:
        raise ValueError(f"{a.name} and {b.name} have no fold and seed in common")
    by_fold: dict[str, dict[int, float]] = {}
    for fold, seed in common:
        difference = float(a.scores[fold, seed]) - float(b.scores[fold, seed])
        if not math.isfinite(difference):
            raise ValueError(f"a score of fold {fold}, seed {seed} is not finite")
        by_fold.setdefault(fold, {})[seed] = difference
    if len(by_fold) > 1:
        unit: Literal["fold", "seed"] = "fold"
        units = {fold: math.fsum(d.values()) / len(d) for fold, d in by_fold.items()}
        ratio = max(_ratio(model, list(by_fold)) for model in (a, b))
    else:
        (seeds,) = by_fold.values()
        unit, units, ratio = "seed", {str(seed): d for seed, d in seeds.items()}, 0.0
    values = np.array(list(units.values()))
    found = Comparison(
        a.name, b.name, values.size, unit, units, len(common), ratio, float(values.mean())
    )
    return found if values.size < 2 else _tested(found, values)


def _tested(found: Comparison, values: NDArray[np.float64]) -> Comparison:
    from scipy.special import stdtrit

    test = t_test(values, found.ratio)
    half = float(stdtrit(found.n - 1, 0.5 + CONFIDENCE / 2)) * float(test.error)
    spread = float(test.std) > 0
    p, signed = float(test.p), wilcoxon(values)
    return replace(
        found,
        std=float(test.std),
        low=found.mean - half,
        high=found.mean + half,
        t=float(test.t) if spread else None,
        p=p,
        p_holm=p,
        wilcoxon=signed,
        wilcoxon_holm=signed,
        rank_biserial=rank_biserial(values),
        d_z=found.mean / float(test.std) if spread else None,
    )


def compare_all(rows: Sequence[Repeats]) -> tuple[Comparison, ...]:
    """All pairs, in the order of :func:`itertools.combinations`, with p adjusted for all of them.

    Pairs without a cell in common are left out; those with one unit have no p and do not count.
    """
    found = [compare(a, b) for a, b in combinations(rows, 2) if a.scores.keys() & b.scores.keys()]
    none = float("nan")
    of_t = holm([none if pair.p is None else pair.p for pair in found])
    of_w = holm([none if pair.wilcoxon is None else pair.wilcoxon for pair in found])
    return tuple(
        pair if pair.p is None else replace(pair, p_holm=p, wilcoxon_holm=w)
        for pair, p, w in zip(found, of_t.tolist(), of_w.tolist(), strict=True)
    )


def _ratio(model: Repeats, folds: Sequence[str]) -> float:
    """Test / training windows, the mean over the folds."""
    return math.fsum(model.ratios.get(f, 1 / (len(folds) - 1)) for f in folds) / len(folds)


def _signed_ranks(differences: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Twice the mean ranks of the differences other than 0, and which are positive."""
    values = np.asarray(differences, dtype=np.float64)
    # Differences that are equal on paper must not be ranked by their rounding errors.
    sizes = np.rint(np.abs(values) / ROUNDING)
    values, sizes = values[sizes > 0], sizes[sizes > 0]
    _, group, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    return (2 * before + counts + 1)[group].astype(np.int64), values > 0
