"""What ``harbench run --dry-run`` prints: benchmarks, rows, folds and cells, and what is done.

Written as text, for rich lays out a tree of 100,000 cells in half a minute.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harbench.report.plain_text import in_charset, many_lines

if TYPE_CHECKING:
    from rich.console import Console

    from harbench.execute.run import Work
    from harbench.plan import PlannedBenchmark, PlannedFold
    from harbench.results import Store

# What leads to a branch, the last branch, past a branch, past the last one.
GUIDES = ("├── ", "└── ", "│   ", "    ")
ASCII_GUIDES = ("|-- ", "`-- ", "|   ", "    ")

Branch = tuple[str, list[str]]
"""A line, and what hangs on it."""


def print_plan(
    console: Console, planned: Sequence[PlannedBenchmark], work: Work, store: Store
) -> None:
    """Print the plan, a tree a benchmark, and what a run would do.

    Args:
        console: To print on; lines are broken at its width.
        planned: What is asked for.
        work: What of it is to be done.
        store: Knows which cells failed before.
    """
    plain = console.options.ascii_only
    guides = ASCII_GUIDES if plain else GUIDES
    for benchmark in planned:
        head = f"{benchmark.settings.name}: {benchmark.dataset.name}, split {benchmark.split}"
        branches = [*_rows(benchmark, work, store), *_others(benchmark)]
        lines = _tree(head, branches, guides, console.width)
        # Not through rich, which would measure every line again.
        text = "\n".join(lines) + "\n"
        console.file.write(in_charset(text, ascii_only=plain))
    console.print(
        f"{len(work.cells)} cells to train, {len(work.cached)} cached; "
        f"{len(work.costs)} costs to measure"
    )


def _rows(benchmark: PlannedBenchmark, work: Work, store: Store) -> Iterator[Branch]:
    for row in benchmark.rows:
        done = sum(cell.key in work.cached for cell in row.cells)
        head = (
            f"{row.name}: window {row.length}, step {row.step}; "
            f"{done} of {len(row.cells)} cells cached"
        )
        folds = [f"fold {fold.name}: {_counts(fold)}" for fold in row.folds]
        cells = [
            f"fold {cell.fold}, seed {cell.seed}: {_state(cell.key, work, store)}"
            for cell in row.cells
        ]
        yield head, folds + cells


def _others(benchmark: PlannedBenchmark) -> Iterator[Branch]:
    for entry in benchmark.settings.analyses:
        yield f"then analysis {entry.entry}", []
    if benchmark.missing is not None:
        yield f"data missing: {benchmark.missing.what}\ntry: {benchmark.missing.fix}", []


def _tree(
    head: str, branches: Sequence[Branch], guides: tuple[str, str, str, str], width: int
) -> Iterator[str]:
    yield from _broken(head, width)
    for number, (label, leaves) in enumerate(branches, 1):
        first, then = guides[1::2] if number == len(branches) else guides[::2]
        yield from _hung(label, first, then + (guides[2] if leaves else ""), width)
        for leaf in leaves[:-1]:
            yield from _hung(leaf, then + guides[0], then + guides[2], width)
        for leaf in leaves[-1:]:
            yield from _hung(leaf, then + guides[1], then + guides[3], width)


def _hung(text: str, first: str, then: str, width: int) -> Iterator[str]:
    """The lines of one label, behind their guides."""
    if len(first) + len(text) <= width and text.isprintable():
        yield first + text
        return
    for number, line in enumerate(_broken(text, width - max(len(first), len(then)))):
        yield (then if number else first) + line


def _broken(text: str, width: int) -> list[str]:
    return [
        piece
        for line in many_lines(text).split("\n")
        for piece in textwrap.wrap(line, max(width, 20), break_on_hyphens=False) or [""]
    ]


def _counts(fold: PlannedFold) -> str:
    def counts(windows: dict[str, int]) -> str:
        return ", ".join(f"{count:,} {part}" for part, count in windows.items())

    text = (
        f"{counts(fold.windows)} windows, none across the end of a recording "
        f"(as one stream, as some papers cut: {counts(fold.concatenated)})"
    )
    if fold.test_overlap or fold.validation_overlap:
        text += (
            f"; LEAKY: {100 * fold.test_overlap:.1f} % of the test windows and "
            f"{100 * fold.validation_overlap:.1f} % of the validation windows share samples with "
            "training windows"
        )
    return text


def _state(key: str, work: Work, store: Store) -> str:
    if key in work.cached:
        return "(cached)"
    failure = store.failure(key)
    return f"to train again; failed: {failure['reason']}" if failure else "to train"
