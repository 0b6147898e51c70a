"""Figure of an ablation: NF against the number of channels, and what the network costs.

As wide as one column of a page; see :mod:`harbench_analyses.channel_figures` for how it is made.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harbench_analyses.ablation_outcomes import Estimate, Outcome, estimate
from harbench_analyses.ablation_tables import mean_cost
from harbench_analyses.ablation_training import nf
from harbench_analyses.channel_figures import BLUE, ONE_COLUMN, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

# Okabe and Ito's. Line and marker differ too, for prints in grey.
_STYLES = {
    "top": (BLUE, "o", "-"),
    "bottom": (RED, "s", "--"),
    "random": ("#000000", "^", ":"),
    "forward": ("#009E73", "D", "-"),
    "backward": ("#CC79A7", "v", "-."),
}
_FAINT, _INK = "#888888", "#222222"
_SMALL, _LABEL, _TITLE = 6.0, 7.0, 8.0  # sizes of text, in points
_LINEAR = 16  # groups up to which every count has equal room; above, every halving
_ASIDE = 1.6  # points that the orders stand apart, so that no bar hides another
_TITLE_WIDTH, _CAPTION_WIDTH = 56, 74  # characters
_TICK = 11.0  # points that the number of a tick needs


@dataclass(frozen=True)
class _Line:
    order: str
    counts: tuple[int, ...]
    scores: tuple[Estimate, ...]
    parameters: tuple[float, ...]
    macs: tuple[float, ...]


def figure_of(
    found: Mapping[str, Sequence[Outcome]],
    whole: Outcome,
    *,
    by: str,
    title: str,
    shortest: Mapping[str, tuple[int, str]] | None = None,
    within: float = 0.0,
) -> Figure:
    """NF with intervals above, parameters and MACs in percent of the whole network's below.

    Args:
        found: Order -> its outcomes, by number of groups.
        whole: The finished cells; every order ends there.
        by: What is counted: "channel", "sensor" or "position".
        title: Text.
        shortest: Order -> how many groups its shortest list has, and their names; a ring marks it.
        within: NF, 0 .. 1, that such a list may lose.
    """
    lists = {order: (k, names) for order, (k, names) in (shortest or {}).items() if k < whole.k}
    lines = [_line(order, [*of_order, whole]) for order, of_order in found.items()]
    all_of_them = estimate(whole.of(nf))
    parameters, macs = (mean_cost(whole, field) for field in ("parameters", "macs"))
    costs = parameters > 0 and macs > 0
    figure = new_figure(ONE_COLUMN, 3.5 if costs else 2.5)
    axes = figure.subplots(
        2 if costs else 1,
        1,
        sharex=True,
        squeeze=False,
        height_ratios=[5, 3] if costs else [1],
    )[:, 0]
    _scores(axes[0], lines, all_of_them, whole.k)
    _ring(axes[0], lines, lists)
    if costs:
        _costs(axes[1], lines, parameters, macs)
    _across(axes[-1], sorted({k for line in lines for k in line.counts}), whole.k)
    bars = any(math.isfinite(score.half) for line in lines for score in line.scores)
    axes[-1].set_xlabel(
        f"{by}s kept" + (" (bars: 95 % t interval)" if bars else ""), fontsize=_LABEL
    )
    figure.suptitle(textwrap.fill(title, _TITLE_WIDTH), x=0.01, ha="left", fontsize=_TITLE)
    if lists:
        said = [f"Ring: the shortest list that keeps NF within {100 * within:g} points."]
        said += [f"{order}, {k} of {whole.k}: {names}" for order, (k, names) in lists.items()]
        below = "\n".join(_clipped(line) for line in said)
        figure.supxlabel(below, x=0.01, ha="left", fontsize=_SMALL)
    return figure


def _clipped(line: str) -> str:
    """At most two lines; the table has all of it."""
    wrapped = textwrap.wrap(line, _CAPTION_WIDTH)
    return "\n".join(wrapped[:2]) + " …" * (len(wrapped) > 2)


def _ring(axes: Axes, lines: Sequence[_Line], lists: Mapping[str, tuple[int, str]]) -> None:
    """Mark the shortest list of each order."""
    for place, line in enumerate(lines):
        k = lists.get(line.order, (0, ""))[0]
        if k in line.counts:
            axes.plot(
                [k],
                [100 * line.scores[line.counts.index(k)].mean],
                marker="o",
                markersize=7.5,
                markerfacecolor="none",
                markeredgecolor=_INK,
                markeredgewidth=0.8,
                transform=_aside(axes, place, len(lines)),
                gid=f"shortest-{line.order}",
            )


def _line(order: str, of_order: Sequence[Outcome]) -> _Line:
    # All of them may be asked for as well.
    by_count = {outcome.k: outcome for outcome in of_order}
    return _Line(
        order,
        tuple(by_count),
        tuple(estimate(outcome.of(nf)) for outcome in by_count.values()),
        tuple(mean_cost(outcome, "parameters") for outcome in by_count.values()),
        tuple(mean_cost(outcome, "macs") for outcome in by_count.values()),
    )


def _scores(axes: Axes, lines: Sequence[_Line], whole: Estimate, n: int) -> None:
    for place, line in enumerate(lines):
        colour, marker, style = _STYLES[line.order]
        moved = _aside(axes, place, len(lines))
        means = [100 * score.mean for score in line.scores]
        axes.plot(line.counts, means, color=colour, linestyle=style, linewidth=0.9, transform=moved)
        # The last one is all of them: the same for every order.
        axes.errorbar(
            line.counts[:-1],
            means[:-1],
            yerr=[100 * score.half for score in line.scores[:-1]],
            color=colour,
            marker=marker,
            markersize=3.2,
            linestyle="none",
            elinewidth=0.7,
            capsize=1.5,
            capthick=0.7,
            transform=moved,
        )
    axes.axhline(100 * whole.mean, color=_FAINT, linestyle=(0, (4, 2)), linewidth=0.8, zorder=1)
    axes.annotate(
        f"all {n}",
        (1, 100 * whole.mean),
        xycoords=axes.get_yaxis_transform(),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=_SMALL,
        color=_INK,
    )
    axes.set_ylim(*_limits([*(s for line in lines for s in line.scores), whole]))
    axes.set_ylabel("NF (%)", fontsize=_LABEL)
    _legend(axes, [(line.order, *_STYLES[line.order]) for line in lines])
    _dress(axes)


def _aside(axes: Axes, place: int, n: int) -> Transform:
    """Where the ``place``-th of ``n`` orders is drawn: a little beside the others."""
    from matplotlib.transforms import ScaledTranslation

    points = _ASIDE * (place - (n - 1) / 2)
    return axes.transData + ScaledTranslation(points / 72, 0, axes.figure.dpi_scale_trans)


def _limits(scores: Sequence[Estimate]) -> tuple[float, float]:
    """Wide intervals, of two seeds say, must not press all lines into one."""
    means = [100 * score.mean for score in scores if math.isfinite(score.mean)]
    halves = [100 * score.half for score in scores if math.isfinite(score.half)]
    low, high = min(means), max(means)
    beyond = min(max(halves, default=0.0), max(high - low, 1.0)) + 0.06 * max(high - low, 1.0)
    # Nothing is above 100; a marker there needs some room all the same.
    return max(low - beyond, -2.0), min(high + beyond, 102.0)


def _costs(axes: Axes, lines: Sequence[_Line], parameters: float, macs: float) -> None:
    # Where all groups are of one size, all orders cost the same.
    alike = len({(line.parameters, line.macs) for line in lines}) == 1
    shown = lines[:1] if alike else lines
    for place, line in enumerate(shown):
        colour, marker, _ = (_INK, "o", "") if alike else _STYLES[line.order]
        for values, most, style, filled in (
            (line.parameters, parameters, "-", True),
            (line.macs, macs, ":", False),
        ):
            axes.plot(
                line.counts,
                [100 * value / most for value in values],
                color=colour,
                linestyle=style,
                linewidth=0.9,
                marker=marker,
                markersize=3.2 if filled else 3.8,
                markerfacecolor=colour if filled else "white",
                markeredgewidth=0.8,
                transform=_aside(axes, place, len(shown)),
            )
    axes.set_ylim(0, 108)
    axes.set_ylabel("cost (% of all)", fontsize=_LABEL)
    marker = "o" if alike else ""
    _legend(
        axes,
        [
            (f"parameters (all: {_short(parameters)})", _INK, marker, "-"),
            (f"MACs (all: {_short(macs)})", _INK, marker, ":"),
        ],
        open_last=True,
    )
    _dress(axes)


def _short(number: float) -> str:
    """Three digits that count: 24.1k, 54.6M; the table has all of them."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"


