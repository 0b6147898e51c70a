"""Confusion matrices: percent of each true class, over all cells of a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harbench.report.figures.drawing import Drawing
from harbench.report.figures.per_class import Cells
from harbench.report.figures.rows import Subject, listed
from harbench.report.figures.style import (
    FAINT,
    FIXED_BLACK,
    FIXED_WHITE,
    LINE,
    MARGIN,
    POINTS,
    SIZE,
    SMALL,
    new_sheet,
    styled,
)
from harbench.report.figures.text import distinct, plain, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASSES_AT_MOST = 60
_TALLEST, _READABLE = 26.0, 5.0  # a cell's height; the smallest number


def summed(cells: Cells) -> NDArray[np.int64] | None:
    """Counts [n_classes, n_classes] over all cells, row = true; None where none are stored."""
    found = [np.asarray(r["confusion"], np.int64) for _, _, r in cells if r.get("confusion")]
    return np.sum(found, axis=0) if found else None


def confusion_drawings(subject: Subject, cells: Mapping[str, Cells], slugs: Mapping[str, str],
                       slug: str) -> list[Drawing]:  # fmt: skip
    """One for each row.

    Args:
        subject: The benchmark.
        cells: Row -> its cells.
        slugs: Row -> part of a name.
        slug: Begin of the names.
    """
    found = []
    classes = subject.manifest["classes"]
    for row in (row for row in subject.best_first if row.name in cells):
        counts = summed(cells[row.name])
        if counts is None or len(classes) > CLASSES_AT_MOST or not counts.any():
            continue
        n = len(cells[row.name])
        notes = [
            f"{row.name}{' (leaky)' * row.leaky}: percent of the windows of a true class; "
            f"{n} {'cells' if n > 1 else 'cell'} together.",
            *subject.warnings_of([row]),
        ]
        found.append(
            Drawing(
                f"{slug}-confusion-{slugs[row.name]}",
                "confusion",
                f"{subject.table.name}: confusion matrix of {row.name}",
                " ".join([*notes, *_said(counts, classes)]),
                partial(draw_confusion, counts, classes, notes, subject.width),
                row.name,
            )
        )
    return found


def shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Percent of each true class; NaN in the row of one without windows."""
    with np.errstate(invalid="ignore"):
        return np.asarray(100 * counts / counts.sum(axis=1, keepdims=True), np.float64)


