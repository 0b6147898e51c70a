"""Analyses: what reads trained cells and says something about them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harbench.nouns.dataset import Channel, Dataset, Task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from torch import nn


@dataclass(frozen=True)
class LoadedCell:
    """A trained network beside the windows that it was trained and tested on.

    Args:
        module: With the stored weights, in evaluation mode, on the CPU.
        fresh: Makes the same network with other, untrained weights, from a seed.
        signals: float32 [n_samples, n_channels], as the network saw them: filled, normalised.
        length: Samples of a window.
        starts: "train", "validation", "test" -> int64 [n_windows], first row of each window.
        labels: The same -> int64 [n_windows], class of each window.
        dataset, task: As registered.
        channels: Those that the network sees, in order.
        classes: That its logits stand for.
        null: Index of NULL among them; None if none.
        samples: Recording -> int64 [n_samples], class of each of its samples, -1 where it has
            none (or NULL is left out); of the recordings that hold test windows.
    """

    module: nn.Module
    fresh: Callable[[int], nn.Module]
    signals: NDArray[np.float32]
    length: int
    starts: Mapping[str, NDArray[np.int64]]
    labels: Mapping[str, NDArray[np.int64]]
    dataset: Dataset
    task: Task
    channels: tuple[Channel, ...]
    classes: tuple[str, ...]
    null: int | None
    samples: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    def windows(self, part: str, which: NDArray[np.generic] | None = None) -> NDArray[np.float32]:
        """float32 [n_windows, n_channels, length]: windows of a part, or ``which`` of them."""
        starts = self.starts[part] if which is None else self.starts[part][which]
        every = np.lib.stride_tricks.sliding_window_view(self.signals, self.length, axis=0)
        return np.ascontiguousarray(every[starts])


@dataclass(frozen=True)
class TrainedCell:
    """What an analysis is given of a finished cell.

    Args:
        row: Of the table that it belongs to.
        fold, seed: Which of the row's cells it is.
        folder: The cell's folder in the store (record, predictions, weights).
        record: The stored record, as read from its JSON.
        load: Builds the network, with its weights and windows. Takes a while; raises
            ResultsError, DataError or ConfigError where something that it needs is not here.
        benchmark: That it belongs to.
        key: Content key of the cell.
        simulates: The dataset that its recordings imitate; None where they are real.
        cost: Parameters, MACs ... of the network, as :class:`harbench.cost.record.Cost` stores
            them; None where they were not measured.
        rate_hz: Samples of the dataset per second; None where it is not known.
    """

    row: str
    fold: str
    seed: int
    folder: Path
    record: dict[str, Any]
    load: Callable[[], LoadedCell]
    benchmark: str = ""
    key: str = ""
    simulates: str | None = None
    cost: dict[str, Any] | None = None
    rate_hz: float | None = None


@dataclass(frozen=True)
class Variant:
    """A finished cell to be trained once more, under a protocol that differs in some settings.

    Model, options, recipe, seed and all other settings stay as they are.

    Args:
        of: The cell.
        protocol: Settings of :class:`~harbench.nouns.protocol.Protocol` that change:
            ``{"channels": ("ACC x",)}``, ``{"null": "drop", "split": RandomWindowSplit()}``.
    """

    of: TrainedCell
    protocol: Mapping[str, Any]


Trainer = Callable[[Sequence[Variant]], list[list[TrainedCell]]]
"""Trains variants, side by side, and keeps them in the store; what is there is not trained again.

For each variant, in order, its cells: one, of the same fold, as long as the split stays; with
another split one for each fold of that. Raises ResultsError where a training failed.
"""


@dataclass(frozen=True)
class AnalysisResult:
    """What an analysis found.

    Args:
        tables: Title -> table.
        notes: What a reader must know, a sentence each.
        figures: File name without ending -> figure.

    Raises:
        ValueError: a figure's name is no plain file name.
    """

    tables: dict[str, pd.DataFrame]
    notes: tuple[str, ...] = ()
    figures: dict[str, Figure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.figures:
            # Files are named so in the results folder: none may lead out of it or hide there.
            if not name.isprintable() or name.startswith(".") or not {"/", "\\"}.isdisjoint(name):
                raise ValueError(f"a figure's name is no plain file name: {name!r}")


@dataclass(frozen=True)
class Analysis:
    """A named question about trained cells.

    Args:
        name: What the command line calls it.
        summary: One line.
        run: ``(cells, **options) -> AnalysisResult``: takes finished cells of one benchmark.
            Keyword arguments with defaults are the analysis's options.
        trains: Whether it needs further trainings; then ``run`` takes ``(cells, train,
            **options)``, and ``train`` is a :data:`Trainer`.
    """

    name: str
    summary: str
    run: Callable[..., AnalysisResult]
    trains: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """Keyword options and their defaults."""
        parameters = list(inspect.signature(self.run).parameters.values())
        return {p.name: p.default for p in parameters[1:] if p.default is not p.empty}
