"""The column of a comparison table that says how fast exported models run."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from harbench.report.tabular import ABSENT, Column, Table, Value
from harbench.results import Store

_RANK = 5


def add_exported(table: Table, store: Store, manifest: Mapping[str, Any]) -> None:
    """Add the column, where any cell of the table was exported as ONNX.

    Args:
        table: With its rows; gets the column, its footnotes and fields of its records.
        store: Where what was measured of exported models is.
        manifest: Of the benchmark.
    """
    exported = store.exported_keys()
    of_rows = {
        row["row"]: [
            found
            for cell in row["cells"]
            if cell["key"] in exported
            and store.has(cell["key"])
            and (found := store.exported(cell["key"]))
        ]
        for row in manifest["rows"]
    }
    if not any("onnx" in found for cells in of_rows.values() for found in cells):
        return
    note = table.note(
        "of one window on one thread by onnxruntime, normalisation included; median over the cells "
        "that harbench export-model wrote"
    )
    column = Column("onnx_latency", "ONNX\nlatency", _RANK, (note,))
    places = [number for number, other in enumerate(table.columns) if other.key == "latency"]
    table.columns.insert(places[0] + 1 if places else len(table.columns), column)
    for values in table.rows:
        # A row without costs, such as that of guessing, stays without.
        values["onnx_latency"] = Value(ABSENT if values["latency"].text else "")
    for values, record in zip(table.rows, table.records, strict=False):
        # A row from elsewhere may have the name of one of ours.
        here = record.get("origin", "here") == "here"
        cells = of_rows.get(record["row"], []) if here else []
        floats = [found["onnx"] for found in cells if "onnx" in found]
        record["onnx_latency_median_ms"] = _median(floats)
        if not floats:
            continue
        notes = []
        integers = [found["onnx-int8"] for found in cells if "onnx-int8" in found]
        record["onnx_int8_latency_median_ms"] = _median(integers)
        if integers:
            record["onnx_int8_nf_change"] = statistics.mean(_change(one) for one in integers)
            notes.append(
                table.note(
                    f"{record['row']} in int8: {_median(integers):.2f} ms, NF "
                    f"{100 * record['onnx_int8_nf_change']:+.2f} points on "
                    f"{len(integers)} of its cells, {_mean_size(integers):,} bytes instead of "
                    f"{_mean_size(floats):,}"
                )
            )
        values["onnx_latency"] = Value(f"{_median(floats):.2f} ms", tuple(notes))


def _median(measured: list[Any]) -> float | None:
    known = [one["latency"]["median_ms"] for one in measured if one["latency"]]
    return statistics.median(known) if known else None


def _change(one: Mapping[str, Any]) -> float:
    return float(one["loss"]["nf_int8"] - one["loss"]["nf_float"])


def _mean_size(measured: list[Any]) -> int:
    return round(statistics.mean(float(one["size_bytes"]) for one in measured))
