"""Ranks of models over repeats: Friedman's test and Nemenyi's critical difference.

Demsar, "Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006, section 3.2. He ranks over data sets; here folds or seeds of one
benchmark stand in their place, which says less: see docs/statistics.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harbench.metrics.comparing import ROUNDING


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all models rank alike.

    Args:
        chi2: Friedman's statistic, corrected for ties (Demsar's has no ties and is the same then).
        p: Of chi2, k - 1 degrees of freedom.
        f: Iman and Davenport's statistic; infinite where all repeats rank alike.
        f_p: Of it, k - 1 and (k - 1)(n - 1) degrees of freedom.
    """

    chi2: float
    p: float
    f: float
    f_p: float


def ranks(scores: ArrayLike) -> NDArray[np.float64]:
    """Rank of each model in each repeat: 1 is the highest score, equal ones share their mean rank.

    Args:
        scores: [n, k], a row a repeat.

    Returns:
        [n, k].
    """
    values = np.rint(np.asarray(scores, dtype=np.float64) / ROUNDING)
    above = (values[:, None, :] > values[:, :, None]).sum(axis=2)
    equal = (values[:, None, :] == values[:, :, None]).sum(axis=2)
    return np.asarray(above + (equal + 1) / 2, dtype=np.float64)


def friedman(ranked: ArrayLike) -> Friedman:
    """Friedman's test, and Iman and Davenport's less conservative version of it.

    Args:
        ranked: [n, k], as :func:`ranks` gives them; n and k at least 2.

    Raises:
        ValueError: n or k is less.
    """
    from scipy.special import chdtrc, fdtrc

    places = np.asarray(ranked, dtype=np.float64)
    n, k = places.shape
    if n < 2 or k < 2:
        raise ValueError(f"Friedman's test needs 2 repeats of 2 models, not {n} of {k}")
    between = n * ((places.mean(axis=0) - (k + 1) / 2) ** 2).sum()
    within = ((places - (k + 1) / 2) ** 2).sum() / (n * (k - 1))
    chi2 = float(between / within) if within > 0 else 0.0
    rest = n * (k - 1) - chi2
    f = (n - 1) * chi2 / rest if rest > 1e-9 else math.inf
    f_p = float(fdtrc(k - 1, (k - 1) * (n - 1), f)) if math.isfinite(f) else 0.0
    return Friedman(chi2, float(chdtrc(k - 1, chi2)), f, f_p)


def nemenyi(k: int, n: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of average ranks: q sqrt(k (k + 1) / (6 n)).

    q is the studentised range's quantile at infinite degrees of freedom over sqrt(2) (Demsar 2006,
    section 3.2.2 and Table 5a).

    Args:
        k: Models.
        n: Repeats.
        alpha: Level.
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - alpha, k, np.inf)) / math.sqrt(2)
    return q * math.sqrt(k * (k + 1) / (6 * n))
