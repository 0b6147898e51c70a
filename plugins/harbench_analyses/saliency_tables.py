"""Tables of a saliency map: the channels at either end, sensors, body positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harbench.nouns import Channel, Dataset
from harbench_analyses.saliency_measuring import MeanMap
from harbench_analyses.trust import Map, top

if TYPE_CHECKING:
    import pandas as pd


def is_of_the_paper(dataset: Dataset) -> bool:
    """Whether Table 3 of Yan et al. 2022 is about this dataset, or about what it imitates."""
    return "opportunity" in (dataset.name, dataset.simulates)


def channel_tables(
    title: str, found: MeanMap, channels: Sequence[Channel], dataset: Dataset, n_listed: int
) -> dict[str, pd.DataFrame]:
    """The top and bottom channels, and sums by sensor and by body position.

    ``channel`` is the position among the dataset's channels, from 1; ``column`` the number in
    its own documents; ``paper`` the number that Yan et al. 2022, Table 3, would print, which is
    one more than ``channel`` (it counts the time stamp).
    """
    import pandas as pd

    n_listed = min(n_listed, len(channels))
    order = top(found.values, len(channels))
    rows = list(_rows(found, channels, dataset))
    listed = [{"rank": rank, **rows[index]} for rank, index in enumerate(order, 1)]
    tables = {
        f"{title}: top {n_listed} channels": pd.DataFrame(listed[:n_listed]),
        f"{title}: bottom {n_listed} channels": pd.DataFrame(listed[::-1][:n_listed]),
    }
    for kind in ("sensor", "position"):
        groups: dict[str, list[float]] = {}
        for channel, value in zip(channels, np.abs(found.values), strict=True):
            groups.setdefault(getattr(channel, kind), []).append(float(value))
        table = pd.DataFrame(
            {
                kind: list(groups),
                "channels": [len(sizes) for sizes in groups.values()],
                "sum of |value|": [sum(sizes) for sizes in groups.values()],
                "mean of |value|": [sum(sizes) / len(sizes) for sizes in groups.values()],
            }
        )
        tables[f"{title}: by {kind}"] = table.sort_values(
            "sum of |value|", ascending=False, kind="stable", ignore_index=True
        )
    return tables


def class_table(maps: Mapping[str, Map], channels: Sequence[Channel], n: int) -> pd.DataFrame:
    """The names of each class's ``n`` top channels."""
    import pandas as pd

    lines = []
    for name, values in maps.items():
        names = {str(k): channels[i].name for k, i in enumerate(top(values, n), 1)}
        lines.append({"class": name, **names})
    return pd.DataFrame(lines)


def _rows(
    found: MeanMap, channels: Sequence[Channel], dataset: Dataset
) -> Iterator[dict[str, Any]]:
    position = {channel.name: number for number, channel in enumerate(dataset.channels, 1)}
    for index, channel in enumerate(channels):
        line: dict[str, Any] = {}
        if is_of_the_paper(dataset):
            line["paper"] = position[channel.name] + 1
        line |= {
            "channel": position[channel.name],
            "column": channel.number,
            "name": channel.name,
            "sensor": channel.sensor,
            "position": channel.position,
            "modality": channel.modality,
            "axis": channel.axis,
            "value": float(found.values[index]),
        }
        if found.half is not None:
            line["±"] = float(found.half[index])
        yield line
