"""Confusion: which classes are taken for which, as Fig. 3 of Yan et al. 2022."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import TrainedCell
from harbench.nouns.names import plain
from harbench_analyses.confusion_counting import (
    Confusions,
    confused_note,
    counted,
    tables,
)
from harbench_analyses.confusion_figure import heat_map
from harbench_analyses.rows import by_row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion(cells: Sequence[TrainedCell], *, row: str | None = None) -> harbench.AnalysisResult:
    """The confusion matrix of each row: counts, and percent of the true class.

    Args:
        cells: Of one benchmark.
        row: Only this one of the table; None is all.

    Raises:
        ConfigError: no trained row is called so.
        ResultsError: there is no cell.
    """
    rows = by_row(cells, row)
    every = [counted(name, of_row) for name, of_row in rows.items()]
    simulates = cells[0].simulates
    found, pictures = {}, {}
    for confusions in every:
        found.update(tables(confusions))
        stem = f"confusion-{plain(confusions.title)}"
        # Two names may differ in punctuation alone.
        while f"{stem}-counts" in pictures:
            stem += "-again"
        pictures.update(figures(stem, confusions, simulates))
    return harbench.AnalysisResult(found, tuple(_notes(every, simulates)), pictures)


def figures(stem: str, found: Confusions, simulates: str | None) -> dict[str, Figure]:
    """Heat maps of the counts and of the percents, named from a stem."""
    mark = " (simulated data)" if simulates else ""
    return {
        f"{stem}-counts": heat_map(
            found.counts,
            found.classes,
            title=f"{found.title}: confusion, counts{mark}",
            percent=False,
        ),
        f"{stem}-percent": heat_map(
            found.percent,
            found.classes,
            title=f"{found.title}: confusion, percent of the true class{mark}",
            percent=True,
        ),
    }


def _notes(every: Sequence[Confusions], simulates: str | None) -> list[str]:
    notes = []
    if simulates:
        notes.append(f"The recordings are SIMULATED, in the format of {simulates}.")
    for said in dict.fromkeys(found.said for found in every):
        titles = [found.title for found in every if found.said == said]
        which = f"{', '.join(titles)}: " if len(titles) < len(every) else ""
        notes.append(f"{which}Counts are test windows, {said}; rows are true classes.")
    blank = dict.fromkeys(
        name
        for found in every
        for name, windows in zip(found.classes, found.counts.sum(axis=1), strict=True)
        if windows == 0
    )
    if blank:
        notes.append(f"Without a test window, and so without percents: {', '.join(blank)}.")
    return [*notes, *(confused_note(found) for found in every)]


@harbench.hookimpl
def register_analyses(register: Callable[[harbench.Analysis], None]) -> None:
    """Offer the analysis."""
    register(harbench.Analysis("confusion", "which classes are taken for which", confusion))
