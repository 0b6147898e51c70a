"""A running plan as lines of a tree that fits the screen: benchmark, row, cells.

A tree that is taller than the screen is folded, in steps: finished rows first, then queued ones,
then the cells of rows in work that do not run; then rows are only counted. Cells that run are
shown as long as there is a line for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from harbench.cli.fetch_progress import duration
from harbench.cli.plan_tree import ASCII_GUIDES, GUIDES
from harbench.cli.run_state import BenchmarkState, CellState, RowState, RunState
from harbench.cli.time_left import time_left
from harbench.report.plain_text import clipped, in_charset, one_line
from harbench.report.terminal_charts import meter

_STYLES = {
    "queued": "dim",
    "running": "bold",
    "waiting": "dim",
    "done": "green",
    "cached": "cyan",
    "failed": "red",
}
_LONGEST_STATE = 52
_LEAST_NAME = 8

Line = tuple[str, str]
"""Text and style."""
Branch = tuple[Line, list[Line]]


class TreeView:
    """Draws a state, as folded as the screen makes it.

    What was folded once stays so while the screen keeps its size: a tree that grows again with
    each cell that ends would not hold still.

    Args:
        state: Of the run; looked at anew each time.
        began: When the run began, on the clock.
    """

    def __init__(self, state: RunState, began: float = 0.0) -> None:
        self._state = state
        self._began = began
        self._fold = 0
        self._size = (0, 0)

    def lines(self, width: int, height: int, now: float, *, ascii_only: bool = False) -> list[Text]:
        """At most ``height`` lines of at most ``width`` columns; the last is the progress."""
        if (width, height) != self._size:
            self._fold, self._size = 0, (width, height)
        page, room = _Page(width, ascii_only), max(height - 1, 0)
        steps = _STEPS
        while self._fold < len(steps) and steps[self._fold].height(self._state) > room:
            self._fold += 1
        if self._fold < len(steps):
            found = list(steps[self._fold].lines(self._state, page))
        else:
            found = _running_only(self._state, room, page)
        last = _progress(self._state, now, now - self._began, width, ascii_only)
        tree = [
            Text(clipped(text, width, ascii_only=ascii_only), style, no_wrap=True)
            for text, style in found[:room]
        ]
        return [*tree, last]


@dataclass(frozen=True)
class _Page:
    """What lines are made for."""

    width: int
    ascii_only: bool

    def told(self, name: str, said: str, indent: int) -> str:
        """A name and what is said of it; a long name leaves room for a state and a score."""
        kept = min(cell_len(said), _LONGEST_STATE)
        room = max(self.width - indent - kept - 2, _LEAST_NAME)
        return f"{clipped(one_line(name), room, ascii_only=self.ascii_only)}: {said}"


@dataclass(frozen=True)
class _Step:
    """One way to fold.

    Args:
        cells: Which cells of a row have lines of their own: "all", "running" or "none".
        count_rows: Whether rows that do not run are only counted.
    """

    cells: Callable[[RowState], str]
    count_rows: bool = False

    def height(self, state: RunState) -> int:
        """Lines that it takes; no cell is looked at."""
        total = 0
        idle = set()
        for found in state.benchmarks.values():
            rows = self._rows(found)
            if self.count_rows and not rows:
                idle.add(_ended(found))
                continue
            total += 1 + len(rows) + sum(map(self._n_children, rows))
            total += len(rows) < len(found.rows)
        return total + len(idle)

    def lines(self, state: RunState, page: _Page) -> Iterator[Line]:
        """The tree."""
        guides = ASCII_GUIDES if page.ascii_only else GUIDES
        idle: list[BenchmarkState] = []
        for found in state.benchmarks.values():
            rows = self._rows(found)
            if self.count_rows and not rows:
                idle.append(found)
                continue
            branches = [self._branch(row, page) for row in rows]
            if len(rows) < len(found.rows):
                rest = [row for row in found.rows.values() if not _active(row)]
                branches.append(((_counted(rest), "dim"), []))
            about = f" ({found.about})" if found.about else ""
            yield one_line(found.name + about), "bold"
            yield from _hung(branches, guides)
        for ended in (True, False):
            n = sum(_ended(found) is ended for found in idle)
            if n:
                yield f"{n} benchmark{'s' * (n != 1)} {'done' if ended else 'to do'}", "dim"

    def _rows(self, found: BenchmarkState) -> list[RowState]:
        rows = found.rows.values()
        return [row for row in rows if _active(row)] if self.count_rows else list(rows)

    def _n_children(self, row: RowState) -> int:
        if len(row.cells) < 2:
            return 0
        return {"all": len(row.cells), "running": len(row.running), "none": 0}[self.cells(row)]

    def _branch(self, row: RowState, page: _Page) -> Branch:
        if len(row.cells) == 1 and not row.measuring:
            [cell] = row.cells.values()
            name = f"{row.name}, {cell.label}"
            return (page.told(name, _said(cell, page), 4), _STYLES[cell.status]), []
        shown = self.cells(row) if len(row.cells) > 1 else "none"
        cells = {"all": row.cells, "running": row.running, "none": {}}[shown]
        return _row(row, page), [
            (page.told(cell.label, _said(cell, page), 8), _STYLES[cell.status])
            for cell in cells.values()
        ]


_STEPS = (
    _Step(lambda row: "all"),
    _Step(lambda row: "none" if row.ended else "all"),
    _Step(lambda row: "none" if row.ended or row.untouched else "all"),
    _Step(lambda row: "running"),
    _Step(lambda row: "running", count_rows=True),
)


def _ended(found: BenchmarkState) -> bool:
    return all(row.ended for row in found.rows.values())


def _active(row: RowState) -> bool:
    return row.measuring or bool(row.running)


def _hung(branches: list[Branch], guides: tuple[str, str, str, str]) -> Iterator[Line]:
    for number, ((text, style), leaves) in enumerate(branches, 1):
        first, then = guides[1::2] if number == len(branches) else guides[::2]
        yield first + text, style
        for place, (leaf, leaf_style) in enumerate(leaves, 1):
            yield then + (guides[1] if place == len(leaves) else guides[0]) + leaf, leaf_style


def _row(row: RowState, page: _Page) -> Line:
    if row.measuring:
        return page.told(row.name, "measuring its cost", 4), "bold"
    if not row.cells:
        return page.told(row.name, "no cells", 4), "dim"
    said = ", ".join(
        f"{row.counts[status]} {status}"
        for status in ("running", "done", "cached", "failed", "waiting", "queued")
        if row.counts[status]
    )
    nf = f"; NF {100 * sum(row.nfs) / len(row.nfs):.1f}" if row.nfs else ""
    if row.counts["failed"]:
        style = "red"
    elif row.ended:
        style = "green" if row.counts["done"] else "cyan"
    else:
        style = "" if row.running else "dim"
    return page.told(row.name, said + nf, 4), style


def _said(cell: CellState, page: _Page) -> str:
    if cell.status == "running":
        on = f" on worker {one_line(cell.where)}" if cell.where else ""
        if not cell.epochs:
            return f"running{on}"
        score = "" if cell.score is None else f", validation {100 * cell.score:.1f}"
        drawn = meter(cell.share, 8, ascii_only=page.ascii_only)
        return f"running {drawn} epoch {cell.epoch} of {cell.epochs}{score}{on}"
    if cell.status == "done" and cell.nf is not None:
        return f"done, NF {100 * cell.nf:.1f} {cell.said}"
    if cell.status == "waiting":
        return "waiting for another run that has it in work"
    said = f"{' ' if cell.status == 'done' else ', '}{one_line(cell.said)}" if cell.said else ""
    return cell.status + said


def _counted(rows: list[RowState]) -> str:
    ended = [row for row in rows if row.ended]
    failed = sum(bool(row.counts["failed"]) for row in ended)
    parts = [
        (len(ended) - failed, "done"),
        (failed, "with failures"),
        (sum(row.untouched for row in rows), "queued"),
    ]
    begun = len(rows) - sum(number for number, _ in parts)
    said = [f"{number} {what}" for number, what in [*parts, (begun, "begun")] if number]
    return f"{len(rows)} other model{'s' * (len(rows) != 1)}: {', '.join(said)}"


def _running_only(state: RunState, room: int, page: _Page) -> list[Line]:
    """What runs and nothing else."""
    running = [
        (found.name, row.name, cell)
        for found in state.benchmarks.values()
        for row in found.rows.values()
        for cell in row.running.values()
        if cell.owned
    ]
    lines = [
        (page.told(f"{name} {row}, {cell.label}", _said(cell, page), 0), "bold")
        for name, row, cell in running
    ]
    if len(lines) > room > 0:
        more = len(lines) - room + 1
        lines = [*lines[: room - 1], (f"and {more} more that run", "dim")]
    return lines


def _progress(state: RunState, now: float, elapsed: float, width: int, ascii_only: bool) -> Text:
    if state.cells_total:
        counts = f"{state.cells_ended} of {state.cells_total} cells"
    else:
        counts = f"{state.costs_ended} of {state.costs_total} costs measured"
    parts = [counts]
    if state.failed:
        parts.append(f"{state.failed} failed")
    if state.workers:
        number = len(state.workers)
        parts.append(f"{number} worker{'s' * (number != 1)}")
    parts.append(duration(elapsed))
    if state.cells_total and state.cells_ended < state.cells_total:
        left = time_left(state, now)
        if left is None:
            parts.append("time left unknown")
        else:
            parts.append(f"{'about' if left.whole else 'more than'} {duration(left.seconds)} left")
    said = in_charset(", ".join(parts), ascii_only=ascii_only)
    of_bar = min(24, width - len(said) - 1)
    line = Text(no_wrap=True)
    if of_bar >= 8:
        line.append(meter(state.share, of_bar, ascii_only=ascii_only) + " ", "cyan")
    line.append(clipped(said, width, ascii_only=ascii_only))
    return line
