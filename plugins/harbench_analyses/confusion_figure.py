"""Confusion matrices as heat maps, of the width of one column of a page or of two.

The places of all parts are computed from the widths of the texts, so that cells are as large as the
page allows and names cannot lie on one another. Figures are made without pyplot, so that nothing is
left open. The map is one hue from light to dark, which colour-blind readers and grey prints keep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harbench_analyses.channel_figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
SMALLEST = 5.0  # points, of any text
# All other lengths are in points.
_CELL, _TALLEST = 16.0, 30.0  # a cell's smallest width in one column; its largest height
_LOWEST = 64.0  # height of the whole map
_NAME, _NUMBER, _LABEL, _TITLE = 6.0, 7.0, 7.0, 8.0  # sizes of text
_LINE = 1.25  # height of a line, in sizes
_GAP, _BAR = 4.0, 7.0
_BAR_SPACE = 46.0  # bar, its numbers, its label
_GRID, _NO_WINDOW, _INK = "#D5D5D5", "#EEEEEE", "#222222"


def heat_map(
    values: NDArray[np.float64], classes: Sequence[str], *, title: str, percent: bool
) -> Figure:
    """A confusion matrix: true classes down, predicted ones across, the numbers in the cells.

    Counts are coloured on a logarithmic scale, so that NULL does not swamp the others, and shares
    on a linear one. A cell of 0 is white and bears no number; the row of a class without test
    windows is grey.

    Args:
        values: [n_classes, n_classes], row = true class; counts, or percent with NaN for classes
            without test windows.
        classes: Names [n_classes].
        title: Text above.
        percent: Whether the values are percent.
    """
    width = ONE_COLUMN * 72
    names = max(text_width(name, _NAME) for name in classes)
    if _cell_width(width, names, len(classes)) < _CELL:
        width = TWO_COLUMNS * 72
    cell = _cell_width(width, names, len(classes))
    # High enough for the label of the bar.
    tall = max(min(cell, _TALLEST), _LOWEST / len(classes))
    upright = names + _GAP > cell
    lines = _wrapped(title, _TITLE, width - 2 * _GAP)
    below = _GAP + (names if upright else _LINE * _NAME) + _LINE * _LABEL + _GAP
    above = _GAP + len(lines) * _LINE * _TITLE + _GAP
    left, height = _left(names), below + tall * len(classes) + above

    figure = new_figure(width / 72, height / 72, layout=None)
    across, down = cell * len(classes) / width, tall * len(classes) / height
    axes = figure.add_axes((left / width, below / height, across, down))
    bar = figure.add_axes(
        (left / width + across + 2 * _GAP / width, axes.get_position().y0, _BAR / width, down)
    )
    norm = _norm(values, percent)
    colours = _colours()
    mesh = axes.pcolormesh(
        np.ma.masked_where(~(values > 0), values),
        cmap=colours,
        norm=norm,
        edgecolors=_GRID,
        linewidth=0.3,
    )
    for row in np.flatnonzero(~(values > 0).any(axis=1)).tolist():
        axes.axhspan(row, row + 1, facecolor=_NO_WINDOW, linewidth=0, zorder=2)
        middle = (len(classes) / 2, row + 0.5)
        axes.text(*middle, "no test window", size=SMALLEST, color=_INK, ha="center", va="center")
    numbered = _number(axes, values, colours, norm, (cell, tall), percent=percent)
    _name(axes, classes, (cell, tall), upright=upright)
    figure.colorbar(mesh, cax=bar)
    _dress_bar(bar, percent=percent, numbered=numbered)
    figure.text(
        _GAP / width, 1 - _GAP / height, "\n".join(lines), size=_TITLE, va="top", linespacing=_LINE
    )
    return figure


def _left(names: float) -> float:
    return _GAP + _LINE * _LABEL + 1.5 * _GAP + names + _GAP / 2


def _cell_width(width: float, names: float, n_classes: int) -> float:
    return (width - _left(names) - _BAR_SPACE) / n_classes


def _colours() -> Colormap:
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    # The lightest tenth could not be told from white, which stands for none.
    return LinearSegmentedColormap.from_list("counts", colormaps["Blues"](np.linspace(0.1, 1, 256)))


def _norm(values: NDArray[np.float64], percent: bool) -> Normalize:
    from matplotlib.colors import LogNorm, Normalize

    if percent:
        return Normalize(0, 100)
    some = values[values > 0]
    least = min(1.0, float(some.min(initial=1.0)))
    # At least a decade, so that the bar has two ends.
    return LogNorm(least, max(10 * least, float(some.max(initial=1.0))))


def _number(
    axes: Axes,
    values: NDArray[np.float64],
    colours: Colormap,
    norm: Normalize,
    cell: tuple[float, float],
    *,
    percent: bool,
) -> bool:
    """Write the numbers into the cells; False where they would be too small to be read."""
    places = np.argwhere(values > 0)
    for short in (False, True):
        texts = [shown(float(values[*place]), percent=percent, short=short) for place in places]
        widest = max((text_width(text, 1.0) for text in texts), default=1.0)
        size = min(_NUMBER, 0.9 * cell[0] / widest, 0.7 * cell[1])
        if size >= SMALLEST:
            break
    else:
        return False
    for (row, column), text in zip(places, texts, strict=True):
        colour = ink(colours(norm(values[row, column])))
        axes.text(
            column + 0.5,
            row + 0.5,
            text,
            size=size,
            color=colour,
            ha="center",
            va="center_baseline",
        )
    return True


def shown(value: float, *, percent: bool, short: bool = False) -> str:
    """A number as a cell bears it: two digits that count, all of a count's unless ``short``.

    A share below 100 % is never shown as 100.
    """
    if short and value >= 999.5:
        thousands = value / 1000
        return f"{thousands:.1f}k" if thousands < 9.95 else f"{thousands:.0f}k"
    if value < 0.05:
        return "<.1"
    almost_all = percent and 99.5 <= value < 100
    if almost_all:
        return f"{math.floor(10 * value) / 10:.1f}"
    whole = value >= 9.95 or (not percent and value == round(value))
    return f"{value:.0f}" if whole else f"{value:.1f}"


def ink(colour: Sequence[float]) -> str:
    """White or black, whichever has the greater contrast (WCAG 2.1) on a colour [r, g, b, ...]."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def _name(axes: Axes, classes: Sequence[str], cell: tuple[float, float], *, upright: bool) -> None:
    size = max(SMALLEST, min(_NAME, cell[1] / _LINE))
    # Only where there are more than some fifty classes are there names left out.
    every = math.ceil(_LINE * size / cell[1])
    places = range(0, len(classes), every)
    names, middles = [classes[place] for place in places], [place + 0.5 for place in places]
    axes.set_xticks(middles, names, size=size, rotation=90 if upright else 0)
    axes.set_yticks(middles, names, size=size)
    axes.tick_params(length=0, pad=_GAP / 2)
    axes.set_xlim(0, len(classes))
    axes.set_ylim(len(classes), 0)
    axes.set_xlabel("predicted", size=_LABEL, labelpad=_GAP / 2)
    axes.set_ylabel("true", size=_LABEL, labelpad=_GAP)
    for spine in axes.spines.values():
        spine.set(linewidth=0.5, color=_GRID)


def _dress_bar(bar: Axes, *, percent: bool, numbered: bool) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    label = "% of the true class" if percent else "windows (log scale)"
    if not numbered:
        label += "; numbers are in the table"
    bar.set_ylabel(label, size=_NAME, labelpad=3)
    if not percent:
        bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _round(value)))
    bar.yaxis.set_minor_formatter(NullFormatter())
    bar.tick_params(which="both", labelsize=_NAME, length=2, width=0.5, pad=2)
    for spine in bar.spines.values():
        spine.set(linewidth=0.5, color=_GRID)


def _round(decade: float) -> str:
    """A power of ten as it stands beside the bar, where there is room for four characters."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if decade >= size:
            return f"{decade / size:g}{letter}"
    return f"{decade:g}"


def _wrapped(text: str, size: float, width: float) -> list[str]:
    """Lines that are no wider than this, as long as no word is."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@cache
def text_width(text: str, size: float) -> float:
    """Points that a text takes in matplotlib's own font."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    width, _, _ = TextToPath().get_text_width_height_descent(
        text, FontProperties(size=size), ismath=False
    )
    return float(width)
