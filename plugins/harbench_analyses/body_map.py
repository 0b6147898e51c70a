"""A figure of the body: how much of the importance lies at each body position.

A standing person is seen from the front, so that the wearer's right is on the left of the page.
The figure is one column of a page wide, and its coordinates are points.
"""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harbench_analyses.body_positions import (
    SIDES,
    Place,
    Point,
    Share,
    Values,
    outline,
    place_of,
    shares,
)
from harbench_analyses.channel_figures import ONE_COLUMN, new_figure, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "YlGnBu"  # pale to dark, also in grey and for the colour-blind; little stays pale
_INK, _FAINT, _SKIN, _EDGE = "#222222", "#666666", "#EEEEEE", "#AAAAAA"
_WIDTH = 72 * ONE_COLUMN
_BODY = 216.0  # height of the person
_COLUMN = 52.0  # from the middle to where labels begin
_LINE, _ENTRY = 7.6, 9.5  # a line of 6 or 6.5 point text, and one with a dot
_RING = 1.5  # from a dot
_ARM = 0.11  # body heights from the middle: what lies further out is on an arm


def body_map(
    values_by_position: Mapping[str, Sequence[float] | Values],
    *,
    title: str,
    measure: str = "value",
) -> Figure:
    """The share of each body position, on a person seen from the front.

    Args:
        values_by_position: Position -> values of its channels, as ``by_position`` gives.
            Positions that :func:`place_of` does not know are listed below the person.
        title: Text.
        measure: What the values are.
    """
    found = shares(values_by_position)
    most = max((s.percent for s in found.values() if math.isfinite(s.percent)), default=0) or 1
    paint = _Paint(most)
    spots = [_Spot(*at, name, share) for name, share in found.items() if (at := place_of(name))]
    unknown = {name: share for name, share in found.items() if place_of(name) is None}
    columns = _columns(spots)
    room = max(_BODY, *(sum(spot.height for spot in column) for column in columns.values()))
    legend = [
        text
        for text, shown in (
            ("square: on the back", any(spot.place.back for spot in spots)),
            ("dashed ring: side not stated, shown on both", any(len(s.sides) > 1 for s in spots)),
        )
        if shown
    ]
    title = textwrap.fill(title, 50)

    ground = 62.0 + _LINE * bool(legend) + _ENTRY * (len(unknown) + bool(unknown))
    top = ground + room
    height = top + 18 + 10 * (title.count("\n") + 1)
    figure = new_figure(ONE_COLUMN, height / 72)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    axes.text(3, height - 3, title, fontsize=8, va="top")
    _person(axes, ground)
    for side, text in ((-1, "wearer's right"), (1, "wearer's left")):
        edge, align = _WIDTH / 2 + side * _COLUMN, "right" if side < 0 else "left"
        axes.text(edge, top + 3, text, fontsize=6.5, style="italic", color=_FAINT, ha=align)
    dots = _dots(spots, paint, ground)
    for side, column in columns.items():
        _labels(axes, column, side, dots, (ground, top))
    for spot in spots:
        for point in dots[spot.name]:
            _dot(axes, point, spot.share, paint, square=spot.place.back, dashed=len(spot.sides) > 1)
    below = ground - 12
    for line, (name, share) in enumerate(unknown.items(), 1):
        if line == 1:
            axes.text(3, below, "not on the drawing:", fontsize=6.5, va="center")
        below -= _ENTRY
        _dot(axes, (8, below), share, paint)
        name = name if len(name) <= 45 else name[:44] + "…"
        text = f"{name or 'position not stated'}  {share}"
        axes.text(16, below, text, fontsize=6, va="center")
    if legend:
        text = "     ".join(legend)
        axes.text(3, below - _ENTRY * bool(unknown), text, fontsize=6, va="center")
    _key(figure, axes, paint, measure)
    return figure


class _Paint:
    """Colour and size of dots."""

    def __init__(self, most: float) -> None:
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        self.most = most
        self.scale = ScalarMappable(Normalize(0, most), colormaps[COLOURS])

    def radius(self, share: Share) -> float:
        """In points."""
        part = share.percent / self.most
        return 2.2 + 2.2 * math.sqrt(part) if part > 0 else 2.2


@dataclass(frozen=True)
class _Spot:
    """A position on the drawing."""

    place: Place
    side: int
    name: str
    share: Share

    @property
    def sides(self) -> tuple[int, ...]:
        """Where dots are: -1, 0 for the middle, 1."""
        if self.side:
            return (self.side,)
        return (0,) if self.place.middle else (-1, 1)

    @property
    def label(self) -> list[str]:
        """Lines, without the share. The side is told by the column."""
        words = [w for w in re.findall(r"[^\s_()-]+", self.name) if w.lower() not in SIDES]
        text = " ".join(words) if self.side else self.name
        if len(self.sides) > 1:
            text += " (either side)"
            if len(text) > 18:
                return text.replace(" (", "\n(").split("\n")
        return textwrap.wrap(text, 18)

    @property
    def height(self) -> float:
        """Of the label with its share and the space around them."""
        return _LINE * (len(self.label) + 1) + 2.5

    @property
    def row(self) -> float:
        """Where the label is best, in body heights: so that lines need not cross an arm."""
        x, y = self.place.x, self.place.y
        if x > _ARM or y < 0.3:
            return y
        # Above the shoulders, or below the hands.
        return y + 0.16 if y > 0.66 else 0.3 + 0.25 * (y - 0.3)


def _columns(spots: Sequence[_Spot]) -> dict[int, list[_Spot]]:
    """The spots that are labelled on either side of the page, from the ground up."""
    columns: dict[int, list[_Spot]] = {-1: [], 1: []}
    for spot in spots:
        if spot.side:
            columns[spot.side].append(spot)
    for spot in spots:
        if not spot.side:
            columns[-1 if len(columns[-1]) < len(columns[1]) else 1].append(spot)
    return {side: sorted(column, key=lambda s: s.row) for side, column in columns.items()}


def _dots(spots: Sequence[_Spot], paint: _Paint, ground: float) -> dict[str, list[Point]]:
    """Name -> where its dots are; what would lie on another moves: off the labels, at an arm."""
    taken: list[tuple[float, float, float]] = []
    dots: dict[str, list[Point]] = {}
    for spot in spots:
        radius = paint.radius(spot.share) + _RING * (len(spot.sides) > 1)
        for side in spot.sides:
            x = _WIDTH / 2 + side * spot.place.x * _BODY
            y = ground + spot.place.y * _BODY
            while any(math.dist((x, y), other[:2]) < radius + other[2] + 0.6 for other in taken):
                x += -side if spot.place.x > _ARM else side or 1
            taken.append((x, y, radius))
            dots.setdefault(spot.name, []).append((x, y))
    return dots


def _dot(
    axes: Axes,
    at: Point,
    share: Share,
    paint: _Paint,
    *,
    square: bool = False,
    dashed: bool = False,
) -> None:
    # A square of the same area. Its size is that of a marker: the width in points, squared.
    width = paint.radius(share) * (math.sqrt(math.pi) if square else 2)
    shape = "s" if square else "o"
    colour = paint.scale.to_rgba(np.array([share.percent]))
    line: dict[str, Any] = {"edgecolors": _INK, "linewidths": 0.6, "zorder": 4}
    axes.scatter(*at, s=width**2, marker=shape, color=colour, **line)
    if dashed:
        # Around the dot, where it is seen on a dark one too.
        size = (width + 2 * _RING) ** 2
        dashes = [(0, (1.6, 1.2))]
        axes.scatter(*at, s=size, marker=shape, color="none", linestyles=dashes, **line)


def _labels(
    axes: Axes,
    column: Sequence[_Spot],
    side: int,
    dots: Mapping[str, Sequence[Point]],
    limits: tuple[float, float],
) -> None:
    """The labels of a side of the page, with a line to the dot of each."""
    if not column:
        return
    ground, top = limits
    edge = _WIDTH / 2 + side * _COLUMN
    wanted = np.array([ground + spot.row * _BODY for spot in column])
    rows = spread(wanted, np.array([spot.height for spot in column]), ground, top)
    lines: list[list[Point]] = []
    for spot, row in zip(column, rows, strict=True):
        dot = dots[spot.name][-1 if side > 0 else 0]
        others = [point for name, points in dots.items() for point in points if name != spot.name]
        lines.append(_leader(dot, (edge - side, float(row)), others, lines))
        axes.plot(*zip(*lines[-1], strict=True), color=_FAINT, linewidth=0.5, zorder=3)
        align = "right" if side < 0 else "left"
        low = row - (spot.height - 2.5) / 2 + 1.5
        x = edge + 2 * side
        axes.text(x, low, str(spot.share), fontsize=6, color=_INK, ha=align)
        for number, text in enumerate(reversed(spot.label), 1):
            axes.text(x, low + _LINE * number, text, fontsize=6.5, ha=align)


def _leader(
    dot: Point, end: Point, others: Sequence[Point], lines: Sequence[Sequence[Point]]
) -> list[Point]:
    """From a dot to a label, level from some point on: clear of other dots and lines, and short."""

    def cost(bend: float) -> float:
        way = [dot, (bend, end[1]), end]
        pieces = list(itertools.pairwise(way))
        near = min((_distance(p, a, b) for p in others for a, b in pieces), default=9.0)
        crossed = sum(_cross(way, line) for line in lines)
        length = sum(math.dist(a, b) for a, b in pieces)
        return 1000 * crossed + 50 * max(0.0, 6 - near) + length

    bends = np.linspace(dot[0], end[0], 25)
    best = float(min(bends, key=cost))
    return [dot, (best, end[1]), end]


def _distance(point: Point, start: Point, end: Point) -> float:
    """Of a point from a line segment."""
    (px, py), (ax, ay), (bx, by) = point, start, end
    length = (bx - ax) ** 2 + (by - ay) ** 2
    part = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length if length else 0.0
    part = min(max(part, 0.0), 1.0)
    return math.dist(point, (ax + part * (bx - ax), ay + part * (by - ay)))


def _cross(way: Sequence[Point], other: Sequence[Point]) -> bool:
    def turn(a: Point, b: Point, c: Point) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    return any(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for a, b in itertools.pairwise(way)
        for c, d in itertools.pairwise(other)
    )


def _person(axes: Axes, ground: float) -> None:
    """The outline: every part with an edge first, then all without, so that they are one."""
    from matplotlib.patches import Polygon

    parts = [points * _BODY + (_WIDTH / 2, ground) for points in outline()]
    for points in parts:
        axes.add_patch(Polygon(points, facecolor=_EDGE, edgecolor=_EDGE, linewidth=1.4, zorder=1))
    for points in parts:
        axes.add_patch(Polygon(points, facecolor=_SKIN, edgecolor="none", zorder=2))


def _key(figure: Figure, axes: Axes, paint: _Paint, measure: str) -> None:
    """The colour bar, and what the numbers are."""
    from matplotlib.ticker import MaxNLocator

    height = figure.get_figheight() * 72
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10])
    bar = figure.add_axes((0.12, 42 / height, 0.76, 6 / height))
    colours = figure.colorbar(paint.scale, cax=bar, orientation="horizontal", ticks=ticks)
    colours.outline.set_linewidth(0.5)
    bar.tick_params(labelsize=6, width=0.5, length=2, pad=1)
    what = f"share of the sum of |{measure}|, %"
    axes.text(_WIDTH / 2, 27, what, fontsize=6.5, ha="center", va="center")
    text = "In brackets: number of channels × their mean share.\n"
    text += "Sums favour positions with many channels."
    axes.text(3, 4, text, fontsize=6, va="bottom", linespacing=1.15)
