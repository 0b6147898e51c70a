"""Learning curves: loss and validation score per epoch, every cell thin, their mean thick.

The mean is drawn as far as all cells went: after the first of them stopped it would be another's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from harbench.report.figures.drawing import Drawing
from harbench.report.figures.per_class import Cells
from harbench.report.figures.rows import Subject
from harbench.report.figures.style import (
    LINE,
    MARGIN,
    POINTS,
    SIZE,
    SMALL,
    STYLES,
    Style,
    dress,
    format_ticks,
    new_sheet,
    styled,
)
from harbench.report.figures.text import fitted, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THIN_AT_MOST = 24
"""Cells that get a thin line; the mean is that of all."""

_HEIGHT = 92.0


@dataclass(frozen=True)
class Series:
    """What is drawn in one panel under one name.

    Args:
        name: "training", "validation" or the score.
        style: Its own.
        cells: Of each cell the value of each epoch, from the first.
    """

    name: str
    style: Style
    cells: tuple[tuple[float, ...], ...]

    @property
    def mean(self) -> list[float]:
        """Over all cells, as far as the shortest went."""
        shortest = min(len(cell) for cell in self.cells)
        return [sum(c[e] for c in self.cells) / len(self.cells) for e in range(shortest)]


def series_of(cells: Cells, key: str, name: str, style: Style, scale: float = 1) -> Series | None:
    """The curves of one number; None where no cell has it.

    Args:
        cells: Fold, seed and record.
        key: Of the entries of a record's curve.
        name, style: Of the series.
        scale: 100 for percent.
    """
    found = []
    for _, _, record in cells:
        values = [entry.get(key) for entry in record.get("curve") or ()]
        # One epoch is no curve: an estimator is fitted in one.
        if len(values) > 1 and all(isinstance(value, int | float) for value in values):
            found.append(tuple(scale * float(value) for value in values))
    return Series(name, style, tuple(found)) if found else None


def curve_drawings(
    subject: Subject, cells: Mapping[str, Cells], slugs: Mapping[str, str], slug: str
) -> list[Drawing]:
    """One for each row that was trained in epochs.

    Args:
        subject: The benchmark.
        cells: Row -> its cells.
        slugs: Row -> part of a name.
        slug: Begin of the names.
    """
    found = []
    for row in (row for row in subject.best_first if row.name in cells):
        of_row = cells[row.name]
        loss = [
            one
            for one in (
                series_of(of_row, "train_loss", "training", STYLES[1]),
                series_of(of_row, "validation_loss", "validation", STYLES[0]),
            )
            if one
        ]
        name = _metric(subject, of_row)
        score = series_of(of_row, f"validation_{name}", "validation", STYLES[0], 100)
        panels = [("loss", loss)] if loss else []
        panels += [(f"{_title(subject, name)} (%)", [score])] if score else []
        if not panels:
            continue
        kept = [r["kept_epoch"] for _, _, r in of_row if r.get("kept_epoch") and score]
        notes = _notes(
            row.name + " (leaky)" * row.leaky, panels, bool(kept), subject.warnings_of([row])
        )
        said = [text for title, of in panels for s in of for text in [_said(title, s)]]
        if kept:
            said.append(f"Kept: epoch {', '.join(map(str, sorted(set(kept))))}.")
        found.append(
            Drawing(
                f"{slug}-curves-{slugs[row.name]}",
                "curves",
                f"{subject.table.name}: learning curves of {row.name}",
                " ".join([*said, *notes]),
                partial(draw_curves, panels, kept, notes, subject.width),
                row.name,
            )
        )
    return found


def _metric(subject: Subject, cells: Cells) -> str:
    """The score whose curve is drawn: the table's, where it was watched, else NF."""
    entries = [entry for _, _, record in cells for entry in record.get("curve") or ()]
    return subject.metric if any(f"validation_{subject.metric}" in e for e in entries) else "nf"


def _title(subject: Subject, metric: str) -> str:
    return subject.metric_title if metric == subject.metric else "NF"