def _said(counts: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
    percent = shares(counts)
    right = [f"{name} {percent[i, i]:.0f}" for i, name in enumerate(classes) if counts[i].any()]
    wrong = [
        (percent[i, j], f"{classes[i]} taken for {classes[j]} {percent[i, j]:.0f}")
        for i, j in zip(*np.nonzero(counts), strict=True)
        if i != j and percent[i, j] >= 0.5
    ]
    most = [text for _, text in sorted(wrong, reverse=True)[:8]]
    said = [f"Right, in percent: {listed(right, 25)}."]
    return said + ([f"Most frequent errors, in percent: {'; '.join(most)}."] if most else [])


def draw_confusion(
    counts: NDArray[np.int64], classes: Sequence[str], notes: Sequence[str], width: float
) -> Figure:
    """True classes down, predicted ones across; a cell without windows is white.

    Args:
        counts: [n_classes, n_classes].
        classes: Names.
        notes: Below.
        width: In mm.
    """
    with styled():
        return _drawn(shares(counts), classes, notes, width)


def _drawn(
    percent: NDArray[np.float64], classes: Sequence[str], notes: Sequence[str], width: float
) -> Figure:
    from matplotlib.collections import PolyCollection

    n, points = len(classes), width * POINTS
    size = max(_READABLE, min(SIZE, (0.75 * points / n) / LINE))
    widest = max(text_width(plain(name)[:200], size) for name in classes)
    size = min(size, SMALL) if widest > 0.3 * points else size
    names = distinct(classes, size, 0.3 * points)
    longest = max(text_width(name, size) for name in names)
    left = MARGIN + SIZE * LINE + 3 + longest + 3
    cell = (points - MARGIN - left) / n
    tall = max(min(cell, _TALLEST), size * 1.1)
    upright = max(text_width(name, size) for name in names) + 4 > cell
    top = MARGIN + SIZE * LINE + 2 + (longest if upright else size * LINE) + 3
    lines = [line for note in notes for line in wrapped(note, SMALL, points - 2 * MARGIN)]
    below = top + tall * n + 5
    sheet = new_sheet(width, below + len(lines) * SMALL * LINE + MARGIN)
    axes = sheet.axes(left, top, cell * n, tall * n)
    axes.set(xlim=(0, n), ylim=(n, 0))
    axes.set_axis_off()
    axes.add_collection(PolyCollection([_square(0, 0, n, n)], facecolors=FIXED_WHITE))
    places = [(int(i), int(j)) for i, j in np.argwhere(percent > 0)]
    axes.add_collection(
        PolyCollection(
            [_square(j, i, j + 1, i + 1) for i, j in places],
            facecolors=[_colour(percent[i, j]) for i, j in places],
            edgecolors="none",
        )
    )
    grid: dict[str, Any] = {"color": FAINT, "linewidth": 0.25, "zorder": 3}
    for k in range(n + 1):
        axes.plot([0, n], [k, k], clip_on=False, **grid)
        axes.plot([k, k], [0, n], clip_on=False, **grid)
    _numbers(axes, percent, places, cell, tall)
    for i in np.flatnonzero(np.isnan(percent).all(axis=1)).tolist():
        axes.text(n / 2, i + 0.5, "no test window", fontsize=min(size, SMALL), color=FIXED_BLACK,
                  ha="center", va="center_baseline", parse_math=False)  # fmt: skip
    for k, name in enumerate(names):
        sheet.write(left - 3, top + (k + 0.5) * tall, name, fontsize=size, ha="right",
                    va="center_baseline")  # fmt: skip
        middle = left + (k + 0.5) * cell
        if upright:
            # Rotated about its anchor: left is below, and the middle of a line is half an x away.
            sheet.write(middle + 0.36 * size, top - 3, name, fontsize=size, rotation=90,
                        va="baseline")  # fmt: skip
        else:
            sheet.write(middle, top - 3, name, fontsize=size, ha="center", va="bottom")
    sheet.write(left + cell * n / 2, MARGIN, "predicted", ha="center")
    sheet.write(MARGIN, top + tall * n / 2, "true", rotation=90, ha="center")
    sheet.lines(MARGIN, below, lines)
    return sheet.figure


def _square(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _colour(percent: float) -> tuple[float, ...]:
    """From light blue to dark; one hue, which colour-blind readers and grey prints keep."""
    from matplotlib import colormaps

    # The lightest tenth could not be told from white, which stands for none.
    found: tuple[float, ...] = colormaps["Blues"](0.1 + 0.9 * float(percent) / 100)
    return found


def _numbers(
    axes: Any,
    percent: NDArray[np.float64],
    places: Sequence[tuple[int, int]],
    cell: float,
    tall: float,
) -> None:
    """The numbers in the cells, where there is room for the smallest that can be read."""
    texts = [shown(percent[i, j]) for i, j in places]
    widest = max((text_width(text, 1.0) for text in texts), default=1.0)
    size = min(SMALL, 0.92 * cell / widest, 0.75 * tall)
    if size < _READABLE:
        return
    for (i, j), text in zip(places, texts, strict=True):
        axes.text(j + 0.5, i + 0.5, text, fontsize=size, color=ink(_colour(percent[i, j])),
                  ha="center", va="center_baseline", zorder=4, parse_math=False)  # fmt: skip


def shown(percent: float) -> str:
    """Two digits at most; a share below 100 % is never 100, and one above 0 never 0."""
    if percent < 0.5:
        return "<1"
    return f"{min(percent, 99.0):.0f}" if percent < 100 else "100"


def ink(colour: Sequence[float]) -> str:
    """White or black, whichever has the greater contrast (WCAG 2.1) on a colour [r, g, b, ...]."""
    linear = [c / 12.92 if c <= 0.04045 else math.pow((c + 0.055) / 1.055, 2.4) for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return FIXED_WHITE if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else FIXED_BLACK
