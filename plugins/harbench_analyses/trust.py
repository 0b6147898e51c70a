"""How far a ranking of channels can be trusted: three checks that need no known answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Map = NDArray[np.float64]
_EVERY = 10  # channels, then in growing steps
_GROWTH = 1.5
_ORDERS = 5
_BATCH = 1024  # windows


def spearman(one: Map, other: Map) -> float:
    """Spearman's rank correlation of two maps; NaN where one is constant."""
    from scipy.stats import rankdata

    first, second = (rankdata(m) - (len(m) + 1) / 2 for m in (one, other))
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else float("nan")


def top(values: Map, k: int) -> NDArray[np.int64]:
    """Indices of the ``k`` largest values, largest first; of equals the first channel."""
    return np.argsort(-values, kind="stable")[:k]


@dataclass(frozen=True)
class Agreement:
    """Between the maps of several networks, mean over their pairs.

    Args:
        spearman: From -1 to 1.
        overlap: Share of the ``k`` top channels that two maps have in common; ``k / n_channels``
            is chance.
    """

    spearman: float
    overlap: float


def agreement(maps: Sequence[Map], k: int) -> Agreement | None:
    """How alike the maps are; None of fewer than two."""
    pairs = list(combinations(maps, 2))
    if not pairs:
        return None
    shared = [len(np.intersect1d(top(a, k), top(b, k))) / k for a, b in pairs]
    return Agreement(float(np.mean([spearman(a, b) for a, b in pairs])), float(np.mean(shared)))


@dataclass(frozen=True)
class Curves:
    """Mean probability of a class over its windows, by how many channels were set.

    Args:
        counts: Channels set to 0 (deletion), or let in (insertion): int [n_points].
        deletion, insertion: In the order of the ranking: float [n_points].
        deletion_random, insertion_random: Mean over random orders.
    """

    counts: NDArray[np.int64]
    deletion: Map
    insertion: Map
    deletion_random: Map
    insertion_random: Map

    @property
    def deletion_gain(self) -> float:
        """Area of the random curve above that of the ranking; above 0 is better than chance."""
        return self._area(self.deletion_random) - self._area(self.deletion)

    @property
    def insertion_gain(self) -> float:
        """Area of the ranking's curve above the random one."""
        return self._area(self.insertion) - self._area(self.insertion_random)

    def _area(self, curve: Map) -> float:
        widths = np.diff(self.counts) / self.counts[-1]
        return float(widths @ (curve[1:] + curve[:-1]) / 2)


def deletion_and_insertion(
    module: nn.Module, windows: NDArray[np.float32], class_index: int, values: Map, *, seed: int = 0
) -> Curves:
    """What becomes of the class when channels go, or come, in the order of the map.

    Petsiuk et al. 2018, on whole channels. A channel that goes is set to 0, the training mean.
    The first ten are set one by one, then each count is half as large again; areas are over the
    share of channels.

    Args:
        module: In evaluation mode.
        windows: float32 [n_windows, n_channels, n_times] of the class.
        class_index: Which class.
        values: Map, [n_channels]: the largest goes first.
        seed: Of the random orders.
    """
    n_channels = len(values)
    counts = _counts(n_channels)
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(n_channels) for _ in range(_ORDERS)]
    probabilities = partial(_probabilities, module, class_index)

    def curve(order: NDArray[np.int64], *, insert: bool) -> Map:
        keep = np.full((len(counts), n_channels), not insert)
        for kept, count in zip(keep, counts, strict=True):
            kept[order[:count]] = insert
        return probabilities(windows, keep)

    def at_random(*, insert: bool) -> Map:
        mean = np.mean([curve(order, insert=insert) for order in orders], axis=0)
        return np.asarray(mean, np.float64)

    ranking = top(values, n_channels)
    return Curves(
        counts,
        curve(ranking, insert=False),
        curve(ranking, insert=True),
        at_random(insert=False),
        at_random(insert=True),
    )


def _counts(n_channels: int) -> NDArray[np.int64]:
    counts = list(range(min(n_channels, _EVERY) + 1))
    while counts[-1] < n_channels:
        counts.append(min(n_channels, round(counts[-1] * _GROWTH)))
    return np.array(counts, np.int64)


def _probabilities(
    module: nn.Module, class_index: int, windows: NDArray[np.float32], keep: NDArray[np.bool_]
) -> Map:
    """Mean over windows, for each row of ``keep`` (bool [n_points, n_channels])."""
    import torch

    every = torch.from_numpy(windows)
    factors = torch.from_numpy(keep.astype(np.float32))[:, None, :, None]
    means = []
    with torch.inference_mode():
        # Some points at once: one by one most of the time goes into calls.
        for some in torch.split(factors, max(1, _BATCH // len(windows))):
            logits = module((every * some).flatten(0, 1))
            chances = torch.softmax(logits, dim=1)[:, class_index].double()
            means.append(chances.reshape(len(some), len(windows)).mean(dim=1))
    return torch.cat(means).numpy()
