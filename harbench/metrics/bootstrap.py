"""Hierarchical bootstrap: an interval over folds and seeds at once.

The t interval of :mod:`harbench.metrics.intervals` sees the folds' means alone. Here folds are
drawn, and of each drawn fold its seeds, so that both kinds of spread are in the interval.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harbench.metrics.comparing import Cell
from harbench.metrics.intervals import CONFIDENCE

DRAWS = 10_000


def hierarchical_draws(
    values: Mapping[Cell, float], *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Means of resampled cells.

    Each draw takes as many folds as there are, with replacement, and of every drawn fold as many of
    its seeds as it has, with replacement and anew each time; its mean is that over all cells drawn.
    (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8; Saravanan,
    Berman and Sober, "Application of the hierarchical bootstrap to multi-level data in
    neuroscience", Neurons, Behavior, Data Analysis and Theory 3, 2020.) With one fold only seeds
    are drawn.

    Args:
        values: (fold, seed) -> score or difference.
        draws: How many.
        seed: Of the generator; equal seeds give equal draws.

    Returns:
        [draws].

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("nothing to resample")
    by_fold: dict[str, list[float]] = {}
    # Sorted: the order in which cells were finished must not change the draws.
    for (fold, _seed), value in sorted(values.items()):
        by_fold.setdefault(fold, []).append(float(value))
    n_seeds = np.array([len(seeds) for seeds in by_fold.values()])
    table = np.zeros((len(by_fold), int(n_seeds.max())))
    for row, seeds in zip(table, by_fold.values(), strict=True):
        row[: len(seeds)] = seeds

    generator = np.random.default_rng(seed)
    folds = generator.integers(0, len(by_fold), (draws, len(by_fold)))
    places = generator.random((draws, len(by_fold), table.shape[1]))
    counts = n_seeds[folds]
    # Rounding may make u * n of the largest u below 1 equal n.
    drawn = np.minimum((places * counts[..., None]).astype(np.int64), counts[..., None] - 1)
    inside = np.arange(table.shape[1]) < counts[..., None]
    sums = np.where(inside, table[folds[..., None], drawn], 0.0).sum(axis=(1, 2))
    return np.asarray(sums / counts.sum(axis=1), dtype=np.float64)


def hierarchical_interval(
    values: Mapping[Cell, float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> tuple[float, float] | None:
    """Percentile interval of the mean, or None where there is nothing but one cell.

    With few folds it is too narrow: two folds give at most three different mixtures of them.

    Args:
        values: (fold, seed) -> score or difference.
        draws, seed: As for :func:`hierarchical_draws`.
        confidence: Share of the draws inside.

    Raises:
        ValueError: there is no value.
    """
    means = hierarchical_draws(values, draws=draws, seed=seed)
    if len(values) == 1:
        return None
    outside = (1 - confidence) / 2
    low, high = np.quantile(means, [outside, 1 - outside])
    return float(low), float(high)
