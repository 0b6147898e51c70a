"""What a figure is before it is drawn: its name, its title, and what it says in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN, PAGE = 88.0, 180.0
"""Widths in mm: of one column, and of both."""


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn.

    Args:
        name: Of its file, without ending: lower-case letters, digits and hyphens; no other drawing
            of the same call has it.
        kind: "pareto", "per-class", "confusion", "curves", "critical-difference", or, of what an
            analysis drew, that analysis's name.
        title: One line of plain text, at most 200 characters: still to be escaped.
        alt: What a reader who cannot see it must know, the numbers in words; likewise, 4,000.
        draw: Makes the figure. Of what an analysis drew there are only ``files``, and it raises
            ResultsError.
        row: The row of the table that it is about; None where it is about several.
        files: "pdf", "svg", "png" -> a file that an analysis stored; empty where ``draw`` draws.
    """

    name: str
    kind: str
    title: str
    alt: str
    draw: Callable[[], Figure]
    row: str | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
