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

from harbench.report.audit import Leaks
from harbench.report.table import ABSENT
from harbench.report.terminal import print_page


def print_analysis(
    console: Console, content: Mapping[str, Any], leaks: Leaks | None = None
) -> None:
    """Print an analysis's tables and notes.

    Args:
        console: Where.
        content: As the store keeps it; see :class:`harbench.execute.analysing.Analysed`.
        leaks: Of the benchmark: a line says so, and the rows that leak are marked.
    """
    parts: list[RenderableType] = []
    if content["simulates"]:
        mark = f"SIMULATED data in the format of {content['simulates']}"
        parts.append(Text(mark, style="bold red"))
    if leaks is not None:
        parts.append(Text(leaks.line, style="bold red"))
    for title, table in content["tables"].items():
        mark = " (leaky)" if any(leaky_lines(content, title, leaks)) else ""
        parts.append(Text(f"{content['benchmark']}{mark}: {title}", style="bold"))
        parts.append(_body(table["columns"], _marked(content, title, leaks)))
        parts.append(Text(""))
    print_page(console, Group(*parts))
    for note in content["notes"]:
        console.print(note, style="dim" if console.is_terminal else None)


def _body(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    body = Table(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    for name, values in zip(columns, by_column, strict=True):
        body.add_column(name, justify="right" if is_number(values) else "left", overflow="fold")
    digits = [digits_of(values) for values in by_column]
    for row in rows:
        body.add_row(*(shown(v, n) for v, n in zip(row, digits, strict=True)))
    return body


def is_number(values: Sequence[Any]) -> bool:
    """Whether a column holds numbers, which stand to the right."""
    known = [v for v in values if v is not None]
    return bool(known) and all(isinstance(v, int | float) for v in known)


def digits_of(values: Sequence[Any]) -> int:
    """Behind the point: one, but so many that the largest number shows three that count."""
    largest = max((abs(v) for v in values if isinstance(v, float)), default=0)
    return max(1, 2 - math.floor(math.log10(largest))) if largest else 1


def shown(value: Any, digits: int) -> str:
    """A value of a table as text; ``digits`` behind the point where it is no whole number."""
    if value is None:
        return ABSENT
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"


def leaky_lines(content: Mapping[str, Any], title: str, leaks: Leaks | None) -> list[bool]:
    """Of each line of a table whether it is about a row that leaks.

    A table without a column "row" is about the row that its title begins with, else about the one
    that was asked for, else about all.
    """
    table = content["tables"][title]
    if leaks is None:
        return [False] * len(table["rows"])
    if "row" in table["columns"]:
        place = table["columns"].index("row")
        return [line[place] in leaks.rows for line in table["rows"]]
    rows = leaks.rows | leaks.honest
    named = next((row for row in rows if title == row or title.startswith(f"{row}:")), None)
    about = named or content["options"].get("row")
    return [about is None or about in leaks.rows] * len(table["rows"])


def _marked(content: Mapping[str, Any], title: str, leaks: Leaks | None) -> list[list[Any]]:
    """The lines of a table, the names of leaky rows with their mark."""
    table = content["tables"][title]
    lines = [list(line) for line in table["rows"]]
    if "row" in table["columns"]:
        place = table["columns"].index("row")
        for line, leaky in zip(lines, leaky_lines(content, title, leaks), strict=True):
            line[place] = f"{line[place]} (leaky)" if leaky else line[place]
    return lines


def _with_leaks(
    content: Mapping[str, Any], title: str, leaks: Leaks | None
) -> tuple[list[str], list[list[Any]]]:
    """Columns and lines, with a column "leaky" more where the benchmark leaks."""
    table = content["tables"][title]
    if leaks is None:
        return table["columns"], table["rows"]
    marks = leaky_lines(content, title, leaks)
    lines = [[*line, leaky] for line, leaky in zip(table["rows"], marks, strict=True)]
    return [*table["columns"], "leaky"], lines


def csv_of(content: Mapping[str, Any], leaks: Leaks | None = None) -> str:
    """The tables one after another, each with its head; a column "leaky" more where one leaks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for title in content["tables"]:
        columns, lines = _with_leaks(content, title, leaks)
        writer.writerow(columns)
        writer.writerows(lines)
    return text.getvalue()


def json_of(content: Mapping[str, Any], leaks: Leaks | None = None) -> str:
    """Tables as lists of records, and the notes; what leaks is marked as in :func:`csv_of`."""
    tables = {}
    for title in content["tables"]:
        columns, lines = _with_leaks(content, title, leaks)
        tables[title] = [dict(zip(columns, line, strict=True)) for line in lines]
    kept = ("benchmark", "analysis", "options", "simulates")
    shown = {key: content[key] for key in kept}
    shown |= {"leaks": None if leaks is None else leaks.line}
    shown |= {"tables": tables, "notes": content["notes"]}
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
