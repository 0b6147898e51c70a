"""Critical-difference diagram: average ranks on an axis, bars over models not told apart.

The axis is Demsar's (JMLR 7, 2006, section 3.2.4), best to the right. The bars are not Nemenyi's:
they join models of which no two are told apart by the rule of :mod:`harbench.metrics.ties`, so that
diagram and table say the same. (Benavoli, Corani and Mangili, "Should we really use post-hoc tests
based on mean-ranks?", JMLR 17, 2016, show why a comparison of two models should not hang on the
others' ranks; pairwise tests with Holm's adjustment are what aeon draws, too.) Such a
group need not be neighbours on the axis: dots on its bar are its members.

Sizes, font and ink are those of :mod:`harbench.report.figures.style`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from harbench.errors import ResultsError
from harbench.execute.analysing import FIGURE_FORMATS
from harbench.report.comparison import ComparisonPage
from harbench.report.figures.drawing import COLUMN
from harbench.report.figures.saving import saved, write_file
from harbench.report.figures.style import FAINT, INK, POINTS, SIZE, SMALL, new_sheet, styled
from harbench.report.figures.text import distinct, plain, text_width, wrapped
from harbench.report.repeats import plural, tests_text
from harbench.report.tie_marks import too_few

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All lengths are in points.
_MARGIN, _LINE, _BAR, _TICK = 4.0, 10.5, 5.0, 3.0
_NARROWEST = 60.0  # of the axis
_NUMBER = 12.0  # width of a number below a tick, with room


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


def groups(page: ComparisonPage) -> list[tuple[str, ...]]:
    """The groups of models of which no two are told apart, the best first."""
    ranks = {line.row: line.rank for line in page.models if line.rank is not None}
    apart = [(pair.a, pair.b) for pair in page.standing.pairs if page.standing.is_apart(pair)]
    return cliques(sorted(ranks, key=lambda name: ranks[name]), apart)


def critical_difference(page: ComparisonPage, width: float = COLUMN) -> Figure:
    """The diagram of all models of a page.

    Args:
        page: Of any pairs; all its models are drawn.
        width: In mm.

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
    with styled():
        return _drawn(page, ranks, width)


def _drawn(page: ComparisonPage, ranks: dict[str, float], width: float) -> Figure:
    names = sorted(ranks, key=lambda name: ranks[name])
    bars_of = groups(page)
    points = width * POINTS
    notes = wrapped(caption(page), SMALL, points - 2 * _MARGIN)
    right = names[: (len(names) + 1) // 2]
    left = names[len(right) :]
    top = 2 * _LINE + _TICK  # title and numbers of the axis
    bars = _LINE * 0.8 + _BAR * len(bars_of)
    labels = _LINE * len(right)
    below = (SMALL + 1.5) * len(notes) + _MARGIN
    height = _MARGIN + top + bars + labels + _LINE * 0.6 + below
    sheet = new_sheet(width, height)
    axes = sheet.axes(0, 0, points, height)
    axes.set_xlim(0, points)
    axes.set_ylim(-height, 0)  # points from the top, downwards
    axes.set_axis_off()
    # What the names may take on either side of the axis.
    room = (points - _NARROWEST) / 2 - 5 - _MARGIN
    size = SIZE if max(text_width(plain(name)[:200], SIZE) for name in names) <= room else SMALL
    short = dict(zip(names, distinct(names, size, room), strict=True))
    margin = max(text_width(text, size) for text in short.values()) + 5 + _MARGIN
    low, high = margin, points - margin
    k = len(names)

    def place(rank: float) -> float:
        return high - (rank - 1) / (k - 1) * (high - low)

    def write(x: float, y: float, text: str, ha: str, va: str, fontsize: float = SMALL) -> None:
        axes.text(x, y, text, ha=ha, va=va, fontsize=fontsize, color=INK, parse_math=False)

    axis = -(_MARGIN + top)
    _axis(axes, axis, k, [place(rank) for rank in range(1, k + 1)])
    write((low + high) / 2, -_MARGIN, f"average rank, {page.metric_title}", "center", "top")
    for number, group in enumerate(bars_of):
        y = axis - _LINE * 0.8 - _BAR * number
        xs = [place(ranks[name]) for name in group]
        axes.plot([min(xs) - 2, max(xs) + 2], [y, y], color=INK, linewidth=2.2,
                  solid_capstyle="butt", gid=f"clique-{number}")  # fmt: skip
        axes.plot(xs, [y] * len(xs), "o", color=INK, markersize=3.6, markeredgewidth=0)
    first = axis - bars - _LINE * 0.6
    # The best of each side is on top; the inner ones lie lowest, so that no line crosses a name.
    for side, members in ((1, right), (-1, left[::-1])):
        for number, name in enumerate(members):
            x, y = place(ranks[name]), first - _LINE * number
            end = high + 3 if side > 0 else low - 3
            axes.plot([x, x, end], [axis, y, y], color=FAINT, linewidth=0.6, zorder=1)
            write(end + 2 * side, y, short[name], "left" if side > 0 else "right",
                  "center_baseline", size)  # fmt: skip
    for number, line in enumerate(notes):
        write(_MARGIN, -height + _MARGIN + (SMALL + 1.5) * (len(notes) - number), line, "left",
              "top")  # fmt: skip
    return sheet.figure


def _axis(axes: Axes, y: float, k: int, ticks: Sequence[float]) -> None:
    axes.plot([ticks[0], ticks[-1]], [y, y], color=INK, linewidth=0.8)
    step = math.ceil(_NUMBER * (k - 1) / (ticks[0] - ticks[-1]))
    shown = {number for number in range(0, k, step) if number <= k - 1 - step} | {k - 1}
    for number, x in enumerate(ticks):
        axes.plot([x, x], [y, y + _TICK], color=INK, linewidth=0.8)
        if number in shown:
            axes.text(x, y + _TICK + 1, f"{number + 1}", ha="center", va="bottom",
                      fontsize=SMALL, color=INK)  # fmt: skip


def caption(page: ComparisonPage) -> str:
    """What the ranks are over, and what the bars mean."""
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
    return [
        write_file(folder, f"{name}.{ending}", saved(figure, ending)) for ending in FIGURE_FORMATS
    ]
