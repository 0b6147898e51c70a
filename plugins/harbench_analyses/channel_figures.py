"""Figures of values over channels: one class as a curve (Yan et al. 2022, Fig. 2), all as a grid.

Figures are made without pyplot, so that nothing is left open, and are 7 inches wide, as both
columns of a page. Colours are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harbench.nouns import Channel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TWO_COLUMNS = 7.0  # inches
NAMES_AT_MOST = 20  # channels; of more, the sensors are labelled
BLUE, RED, SKY = "#0072B2", "#D55E00", "#56B4E9"
_BAND, _INK, _FAINT = "#EEEEEE", "#222222", "#888888"


def curve(
    values: NDArray[np.float64],
    half: NDArray[np.float64] | None,
    channels: Sequence[Channel],
    *,
    title: str,
    ylabel: str,
    marked: Sequence[int] = (),
) -> Figure:
    """One map over the channels, with bands for the sensors.

    Args:
        values: [n_channels].
        half: Half of the interval, [n_channels], drawn as a ribbon; None where there is none.
        channels: In order.
        title, ylabel: Texts.
        marked: Indices of channels to be numbered, and named in a key: the top ones.
    """
    figure = _figure(TWO_COLUMNS, 2.9)
    axes = figure.add_subplot()
    positions = np.arange(1, len(values) + 1)
    if half is not None:
        axes.fill_between(
            positions, values - half, values + half, color=SKY, alpha=0.35, linewidth=0
        )
    axes.plot(positions, values, color=BLUE, linewidth=0.9, marker=".", markersize=2.5)
    _dress(axes, channels)
    key = _mark(axes, values, channels, marked)
    if half is not None:
        key.append("band: 95 % t interval")
    figure.suptitle(title, x=0.01, ha="left", fontsize=8)
    # Below the axes, where nothing can lie under it.
    figure.supxlabel("     ".join(key), x=0.01, ha="left", fontsize=6)
    axes.set_ylabel(ylabel)
    if len(channels) > NAMES_AT_MOST:
        axes.set_xlabel("channel (ticks: where a sensor begins)")
    return figure


def grid(
    maps: Mapping[str, NDArray[np.float64]], channels: Sequence[Channel], *, title: str
) -> Figure:
    """All classes, a small curve each, every one on its own scale.

    Args:
        maps: Class -> [n_channels].
        channels: In order.
        title: Text.
    """
    columns = 3 if len(maps) > 4 else min(2, len(maps))
    rows = -(-len(maps) // columns)
    figure = _figure(TWO_COLUMNS, 0.5 + 1.05 * rows)
    places = list(_bands(channels))
    every = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for axes, (name, values) in zip(every, maps.items(), strict=False):
        positions = np.arange(1, len(values) + 1)
        axes.plot(positions, values, color=BLUE, linewidth=0.7)
        _shade(axes, places)
        axes.axhline(0, color=_FAINT, linewidth=0.5, zorder=0.5)
        axes.set_xlim(0.5, len(channels) + 0.5)
        axes.set_title(name, loc="left", fontsize=7, pad=2)
        axes.set_yticks([])
        axes.tick_params(labelsize=6)
    for axes in every[len(maps) :]:
        axes.set_visible(False)
    for place, axes in enumerate(every[: len(maps)]):
        last_of_column = place + columns >= len(maps)
        axes.tick_params(labelbottom=last_of_column)
        if last_of_column and place < (rows - 1) * columns:
            # The empty place below has room for them: the rows need not move apart.
            for label in axes.get_xticklabels():
                label.set_in_layout(False)
    figure.supxlabel("channel (bands: sensors)", fontsize=7)
    figure.suptitle(title, x=0.01, ha="left", fontsize=8)
    return figure


def _figure(width: float, height: float) -> Figure:
    import matplotlib
    from matplotlib.figure import Figure

    # Type 42 embeds TrueType, which publishers ask for; read when a figure is saved.
    matplotlib.rcParams["pdf.fonttype"] = 42
    matplotlib.rcParams["ps.fonttype"] = 42
    return Figure(figsize=(width, height), dpi=300, layout="constrained")


def _bands(channels: Sequence[Channel]) -> list[tuple[str, int, int]]:
    """Sensor, first and last position (1-based) of each run of channels of one sensor."""
    found: list[tuple[str, int, int]] = []
    for position, channel in enumerate(channels, 1):
        if found and found[-1][0] == channel.sensor:
            found[-1] = (channel.sensor, found[-1][1], position)
        else:
            found.append((channel.sensor, position, position))
    return found


def _shade(axes: Axes, bands: Sequence[tuple[str, int, int]]) -> None:
    for _, first, last in bands[::2]:
        axes.axvspan(first - 0.5, last + 0.5, color=_BAND, linewidth=0, zorder=0)


def _dress(axes: Axes, channels: Sequence[Channel]) -> None:
    bands = _bands(channels)
    _shade(axes, bands)
    axes.axhline(0, color=_FAINT, linewidth=0.6, zorder=0.5)
    axes.set_xlim(0.5, len(channels) + 0.5)
    axes.tick_params(labelsize=6.5)
    axes.yaxis.label.set_fontsize(7)
    axes.xaxis.label.set_fontsize(7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(channels) <= NAMES_AT_MOST:
        names = [channel.name for channel in channels]
        places = range(1, len(channels) + 1)
        axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor")
        return
    axes.set_xticks([first for _, first, _ in bands])
    axes.tick_params(axis="x", rotation=90, labelsize=5)
    above = axes.secondary_xaxis("top")
    above.set_xticks([(first + last) / 2 for _, first, last in bands], [b[0] for b in bands])
    above.tick_params(axis="x", rotation=90, labelsize=6, length=0, pad=1)
    above.spines["top"].set_visible(False)


def _mark(
    axes: Axes, values: NDArray[np.float64], channels: Sequence[Channel], marked: Sequence[int]
) -> list[str]:
    """Number the marked channels; returns the key. Names beside the points would overlap."""
    for rank, index in enumerate(marked, 1):
        axes.plot(index + 1, values[index], "o", color=RED, markersize=3, zorder=3)
        axes.annotate(
            str(rank),
            (index + 1, values[index]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=6,
            color=_INK,
        )
    return [f"{rank}  {channels[index].name}" for rank, index in enumerate(marked, 1)]
