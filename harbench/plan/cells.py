"""What a plan consists of: benchmarks, rows, folds and cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harbench.config import Benchmark
from harbench.data.audit import FoldAudit
from harbench.errors import DataMissingError
from harbench.nouns import Dataset, Model, Protocol, PublishedResult, Recipe, Split, Task


@dataclass(frozen=True)
class PlannedFold:
    """What a table says of a fold without opening the data again.

    Args:
        name: Of the fold.
        windows: Part -> number of windows.
        support: Test windows of each class.
        test_overlap, validation_overlap: Shares of windows that hold a training sample.
        concatenated: Part -> number of windows if the part were cut as one stream, across the
            borders of recordings, as some papers do.
        audit: What training could have learnt of the test; None where it was not asked for.
    """

    name: str
    windows: dict[str, int]
    support: tuple[int, ...]
    test_overlap: float
    validation_overlap: float
    concatenated: dict[str, int]
    audit: FoldAudit | None = None


@dataclass(frozen=True)
class Cell:
    """One training: scheduled, cached, resumed and stored as a unit.

    Args:
        key: sha256 of all that determines the result.
        content: What was hashed, for the record.
        benchmark, row: Where it was asked for; no part of the key.
        dataset, path, task, protocol, split, length, step, channels, fold: What it is trained on;
            ``split`` is the protocol's, looked up by name.
        model, options, recipe, seed: What is trained, and how; an estimator has no recipe.
    """

    key: str
    content: dict[str, Any]
    benchmark: str
    row: str
    dataset: str
    path: Path | None
    task: str
    protocol: Protocol
    split: Split
    length: int
    step: int
    channels: tuple[int, ...]
    fold: str
    model: str
    options: dict[str, Any]
    recipe: Recipe | None
    seed: int


@dataclass(frozen=True)
class Row:
    """One row of a table: a model with its settings, and its cells.

    Args:
        name: As benchmarks.yaml calls the row.
        model: The registered model.
        options: Of its builder, defaults filled in.
        recipe: The model's own, with the benchmark's overrides; None of an estimator.
        length, step: Window and step in samples.
        n_channels, n_classes: What it is built for.
        cost_key: Names the cost of this network on this machine; an estimator's cost depends on
            what it was fitted to, and stands with its cells.
        folds: In order; empty where the data is not here.
        cells: Fold by fold, seed by seed; empty where the data is not here.
    """

    name: str
    model: Model
    options: dict[str, Any]
    recipe: Recipe | None
    length: int
    step: int
    n_channels: int = 0
    n_classes: int = 0
    cost_key: str = ""
    folds: tuple[PlannedFold, ...] = ()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class PlannedBenchmark:
    """A benchmark, resolved.

    Args:
        settings: As benchmarks.yaml says.
        dataset, task: Resolved.
        classes, null: What the models tell apart.
        split: What the split is called in tables.
        rows: One a model.
        missing: Set where the dataset's files are not here; then there are no cells.
        references: What others report of this dataset and task.
    """

    settings: Benchmark
    dataset: Dataset
    task: Task
    classes: tuple[str, ...]
    null: int | None
    split: str
    rows: tuple[Row, ...]
    missing: DataMissingError | None
    references: tuple[PublishedResult, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Of all rows."""
        return tuple(cell for row in self.rows for cell in row.cells)
