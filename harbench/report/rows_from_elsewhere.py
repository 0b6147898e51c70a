"""Rows that were not trained here: those of imported bundles, and what others report.

They are marked in their names and by a footnote, and CSV and JSON have a column ``origin``: "here",
"imported" or "reported". None of them is ever the best of a column or in a test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harbench.plan.keys import harbench_digest
from harbench.report.tabular import ABSENT, Column, Table, Value
from harbench.results import Store
from harbench.results.comparability import match
from harbench.results.imports import Import, imports

AddRow = Callable[[Table, Store, dict[str, Any], dict[str, Any]], None]
"""Adds a row of a manifest, whose cells are in a store, to a table and its records."""

PRINTED = ("NF", "parameters", "FLOPs")
"""Columns of what was printed elsewhere, wherever there is any of it."""


def name_of(row: Mapping[str, Any], one: Import) -> str:
    """What a row of a bundle is called in tables and their records: "resnet-like [theirs]"."""
    return f"{row['row']} [{one.name}]"


def printed_columns(manifest: Mapping[str, Any]) -> list[Column]:
    """The columns of what was published of the rows, or is reported by others."""
    references = manifest.get("references", ())
    if not references and not any(row["published"] for row in manifest["rows"]):
        return []
    more = [key for one in references for key in one["printed"] if key not in PRINTED]
    keys = [PRINTED[0], *dict.fromkeys(more), *PRINTED[1:]]
    return [Column(f"printed {key}", f"printed\n{key}", 1) for key in keys]


def add_imported_rows(
    table: Table, store: Store, manifest: Mapping[str, Any], add_row: AddRow
) -> None:
    """Add the rows of imported benchmarks of the table's name that can be compared with it.

    The others are named in a line above the table, with the reason.

    Args:
        table: With its own rows.
        store, manifest: Of the benchmark.
        add_row: Of the comparison table.

    Raises:
        ResultsError: a record or an imported bundle is damaged.
    """
    for one in imports(store):
        if table.name not in one.manifest["benchmarks"]:
            continue
        theirs = one.store.benchmark(table.name)
        refused: dict[tuple[str, ...], list[str]] = {}
        for row in theirs["rows"]:
            found = match(store, manifest, one.store, row, theirs)
            if found.reasons:
                refused.setdefault(found.reasons, []).append(row["row"])
                continue
            shown = {column.key for column in table.columns}
            add_row(table, one.store, theirs, {**row, "row": name_of(row, one)})
            # Not among the scores that are compared.
            for scores in table.scores.values():
                scores.pop(name_of(row, one), None)
            values = {key: value for key, value in table.rows[-1].items() if key in shown}
            table.rows[-1] = values
            mark_imported(table, one, theirs, row, -1, data_known=found.data_known)
        for reasons, rows in refused.items():
            table.lines.append(
                f"not comparable, from {one.name}: {', '.join(rows)} ({'; '.join(reasons)})"
            )


def mark_imported(
    table: Table,
    one: Import,
    theirs: Mapping[str, Any],
    row: Mapping[str, Any],
    number: int,
    *,
    data_known: bool,
) -> None:
    """Mark a row of a table as imported.

    Args:
        table: Whose row it is.
        one: Where the row comes from.
        theirs, row: Manifest of its benchmark there, and the row in it.
        number: Of the row in the table.
        data_known: Whether its data are known to be those of one's own rows.
    """
    key = next((c["key"] for c in row["cells"] if one.store.has(c["key"])), None)
    stored = None if key is None else one.store.read(key)
    machine = "" if stored is None else stored.measured.get("environment", {}).get("processor", "")
    text = f"from {one.name}, not trained here"
    if machine:
        text += f"; its latency and times are those of its machine ({machine})"
    if stored is not None and stored.record.get("cell", {}).get("harbench") != harbench_digest():
        text += "; trained by other code of harbench than this"
    if not data_known:
        text += "; no cell is finished here that would tell whether the data are the same"
    value = table.rows[number]["row"]
    table.rows[number]["row"] = replace(value, notes=(*value.notes, table.note(text)))
    table.records[number] |= {"origin": "imported", "origin_source": one.name}


def add_reported_rows(table: Table, manifest: Mapping[str, Any]) -> None:
    """Add what others report, in the columns of what was printed elsewhere.

    Args:
        table: With its other rows.
        manifest: Of the benchmark.
    """
    references = manifest.get("references", ())
    blank = {name: None for record in table.records for name in record}
    times: Counter[str] = Counter()
    for one in references:
        times[one["row"]] += 1
        again = f" {times[one['row']]}" if times[one["row"]] > 1 else ""
        name = f"{one['row']} [reported{again}]"
        text = f"reported by {one['source']}, not measured here"
        if one["protocol"]:
            text += f": {one['protocol']}"
        values = {column.key: Value(ABSENT) for column in table.columns}
        values["row"] = Value(name, (table.note(text),))
        for key, printed in one["printed"].items():
            values[f"printed {key}"] = Value(printed)
        table.rows.append(values)
        table.records.append(
            blank
            | {
                "benchmark": table.name,
                "row": name,
                "model": one["row"],
                "kind": "reference",
                "simulated": False,
                "leaky": None,
                "published": [one],
                "origin": "reported",
                "origin_source": one["source"],
            }
        )
