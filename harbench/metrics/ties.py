"""Which models cannot be told apart from the best.

The rule. A model is told apart from the best one where (1) the pair has enough repeats, (2) p < .05
after Holm's adjustment for *all* pairs of models, both by the t test of
:mod:`harbench.metrics.comparing` and for scores of two values
(:mod:`harbench.metrics.two_valued`), and (3) the difference is in favour of the best. Else it is
tied with the best, or, with too few repeats, nothing is known.

Why all pairs: which model is the best is seen in the same scores. Testing the k - 1 others against
it as if it had been named beforehand would call equal models different too often. Holm over all
pairs keeps the chance of any false alarm, whichever model turns out best.

Why enough repeats: the t test trusts that differences are about normal. Trainings may end in one of
two scores (converged or not), and then all n differences of a pair can be the same by chance, which
makes t as large as one likes. For two equal models a difference is high minus low with a chance of
at most 1/4, and low minus high likewise, so that happens to one of m pairs with a chance of at most
2 m / 4^n, which must be below .05: three repeats for two models, four for three, five for six. With
more repeats such scores still have a large t more often than Student's distribution says; that is
what the second p is for. With both, each law has a chance of a false alarm of at most .05.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harbench.metrics.comparing import Comparison, Repeats, TTest, compare_all, holm
from harbench.metrics.intervals import summarise
from harbench.metrics.two_valued import two_valued_p

ALPHA = 0.05


@dataclass(frozen=True)
class Standing:
    """Where the models of a benchmark stand.

    Args:
        best: Name of the model with the highest mean.
        tied: Those that are not told apart from it.
        apart: Those that are.
        unknown: Those with too few repeats in common with it.
        wanted: Repeats that are enough.
        pairs: All pairs of models, p adjusted for all of them.
        adjusted: Names of a pair -> the larger of its two adjusted p; NaN is no test.
    """

    best: str
    tied: tuple[str, ...]
    apart: tuple[str, ...]
    unknown: tuple[str, ...]
    wanted: int
    pairs: tuple[Comparison, ...]
    adjusted: Mapping[tuple[str, str], float]

    def is_apart(self, pair: Comparison) -> bool | None:
        """Whether two models are told apart; None where their repeats are too few."""
        if pair.n < self.wanted or pair.p_holm is None:
            return None
        names = (pair.a, pair.b)
        return self.adjusted[names if names in self.adjusted else names[::-1]] < ALPHA

    def pair(self, a: str, b: str) -> Comparison | None:
        """a - b; None where they have no cell in common."""
        for found in self.pairs:
            if (found.a, found.b) == (a, b):
                return found
            if (found.a, found.b) == (b, a):
                return found.flipped()
        return None


def repeats_wanted(n_pairs: int) -> int:
    """The fewest repeats by which models can be told apart: the least n with 2 m / 4^n <= .05.

    Args:
        n_pairs: m, pairs that are tested.
    """
    return next(n for n in count(2) if 2 * n_pairs / 4**n <= ALPHA)


def adjusted(test: TTest, n: int) -> NDArray[np.float64]:
    """The larger of Holm's two adjusted p of each pair (part 2 of the rule).

    Args:
        test: [..., pairs].
        n: Repeats, of all pairs.
    """
    return np.maximum(holm(test.p), holm(two_valued_p(test.mean, test.std, n)))


def apart_from_best(means: ArrayLike, gaps: ArrayLike, p: ArrayLike) -> NDArray[np.bool_]:
    """Which models are told apart from the best one (parts 2 and 3 of the rule).

    Args:
        means: [..., k], the models' scores.
        gaps: [..., k (k - 1) / 2], mean differences of the pairs, in the order of
            :func:`itertools.combinations`: first minus second.
        p: The same shape, adjusted; NaN is no test.

    Returns:
        [..., k].
    """
    scores, between, adjusted = (np.asarray(x, dtype=np.float64) for x in (means, gaps, p))
    best = scores.argmax(axis=-1)
    apart = np.zeros(scores.shape, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        differs = adjusted < ALPHA
    for place, (i, j) in enumerate(combinations(range(scores.shape[-1]), 2)):
        found, gap = differs[..., place], between[..., place]
        apart[..., j] |= found & (best == i) & (gap > 0)
        apart[..., i] |= found & (best == j) & (gap < 0)
    return apart


def standing(rows: Sequence[Repeats]) -> Standing:
    """Where models stand, by the rule above.

    Args:
        rows: At least two, each with at least one score. Of equal means the first is the best.

    Raises:
        ValueError: there are fewer, or two of one name.
    """
    if len(rows) < 2 or len({row.name for row in rows}) < len(rows):
        raise ValueError("a standing is that of two models or more, each with a name of its own")
    pairs = compare_all(rows)
    wanted = repeats_wanted(len(rows) * (len(rows) - 1) // 2)
    by_names = {(pair.a, pair.b): pair for pair in pairs if pair.n >= wanted}
    means = [summarise(row.scores).mean for row in rows]
    tested = [by_names.get((a.name, b.name)) for a, b in combinations(rows, 2)]
    gaps = [np.nan if pair is None else pair.mean for pair in tested]
    both = _both(pairs)
    larger = [np.nan if pair is None else both[pair.a, pair.b] for pair in tested]
    best = rows[int(np.argmax(means))]
    apart = apart_from_best(means, gaps, larger)
    names: dict[str, list[str]] = {"tied": [], "apart": [], "unknown": []}
    for row, told in zip(rows, apart.tolist(), strict=True):
        if row is best:
            continue
        enough = (best.name, row.name) in by_names or (row.name, best.name) in by_names
        names["apart" if told else "tied" if enough else "unknown"].append(row.name)
    return Standing(
        best.name,
        tuple(names["tied"]),
        tuple(names["apart"]),
        tuple(names["unknown"]),
        wanted,
        pairs,
        both,
    )


def _both(pairs: Sequence[Comparison]) -> dict[tuple[str, str], float]:
    """What :func:`adjusted` says of pairs that may differ in their repeats."""
    of_two = [
        np.nan if pair.std is None else float(two_valued_p(pair.mean, pair.std, pair.n))
        for pair in pairs
    ]
    of_t = [np.nan if pair.p_holm is None else pair.p_holm for pair in pairs]
    larger = np.maximum(of_t, holm(of_two)) if pairs else np.zeros(0)
    return {(pair.a, pair.b): p for pair, p in zip(pairs, larger.tolist(), strict=True)}
