"""Which channels go together, and in which order they are kept: by the map, or by chance.

A ranking is a tuple of group numbers; the first ``k`` of it are the set of size ``k``. So the sets
of one ranking are nested.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harbench.errors import ConfigError, ResultsError
from harbench.nouns import Channel, LoadedCell, TrainedCell
from harbench_analyses.attribution import saliency_map
from harbench_analyses.saliency_measuring import one_thread
from harbench_analyses.trust import Map, top

Ranking = tuple[int, ...]

BY = ("channel", "sensor", "position")
_ALL_COUNTS = 8  # groups of which every count is tried


@dataclass(frozen=True)
class Grouping:
    """Channels that are kept or left out together.

    Args:
        by: One of BY.
        channels: Names, in the dataset's order.
        names: Of the groups, in the order of their first channels.
        members: Indices into ``channels``, for each group.
    """

    by: str
    channels: tuple[str, ...]
    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.names)

    def channels_of(self, groups: Collection[int]) -> tuple[str, ...]:
        """Names of all channels of some groups, in the dataset's order."""
        return tuple(self.channels[i] for i in sorted(i for g in groups for i in self.members[g]))

    def named(self, groups: Collection[int]) -> str:
        """The groups' names in the order given, as a table shows them."""
        return ", ".join(self.names[group] for group in groups)

    def scores(self, values: Map) -> Map:
        """What ranks the groups: a channel's own value, or the sum of the sizes of several.

        Signed values of a sensor's channels would cancel out.

        Args:
            values: Map, [n_channels].

        Returns:
            [n_groups].
        """
        if self.by == "channel":
            return values
        return np.array([np.abs(values[list(members)]).sum() for members in self.members])


def grouped(channels: Sequence[Channel], by: str) -> Grouping:
    """Group channels by themselves, their sensor or their body position.

    Raises:
        ConfigError: there is but one group.
    """
    found: dict[str, list[int]] = {}
    for index, channel in enumerate(channels):
        found.setdefault(_group_of(channel, by), []).append(index)
    if len(found) < 2:
        finer = [b for b in BY if len({_group_of(channel, b) for channel in channels}) > 1]
        raise ConfigError(
            f"there is only one {by}, '{next(iter(found))}', so that none can be left out",
            where="by",
            expected=" or ".join(finer) or "a row of several channels",
        )
    names = tuple(channel.name for channel in channels)
    return Grouping(by, names, tuple(found), tuple(map(tuple, found.values())))


def _group_of(channel: Channel, by: str) -> str:
    return channel.name if by == "channel" else str(getattr(channel, by))


def default_counts(n: int) -> tuple[int, ...]:
    """How many groups to keep where nobody says: all counts of few groups, else about halves.

    All ``n`` of them are not among the counts: that is the finished network.
    """
    if n <= _ALL_COUNTS:
        return tuple(range(1, n))
    counts = [n // 2]
    while counts[-1] > 1:
        counts.append(counts[-1] // 2)
    return tuple(reversed(counts))


def by_map(
    cells: Sequence[TrainedCell], grouping: Grouping, method: str, reduction: str
) -> dict[str, Ranking]:
    """All groups of each fold, most important first; of equals the first.

    The map is that of the whole dataset, as in Yan et al. 2022, Sect. 5.5: the mean over the
    classes, NULL left out; here also over the networks of the fold. Only training windows are
    read, so that the test recordings have no part in what is chosen.

    Args:
        cells: Of one row.
        grouping: Of their channels.
        method, reduction: Of :mod:`harbench_analyses.attribution`.

    Raises:
        ResultsError: no class but NULL has a training window.
    """
    maps: dict[str, list[Map]] = {}
    for cell in cells:
        # One after another: the signals of a cell may fill much of the memory.
        loaded = cell.load()
        with one_thread():
            maps.setdefault(cell.fold, []).append(_map(cell, loaded, method, reduction))
    return {
        fold: tuple(top(grouping.scores(np.mean(found, axis=0)), len(grouping)).tolist())
        for fold, found in maps.items()
    }


def _map(cell: TrainedCell, loaded: LoadedCell, method: str, reduction: str) -> Map:
    present = set(loaded.labels["train"].tolist()) - {loaded.null}
    classes = [index for index in range(len(loaded.classes)) if index in present]
    if not classes:
        raise ResultsError(
            "no class has a training window, so that there is no map to rank by",
            where=f"{cell.row}, fold {cell.fold}",
            expected="training windows of a class other than NULL",
        )
    maps = [
        saliency_map(loaded, "train", index, method, reduction, seed=cell.seed) for index in classes
    ]
    return np.asarray(np.mean(maps, axis=0), np.float64)


def at_random(n: int, fold: str, seed: int, draw: int) -> Ranking:
    """A random order of ``n`` groups, another for each fold, seed and draw."""
    generator = np.random.default_rng([draw, seed, *fold.encode()])
    return tuple(generator.permutation(n).tolist())


def for_every_seed(
    cells: Sequence[TrainedCell], rankings: Mapping[str, Ranking]
) -> dict[tuple[str, int], tuple[Ranking, ...]]:
    """A fold's ranking for each of its cells: (fold, seed) -> one draw."""
    return {(cell.fold, cell.seed): (rankings[cell.fold],) for cell in cells}