def _notes(
    name: str, panels: Sequence[tuple[str, Sequence[Series]]], kept: bool, warnings: Sequence[str]
) -> list[str]:
    every = [series for _, of_panel in panels for series in of_panel]
    n = max(len(series.cells) for series in every)
    if n > 1:
        thin = f"{THIN_AT_MOST} of " if n > THIN_AT_MOST else ""
        lines = f"thin: {thin}{n} cells; thick: mean of all, as far as all went"
    else:
        lines = "one cell"
    dots = "; dots: the epochs that were kept" if kept else ""
    first = f"{name}: {lines}{dots}."
    without = not any(series.name == "validation" for series in every)
    return [first, *(["Nothing was left to validate on."] if without else []), *warnings]


def _said(title: str, series: Series) -> str:
    mean = series.mean
    best = min(mean) if title == "loss" else max(mean)
    word = "lowest" if title == "loss" else "highest"
    what = title.removesuffix(" (%)")
    return (
        f"Mean {series.name} {what} from {mean[0]:.3g} after epoch 1 to {mean[-1]:.3g} after epoch "
        f"{len(mean)}, {word} {best:.3g} after epoch {mean.index(best) + 1}."
    )


def draw_curves(
    panels: Sequence[tuple[str, Sequence[Series]]],
    kept: Sequence[int],
    notes: Sequence[str],
    width: float,
) -> Figure:
    """Loss to the left, score to the right.

    Args:
        panels: Title and series.
        kept: Epoch of each cell whose weights were kept; empty where not known.
        notes: Below.
        width: In mm.
    """
    with styled():
        points = width * POINTS
        lines = [line for note in notes for line in wrapped(note, SMALL, points - 2 * MARGIN)]
        top = MARGIN + SIZE * LINE + 2 + SMALL * LINE + 2
        axis = top + _HEIGHT + 4.5 + SMALL * LINE + SIZE * LINE + 4
        sheet = new_sheet(width, axis + len(lines) * SMALL * LINE + MARGIN)
        numbers, gap = text_width("0.00", SMALL) + 6, 10.0
        each = (points - 2 * MARGIN - 2 - gap * (len(panels) - 1)) / len(panels) - numbers
        for place, (title, of_panel) in enumerate(panels):
            left = MARGIN + numbers + place * (each + numbers + gap)
            axes = sheet.axes(left, top, each, _HEIGHT)
            _panel(axes, of_panel, kept if title != "loss" else ())
            sheet.write(left - numbers, MARGIN, fitted(title, SIZE, each + numbers))
            if len(of_panel) > 1 or of_panel[0].name != "validation":
                x = left
                for series in of_panel:
                    y = MARGIN + SIZE * LINE + 2 + SMALL * 0.6
                    sheet.plot([x, x + 14], [y, y], color=series.style.colour, linewidth=1.2,
                               linestyle=series.style.line)  # fmt: skip
                    sheet.write(x + 17, y, series.name, fontsize=SMALL, va="center_baseline")
                    x += 17 + text_width(series.name, SMALL) + 8
            sheet.write(left + each / 2, axis - 4, "epoch", ha="center", va="bottom")
        sheet.lines(MARGIN, axis, lines)
        return sheet.figure


def _panel(axes: Axes, of_panel: Sequence[Series], kept: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    longest = 1
    for series in of_panel:
        style: dict[str, Any] = {"color": series.style.colour, "linestyle": series.style.line}
        alone = len(series.cells) == 1
        for number, cell in enumerate(series.cells):
            longest = max(longest, len(cell))
            epochs = range(1, len(cell) + 1)
            if number < THIN_AT_MOST and not alone:
                axes.plot(epochs, cell, linewidth=0.4, alpha=0.6, **style)
            if number < min(len(kept), THIN_AT_MOST) and 0 < kept[number] <= len(cell):
                axes.plot([kept[number]], [cell[kept[number] - 1]], marker="o", markersize=2.6,
                          color=series.style.colour, markeredgewidth=0)  # fmt: skip
        mean = series.mean
        axes.plot(range(1, len(mean) + 1), mean, linewidth=1.3, **style)
    dress(axes)
    axes.set_xlim(1 - 0.02 * longest, 1.02 * longest + 0.1)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    format_ticks(axes.xaxis, lambda value: f"{value:.0f}")
    format_ticks(axes.yaxis, lambda value: f"{value:.3g}")
