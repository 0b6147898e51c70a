"""How far a t of paired differences is to be trusted where trainings end in one of two scores.

A training converges, or it does not. Of two equal models with such scores a difference is high
minus low, 0, or low minus high, with the chances q, 1 - 2 q and q, where q = c (1 - c) <= 1/4 for
trainings that converge with the chance c. Few such differences are far from normal: with ten
repeats five of one sign and five of 0 give t = 3.0, which Student calls rarer than one in 60, and
which is one in 40. Here the distribution of t is counted out, for the worst q.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harbench.metrics.comparing import ROUNDING

MOST = 200
"""Repeats from which on Student's distribution is near enough."""

_CHANCES = np.linspace(0.0025, 0.25, 100)


def two_valued_p(mean: ArrayLike, std: ArrayLike, n: int) -> NDArray[np.float64]:
    """The largest chance, over all q, of a t at least as large in size as that of n differences.

    It is at least 2 / 4^n, because all differences can be the same. With more than :data:`MOST`
    repeats it is 0: nothing is said against Student's p.

    Args:
        mean, std: Of the differences (std divided by n - 1); any shape.
        n: At least 2.
    """
    size, spread = np.abs(np.asarray(mean, np.float64)), np.asarray(std, np.float64)
    if n > MOST:
        return np.where(size <= ROUNDING, 1.0, 0.0)
    error = np.where(spread <= ROUNDING, 0.0, spread) / np.sqrt(n)
    t = np.divide(size, error, out=np.full_like(size, np.inf), where=error > 0)
    known, chances = _tail(n)
    # An equal t may come out a rounding error higher.
    place = np.searchsorted(known, t * (1 - 1e-6))
    found = chances[np.minimum(place, known.size - 1)]
    return np.where(size <= ROUNDING, 1.0, found)


@cache
def _tail(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every t > 0 that n such differences can have, rising, and the chance of |t| so large."""
    plus, minus = (axis.ravel() for axis in np.mgrid[: n + 1, : n + 1])
    some = (plus + minus <= n) & (plus != minus)
    plus, minus = plus[some], minus[some]
    mean = (plus - minus) / n
    variance = ((plus + minus) / n - mean**2) / (n - 1)
    with np.errstate(divide="ignore"):
        t = np.where(variance > ROUNDING, np.abs(mean) / np.sqrt(np.abs(variance)), np.inf)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    ways = factorials[n] - factorials[plus] - factorials[minus] - factorials[n - plus - minus]
    order = np.argsort(-t, kind="stable")
    worst = np.zeros(order.size)
    for q in _CHANCES:
        logs = ways + (plus + minus) * np.log(q)
        zeros = n - plus - minus
        logs = logs + zeros * np.log(1 - 2 * q)
        worst = np.maximum(worst, np.cumsum(np.exp(logs[order])))
    return t[order][::-1].copy(), np.minimum(worst, 1.0)[::-1].copy()
