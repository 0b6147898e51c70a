"""Ablation: a model trained again on fewer channels, sensors or body positions.

Yan et al. 2022, Sect. 5.5 and Table 4, train on the 20 top and the 20 bottom channels of the
saliency map. Here the map is kept from the test recordings, random sets and a greedy choice stand
beside it, and the shortest list that keeps the NF is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import harbench
from harbench.errors import ConfigError
from harbench.nouns import TrainedCell, Trainer
from harbench.nouns.names import plain
from harbench_analyses.ablation_figure import figure_of
from harbench_analyses.ablation_notes import Findings, notes
from harbench_analyses.ablation_outcomes import (
    Outcome,
    Place,
    estimate,
    finished,
    judged_by,
    outcomes,
    shortest,
)
from harbench_analyses.ablation_ranking import (
    BY,
    Grouping,
    Ranking,
    at_random,
    by_map,
    default_counts,
    for_every_seed,
    grouped,
)
from harbench_analyses.ablation_tables import (
    chosen_table,
    names_of,
    score_table,
    shortest_table,
)
from harbench_analyses.ablation_training import (
    GREEDY,
    Networks,
    backward,
    forward,
    nf,
    refuse_without_validation,
)
from harbench_analyses.attribution import METHODS, REDUCTIONS, choose
from harbench_analyses.rows import one_row

if TYPE_CHECKING:
    import pandas as pd

ORDERS = ("top", "bottom", "random", "forward", "backward")
_CONTROLS = ("bottom", "random")


@dataclass(frozen=True)
class Asked:
    """Options, checked.

    Args:
        by, method, reduction: Each one of those that there are.
        counts: Numbers of groups, ascending; None for those that fit the dataset.
        orders: At least one of ORDERS.
        draws: 1 or more.
        within: In NF, above 0 and below 1.
    """

    by: str
    counts: tuple[int, ...] | None
    orders: tuple[str, ...]
    draws: int
    method: str
    reduction: str
    within: float

    def counts_of(self, n: int) -> tuple[int, ...]:
        """The numbers of groups to try, of ``n``.

        Raises:
            ConfigError: one is larger than ``n``.
        """
        if self.counts is None:
            return default_counts(n)
        if self.counts[-1] > n:
            raise ConfigError(
                f"there are {n} {self.by}s, and {self.counts[-1]} of them are asked for",
                where="k",
                expected=f"numbers in 1 .. {n}",
            )
        return self.counts


def ablation(
    cells: Sequence[TrainedCell],
    train: Trainer,
    *,
    row: str | None = None,
    by: str = "channel",
    k: int | Sequence[int] | None = None,
    orders: str | Sequence[str] = ("top", "bottom", "random"),
    draws: int = 1,
    method: str = "gradient",
    reduction: str = "signed",
    within: float = 0.02,
) -> harbench.AnalysisResult:
    """Train a row's networks again on k of their channels, sensors or body positions.

    Args:
        cells: Of one benchmark.
        train: Trains what the store lacks.
        row: Of the table; None is the first.
        by: "channel", "sensor" or "position": what is kept or left out as one.
        k: How many to keep, one number or several; None is all counts where there are at most
            eight, else about halves.
        orders: One or more of "top" and "bottom" (of the saliency map of each fold's training
            windows), "random", and the greedy "forward" and "backward" (by validation NF).
        draws: Random sets for each fold and seed.
        method, reduction: Of the map; the defaults are the paper's.
        within: NF, 0 .. 1, that the shortest list may lose.

    Raises:
        ConfigError: an option is not what it may be; more groups are asked for than there are;
            there is one group only; a greedy order without validation windows.
        ResultsError: a training failed; weights are missing.
    """
    asked = _asked(by, k, orders, draws, method, reduction, within)
    chosen, others = one_row(cells, row)
    name = chosen[0].row
    refuse_without_validation(chosen, asked.orders)
    grouping = grouped(chosen[0].load().channels, asked.by)
    counts = asked.counts_of(len(grouping))
    whole = finished(chosen, len(grouping))
    networks = Networks(train, grouping)
    found = _carry_out(chosen, networks, grouping, counts, asked)
    chosen_on, score = judged_by(chosen)
    lists = {
        order: shortest(of_order, whole, score, within)
        for order, of_order in found.items()
        if order not in _CONTROLS
    }
    findings = Findings(
        row=name,
        other_rows=others,
        simulates=chosen[0].simulates,
        by=by,
        n=len(grouping),
        n_trained=networks.n_trained,
        orders=asked.orders,
        draws=draws,
        method=method,
        reduction=reduction,
        within=within,
        chosen_on=chosen_on,
        shortest=lists,
        whole=whole,
        unit=estimate(whole.of(nf)).unit,
    )
    simulated = " (simulated data)" if chosen[0].simulates else ""
    picture = figure_of(
        found,
        whole,
        by=by,
        title=f"NF by number of {by}s, {name}{simulated}",
        shortest={order: (of.k, names_of(of, grouping)) for order, of in lists.items()},
        within=within,
    )
    return harbench.AnalysisResult(
        _tables(found, whole, lists, grouping, chosen_on),
        notes(findings),
        {f"ablation-{plain(name)}-{by}": picture},
    )


def _asked(
    by: object,
    k: object,
    orders: object,
    draws: object,
    method: object,
    reduction: object,
    within: object,
) -> Asked:
    """The options, checked: YAML may hold anything."""
    names = orders if isinstance(orders, list | tuple) else (orders,)
    numbers = k if isinstance(k, list | tuple) else (k,)
    counts = sorted({number for number in numbers if _is_count(number)})
    if k is not None and (not counts or not all(map(_is_count, numbers))):
        raise ConfigError(
            f"{_said(k)} is no number to keep", where="k", expected="whole numbers from 1 on"
        )
    if not names:
        raise ConfigError(
            "there is no order", where="orders", expected=f"some of {', '.join(ORDERS)}"
        )
    if not _is_count(draws):
        raise ConfigError(
            f"{_said(draws)} is no number of draws", where="draws", expected="1 or more"
        )
    if isinstance(within, bool) or not isinstance(within, int | float) or not 0 < within < 1:
        raise ConfigError(
            f"{_said(within)} is no loss of NF",
            where="within",
            expected="a number between 0 and 1, such as 0.02",
        )
    return Asked(
        by=_one_of(by, BY, "grouping"),
        counts=None if k is None else tuple(counts),
        orders=tuple(dict.fromkeys(_one_of(name, ORDERS, "order") for name in names)),
        draws=draws,
        method=_one_of(method, METHODS, "method"),
        reduction=_one_of(reduction, REDUCTIONS, "reduction"),
        within=float(within),
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _one_of(value: object, known: Collection[str], kind: str) -> str:
    # A list cannot be looked up in a mapping.
    return choose(value if isinstance(value, str) else _said(value), known, kind)


def _said(value: object) -> str:
    """As YAML writes a list."""
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _carry_out(
    cells: Sequence[TrainedCell],
    networks: Networks,
    grouping: Grouping,
    counts: Sequence[int],
    asked: Asked,
) -> dict[str, list[Outcome]]:
    """Order -> its outcomes: first what can be trained side by side, then what goes in rounds."""
    n = len(grouping)
    rankings: dict[str, Mapping[Place, tuple[Ranking, ...]]] = {}
    if {"top", "bottom"}.intersection(asked.orders):
        top = by_map(cells, grouping, asked.method, asked.reduction)
        rankings["top"] = for_every_seed(cells, top)
        rankings["bottom"] = for_every_seed(cells, {f: r[::-1] for f, r in top.items()})
    rankings["random"] = {
        (c.fold, c.seed): tuple(at_random(n, c.fold, c.seed, d) for d in range(asked.draws))
        for c in cells
    }
    at_once = {order: rankings[order] for order in asked.orders if order not in GREEDY}
    found = outcomes(cells, at_once, counts, networks)
    folds: dict[str, list[TrainedCell]] = {}
    for cell in cells:
        folds.setdefault(cell.fold, []).append(cell)
    for order in asked.orders:
        if order == "forward":
            greedy = forward(folds, n, counts[-1], networks)
        elif order == "backward":
            greedy = backward(folds, n, counts[0], networks)
        else:
            continue
        found |= outcomes(cells, {order: for_every_seed(cells, greedy)}, counts, networks)
    return {order: found[order] for order in asked.orders}


def _tables(
    found: Mapping[str, Sequence[Outcome]],
    whole: Outcome,
    lists: Mapping[str, Outcome],
    grouping: Grouping,
    chosen_on: str,
) -> dict[str, pd.DataFrame]:
    groups = f"{grouping.by}s"
    every = [outcome for of_order in found.values() for outcome in of_order]
    tables = {f"NF by number of {groups}": score_table(every, whole, grouping)}
    if lists:
        title = f"shortest list of {groups}"
        tables[title] = shortest_table(lists, whole, grouping, chosen_on)
    named = [outcome for outcome in every if outcome.order != "random"]
    if named:
        tables[f"chosen {groups}"] = chosen_table(named, grouping)
    return tables


@harbench.hookimpl
def register_analyses(register: Callable[[harbench.Analysis], None]) -> None:
    """Offer the analysis."""
    summary = "train again on fewer channels, sensors or body positions"
    register(harbench.Analysis("ablation", summary, ablation, trains=True))
