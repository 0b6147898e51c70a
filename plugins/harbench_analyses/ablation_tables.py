"""Tables of an ablation: scores by number of channels, the shortest list, what each fold chose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harbench_analyses.ablation_outcomes import Outcome, estimate, loss
from harbench_analyses.ablation_ranking import Grouping
from harbench_analyses.ablation_training import nf

if TYPE_CHECKING:
    import pandas as pd

# Column -> field of harbench.cost.record.Cost.
COSTS = {"parameters": "parameters", "with buffers": "parameters_with_buffers", "MACs": "macs"}


def score_table(every: Sequence[Outcome], whole: Outcome, grouping: Grouping) -> pd.DataFrame:
    """A line for each order and number of groups.

    ``NF``, ``macro F1`` and the losses are in percent and points, means over (fold, seed); random
    draws are averaged first. ``±`` is half of the 95 % interval. Costs are means over the
    networks, because folds may choose sensors of different sizes.
    """
    import pandas as pd

    lines = []
    for outcome in (whole, *every):
        score, lost = estimate(outcome.of(nf)), loss(outcome, whole, nf)
        macro = estimate(outcome.of(lambda cell: float(cell.record["scores"]["macro_f1"])))
        lines.append(
            {
                "order": outcome.order,
                "k": outcome.k,
                "channels": _mean_channels(outcome, grouping),
                "NF": 100 * score.mean,
                "±": 100 * score.half,
                "loss": 100 * lost.mean,
                "loss ±": 100 * lost.half,
                "macro F1": 100 * macro.mean,
                **{column: mean_cost(outcome, field) for column, field in COSTS.items()},
                "networks": len(outcome.every),
            }
        )
    table = pd.DataFrame(lines)
    for column in ("channels", *COSTS):
        values = table[column]
        if values.notna().all() and (values % 1 == 0).all():
            table[column] = values.astype("int64")
    return table


def mean_cost(outcome: Outcome, field: str) -> float:
    """A cost, mean over the networks, rounded; NaN where one was not measured."""
    costs = [cell.cost for cell in outcome.every]
    known = [cost[field] for cost in costs if cost is not None]
    return float(round(sum(known) / len(known))) if len(known) == len(costs) else math.nan


def _mean_channels(outcome: Outcome, grouping: Grouping) -> float:
    def count(draws: Sequence[Sequence[int]]) -> float:
        return sum(len(grouping.channels_of(groups)) for groups in draws) / len(draws)

    return sum(map(count, outcome.chosen.values())) / len(outcome.chosen)


def shortest_table(
    found: Mapping[str, Outcome], whole: Outcome, grouping: Grouping, chosen_on: str
) -> pd.DataFrame:
    """The shortest list of each order; ``NF`` and ``loss`` are those of the test windows.

    Args:
        found: Order -> its outcome.
        whole: All groups.
        grouping: Names them.
        chosen_on: "validation" or "test".
    """
    import pandas as pd

    lines = [
        {
            "order": order,
            "k": outcome.k,
            "of": len(grouping),
            "NF": 100 * estimate(outcome.of(nf)).mean,
            "loss": 100 * loss(outcome, whole, nf).mean,
            "chosen on": chosen_on,
            "list": names_of(outcome, grouping),
        }
        for order, outcome in found.items()
    ]
    return pd.DataFrame(lines)


def names_of(outcome: Outcome, grouping: Grouping) -> str:
    """The names that all folds chose, in the dataset's order; then those that some chose."""
    if outcome.k == len(grouping):
        return f"all {len(grouping)} {grouping.by}s"
    sets = [set(groups) for groups in outcome.by_fold.values()]
    common = set.intersection(*sets)
    others = set.union(*sets) - common
    texts = [grouping.named(sorted(common))] if common else []
    if others:
        texts.append(f"in some folds: {grouping.named(sorted(others))}")
    return "; ".join(texts)


def chosen_table(every: Sequence[Outcome], grouping: Grouping) -> pd.DataFrame:
    """What each fold kept, in the order of its ranking."""
    import pandas as pd

    lines: list[dict[str, Any]] = []
    folds = list(every[0].by_fold)
    for fold in folds:
        for outcome in every:
            lines.append(
                {
                    "fold": fold,
                    "order": outcome.order,
                    "k": outcome.k,
                    "names": grouping.named(outcome.by_fold[fold]),
                }
            )
    return pd.DataFrame(lines)
