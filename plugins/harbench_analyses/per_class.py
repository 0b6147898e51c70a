"""Per class: precision, recall and F1 of every class, a table for each model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import harbench
from harbench.nouns import TrainedCell


def per_class(cells: Sequence[TrainedCell]) -> harbench.AnalysisResult:
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
    return harbench.AnalysisResult(tables)


@harbench.hookimpl
def register_analyses(register: Callable[[harbench.Analysis], None]) -> None:
    """Offer the analysis."""
    register(harbench.Analysis("per-class", "precision, recall and F1 of every class", per_class))
