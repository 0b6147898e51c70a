"""What an analysis found, as text: for a terminal, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harbench.report.table import ABSENT
from harbench.report.terminal import print_page


def print_analysis(console: Console, content: Mapping[str, Any]) -> None:
    """Print an analysis's tables and notes.

    Args:
        console: Where.
        content: As the store keeps it; see :class:`harbench.execute.analysing.Analysed`.
    """
    parts: list[RenderableType] = []
    if content["simulates"]:
        mark = f"SIMULATED data in the format of {content['simulates']}"
        parts.append(Text(mark, style="bold red"))
    for title, table in content["tables"].items():
        parts.append(Text(f"{content['benchmark']}: {title}", style="bold"))
        parts.append(_body(table["columns"], table["rows"]))
        parts.append(Text(""))
    print_page(console, Group(*parts))
    for note in content["notes"]:
        console.print(note, style="dim" if console.is_terminal else None)


def _body(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    body = Table(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    for name, values in zip(columns, by_column, strict=True):
        body.add_column(name, justify="right" if _is_number(values) else "left", overflow="fold")
    digits = [_digits(values) for values in by_column]
    for row in rows:
        body.add_row(*(_shown(v, n) for v, n in zip(row, digits, strict=True)))
    return body


def _is_number(values: Sequence[Any]) -> bool:
    known = [v for v in values if v is not None]
    return bool(known) and all(isinstance(v, int | float) for v in known)


def _digits(values: Sequence[Any]) -> int:
    """Behind the point: one, but so many that the largest number shows three that count."""
    largest = max((abs(v) for v in values if isinstance(v, float)), default=0)
    return max(1, 2 - math.floor(math.log10(largest))) if largest else 1


def _shown(value: Any, digits: int) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"


def csv_of(content: Mapping[str, Any]) -> str:
    """The tables one after another, each with its head."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for table in content["tables"].values():
        writer.writerow(table["columns"])
        writer.writerows(table["rows"])
    return text.getvalue()


def json_of(content: Mapping[str, Any]) -> str:
    """Tables as lists of records, and the notes."""
    tables = {
        title: [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        for title, table in content["tables"].items()
    }
    kept = ("benchmark", "analysis", "options", "simulates")
    shown = {**{key: content[key] for key in kept}, "tables": tables, "notes": content["notes"]}
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
