"""How many repeats it would take to tell two models apart."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from harbench.metrics.ties import ALPHA

POWER = 0.8
MOST = 10_000


def power_of(mean: float, std: float, n: int, *, ratio: float = 0.0, alpha: float = ALPHA) -> float:
    """Chance that the two-sided t test finds a difference that is there.

    With normal differences, t is noncentral t with n - 1 degrees of freedom and noncentrality
    mean / (std sqrt(1 / n + ratio)) (Cohen, *Statistical Power Analysis*, 1988, section 2.4; for
    the corrected test the same holds under the model it assumes, equally correlated folds).

    Args:
        mean, std: Of the differences; std > 0.
        n: Repeats, at least 2.
        ratio: Of the correction, at this n.
        alpha: Level of the test.
    """
    from scipy.special import stdtrit

    shift = abs(mean) / (std * math.sqrt(1 / n + ratio))
    critical = float(stdtrit(n - 1, 1 - alpha / 2))
    return min(_beyond(critical, n - 1, shift) + _beyond(critical, n - 1, -shift), 1.0)


def _beyond(critical: float, degrees: int, shift: float) -> float:
    """Chance that a noncentral t is above a positive limit.

    t = (z + shift) / s, so it is the mean over s of the normal chance of z > critical s - shift; s
    is chi / sqrt(degrees). (scipy's nctdtr and stats.nct give NaN in many places that are needed
    here, where the chance is between .7 and 1.)
    """
    from scipy.special import gammainccinv, gammaincinv, gammaln, ndtr

    half = degrees / 2
    low = math.sqrt(float(gammaincinv(half, 1e-14)) / half)
    high = math.sqrt(float(gammainccinv(half, 1e-14)) / half)
    # From about 1 to about 0 between these: pieces of their own, for it can be very steep.
    turn = [(shift - 8) / critical, (shift + 8) / critical]
    edges = np.array([low, *np.clip(turn, low, high), high])
    nodes, weights = _legendre()
    width = np.diff(edges)[:, None] / 2
    s = edges[:-1, None] + width * (nodes + 1)
    log_density = (
        math.log(2) + half * math.log(half) - float(gammaln(half))
        + (degrees - 1) * np.log(s) - half * s**2
    )  # fmt: skip
    return float((weights * width * np.exp(log_density) * ndtr(shift - critical * s)).sum())


@cache
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(80)
    return nodes, weights


def repeats_needed(
    mean: float,
    std: float,
    n: int,
    *,
    ratio: float = 0.0,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int | None:
    """The least number of repeats by which a difference like this one is found.

    It takes the observed mean and standard deviation for the true ones, so it is as uncertain as
    they are. More folds are taken to be more subjects: a test fold stays as large as it is and the
    training set grows, so the ratio falls to ratio * (n - 1) / (m - 1) at m folds.

    Args:
        mean, std: Of the differences that were seen.
        n: How many those were, at least 2.
        ratio: Of the correction, at n; 0 for seeds.
        alpha: Level of the test; for Holm over m pairs, alpha / m is enough at any step.
        power: Chance of finding it.

    Returns:
        At least 2; None where the mean is 0 or :data:`MOST` are not enough.
    """
    if mean == 0:
        return None
    if std == 0:
        return 2

    def enough(m: int) -> bool:
        there = ratio * (n - 1) / (m - 1)
        return power_of(mean, std, m, ratio=there, alpha=alpha) >= power

    low, high = 1, 2
    while not enough(high):
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
