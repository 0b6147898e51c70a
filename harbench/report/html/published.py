"""What papers printed beside what was measured, and why the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harbench.report.html.tables import Cell, Head, Line, Shown, number_in
from harbench.report.tabular import ABSENT, Table

# Printed column -> the number in the row's record, and how the measured one is shown.
_MEASURED = {
    "NF": ("nf_mean", "score"),
    "macro F1": ("macro_f1_mean", "score"),
    "accuracy": ("accuracy_mean", "score"),
    "parameters": ("parameters", "count"),
    # Papers' FLOPs are compared as what they mostly count; the footnotes say so where not.
    "FLOPs": ("macs", "count"),
    "MACs": ("macs", "count"),
}
_HEADS = (
    Head("Row"),
    Head("Published by"),
    Head("Quantity"),
    Head("Published", numeric=True, published=True),
    Head("Measured", numeric=True),
    Head("Gap", numeric=True),
    Head("Why they differ", prose=True),
)


def published_table(table: Table, manifest: Mapping[str, Any], anchor: str) -> Shown | None:
    """One line for each printed number; None where nothing was printed.

    Args:
        table: The comparison table.
        manifest: Of the benchmark.
        anchor: Id of the shown table.
    """
    lines = [
        line
        for row, record in zip(manifest["rows"], table.records, strict=False)
        for result in row["published"]
        for line in _lines(result, row, record, manifest)
    ]
    if not lines:
        return None
    caption = f"{manifest['name']}: published beside measured"
    return Shown(anchor, caption, _HEADS, tuple(lines), controls=len(lines) > 8)


def _lines(
    result: Mapping[str, Any],
    row: Mapping[str, Any],
    record: Mapping[str, Any],
    manifest: Mapping[str, Any],
) -> Iterator[Line]:
    badges = (("leaky", "leaky"),) if record.get("leaky") else ()
    for column, text in result["printed"].items():
        key, way = _MEASURED.get(column, ("", ""))
        number = record.get(key)
        printed = number_in(text)
        yield Line(
            (
                Cell(record["row"]),
                Cell(f"{result['source']} ({result['row']})"),
                Cell("FLOPs (measured: MACs)" if column == "FLOPs" else column),
                Cell(text, printed),
                _measured(number, way),
                _gap(printed, number, way),
                Cell(" ".join(_reasons(column, result, row, record, manifest, number))),
            ),
            badges,
        )


def _measured(number: float | None, way: str) -> Cell:
    if number is None:
        return Cell(ABSENT)
    if way == "score":
        return Cell(f"{100 * number:.1f}", 100 * number)
    return Cell(f"{number:,}", float(number))


def _gap(printed: float | None, measured: float | None, way: str) -> Cell:
    """Points of a score; of a count percent of the printed one."""
    if printed is None or measured is None:
        return Cell(ABSENT)
    if way == "score":
        points = 100 * measured - printed
        return Cell(f"{points:+.1f} points", points)
    if not printed:
        return Cell(ABSENT)
    if measured > 10 * printed:
        return Cell(f"x {measured / printed:,.1f}", 100 * (measured / printed - 1))
    percent = 100 * (measured / printed - 1)
    return Cell(f"{percent:+.1f} %", percent)


def _reasons(
    column: str,
    result: Mapping[str, Any],
    row: Mapping[str, Any],
    record: Mapping[str, Any],
    manifest: Mapping[str, Any],
    measured: float | None,
) -> Sequence[str]:
    reasons = []
    if measured is None and column in _MEASURED:
        what = manifest["missing"]["what"] if manifest["missing"] else "no cell is finished"
        reasons.append(_sentence(f"not measured here: {what}"))
    if column in result["defects"]:
        reasons.append(_sentence(result["defects"][column]))
    if row["stand_in"]:
        reasons.append(_sentence(f"the network here is a stand-in: {row['stand_in']}"))
    if measured is not None and column not in ("parameters", "FLOPs", "MACs"):
        if manifest["simulates"]:
            reasons.append("Measured on simulated data: no score here says anything of the paper.")
        if record.get("leaky"):
            reasons.append("The split here leaks.")
        if result["protocol"]:
            reasons.append(_sentence(f"protocol of the print: {result['protocol']}"))
        reasons.append(
            f"Here: {manifest['dataset']}, task {manifest['task']}, split {manifest['split']}, "
            f"windows of {row['length']} every {row['step']} samples."
        )
    return reasons or ["No defect of the print is known."]


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
