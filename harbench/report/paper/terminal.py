"""The page in a terminal: tables lose columns where it is narrow, prose is wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from harbench.report.paper.inconsistency import Inconsistency
from harbench.report.paper.page import HEADING, Page
from harbench.report.paper.tables import PaperTable
from harbench.report.table import Column, Value
from harbench.report.terminal import print_page, print_table, superscript

# A line of prose that is longer is hard to read, however wide the terminal.
PROSE_WIDTH = 100


def print_paper(console: Console, page: Page) -> None:
    """Print the tables and the list."""
    for table in page.tables:
        if table.left:
            _print_listing(console, table)
        else:
            # What is missing stands among the lines already.
            print_table(console, replace(table, missing=""))
    page_width = console.width
    console.width = min(page_width, PROSE_WIDTH)
    try:
        print_page(console, Group(*_list(page.inconsistencies)))
    finally:
        console.width = page_width


def _print_listing(console: Console, table: PaperTable) -> None:
    """A table with columns of text, which stand to the left: as
    :func:`harbench.report.terminal.print_table`, which puts all but the first to the right."""
    columns = list(table.columns)
    unbounded = console.options.update(max_width=10_000)
    while Measurement.get(console, unbounded, _body(table, columns)).maximum > console.width:
        droppable = [column for column in columns if column.width_rank > 0]
        if not droppable:
            break
        columns.remove(max(droppable, key=lambda column: column.width_rank))
    parts: list[RenderableType] = [Text(f"{table.name}: {table.title}", style="bold")]
    for line in table.lines:
        parts.append(Text(line, style="bold red" if line.startswith("SIMULATED") else "dim"))
    notes = RichTable.grid(padding=(0, 1))
    for number, note in enumerate(table.footnotes, 1):
        notes.add_row(Text(superscript((number,)), style="dim"), Text(note, style="dim"))
    parts += [_body(table, columns), notes]
    left_out = [c.title.replace("\n", " ") for c in table.columns if c not in columns]
    if left_out:
        parts.append(Text(f"(too narrow for: {', '.join(left_out)})", style="dim italic"))
    print_page(console, Group(*parts, Text("")))


def _body(table: PaperTable, columns: Sequence[Column]) -> RichTable:
    body = RichTable(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    for column in columns:
        is_text = column.key == "row" or column.key in table.left
        body.add_column(
            _marked(column.title, column.notes),
            justify="left" if is_text else "right",
            no_wrap=True,
        )
    for row in table.rows:
        body.add_row(*(_cell(row[column.key]) for column in columns))
    return body


def _cell(value: Value) -> Text:
    # A channel that is not the one that is named.
    return _marked(value.text, value.notes, "red" if value.text.startswith("≠") else "")


def _marked(text: str, notes: tuple[int, ...], style: str = "") -> Text:
    marked = Text(text, style=style)
    if notes:
        marked.append(f" {superscript(notes)}", style="dim")
    return marked


def _list(found: Sequence[Inconsistency]) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(HEADING, style="bold"), Text("")]
    about = ""
    for number, item in enumerate(found, 1):
        if item.about != about:
            about = item.about
            parts.append(Text(about, style="bold"))
        parts += [_item(number, item), Text("")]
    return parts


def _item(number: int, item: Inconsistency) -> RichTable:
    grid = RichTable.grid(padding=(0, 1))
    grid.add_column(justify="right", width=3)
    grid.add_column(overflow="fold")
    lines = RichTable.grid(padding=(0, 1))
    lines.add_column(width=8, no_wrap=True, style="dim")
    lines.add_column(overflow="fold")
    lines.add_row("printed", Text(f"{item.printed} ({item.where})"))
    for place, line in enumerate(item.arithmetic):
        lines.add_row("" if place else "but", Text(line))
    lines.add_row("harbench", Text(item.harbench))
    grid.add_row(Text(str(number), style="bold"), Text(item.title, style="bold"))
    grid.add_row("", lines)
    return grid
