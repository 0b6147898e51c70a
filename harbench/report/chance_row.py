"""The last row of a comparison table: a predictor that has learnt nothing, for scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harbench.metrics import always_commonest
from harbench.nouns import Score
from harbench.report.tabular import Table, Value
from harbench.results import Store
from harbench.results.added import added_scores
from harbench.results.sampled import sampled_scores


def add_chance_row(
    table: Table,
    store: Store,
    manifest: dict[str, Any],
    metrics: Sequence[str],
    added: Sequence[Score] = (),
) -> None:
    """Add the scores of always guessing the commonest class of the test windows.

    Args:
        table: With its columns.
        store: Where cells are read from, for scores of samples.
        manifest: Of the benchmark.
        metrics: Columns to fill.
        added: Scores of plugins among them.
    """
    row = next((row for row in manifest["rows"] if row["folds"]), None)
    if row is None:
        return
    values = {column.key: Value("") for column in table.columns}
    values["row"] = Value(
        "(commonest class)",
        (
            table.note(
                "always guessing the commonest class of the test windows "
                f"({row['length']} / {row['step']})"
            ),
        ),
    )
    scores = [_of_commonest(store, manifest, row, fold, metrics, added) for fold in row["folds"]]
    for metric in metrics:
        found = [s[metric] for s in scores if s.get(metric) is not None]
        if found:
            table.chance[metric] = sum(found) / len(found)
            values[metric] = Value(f"{100 * table.chance[metric]:.1f}")
    table.rows.append(values)


def _of_commonest(
    store: Store,
    manifest: dict[str, Any],
    row: dict[str, Any],
    fold: dict[str, Any],
    metrics: Sequence[str],
    added: Sequence[Score],
) -> dict[str, Any]:
    """Its scores in one fold; of samples and of plugins where a cell of the fold is finished."""
    support = fold["support"]
    found = always_commonest(support, manifest["classes"], manifest["null"]).to_json()
    keys = [cell["key"] for cell in row["cells"] if cell["fold"] == fold["name"]]
    done = next((key for key in keys if store.has(key)), None)
    if done is not None:
        commonest = support.index(max(support))
        found |= sampled_scores(store.read(done), metrics, always=commonest)
        found |= added_scores(store.read(done), added, always=commonest)
    return found
