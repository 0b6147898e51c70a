"""Figures of values over channels: one class as a curve (Yan et al. 2022, Fig. 2), all as a grid.

Figures are made without pyplot, so that nothing is left open, and are 7 inches wide, as both
columns of a page; a curve may be as narrow as one. Colours are Okabe and Ito's, which
colour-blind readers can tell apart.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harbench.nouns import Channel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TWO_COLUMNS = 7.0  # inches
ONE_COLUMN = 3.4
NAMES_AT_MOST = 20  # channels; of more, the sensors are labelled
BLUE, RED, SKY = "#0072B2", "#D55E00", "#56B4E9"
_BAND, _INK, _FAINT = "#EEEEEE", "#222222", "#888888"
_BESIDE = 50  # points of a curve's width that its vertical axis takes, about
_LINE, _DIGIT = 7.5, 5.5  # points that a line and a digit of 6 point text need


def curve(
    values: NDArray[np.float64],
    half: NDArray[np.float64] | None,
    channels: Sequence[Channel],
    *,
    title: str,
    ylabel: str,
    marked: Sequence[int] = (),
    width: float = TWO_COLUMNS,
) -> Figure:
    """One map over the channels, with bands for the sensors.

    Args:
        values: [n_channels].
        half: Half of the interval, [n_channels], drawn as a ribbon; None where there is none.
        channels: In order.
        title, ylabel: Texts.
        marked: Indices of channels to be numbered, and named in a key: the top ones.
        width: In inches. No text is smaller than 6 points at any width.
    """
    figure = new_figure(width, 2.9)
    axes = figure.add_subplot()
    positions = np.arange(1, len(values) + 1)
    if half is not None:
        axes.fill_between(
            positions, values - half, values + half, color=SKY, alpha=0.35, linewidth=0
        )
    axes.plot(positions, values, color=BLUE, linewidth=0.9, marker=".", markersize=2.5)
    step = (72 * width - _BESIDE) / len(channels)
    _dress(axes, channels, step)
    key = _mark(axes, values, channels, marked, step)
    if half is not None:
        key.append("band: 95 % t interval")
    figure.suptitle(textwrap.fill(title, int(15 * width)), x=0.01, ha="left", fontsize=8)
    # Below the axes, where nothing can lie under it.
    figure.supxlabel(_lines(key, int(20 * width)), x=0.01, ha="left", fontsize=6)
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
    figure = new_figure(TWO_COLUMNS, 0.5 + 1.05 * rows)
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


def new_figure(
    width: float, height: float, *, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """An empty figure, in inches; without a ``layout`` its axes are placed by hand."""
    import matplotlib
    from matplotlib.figure import Figure

    # Type 42 embeds TrueType, which publishers ask for; read when a figure is saved.
    matplotlib.rcParams["pdf.fonttype"] = 42
    matplotlib.rcParams["ps.fonttype"] = 42
    # A class or channel with two dollar signs in its name is no formula.
    matplotlib.rcParams["text.parse_math"] = False
    return Figure(figsize=(width, height), dpi=300, layout=layout)


def spread(
    wanted: NDArray[np.float64], sizes: NDArray[np.float64], low: float, high: float
) -> NDArray[np.float64]:
    """Centres as near as can be to the wanted ones, in the same order, and without overlap.

    The least squares answer, by pooling adjacent violators; then moved into the limits.

    Args:
        wanted: [n], at least one.
        sizes: [n], what each takes.
        low, high: Limits of the whole; where it is larger, it begins below ``low``.
    """
    offsets = np.concatenate([[0.0], np.cumsum((sizes[:-1] + sizes[1:]) / 2)])
    pools: list[tuple[float, int]] = []
    for value in wanted - offsets:
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (mean, n), (other, m) = pools.pop(), pools.pop()
            pools.append(((mean * n + other * m) / (n + m), n + m))
    placed = np.repeat([mean for mean, _ in pools], [n for _, n in pools])
    highest = high - sizes[-1] / 2 - offsets[-1]
    placed = np.minimum(np.maximum(placed, low + sizes[0] / 2), highest)
    return np.asarray(placed + offsets, np.float64)


def _lines(entries: Sequence[str], n: int) -> str:
    """Entries beside one another as long as a line has no more than ``n`` characters."""
    lines: list[str] = []
    for entry in entries:
        if lines and len(lines[-1]) + 5 + len(entry) <= n:
            lines[-1] += "     " + entry
        else:
            lines.append(entry)
    return "\n".join(lines)


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


def _dress(axes: Axes, channels: Sequence[Channel], step: float) -> None:
    """Bands, ticks and labels; ``step`` is what a channel takes, in points."""
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
        if step > 2 * _LINE:
            axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor")
        else:
            axes.set_xticks(places, names, rotation=90)
        return
    starts = [first for _, first, _ in bands]
    labelled: list[int] = []
    for start in starts:
        if not labelled or (start - labelled[-1]) * step >= _LINE:
            labelled.append(start)
    axes.set_xticks(labelled)
    axes.set_xticks(starts, minor=True)
    axes.tick_params(axis="x", rotation=90, labelsize=6)
    _name(axes, bands, step)


def _name(axes: Axes, bands: Sequence[tuple[str, int, int]], step: float) -> None:
    """The sensors above the axes; moved apart, with a line to each, where they are narrow."""
    centres = np.array([(first + last) / 2 for _, first, last in bands])
    size = _LINE / step
    if len(bands) == 1 or np.diff(centres).min() >= size:
        above = axes.secondary_xaxis("top")
        above.set_xticks(centres, [band[0] for band in bands])
        above.tick_params(axis="x", rotation=90, labelsize=6, length=0, pad=1)
        above.spines["top"].set_visible(False)
        return
    low, high = axes.get_xlim()
    low -= 2 * size  # above the vertical axis there is room
    # As many as there is room for, evenly.
    every = -(-len(bands) // int((high - low) / size))
    shown = centres[::every]
    moved = spread(shown, np.full(len(shown), size), low, high)
    above_axes = axes.get_xaxis_transform()
    for (name, _, _), centre, place in zip(bands[::every], shown, moved, strict=True):
        axes.plot(
            [centre, place], [1, 1.08], color=_FAINT, linewidth=0.4,
            transform=above_axes, clip_on=False, scalex=False, scaley=False,
        )  # fmt: skip
        axes.text(
            place, 1.1, name, transform=above_axes, rotation=90, fontsize=6,
            ha="center", va="bottom",
        )  # fmt: skip


def _mark(
    axes: Axes,
    values: NDArray[np.float64],
    channels: Sequence[Channel],
    marked: Sequence[int],
    step: float,
) -> list[str]:
    """Number the marked channels; returns the key. Names beside the points would overlap."""
    if not marked:
        return []
    order = np.argsort(marked)
    places = np.array(marked)[order] * step
    moves = np.empty(len(marked))
    # Numbers of neighbours lie beside one another.
    moves[order] = spread(places, np.full(len(marked), _DIGIT), -np.inf, np.inf) - places
    for rank, (index, move) in enumerate(zip(marked, moves, strict=True), 1):
        axes.plot(index + 1, values[index], "o", color=RED, markersize=3, zorder=3)
        axes.annotate(
            str(rank),
            (index + 1, values[index]),
            xytext=(move, 3),
            textcoords="offset points",
            ha="center",
            fontsize=6,
            color=_INK,
        )
    return [f"{rank}  {channels[index].name}" for rank, index in enumerate(marked, 1)]
