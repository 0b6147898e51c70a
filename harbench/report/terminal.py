"""Tables in a terminal."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from harbench.report.plain_text import in_charset, many_lines, one_line, superscript
from harbench.report.table import Column, Table, Value, number_as_read

__all__ = ["print_page", "print_table", "superscript"]

# Of a row's name, however narrow the terminal is.
_LEAST_NAME = 16


def print_table(console: Console, table: Table, *, out: Path | None = None) -> None:
    """Print a table; where the terminal is too narrow, columns go in the order of their rank.

    A line below says which went, and how to see them. Names of rows that are longer than what is
    left are broken; numbers never are.

    Args:
        console: To print on.
        table: Text in it may come from anywhere: it is printed as what can be printed.
        out: Results folder that ``harbench table`` prints it from again; None is its default.
    """
    plain = console.options.ascii_only
    columns = list(table.columns)
    unbounded = console.options.update(max_width=10_000)
    while True:
        body = _body(table, columns, plain)
        wanted = Measurement.get(console, unbounded, body).maximum
        droppable = [column for column in columns if column.width_rank > 0]
        if wanted <= console.width or not droppable:
            break
        columns.remove(max(droppable, key=lambda c: (c.width_rank, columns.index(c))))
    left_out = [c.title.replace("\n", " ") for c in table.columns if c not in columns]
    if left_out:
        # Notes of what is not shown would be riddles.
        rows = [{c.key: row[c.key] for c in columns if c.key in row} for row in table.rows]
        table = replace(table, columns=columns, rows=rows)
        number_as_read(table)
        body = _body(table, table.columns, plain)
        wanted = Measurement.get(console, unbounded, body).maximum
    if wanted > console.width:
        name = body.columns[0]
        of_name = Measurement.get(console, unbounded, _names(body)).maximum
        name.no_wrap, name.overflow = False, "fold"
        name.width = max(_LEAST_NAME, of_name - (wanted - console.width))
    print_page(console, Group(*_around(table, body, left_out, out, plain)))


def print_page(console: Console, page: RenderableType) -> None:
    """Print; without blanks at the ends of lines where it does not go to a terminal."""
    if console.is_terminal:
        console.print(page)
        return
    with console.capture() as captured:
        console.print(page)
    # rich fills every line up; in a file or a pipe the blanks are in the way.
    console.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))


def _around(
    table: Table, body: RichTable, left_out: list[str], out: Path | None, plain: bool
) -> list[RenderableType]:
    def text(words: str, style: str) -> Text:
        return Text(in_charset(words, ascii_only=plain), style=style)

    parts: list[RenderableType] = [text(one_line(f"{table.name}: {table.title}"), "bold")]
    for line in table.lines:
        alarming = line.startswith(("LEAKY", "SIMULATED"))
        parts.append(text(one_line(line), "bold red" if alarming else "dim"))
    parts.append(body)
    notes = RichTable.grid(padding=(0, 1))
    notes.add_column(no_wrap=True)
    notes.add_column(overflow="fold")
    for number, note in enumerate(table.footnotes, 1):
        mark = superscript((number,), ascii_only=plain)
        notes.add_row(Text(mark, style="dim"), text(one_line(note), "dim"))
    parts.append(notes)
    if left_out:
        again = f"harbench table {table.name} --format csv"
        again += f" --out {shlex.quote(str(out))}" if out not in (None, Path("results")) else ""
        said = f"(too narrow for: {', '.join(left_out)}; all of them: {again})"
        parts.append(text(one_line(said), "dim italic"))
    if table.missing:
        parts.append(text(many_lines(f"no NF measured: {table.missing}"), "yellow"))
    parts.append(Text(""))
    return parts


def _names(body: RichTable) -> RichTable:
    """The first column alone, to be measured."""
    alone = RichTable(box=None, padding=(0, 0), show_edge=False)
    alone.add_column(no_wrap=True)
    for cell in body.columns[0].cells:
        alone.add_row(cell)
    return alone


def _body(table: Table, columns: list[Column], plain: bool) -> RichTable:
    body = RichTable(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    for column in columns:
        title = Text(in_charset(many_lines(column.title), ascii_only=plain))
        if column.notes:
            title.append(f" {superscript(column.notes, ascii_only=plain)}")
        left = column.key == "row"
        body.add_column(title, justify="left" if left else "right", no_wrap=True)
    for row in table.rows:
        body.add_row(*(_cell(row.get(column.key, Value("")), plain) for column in columns))
    return body


def _cell(value: Value, plain: bool) -> Text:
    shown = in_charset(one_line(value.text), ascii_only=plain)
    text = Text(shown, style="bold green" if value.best else "")
    if value.notes:
        text.append(f" {superscript(value.notes, ascii_only=plain)}", style="dim")
    return text
