"""What can be drawn of a benchmark."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harbench.report.figures.confusion import confusion_drawings
from harbench.report.figures.curves import curve_drawings
from harbench.report.figures.drawing import COLUMN, Drawing
from harbench.report.figures.pareto import pareto_drawings
from harbench.report.figures.per_class import per_class_drawings
from harbench.report.figures.rows import Subject
from harbench.report.figures.stored import stored_drawings
from harbench.report.figures.style import STYLES
from harbench.report.figures.text import clipped
from harbench.report.tabular import Table
from harbench.results import Store

if TYPE_CHECKING:
    from harbench.report.comparison import ComparisonPage

ROWS_AT_MOST = 12
"""Rows that get a figure of their own (confusion matrix, learning curve) where not told else."""

RANKED_AT_MOST = 40
"""Rows of a critical-difference diagram; every one has a line of text."""

_SLUG = 60  # letters of a part of a name
_TITLE, _ALT = 200, 4000


def drawings(
    store: Store,
    table: Table,
    *,
    metric: str = "nf",
    width: float = COLUMN,
    rows_at_most: int = ROWS_AT_MOST,
) -> list[Drawing]:
    """What can be drawn of a benchmark: costs, classes, curves, ranks, then what analyses drew.

    Nothing is drawn here, but the cells of the best rows are read.

    Args:
        store: Results folder.
        table: Of the benchmark, by :func:`harbench.report.table.comparison_table`; ``metric`` is
            among its metrics.
        metric: The score on the axes.
        width: Of the figures, in mm: COLUMN, PAGE or another. Those that an analysis stored keep
            theirs.
        rows_at_most: The best rows get figures of their own, the others none.

    Returns:
        In reading order; one whose data is not there is left out.

    Raises:
        ResultsError: a record is damaged.
    """
    subject = Subject(store, table, store.benchmark(table.name), metric, width)
    best = [row.name for row in subject.best_first[: max(rows_at_most, len(STYLES))]]
    cells = {name: subject.cells(name) for name in best}
    alone = {name: cells[name] for name in best[:rows_at_most]}
    slugs = dict(zip(best, _distinct([slug(name) for name in best]), strict=True))
    begin = slug(table.name)
    found = [
        *pareto_drawings(subject, begin),
        *_ranked(subject, begin),
        *per_class_drawings(subject, cells, begin),
        *confusion_drawings(subject, alone, slugs, begin),
        *curve_drawings(subject, alone, slugs, begin),
        *stored_drawings(subject, begin),
    ]
    names = _distinct([slug(drawing.name, 2 * _SLUG) for drawing in found])
    return [
        replace(drawing, name=name, title=clipped(drawing.title, _TITLE),
                alt=clipped(drawing.alt, _ALT))
        for drawing, name in zip(found, names, strict=True)
    ]  # fmt: skip


def slug(text: str, most: int = _SLUG) -> str:
    """Lower-case letters, digits and hyphens: a part of a file's name, and of an id in a page."""
    latin = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:most].strip("-") or "x"


def _distinct(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, free = 2, name
        while free in found:
            number, free = number + 1, f"{name}-{number}"
        found.append(free)
    return found


def _ranked(subject: Subject, begin: str) -> list[Drawing]:
    """The critical-difference diagram, where there is something to rank."""
    from harbench.errors import ResultsError
    from harbench.report.comparison import comparison_page
    from harbench.report.critical_difference import caption, critical_difference

    if not 1 < len(subject.rows) <= RANKED_AT_MOST:
        return []
    try:
        page = comparison_page(subject.store, subject.table.name, subject.metric)
    except ResultsError:  # fewer than two rows have scores that can be compared
        return []
    if not len(page.ranked):
        return []
    ranks = sorted(page.models, key=lambda line: line.rank or 0.0)
    said = ", ".join(f"{line.row} {line.rank:.2f}" for line in ranks)
    return [
        Drawing(
            f"{begin}-critical-difference",
            "critical-difference",
            f"{subject.table.name}: average ranks in {subject.metric_title}",
            f"Average ranks, the best first: {said}. {caption(page)} {_groups(page)}".strip(),
            partial(critical_difference, page, subject.width),
        )
    ]


def _groups(page: ComparisonPage) -> str:
    from harbench.report.critical_difference import groups

    found = groups(page)
    if not found:
        return ""
    return f"Not told apart: {'; '.join(' and '.join(group) for group in found)}."