def _legend(
    axes: Axes, entries: Sequence[tuple[str, str, str, Any]], *, open_last: bool = False
) -> None:
    """Above the axes, where it can hide nothing."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            linestyle=style,
            linewidth=0.9,
            markersize=3.2,
            markerfacecolor="white" if open_last and place == len(entries) - 1 else colour,
            label=name,
        )
        for place, (name, colour, marker, style) in enumerate(entries)
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(entries) if len(entries) < 4 else 3,
        fontsize=_SMALL + 0.5,
        frameon=False,
        borderaxespad=0.1,
        borderpad=0.1,
        handlelength=2.2,
        columnspacing=1.2,
    )


def _across(axes: Axes, counts: Sequence[int], n: int) -> None:
    """Ticks at the counts, as far as their numbers have room."""
    from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

    logarithmic = n > _LINEAR
    if logarithmic:
        axes.set_xscale("log", base=2)
        axes.set_xlim(counts[0] / 1.15, n * 1.15)
    else:
        axes.set_xlim(counts[0] - 0.3, n + 0.3)

    def place(count: int) -> float:
        return math.log2(count) if logarithmic else float(count)

    point = (place(n) - place(counts[0]) or 1.0) / (0.75 * 72 * ONE_COLUMN)
    shown = [counts[-1]]
    for count in reversed(counts):
        if place(shown[-1]) - place(count) >= _TICK * point:
            shown.append(count)
    axes.xaxis.set_major_locator(FixedLocator(shown[::-1]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))


def _dress(axes: Axes) -> None:
    axes.tick_params(labelsize=_SMALL + 0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
