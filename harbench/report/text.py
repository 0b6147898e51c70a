"""Tables as text for pages and programs: Markdown, CSV, JSON. LaTeX has a room of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from harbench.report.latex import latex
from harbench.report.table import Table, Value

__all__ = ["csv_text", "json_text", "latex", "markdown"]

_MARKDOWN = {"|": r"\|", "*": r"\*", "_": r"\_", "<": "&lt;", "`": r"\`"}


def markdown(table: Table) -> str:
    """A GitHub-flavoured table with footnotes below it."""

    def escape(text: str) -> str:
        return "".join(_MARKDOWN.get(letter, letter) for letter in text)

    def cell(value: Value) -> str:
        text = f"**{escape(value.text)}**" if value.best else escape(value.text)
        return text + "".join(f"<sup>{note}</sup>" for note in value.notes)

    heads = [cell(Value(c.title.replace("\n", " "), c.notes)) for c in table.columns]
    rules = [":--" if column.key == "row" else "--:" for column in table.columns]
    lines = [f"### {escape(table.name)}: {escape(table.title)}", ""]
    lines += [f"{escape(line)}  " for line in table.lines]
    lines += ["", f"| {' | '.join(heads)} |", f"| {' | '.join(rules)} |"]
    for row in table.rows:
        cells = [cell(row.get(column.key, Value(""))) for column in table.columns]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    lines += [f"<sup>{n}</sup> {escape(note)}  " for n, note in enumerate(table.footnotes, 1)]
    if table.missing:
        lines += ["", escape(f"no NF measured: {' '.join(table.missing.split())}")]
    return "\n".join(lines) + "\n"


def csv_text(tables: Sequence[Table]) -> str:
    """All rows of all tables, one line each, numbers unrounded; published as its own columns."""
    records = [_flat(record) for table in tables for record in table.records]
    names = list(dict.fromkeys(name for record in records for name in record))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in record.items() if name != "published"}
    for result in record.get("published", [])[:1]:
        flat["published_source"] = result["source"]
        flat |= {f"published_{column}": text for column, text in result["printed"].items()}
        flat["published_defects"] = " | ".join(f"{c}: {t}" for c, t in result["defects"].items())
    return flat


def json_text(tables: Sequence[Table]) -> str:
    """All tables with their rows as numbers, and what a reader must be told."""
    content = [
        {
            "benchmark": t.name,
            "title": t.title,
            "lines": t.lines,
            "missing": t.missing or None,
            "rows": t.records,
        }
        for t in tables
    ]
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
