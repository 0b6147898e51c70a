"""Tables in a terminal."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from harbench.report.table import Column, Table, Value, number_as_read

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def superscript(notes: tuple[int, ...]) -> str:
    """(1, 12) -> "¹ ¹²"."""
    return " ".join(str(note).translate(_SUPERSCRIPTS) for note in notes)


def print_table(console: Console, table: Table) -> None:
    """Print a table; where the terminal is too narrow, columns go in the order of their rank."""
    columns = list(table.columns)
    unbounded = console.options.update(max_width=10_000)
    while True:
        body = _body(table, columns)
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
        body = _body(table, table.columns)
    print_page(console, Group(*_around(table, body, left_out)))


def print_page(console: Console, page: RenderableType) -> None:
    """Print; without blanks at the ends of lines where it does not go to a terminal."""
    if console.is_terminal:
        console.print(page)
        return
    with console.capture() as captured:
        console.print(page)
    # rich fills every line up; in a file or a pipe the blanks are in the way.
    console.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))


def _around(table: Table, body: RichTable, left_out: list[str]) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(f"{table.name}: {table.title}", style="bold")]
    for line in table.lines:
        alarming = line.startswith(("LEAKY", "SIMULATED"))
        parts.append(Text(line, style="bold red" if alarming else "dim"))
    parts.append(body)
    notes = RichTable.grid(padding=(0, 1))
    for number, note in enumerate(table.footnotes, 1):
        notes.add_row(Text(superscript((number,)), style="dim"), Text(note, style="dim"))
    parts.append(notes)
    if left_out:
        parts.append(Text(f"(too narrow for: {', '.join(left_out)})", style="dim italic"))
    if table.missing:
        parts.append(Text(f"no NF measured: {table.missing}", style="yellow"))
    parts.append(Text(""))
    return parts


def _body(table: Table, columns: list[Column]) -> RichTable:
    body = RichTable(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    for column in columns:
        title = Text(column.title)
        if column.notes:
            title.append(f" {superscript(column.notes)}")
        left = column.key == "row"
        body.add_column(title, justify="left" if left else "right", no_wrap=True)
    for row in table.rows:
        body.add_row(*(_cell(row.get(column.key, Value(""))) for column in columns))
    return body


def _cell(value: Value) -> Text:
    text = Text(value.text, style="bold green" if value.best else "")
    if value.notes:
        text.append(f" {superscript(value.notes)}", style="dim")
    return text
