"""What came of each order and number of groups: scores, losses, and the shortest list."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harbench.metrics.intervals import summarise
from harbench.nouns import TrainedCell
from harbench_analyses.ablation_ranking import Ranking
from harbench_analyses.ablation_training import Networks, all_validated, nf, validation_nf

Place = tuple[str, int]
"""Fold and seed."""

ALL = "all"
# 0.9 - 0.88 is a little more than 0.02.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Outcome:
    """The networks of one order and one number of groups.

    Args:
        order: Its name; ALL for the finished cells.
        k: How many groups they see.
        chosen: (fold, seed) -> for each draw the groups, in the order of their ranking.
        networks: (fold, seed) -> for each draw the network.
    """

    order: str
    k: int
    chosen: Mapping[Place, tuple[Ranking, ...]]
    networks: Mapping[Place, tuple[TrainedCell, ...]]

    def of(self, score: Callable[[TrainedCell], float]) -> dict[Place, float]:
        """A score of each (fold, seed): the mean over its draws."""
        return {
            place: statistics.mean(map(score, networks))
            for place, networks in self.networks.items()
        }

    @property
    def every(self) -> list[TrainedCell]:
        """All networks, those of equal draws once."""
        found: dict[tuple[Place, frozenset[int]], TrainedCell] = {}
        for place, networks in self.networks.items():
            for groups, network in zip(self.chosen[place], networks, strict=True):
                found[place, frozenset(groups)] = network
        return list(found.values())

    @property
    def by_fold(self) -> dict[str, Ranking]:
        """What each fold chose, for orders that choose once a fold."""
        return {fold: draws[0] for (fold, _), draws in self.chosen.items()}


@dataclass(frozen=True)
class Estimate:
    """A mean and its uncertainty.

    Args:
        mean: Over all (fold, seed); NaN where one is not finite.
        half: Half of the 95 % Student-t interval; NaN where there is none.
        unit: What the interval is over: "fold" or "seed"; None where there is none.
    """

    mean: float
    half: float = math.nan
    unit: str | None = None


def estimate(values: Mapping[Place, float]) -> Estimate:
    """Mean and interval, by the rule of :func:`harbench.metrics.intervals.summarise`."""
    if not all(map(math.isfinite, values.values())):
        return Estimate(math.nan)
    summary = summarise(values)
    if summary.high is None:
        return Estimate(summary.mean)
    return Estimate(summary.mean, summary.high - summary.mean, summary.unit)


def finished(cells: Sequence[TrainedCell], n: int) -> Outcome:
    """The finished cells, which see all groups."""
    every = tuple(range(n))
    return Outcome(
        ALL,
        n,
        {(cell.fold, cell.seed): (every,) for cell in cells},
        {(cell.fold, cell.seed): (cell,) for cell in cells},
    )


def outcomes(
    cells: Sequence[TrainedCell],
    rankings: Mapping[str, Mapping[Place, tuple[Ranking, ...]]],
    counts: Sequence[int],
    networks: Networks,
) -> dict[str, list[Outcome]]:
    """Train the first ``k`` of every ranking, for all ``k``, in one call.

    Args:
        cells: Of one row.
        rankings: Order -> (fold, seed) -> a ranking for each draw.
        counts: The numbers of groups, ascending.
        networks: Trains.

    Returns:
        Order -> an outcome for each number.
    """
    wanted = [
        (cell, frozenset(ranking[:k]))
        for of_order in rankings.values()
        for k in counts
        for cell in cells
        for ranking in of_order[cell.fold, cell.seed]
    ]
    made = iter(networks(wanted))
    found: dict[str, list[Outcome]] = {}
    for order, of_order in rankings.items():
        for k in counts:
            chosen = {
                (c.fold, c.seed): tuple(r[:k] for r in of_order[c.fold, c.seed]) for c in cells
            }
            networks_of = {
                place: tuple(next(made) for _ in draws) for place, draws in chosen.items()
            }
            found.setdefault(order, []).append(Outcome(order, k, chosen, networks_of))
    return found


def loss(outcome: Outcome, whole: Outcome, score: Callable[[TrainedCell], float]) -> Estimate:
    """How far a score is below that of all groups: paired by fold and seed."""
    mine, of_whole = outcome.of(score), whole.of(score)
    return estimate({place: of_whole[place] - value for place, value in mine.items()})


def judged_by(cells: Sequence[TrainedCell]) -> tuple[str, Callable[[TrainedCell], float]]:
    """What the shortest list is chosen on: validation where every cell has it, else test."""
    return ("validation", validation_nf) if all_validated(cells) else ("test", nf)


def shortest(
    of_order: Sequence[Outcome],
    whole: Outcome,
    score: Callable[[TrainedCell], float],
    within: float,
) -> Outcome:
    """The fewest groups whose mean loss is at most ``within``; all of them where none fits.

    Args:
        of_order: By number of groups, ascending.
        whole: All groups.
        score: What the loss is of.
        within: In NF, 0 .. 1.
    """
    for outcome in of_order:
        # A loss that is not a number fits nothing.
        if loss(outcome, whole, score).mean <= within + _ROUNDING:
            return outcome
    return whole
