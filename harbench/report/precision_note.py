"""A footnote for rows whose network was trained in another precision than float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harbench.report.table import Table


def note_precision(table: Table, row: Mapping[str, Any], record: dict[str, Any]) -> list[int]:
    """The footnote's number, if the row has one; the record gets ``precision``.

    Args:
        table: Gets the footnote.
        row: Of the manifest; those of older stores name no precision, which was float32.
        record: Of the row, for CSV and JSON; None for an estimator, which has no recipe.
    """
    recipe = row.get("recipe")
    record["precision"] = None if recipe is None else recipe.get("precision", "float32")
    if record["precision"] != "bf16":
        return []
    return [
        table.note(
            "trained and predicting in bf16: torch's autocast to bfloat16, with weights, logits "
            "and loss in float32; not the same training as in float32"
        )
    ]
