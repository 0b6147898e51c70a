"""Maps of trained networks, class by class, and what the checks of trust need beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harbench.metrics.intervals import summarise
from harbench.nouns import LoadedCell, TrainedCell
from harbench_analyses.attribution import (
    Running,
    attributions,
    choose,
    class_windows,
    reduce,
    running_of,
)
from harbench_analyses.known_answers import best
from harbench_analyses.trust import Map, deletion_and_insertion

if TYPE_CHECKING:
    from torch import nn

# Deletion and insertion go through some 200 copies of each window: so many for all classes
# together, but at least a few of each.
_CURVE_WINDOWS, _OF_EACH = 32, 4


@dataclass(frozen=True)
class Measured:
    """One class of one network.

    Args:
        cell: Fold and seed.
        name: Of the class.
        n_windows: That the map is the mean over.
        values: The map, [n_channels].
        best: The map by the method that does best on known answers.
        untrained: The map of the same network with other, untrained weights.
        deletion, insertion: Areas gained over random orders of the channels.
    """

    cell: tuple[str, int]
    name: str
    n_windows: int
    values: Map
    best: Map
    untrained: Map
    deletion: float
    insertion: float


@dataclass(frozen=True)
class MeanMap:
    """Mean over networks.

    Args:
        values: [n_channels].
        half: Half of the 95 % Student-t interval, [n_channels]; None with one network.
        unit: What the interval is over: "fold" or "seed".
    """

    values: Map
    half: Map | None
    unit: str


def measure(
    cell: TrainedCell,
    loaded: LoadedCell,
    names: Sequence[str],
    method: str,
    reduction: str,
    part: str,
) -> list[Measured]:
    """The maps of one network for the classes in ``names`` that have a window in the part.

    Raises:
        ConfigError: no such method, reduction or part.
    """
    labels = loaded.labels[choose(part, loaded.labels, "part")]
    fresh = loaded.fresh(cell.seed + 1)
    running = running_of(cell, loaded)
    n_curve = max(_OF_EACH, _CURVE_WINDOWS // len(names))
    found = []
    for name in names:
        index = loaded.classes.index(name)
        if not (labels == index).any():
            continue
        windows = class_windows(loaded, index, part=part)
        maps = partial(_maps, windows, index, seed=cell.seed, running=running)
        values, best_values = maps(loaded.module, (method, reduction), best())
        (untrained,) = maps(fresh, (method, reduction))
        few = class_windows(loaded, index, part=part, limit=n_curve)
        curves = deletion_and_insertion(loaded.module, few, index, values, seed=cell.seed)
        found.append(
            Measured(
                (cell.fold, cell.seed),
                name,
                len(windows),
                values,
                best_values,
                untrained,
                curves.deletion_gain,
                curves.insertion_gain,
            )
        )
    return found


def _maps(
    windows: NDArray[np.float32],
    class_index: int,
    module: nn.Module,
    *pairs: tuple[str, str],
    seed: int,
    running: Running,
) -> list[Map]:
    """A map for each (method, reduction). A gradient that two of them need is taken once."""
    found: dict[str, NDArray[np.float64]] = {}
    for method, _ in pairs:
        if method in found:
            continue
        if method == "input-x-gradient" and "gradient" in found:
            product = windows * found["gradient"].astype(np.float32)
            found[method] = product.astype(np.float64)
        else:
            found[method] = attributions(
                module, windows, class_index, method, seed=seed, running=running
            )
    return [reduce(found[method], reduction) for method, reduction in pairs]


def over_classes(measured: Sequence[Measured], name: str) -> list[Measured]:
    """One for each network: the mean of its classes, as in Yan et al. 2022, Sect. 5.5."""
    cells = dict.fromkeys(m.cell for m in measured)
    means = []
    for cell in cells:
        of_cell = [m for m in measured if m.cell == cell]
        means.append(
            replace(
                of_cell[0],
                name=name,
                n_windows=sum(m.n_windows for m in of_cell),
                values=np.mean([m.values for m in of_cell], axis=0),
                best=np.mean([m.best for m in of_cell], axis=0),
                untrained=np.mean([m.untrained for m in of_cell], axis=0),
                deletion=float(np.mean([m.deletion for m in of_cell])),
                insertion=float(np.mean([m.insertion for m in of_cell])),
            )
        )
    return means


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread, as in training: equal sums on every machine. These are many small steps,
    and on a busy machine several threads took ten times as long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def mean_map(measured: Sequence[Measured]) -> MeanMap:
    """Mean and interval of one class over networks."""
    by_channel = [
        summarise({m.cell: float(m.values[i]) for m in measured})
        for i in range(len(measured[0].values))
    ]
    values = np.array([summary.mean for summary in by_channel])
    highs = [summary.high for summary in by_channel if summary.high is not None]
    half = np.array(highs) - values if len(highs) == len(values) else None
    return MeanMap(values, half, by_channel[0].unit)


def mean_of_finite(values: Sequence[float]) -> float:
    """Mean of those that are numbers; NaN of none."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan
