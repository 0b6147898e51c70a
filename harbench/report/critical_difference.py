"""Critical-difference diagram: average ranks on an axis, bars over models not told apart.

The axis is Demsar's (JMLR 7, 2006, section 3.2.4), best to the right. The bars are not Nemenyi's:
they join models of which no two are told apart by the rule of :mod:`harbench.metrics.ties`, so that
diagram and table say the same. (Benavoli, Corani and Mangili, "Should we really use post-hoc tests
based on mean-ranks?", JMLR 17, 2016, show why a comparison of two models should not hang on the
others' ranks; pairwise tests with Holm's adjustment are what aeon draws, too.) Such a
group need not be neighbours on the axis: dots on its bar are its members.

The figure is 3.4 inches wide, as one column of a page, made without pyplot; it is black on white,
and no text is smaller than 6 points.
"""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from harbench.errors import ResultsError
from harbench.execute.analysing import FIGURE_FORMATS, saved_figure
from harbench.report.comparison import ComparisonPage
from harbench.report.repeats import plural, tests_text
from harbench.report.tie_marks import too_few

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 3.4  # inches
_INK, _FAINT = "#222222", "#888888"
_SMALL, _NAME = 6.0, 7.0  # sizes of text, in points
# All other lengths are in points.
_MARGIN, _LINE, _BAR, _TICK = 4.0, 10.0, 5.0, 3.0
_LONGEST = 24  # letters of a name; more are cut
_NARROWEST = 60.0  # of the axis
_NUMBER = 12.0  # width of a number below a tick, with room
_CAPTION = 76  # letters of a line


def cliques(names: Sequence[str], apart: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The largest groups of which no two are told apart, of two members or more.

    Bron and Kerbosch's algorithm with pivots (Communications of the ACM 16, 1973).

    Args:
        names: Of the models.
        apart: Pairs that are told apart.

    Returns:
        Members in the order of ``names``; groups by their first member, larger ones first.
    """
    distinct = {frozenset(pair) for pair in apart}
    near: dict[str, set[str]] = {name: set() for name in names}
    for a, b in combinations(names, 2):
        if frozenset((a, b)) not in distinct:
            near[a].add(b)
            near[b].add(a)
    found: list[set[str]] = []

    def grow(group: set[str], candidates: set[str], done: set[str]) -> None:
        if not candidates and not done:
            found.append(group)
            return
        pivot = max(candidates | done, key=lambda name: len(near[name] & candidates))
        for name in sorted(candidates - near[pivot], key=names.index):
            grow(group | {name}, candidates & near[name], done & near[name])
            candidates = candidates - {name}
            done = done | {name}

    grow(set(), set(names), set())
    ordered = [tuple(sorted(group, key=names.index)) for group in found if len(group) > 1]
    return sorted(ordered, key=lambda group: (names.index(group[0]), -len(group)))


def critical_difference(page: ComparisonPage) -> Figure:
    """The diagram of all models of a page.

    Args:
        page: Of any pairs; all its models are drawn.

    Raises:
        ResultsError: the models have no fold and seed in common, so there is nothing to rank.
    """
    ranks = {line.row: line.rank for line in page.models if line.rank is not None}
    if not ranks:
        raise ResultsError(
            "the rows have no finished fold and seed in common, so they cannot be ranked",
            where=page.benchmark,
            fix=f"harbench run benchmarks.yaml {page.benchmark}",
        )
    names = sorted(ranks, key=lambda name: ranks[name])
    apart = [(pair.a, pair.b) for pair in page.standing.pairs if page.standing.is_apart(pair)]
    groups = cliques(names, apart)
    caption = textwrap.wrap(_caption(page), _CAPTION)
    right = names[: (len(names) + 1) // 2]
    left = names[len(right) :]
    top = 2 * _LINE + _TICK  # title and numbers of the axis
    bars = _LINE * 0.8 + _BAR * len(groups)
    labels = _LINE * len(right)
    notes = (_SMALL + 1.5) * len(caption) + _MARGIN
    height = _MARGIN + top + bars + labels + _LINE * 0.6 + notes
    figure = _figure(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 72 * WIDTH)
    axes.set_ylim(-height, 0)  # points from the top, downwards
    axes.set_axis_off()
    margin = _room(names)
    low, high = margin, 72 * WIDTH - margin
    k = len(names)

    def place(rank: float) -> float:
        return high - (rank - 1) / (k - 1) * (high - low)

    axis = -(_MARGIN + top)
    _axis(axes, axis, k, [place(rank) for rank in range(1, k + 1)])
    axes.text(
        (low + high) / 2, -_MARGIN, f"average rank, {page.metric_title}", ha="center", va="top",
        fontsize=_SMALL, color=_INK,
    )  # fmt: skip
    for number, group in enumerate(groups):
        y = axis - _LINE * 0.8 - _BAR * number
        xs = [place(ranks[name] or 0) for name in group]
        axes.plot([min(xs) - 2, max(xs) + 2], [y, y], color=_INK, linewidth=2.2,
                  solid_capstyle="butt", gid=f"clique-{number}")  # fmt: skip
        axes.plot(xs, [y] * len(xs), "o", color=_INK, markersize=3.6, markeredgewidth=0)
    first = axis - bars - _LINE * 0.6
    # The best of each side is on top; the inner ones lie lowest, so that no line crosses a name.
    for side, members in ((1, right), (-1, left[::-1])):
        for number, name in enumerate(members):
            x, y = place(ranks[name] or 0), first - _LINE * number
            end = high + 3 if side > 0 else low - 3
            axes.plot([x, x, end], [axis, y, y], color=_FAINT, linewidth=0.6, zorder=1)
            axes.text(end + 2 * side, y, _short(name), ha="left" if side > 0 else "right",
                      va="center", fontsize=_name_size(names), color=_INK)  # fmt: skip
    for number, line in enumerate(caption):
        y = -height + _MARGIN + (_SMALL + 1.5) * (len(caption) - number)
        axes.text(_MARGIN, y, line, ha="left", va="top", fontsize=_SMALL, color=_INK)
    return figure


def _figure(height: float) -> Figure:
    import matplotlib
    from matplotlib.figure import Figure

    # Type 42 embeds TrueType, which publishers ask for; read when a figure is saved.
    matplotlib.rcParams["pdf.fonttype"] = 42
    matplotlib.rcParams["ps.fonttype"] = 42
    return Figure(figsize=(WIDTH, height / 72), dpi=300)


def _axis(axes: Axes, y: float, k: int, ticks: Sequence[float]) -> None:
    axes.plot([ticks[0], ticks[-1]], [y, y], color=_INK, linewidth=0.8)
    step = math.ceil(_NUMBER * (k - 1) / (ticks[0] - ticks[-1]))
    shown = {number for number in range(0, k, step) if number <= k - 1 - step} | {k - 1}
    for number, x in enumerate(ticks):
        axes.plot([x, x], [y, y + _TICK], color=_INK, linewidth=0.8)
        if number in shown:
            axes.text(x, y + _TICK + 1, f"{number + 1}", ha="center", va="bottom",
                      fontsize=_SMALL, color=_INK)  # fmt: skip


def _short(name: str) -> str:
    # Names of variants differ at their ends.
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[: half - 1]}…{name[-half:]}"


def _width(text: str, size: float) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    width, _, _ = TextToPath().get_text_width_height_descent(
        text, FontProperties(size=size), ismath=False
    )
    return float(width)


def _name_size(names: Sequence[str]) -> float:
    widest = max(_width(_short(name), _NAME) for name in names)
    return _NAME if 72 * WIDTH - 2 * (widest + 5 + _MARGIN) >= _NARROWEST else _SMALL


def _room(names: Sequence[str]) -> float:
    """What the names take on either side of the axis."""
    size = _name_size(names)
    return max(_width(_short(name), size) for name in names) + 5 + _MARGIN


def _caption(page: ComparisonPage) -> str:
    over = plural(len(page.ranked), page.unit)
    simulated = "SIMULATED data. " if any("SIMULATED" in line for line in page.lines) else ""
    leaky = "LEAKY split. " if any("LEAKY" in line for line in page.lines) else ""
    text = f"{simulated}{leaky}{page.benchmark}: ranks over {over}, 1 is best. "
    if not page.standing.tied and not page.standing.apart:
        return f"{text}{too_few(page.standing)[0].upper()}{too_few(page.standing)[1:]}."
    return (
        f"{text}Bars join models that are not told apart ({tests_text(page.standing)}, 5\u00a0%)."
    )


def write_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PDF, SVG and PNG, each whole or not at all; equal figures, equal files.

    Raises:
        ResultsError: the folder cannot be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending in FIGURE_FORMATS:
            target = folder / f"{name}.{ending}"
            temporary = folder / f".{name}.{ending}.{os.getpid()}"
            try:
                temporary.write_bytes(saved_figure(figure, ending))
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            written.append(target)
    except OSError as error:
        raise ResultsError(
            f"figures cannot be written: {error.strerror or error}",
            where=str(folder),
            expected="a folder that can be written",
        ) from error
    return written
