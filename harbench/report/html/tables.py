"""Tables as the page shows them: each cell with its text, its notes, and what it is sorted by."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harbench.report.analyses import digits_of, is_number, shown
from harbench.report.tabular import Table, Value

_NUMBER = re.compile(r"[≠=~<>]?\s*([+\-−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([kMG]?)")
_SCALES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
# Column -> the unrounded number in the row's record.
_RECORDED = {
    "window": "window",
    "parameters": "parameters",
    "macs": "macs",
    "latency": "latency_median_ms",
    "onnx_latency": "onnx_latency_median_ms",
    "size": "size_bytes",
    "fit": "fit_seconds_median",
}
_LEAKY = " (leaky)"


@dataclass(frozen=True)
class Head:
    """Head of a column.

    Args:
        title: On one line.
        notes: Numbers of its footnotes.
        numeric: Whether it holds numbers, which stand to the right.
        descending: Whether the first sort puts the largest on top.
        published: Whether it holds what a paper printed.
        prose: Whether it holds sentences.
    """

    title: str
    notes: tuple[int, ...] = ()
    numeric: bool = False
    descending: bool = False
    published: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell.

    Args:
        text: As shown.
        sort: Number that it is sorted by; None sorts by the text, or last in a column of numbers.
        notes: Numbers of its footnotes.
        mark: "best", "tied" or "".
    """

    text: str
    sort: float | None = None
    notes: tuple[int, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Line:
    """A row.

    Args:
        cells: One a column; the first names the row.
        badges: (kind, text) of marks beside the name: ("leaky", "leaky").
        anchor: Of the row's provenance on the page, "" if it has none.
    """

    cells: tuple[Cell, ...]
    badges: tuple[tuple[str, str], ...] = ()
    anchor: str = ""


@dataclass(frozen=True)
class Shown:
    """A table of the page.

    Args:
        anchor: Its id.
        caption: What it shows.
        heads: Of the columns.
        lines: Rows that are sorted and filtered.
        foot: Rows that stay below, for scale.
        notes: Note n is ``notes[n - 1]``.
        controls: Whether it can be filtered and its columns chosen.
    """

    anchor: str
    caption: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    foot: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    controls: bool = False

    @property
    def marks(self) -> frozenset[str]:
        """Those of its cells."""
        return frozenset(cell.mark for line in self.lines for cell in line.cells) - {""}


def number_in(text: str) -> float | None:
    """The number that a text begins with, k, M and G behind it as thousands, millions ...

    >>> number_in("89.6 ± 0.5"), number_in("0.912M*"), number_in("24,146 / 24,594")
    (89.6, 912000.0, 24146.0)
    """
    found = _NUMBER.match(text.strip())
    if found is None:
        return None
    digits = found[1].replace(",", "").replace("−", "-")
    return float(digits) * _SCALES[found[2]]


def comparison(
    table: Table, anchor: str, metrics: Collection[str], anchors: Mapping[str, str]
) -> Shown:
    """A comparison table with its marks.

    Args:
        table: From :func:`harbench.report.table.comparison_table`.
        anchor: Id of the shown table.
        metrics: Keys of the columns of scores.
        anchors: Row -> id of its provenance.
    """
    measured = [
        _line(table, values, record, metrics, anchors)
        for values, record in zip(table.rows, table.records, strict=False)
    ]
    # What has learnt nothing has no record: it is a scale, not a row among others.
    foot = [_line(table, values, {}, metrics, {}) for values in table.rows[len(table.records) :]]
    lines = [*measured, *foot]
    heads = tuple(
        Head(
            " ".join(column.title.split()),
            column.notes,
            numeric=place > 0 and any(line.cells[place].sort is not None for line in lines),
            descending=column.key in metrics,
            published=column.key.startswith("printed "),
        )
        for place, column in enumerate(table.columns)
    )
    return Shown(
        anchor,
        f"{table.name}: {table.title}",
        heads,
        tuple(measured),
        tuple(foot),
        tuple(table.footnotes),
        controls=len(measured) > 1,
    )


def _line(
    table: Table,
    values: Mapping[str, Value],
    record: Mapping[str, Any],
    metrics: Collection[str],
    anchors: Mapping[str, str],
) -> Line:
    cells = []
    for column in table.columns:
        value = values.get(column.key, Value(""))
        key = f"{column.key}_mean" if column.key in metrics else _RECORDED.get(column.key, "")
        number = record.get(key) if key in record else number_in(value.text)
        text = value.text
        if column.key == "row" and record.get("leaky"):
            text = text.removesuffix(_LEAKY)
        mark = ""
        if column.key in metrics:
            tied = record.get(f"{column.key}_standing") == "tied"
            mark = "best" if value.best else "tied" if tied else ""
        cells.append(Cell(text, None if column.key == "row" else number, value.notes, mark))
    return Line(tuple(cells), tuple(_badges(record)), anchors.get(record.get("row", ""), ""))


def _badges(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    badges = []
    if record.get("simulated"):
        badges.append(("simulated", "simulated data"))
    if record.get("leaky"):
        badges.append(("leaky", "leaky"))
    if record.get("origin") == "imported":
        badges.append(("elsewhere", f"imported from {record['origin_source']}"))
    elif record.get("origin") == "reported":
        badges.append(("elsewhere", "reported by others"))
    done, asked = record.get("cells_done"), record.get("cells")
    if done is not None and asked and done < asked:
        badges.append(("unfinished", f"{done} of {asked} cells" if done else "not measured"))
    return badges


def plain(
    anchor: str,
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    badges: Sequence[Sequence[tuple[str, str]]] = (),
) -> Shown:
    """A table of plain values: texts, numbers, None.

    Args:
        anchor, caption: Of the shown table.
        columns: Heads.
        rows: A value a column.
        badges: Of each row; none where not given.
    """
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    numeric = [is_number(values) for values in by_column]
    digits = [digits_of(values) for values in by_column]
    heads = [Head(name, numeric=number) for name, number in zip(columns, numeric, strict=True)]
    lines = [
        Line(
            tuple(_cell(value, number) for value, number in zip(row, digits, strict=True)),
            tuple(badges[place]) if badges else (),
        )
        for place, row in enumerate(rows)
    ]
    return Shown(anchor, caption, tuple(heads), tuple(lines))


def _cell(value: Any, digits: int) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        return Cell(str(value))
    return Cell(shown(value, digits), None if value is None else float(value))
