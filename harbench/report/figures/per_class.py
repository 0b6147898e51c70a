"""F1 of every class, a marker for each model with its interval.

A cell in whose test windows a class does not occur says nothing of it, and is left out there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from harbench.metrics import Summary, summarise
from harbench.report.figures.drawing import Drawing
from harbench.report.figures.rows import Row, Subject, listed
from harbench.report.figures.style import (
    BAND,
    LINE,
    MARGIN,
    POINTS,
    SIZE,
    SMALL,
    STYLES,
    Sheet,
    Style,
    dress,
    format_ticks,
    new_sheet,
    styled,
)
from harbench.report.figures.text import distinct, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cells = Sequence[tuple[str, int, dict[str, Any]]]

CLASSES_AT_MOST = 60
_STEP, _BETWEEN = 4.6, 5.0  # height of a model within a class; room between classes


def class_scores(cells: Cells) -> dict[str, Summary]:
    """Class -> its F1 over the cells in whose test windows it occurs.

    Args:
        cells: Fold, seed and record.
    """
    found: dict[str, dict[tuple[str, int], float]] = {}
    for fold, seed, record in cells:
        scores = record.get("scores", {})
        for name, f1, support in zip(
            scores.get("classes", ()), scores.get("f1", ()), scores.get("support", ()), strict=True
        ):
            if support:
                found.setdefault(name, {})[fold, seed] = f1
    return {name: summarise(values) for name, values in found.items()}


def per_class_drawings(subject: Subject, cells: Mapping[str, Cells], slug: str) -> list[Drawing]:
    """One figure of the best rows; none where no record has scores of classes.

    Args:
        subject: The benchmark.
        cells: Row -> its cells; of the best rows.
        slug: Begin of the name.
    """
    rows = [row for row in subject.best_first if row.name in cells]
    scores = {row.name: class_scores(cells[row.name]) for row in rows}
    shown = [row for row in rows if scores[row.name]][: len(STYLES)]
    if not shown:
        return []
    classes, left_out = _classes(subject, scores)
    said = [
        f"{row.name}: "
        + listed(
            [f"{name} {100 * scores[row.name][name].mean:.0f}" for name in classes
             if name in scores[row.name]], 25,
        )
        for row in shown
    ]  # fmt: skip
    alt = f"F1 of {len(classes)} classes in percent. {'. '.join(said)}."
    notes = [*subject.warnings_of(shown), *_notes(subject, shown, left_out)]
    return [
        Drawing(
            f"{slug}-per-class",
            "per-class",
            f"{subject.table.name}: F1 of each class",
            " ".join([alt, *notes]),
            partial(draw_per_class, subject, shown, classes, scores, notes),
        )
    ]


def _classes(
    subject: Subject, scores: Mapping[str, Mapping[str, Summary]]
) -> tuple[list[str], int]:
    tested = {name for of_row in scores.values() for name in of_row}
    every = [name for name in subject.manifest["classes"] if name in tested]
    return every[:CLASSES_AT_MOST], len(every) - CLASSES_AT_MOST


def _notes(subject: Subject, shown: Sequence[Row], left_out: int) -> list[str]:
    notes = [f"Bars: {subject.intervals}."] if subject.intervals else []
    more = len(subject.rows) - len(shown)
    if more > 0:
        notes.append(f"The best {len(shown)} of {len(subject.rows)} rows.")
    if left_out > 0:
        notes.append(f"The first {CLASSES_AT_MOST} classes; {left_out} more are left out.")
    null = subject.manifest["null"]
    if null is not None and subject.manifest["classes"][null].casefold() != "null":
        notes.append(f"NULL is called {subject.manifest['classes'][null]}.")
    return notes


def draw_per_class(
    subject: Subject,
    rows: Sequence[Row],
    classes: Sequence[str],
    scores: Mapping[str, Mapping[str, Summary]],
    notes: Sequence[str],
) -> Figure:
    """A band for each class, in it a line for each row of the table."""
    with styled():
        width = subject.width * POINTS
        names = distinct(classes, SIZE, 0.36 * width)
        left = MARGIN + max(text_width(name, SIZE) for name in names) + 5
        right = width - MARGIN - text_width("100", SMALL) / 2
        keys = _keys(rows, width - 2 * MARGIN)
        band = max(SIZE * LINE, _STEP * len(rows)) + _BETWEEN
        deep = band * len(classes)
        top = MARGIN + len(keys) * SMALL * LINE + 4
        lines = [line for note in notes for line in wrapped(note, SMALL, width - 2 * MARGIN)]
        axis = top + deep + 4.5 + SMALL * LINE + SIZE * LINE + 4
        sheet = new_sheet(subject.width, axis + len(lines) * SMALL * LINE + MARGIN)
        axes = sheet.axes(left, top, right - left, deep)
        axes.set(xlim=(0, 100), ylim=(deep, 0))
        for number, (name, short) in enumerate(zip(classes, names, strict=True)):
            if number % 2 == 0:
                axes.axhspan(number * band, (number + 1) * band, color=BAND, linewidth=0, zorder=0)
            middle = (number + 0.5) * band
            sheet.write(left - 4, top + middle, short, ha="right", va="center_baseline")
            for place, (row, style) in enumerate(zip(rows, STYLES, strict=False)):
                found = scores[row.name].get(name)
                if found is not None:
                    y = middle + _STEP * (place - (len(rows) - 1) / 2)
                    _mark(axes, found, y, style)
        dress(axes)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.set_xticks([0, 20, 40, 60, 80, 100])
        format_ticks(axes.xaxis, lambda value: f"{value:.0f}")
        axes.grid(axis="x", color="#888888", linewidth=0.3, alpha=0.5)
        sheet.write((left + right) / 2, axis - 4, "F1 (%)", ha="center", va="bottom")
        _legend(sheet, keys)
        sheet.lines(MARGIN, axis, lines)
        return sheet.figure


def _mark(axes: Any, found: Summary, y: float, style: Style) -> None:
    if found.low is not None and found.high is not None:
        ends = [max(100 * found.low, 0), min(100 * found.high, 100)]
        axes.plot(ends, [y, y], color=style.colour, linewidth=0.7, zorder=2)
    axes.plot([100 * found.mean], [y], marker=style.marker, markersize=4, color=style.colour,
              markeredgewidth=0, linestyle="none", clip_on=False, zorder=3)  # fmt: skip


def _keys(rows: Sequence[Row], width: float) -> list[list[tuple[Style, str, float]]]:
    """Lines of the key: style, name and left edge of each entry."""
    names = distinct([row.name for row in rows], SMALL, 0.45 * width)
    lines: list[list[tuple[Style, str, float]]] = [[]]
    x = 0.0
    for row, name, style in zip(rows, names, STYLES, strict=False):
        text = name + row.marks
        takes = 10 + text_width(text, SMALL) + 12
        if lines[-1] and x + takes - 12 > width:
            lines.append([])
            x = 0.0
        lines[-1].append((style, text, x))
        x += takes
    return lines


def _legend(sheet: Sheet, keys: Sequence[Sequence[tuple[Style, str, float]]]) -> None:
    for number, line in enumerate(keys):
        y = MARGIN + (number + 0.5) * SMALL * LINE
        for style, text, x in line:
            sheet.plot([MARGIN + x + 4], [y], marker=style.marker, markersize=4.5,
                       color=style.colour, markeredgewidth=0, linestyle="none")  # fmt: skip
            sheet.write(MARGIN + x + 10, y, text, fontsize=SMALL, va="center_baseline")
