"""Scores of many cells -> one mean with its spread and interval.

The rule. ``mean`` is the mean over all cells. Spread and interval are those of the *units*: what
may be taken as repeated draws. With several folds the unit is the fold, and its value is the
mean over its seeds, because cells of one fold share their test windows and are no independent
draws. With one fold the unit is the seed, and the interval speaks of training noise only: not
of other subjects. With one unit there is neither spread nor interval.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

Fold = TypeVar("Fold", bound=Hashable)

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    """What is known of a score after several cells.

    Args:
        mean: Mean over all cells.
        std: Standard deviation of the units (divided by n - 1); None with one unit.
        low: Lower end of the 95 % Student-t interval of the mean; None with one unit. It is not
            cut at 0 or 1.
        high: Upper end.
        n: Number of units.
        unit: What was repeated: "fold" where there are several, else "seed".
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None
    n: int
    unit: Literal["fold", "seed"]


def summarise(values: Mapping[tuple[Fold, int], float]) -> Summary:
    """Mean, standard deviation and 95 % interval of a score; the rule stands above.

    The interval is mean +- t(0.975, n - 1) * std / sqrt(n). Where folds have unequally many seeds
    (a run that has not finished), its middle is still the mean over all cells.

    Args:
        values: (fold, seed) -> score.

    Raises:
        ValueError: where there is no score, or one that is not finite.
    """
    if not values:
        raise ValueError("no score to summarise")
    for cell, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"the score of fold {cell[0]}, seed {cell[1]} is {value}")
    by_fold: dict[Fold, list[float]] = {}
    for (fold, _seed), value in values.items():
        by_fold.setdefault(fold, []).append(float(value))

    # The module statistics is exact: equal scores have a spread of 0, not of 1e-17.
    mean = statistics.mean(value for seeds in by_fold.values() for value in seeds)
    if len(by_fold) > 1:
        units = [statistics.mean(seeds) for seeds in by_fold.values()]
        unit: Literal["fold", "seed"] = "fold"
    else:
        units, unit = next(iter(by_fold.values())), "seed"
    n = len(units)
    if n == 1:
        return Summary(mean, None, None, None, 1, unit)
    std = statistics.stdev(units)
    half = _student_t(n - 1) * std / math.sqrt(n)
    return Summary(mean, std, mean - half, mean + half, n, unit)


def _student_t(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t."""
    # scipy.stats.t.ppf ends in this function, and takes a second to import.
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))
