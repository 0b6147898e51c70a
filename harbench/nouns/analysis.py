"""Analyses: what reads trained cells and says something about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TrainedCell:
    """What an analysis is given of a finished cell.

    Args:
        row: Of the table that it belongs to.
        fold, seed: Which of the row's cells it is.
        folder: The cell's folder in the store (record, predictions, weights).
        record: The stored record, as read from its JSON.
    """

    row: str
    fold: str
    seed: int
    folder: Path
    record: dict[str, Any]


@dataclass(frozen=True)
class Analysis:
    """A named question about trained cells.

    Args:
        name: What the command line calls it.
        summary: One line.
        run: Takes the finished cells of one benchmark and returns named tables.
    """

    name: str
    summary: str
    run: Callable[[Sequence[TrainedCell]], dict[str, pd.DataFrame]]
