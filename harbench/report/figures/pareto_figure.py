"""The figure of a score against a cost: points with intervals and names, and the front's line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harbench.report.figures.costs import Cost, front, guessing_text, learnt
from harbench.report.figures.placing import Box, placed
from harbench.report.figures.rows import Row, Subject
from harbench.report.figures.style import (
    BLUE,
    FAINT,
    INK,
    LINE,
    MARGIN,
    POINTS,
    SIZE,
    SMALL,
    Sheet,
    dress,
    format_ticks,
    new_sheet,
    short_number,
    styled,
)
from harbench.report.figures.text import distinct, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALL_NAMED = 24
"""Rows up to which all are named; of more, those of the front."""

_HEIGHT = 150.0  # of the axes
_NAME = 80.0  # the widest name


def draw_pareto(subject: Subject, cost: Cost) -> Figure:
    """The figure of one cost: filled points are on the front, open ones are not."""
    rows = [row for row in learnt(subject)[0] if cost.of(row) is not None]
    best = front(rows, cost)
    with styled():
        return _drawn(subject, cost, rows, best)


def _drawn(subject: Subject, cost: Cost, rows: list[Row], best: list[Row]) -> Figure:
    width = subject.width * POINTS
    left, right = MARGIN + SIZE * LINE + 4 + text_width("100", SMALL) + 5, width - MARGIN - 4
    named = [row for row in rows if len(rows) <= ALL_NAMED or row in best or row.standing == "best"]
    names = [
        name + row.marks
        for name, row in zip(distinct([r.name for r in named], SMALL, _NAME), named, strict=True)
    ]
    notes = _notes(subject, cost, rows, best)
    frame = (0.0, 0.0, right - left, _HEIGHT)
    places = _points(rows, cost, frame)
    bars = [*_bars(rows, places, frame, cost), *_steps(rows, best, places, frame)]
    where = [places[rows.index(row)] for row in named]
    others = [places[place] for place, row in enumerate(rows) if row not in named]
    taken = [(x - 2, y - 2, x + 2, y + 2) for x, y in others]
    texts, key = names, list[str]()
    labels = placed(where, [_size(text) for text in texts], bars, frame, taken)
    if labels is None:
        texts = [str(number) for number in range(1, len(named) + 1)]
        key = [f"{number}  {name}" for number, name in zip(texts, names, strict=True)]
        sizes = [_size(text) for text in texts]
        labels = placed(where, sizes, bars, frame, taken) or placed(
            where, sizes, bars, frame, taken, anyhow=True
        )
    lines = [line for note in notes for line in wrapped(note, SMALL, width - 2 * MARGIN)]
    columns = _columns(key, width - 2 * MARGIN)
    legend = SMALL * LINE + 3
    top = MARGIN + legend
    axis = top + _HEIGHT + 2.5 + 2 + SMALL * LINE + SIZE * LINE + 4
    n_lines = len(lines) + (-(-len(key) // columns) if key else 0)
    sheet = new_sheet(subject.width, axis + n_lines * SMALL * LINE + MARGIN + 3 * bool(key))
    axes = sheet.axes(left, top, right - left, _HEIGHT)
    axes.set(xlim=(frame[0], frame[2]), ylim=(frame[1], frame[3]))
    _axes(axes, rows, cost, frame)
    _legend(sheet, left)
    _paint(axes, rows, best, places, frame, cost)
    for text, label in zip(texts, labels or [], strict=False):
        if label.leader:
            x, y, end_x, end_y = label.leader
            axes.plot([x, end_x], [y, end_y], color=FAINT, linewidth=0.4, zorder=2)
        axes.text(label.x, label.y, text, fontsize=SMALL, color=INK, ha="center",
                  va="center_baseline", zorder=5, parse_math=False)  # fmt: skip
    sheet.write((left + right) / 2, axis - 4, cost.title, ha="center", va="bottom")
    sheet.write(MARGIN, top + _HEIGHT / 2, f"{subject.metric_title} (%)", rotation=90,
                ha="center", va="top")  # fmt: skip
    across = (width - 2 * MARGIN) / columns if key else 0
    deep = -(-len(key) // columns) if key else 0
    for number, entry in enumerate(key):
        sheet.lines(
            MARGIN + (number // deep) * across, axis + (number % deep) * SMALL * LINE, [entry]
        )
    sheet.lines(MARGIN, axis + deep * SMALL * LINE + 3 * bool(key), lines)
    return sheet.figure


def _size(text: str) -> tuple[float, float]:
    return text_width(text, SMALL), SMALL * 1.05


def _columns(key: Sequence[str], width: float) -> int:
    if not key:
        return 1
    return max(1, int(width / (max(text_width(entry, SMALL) for entry in key) + 8)))


def _notes(subject: Subject, cost: Cost, rows: list[Row], best: list[Row]) -> list[str]:
    notes = [*subject.warnings, *subject.ties]
    if subject.intervals:
        notes.append(f"Upright bars: {subject.intervals}; one that reaches the edge goes on.")
    if cost.unit == "ms":
        notes.append("Bars to the right: up to the 95th percentile of the repeated timings.")
    if len(rows) > ALL_NAMED:
        notes.append(f"{len(rows)} rows; only the best and those of the front are named.")
    known, guessing = learnt(subject)
    if guessing:
        notes.append(guessing_text(guessing))
    absent = [row.name for row in known if cost.of(row) is None]
    if absent:
        notes.append(f"Without such a cost: {', '.join(absent[:8])}{' …' * (len(absent) > 8)}.")
    return notes


def _scale(rows: Sequence[Row], cost: Cost) -> tuple[float, float, float, float]:
    """Limits: of the decimal logarithm of the cost, and of the score."""
    from math import log10

    prices = [log10(cost.of(row) or 1.0) for row in rows]
    room = max(0.08 * (max(prices) - min(prices)), 0.15)
    means = [row.mean for row in rows]
    halves = [row.high - row.mean for row in rows if row.high is not None]
    low, high = min(means), max(means)
    # Wide intervals, of two seeds say, must not press all points into one line.
    beyond = min(max(halves, default=0.0), max(high - low, 4.0) / 2)
    beyond += 0.08 * max(high - low, 2.0)
    return (
        min(prices) - room, max(prices) + 1.5 * room,
        max(low - beyond, -2.0), min(high + beyond, 102.0),
    )  # fmt: skip


def _points(rows: Sequence[Row], cost: Cost, frame: Box) -> list[tuple[float, float]]:
    from math import log10

    left, right, low, high = _scale(rows, cost)
    return [
        (
            (log10(cost.of(row) or 1.0) - left) / (right - left) * frame[2],
            (row.mean - low) / (high - low) * frame[3],
        )
        for row in rows
    ]


def _steps(
    rows: Sequence[Row], best: Sequence[Row], places: Sequence[tuple[float, float]], frame: Box
) -> list[Box]:
    """The line of the front."""
    corners = [places[rows.index(row)] for row in best]
    found = []
    for (x, y), (end, above) in zip(
        corners, [*corners[1:], (frame[2], corners[-1][1])], strict=True
    ):
        found += [(x, y - 0.5, end, y + 0.5), (end - 0.5, y, end + 0.5, above)]
    return found


def _bars(
    rows: Sequence[Row], places: Sequence[tuple[float, float]], frame: Box, cost: Cost
) -> list[Box]:
    found = []
    for row, (x, y) in zip(rows, places, strict=True):
        ends = _ends(row, rows, cost, frame)
        if ends:
            found.append((x - 1, max(ends[0], frame[1]), x + 1, min(ends[1], frame[3])))
        slowest = _slowest(row, rows, cost, frame)
        if slowest:
            found.append((x, y - 1, slowest, y + 1))
    return found


def _slowest(row: Row, rows: Sequence[Row], cost: Cost, frame: Box) -> float | None:
    """Where the 95th percentile of the latency is."""
    from math import log10

    p95 = row.record.get("latency_p95_ms")
    if cost.unit != "ms" or not p95:
        return None
    left, right, _, _ = _scale(rows, cost)
    return (log10(p95) - left) / (right - left) * frame[2]


def _ends(row: Row, rows: Sequence[Row], cost: Cost, frame: Box) -> tuple[float, float] | None:
    if row.low is None or row.high is None:
        return None
    _, _, low, high = _scale(rows, cost)
    one, other = ((end - low) / (high - low) * frame[3] for end in (row.low, row.high))
    return one, other


def _paint(
    axes: Axes,
    rows: list[Row],
    best: list[Row],
    places: Sequence[tuple[float, float]],
    frame: Box,
    cost: Cost,
) -> None:
    steps = [places[rows.index(row)] for row in best]
    axes.step([x for x, _ in steps] + [frame[2]], [y for _, y in steps] + [steps[-1][1]],
              where="post", color=BLUE, linewidth=0.9, zorder=1)  # fmt: skip
    for row, (x, y) in zip(rows, places, strict=True):
        colour = BLUE if row in best else INK
        ends = _ends(row, rows, cost, frame)
        if ends:
            axes.plot([x, x], ends, color=colour, linewidth=0.6, marker="_", markersize=3,
                      markeredgewidth=0.6, zorder=2)  # fmt: skip
        slowest = _slowest(row, rows, cost, frame)
        if slowest:
            axes.plot([x, slowest], [y, y], color=colour, linewidth=0.6, zorder=2)
        axes.plot([x], [y], marker="s" if row.leaky else "o", markersize=5, color=colour,
                  markerfacecolor=colour if row in best else "white", markeredgewidth=0.9,
                  linestyle="none", zorder=3)  # fmt: skip


def _axes(axes: Axes, rows: Sequence[Row], cost: Cost, frame: Box) -> None:
    """Ticks: the axes themselves are in points, so that labels can be placed."""
    from math import ceil, floor, log10

    from matplotlib.ticker import FixedLocator, MaxNLocator

    left, right, low, high = _scale(rows, cost)
    wide = right - left > 2
    powers = range(floor(left), ceil(right) + 1)
    major = [10.0**p * f for p in powers for f in ((1,) if wide else (1, 2, 5))]
    minor = [10.0**p * f for p in powers for f in range(1, 10)]

    def across(value: float) -> float:
        return (log10(value) - left) / (right - left) * frame[2]

    inside = [value for value in major if left <= log10(value) <= right]
    # As many numbers as have room.
    while len(inside) > 1 and len(inside) * 26 > frame[2]:
        inside = inside[::2]
    axes.set_xticks([across(value) for value in inside])
    axes.xaxis.set_minor_locator(
        FixedLocator([across(v) for v in minor if left <= log10(v) <= right])
    )
    by_place = {round(across(value), 6): value for value in inside}
    dress(axes)
    format_ticks(axes.xaxis, lambda place: short_number(by_place[round(place, 6)]))
    scores = [s for s in MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
              if max(low, 0) <= s <= min(high, 100)]  # fmt: skip
    axes.set_yticks([(score - low) / (high - low) * frame[3] for score in scores])
    format_ticks(axes.yaxis, lambda place: f"{place / frame[3] * (high - low) + low:.3g}")


def _legend(sheet: Sheet, left: float) -> None:
    """Above the axes, where it hides nothing."""
    y = MARGIN + SMALL * 0.6
    for text, filled in (("on the Pareto front", True), ("not on it", False)):
        colour = BLUE if filled else INK
        if filled:
            sheet.plot([left, left + 14], [y, y], color=BLUE, linewidth=0.9)
        sheet.plot([left + 7], [y], marker="o", markersize=5, color=colour, linestyle="none",
                   markerfacecolor=colour if filled else "white", markeredgewidth=0.9)  # fmt: skip
        sheet.write(left + 18, y, text, fontsize=SMALL, va="center_baseline")
        left += 18 + text_width(text, SMALL) + 12
