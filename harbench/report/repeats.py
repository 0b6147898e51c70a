"""The repeated scores of a benchmark's rows, as comparisons of models take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harbench.metrics.comparing import Cell, Comparison, Repeats
from harbench.metrics.ties import Standing
from harbench.results import Store
from harbench.results.sampled import scores_of


def repeats_of(row: Mapping[str, Any], scores: Mapping[Cell, float]) -> Repeats:
    """A row's scores with its folds' test windows / training windows.

    Args:
        row: Of a manifest; see :func:`harbench.results.manifest.manifest_of`.
        scores: (fold, seed) -> score.
    """
    windows = {fold["name"]: fold["windows"] for fold in row["folds"]}
    return Repeats(
        row["row"],
        scores,
        {name: n["test"] / n["train"] for name, n in windows.items() if n["train"]},
    )


def read_repeats(store: Store, manifest: Mapping[str, Any], metric: str) -> list[Repeats]:
    """The rows of a benchmark that have a score, in the order of its table.

    Raises:
        ResultsError: a record is damaged.
    """
    found = []
    for row in manifest["rows"]:
        scores = {}
        for cell in row["cells"]:
            if store.has(cell["key"]):
                value = scores_of(store.read(cell["key"]), [metric])[metric]
                if value is not None:
                    scores[cell["fold"], cell["seed"]] = float(value)
        if scores:
            found.append(repeats_of(row, scores))
    return found


def plural(n: int, unit: str) -> str:
    """ "1 seed", "5 folds"."""
    return f"{n} {unit}{'' if n == 1 else 's'}"


def repeats_text(pairs: list[Comparison] | tuple[Comparison, ...]) -> str:
    """ "5 seeds", or "3 to 5 seeds" where pairs differ."""
    if not pairs:
        return "no repeats"
    fewest = min(pairs, key=lambda pair: pair.n)
    most = max(pairs, key=lambda pair: pair.n)
    several = "" if fewest.n == most.n else f"{fewest.n} to "
    return several + plural(most.n, most.unit)


def tests_text(standing: Standing) -> str:
    """By what models are told apart: "paired t tests over 5 seeds, Holm over all 15 pairs"."""
    pairs = [pair for pair in standing.pairs if pair.n >= standing.wanted]
    tested = sum(pair.p is not None for pair in standing.pairs)
    holm = f", Holm over all {tested} pairs" if tested > 1 else ""
    return f"{pairs[0].test if pairs else 't test'}s over {repeats_text(pairs)}{holm}"
