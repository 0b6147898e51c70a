"""Footnotes for rows whose network was not trained in float32, or not by fixed algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harbench.nouns.recipe import USUAL

if TYPE_CHECKING:
    from harbench.report.table import Table


def note_recipe(table: Table, row: Mapping[str, Any], record: dict[str, Any]) -> list[int]:
    """The footnotes' numbers; the record gets ``precision`` and ``algorithms``.

    Args:
        table: Gets the footnotes.
        row: Of the manifest; those of older stores name neither, and had the usual.
        record: Of the row, for CSV and JSON; None for an estimator, which has no recipe.
    """
    recipe = row.get("recipe")
    for name, usual in USUAL.items():
        record[name] = None if recipe is None else recipe.get(name, usual)
    notes = []
    if record["precision"] == "bf16":
        notes.append(
            table.note(
                "trained and predicting in bf16: torch's autocast to bfloat16, with weights, "
                "logits and loss in float32; not the same training as in float32"
            )
        )
    if record["algorithms"] == "fast":
        notes.append(
            table.note(
                "trained by the fastest algorithms: the same seed need not give the same bits"
            )
        )
    return notes
