"""A footnote for rows whose model has changed: the cells of its older source are still there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harbench.results import Store
from harbench.results.manifest import older_cells

if TYPE_CHECKING:
    from harbench.report.table import Table


def note_older(
    table: Table,
    store: Store,
    manifest: Mapping[str, Any],
    row: Mapping[str, Any],
    record: dict[str, Any],
) -> list[int]:
    """The footnote's number, if there are older cells; the record gets ``older_cells``.

    Args:
        table: Gets the footnote.
        store, manifest: Of the benchmark.
        row: Of the manifest.
        record: Of the row, for CSV and JSON.
    """
    n = record["older_cells"] = older_cells(manifest, row, store)
    if not n:
        return []
    text = (
        f"{n} older cell{'s' * (n > 1)} of another source or version of the model "
        f"{'are' if n > 1 else 'is'} kept and not counted here (harbench verify lists what no "
        "table holds)"
    )
    return [table.note(text)]
