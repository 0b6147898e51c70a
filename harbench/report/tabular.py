"""What a comparison table consists of: columns, values, footnotes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ABSENT = "–"


@dataclass(frozen=True)
class Value:
    """What stands in one place of a table.

    Args:
        text: As printed.
        notes: Numbers of the footnotes that it carries.
        best: Whether it is the best of its column.
    """

    text: str
    notes: tuple[int, ...] = ()
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A column of the comparison table.

    Args:
        key: "nf", "parameters", "macs" ...
        title: Head.
        width_rank: Order in which columns go where the page is too narrow: the highest goes
            first, 0 never goes.
        notes: Footnotes of the head.
    """

    key: str
    title: str
    width_rank: int = 0
    notes: tuple[int, ...] = ()


@dataclass
class Table:
    """One benchmark's table.

    Args:
        name, title: Of the benchmark.
        lines: What a reader must know before the rows: data, split, audit, simulated or not.
        columns: In order; the first names the row.
        rows: Column key -> value.
        footnotes: Note n is ``footnotes[n - 1]``.
        records: The same rows as plain numbers, for CSV and JSON.
        missing: What is not here and the command that gets it.
        scores: Metric -> row -> (fold, seed) -> score, 0 .. 1: what the means are made of.
        chance: Metric -> score, 0 .. 1, of always guessing the commonest class; the last row.
    """

    name: str
    title: str
    lines: list[str]
    columns: list[Column]
    rows: list[dict[str, Value]]
    footnotes: list[str]
    records: list[dict[str, Any]] = field(default_factory=list)
    missing: str = ""
    scores: dict[str, dict[str, dict[tuple[str, int], float]]] = field(default_factory=dict)
    chance: dict[str, float] = field(default_factory=dict)

    def note(self, text: str) -> int:
        """Number of a footnote; equal texts share one."""
        if text not in self.footnotes:
            self.footnotes.append(text)
        return self.footnotes.index(text) + 1
