"""What observers are told of a run: each epoch, each cell, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class CellFacts:
    """Which training something is about.

    Args:
        key: Content key of the cell, which names its folder in the results.
        benchmark, row: Where it was asked for.
        dataset, fold, seed: What it is trained on, and which of the row's cells it is.
        model: Registered name.
        options: Of the model's builder.
        recipe: As it is trained, JSON-like; None of an estimator.
    """

    key: str
    benchmark: str
    row: str
    dataset: str
    fold: str
    seed: int
    model: str
    options: Mapping[str, Any]
    recipe: Mapping[str, Any] | None

    @property
    def title(self) -> str:
        """``quickstart/resnet-like/all/0``: a name for a line in a plot, or for a folder."""
        return f"{self.benchmark}/{self.row}/{self.fold}/{self.seed}"


@dataclass(frozen=True)
class EpochEnd:
    """A network has been trained for one more epoch.

    Args:
        cell: Which.
        epoch: Its number, from 1. One that goes on from a checkpoint begins at the last epoch
            that was done.
        epochs: Of the recipe; early stopping may end sooner.
        learning_rate: Of this epoch.
        train_loss: Mean over its windows, while it was being trained.
        validation: "loss", "nf", "macro_f1" and "accuracy", 0 .. 1; empty without validation.
    """

    cell: CellFacts
    epoch: int
    epochs: int
    learning_rate: float
    train_loss: float
    validation: Mapping[str, float]


@dataclass(frozen=True)
class CellEnd:
    """A cell is trained and stored, or has failed.

    Args:
        cell: Which.
        scores: Of the test windows, as stored: "nf", "macro_f1" ... 0 .. 1; empty if it failed.
        seconds: Training and prediction took; None if it failed.
        folder: Where its record, predictions and weights are; None if it failed.
        failure: One sentence; empty if it did not fail.
    """

    cell: CellFacts
    scores: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    folder: Path | None = None
    failure: str = ""


@dataclass(frozen=True)
class RunEnd:
    """All that was asked for is done, or the run was stopped.

    Args:
        folder: The results.
        trained, cached, failed: How many cells; cached ones were in the results already.
        stopped: Whether it was interrupted.
    """

    folder: Path
    trained: int
    cached: int
    failed: int
    stopped: bool = False
