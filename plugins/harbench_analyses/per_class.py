"""Per class: precision, recall and F1 of every class, a table for each model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import TrainedCell

if TYPE_CHECKING:
    import pandas as pd


def per_class(cells: Sequence[TrainedCell]) -> dict[str, pd.DataFrame]:
    """Precision, recall and F1 in percent, the mean over folds and seeds in which the class has
    support; support is the sum of test windows over folds, counted once a seed and averaged."""
    import pandas as pd

    lines = []
    for cell in cells:
        scores = cell.record["scores"]
        for number, name in enumerate(cell.record["classes"]):
            lines.append(
                {
                    "row": cell.row,
                    "seed": cell.seed,
                    "class": name,
                    **{k: scores[k][number] for k in ("precision", "recall", "f1", "support")},
                }
            )
    frame = pd.DataFrame(lines)
    tables = {}
    for row, of_row in frame.groupby("row", sort=False):
        present = of_row[of_row["support"] > 0]
        means = 100 * present.groupby("class", sort=False)[["precision", "recall", "f1"]].mean()
        support = of_row.groupby(["class", "seed"])["support"].sum().groupby("class").mean()
        table = means.reindex(of_row["class"].unique())
        table["support"] = support.round().astype(int)
        tables[str(row)] = table.reset_index(names="class")
    return tables


@harbench.hookimpl
def register_analyses(register) -> None:  # type: ignore[no-untyped-def]
    """Offer the analysis."""
    register(harbench.Analysis("per-class", "precision, recall and F1 of every class", per_class))
