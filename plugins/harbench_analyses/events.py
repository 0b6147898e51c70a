"""Events: which were found, deleted, inserted, merged, fragmented, and how late; class by class.

From the stored predictions of test windows, spread over samples; see docs/events.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import harbench
from harbench.errors import ConfigError
from harbench.nouns import TrainedCell
from harbench.nouns.names import plain
from harbench_analyses.events_counting import RowEvents, counted_events, tables
from harbench_analyses.events_figure import bars
from harbench_analyses.rows import by_row

TRUTHS = ("windows", "samples")


def events(
    cells: Sequence[TrainedCell], *, row: str | None = None, truth: str = "windows"
) -> harbench.AnalysisResult:
    """Ward's categories of events and samples, segment F1 and detection delay of each row.

    Args:
        cells: Of one benchmark.
        row: Only this one of the table; None is all.
        truth: ``windows``: true events are made of the classes of the test windows, spread as the
            predictions are, which needs no data. ``samples``: of the dataset's own labels, which
            must be here.

    Raises:
        ConfigError: no trained row is called so, or there is no such truth.
        ResultsError: there is no cell, or its predictions cannot be read.
        DataMissingError: the labels are asked for, and are not here.
    """
    if truth not in TRUTHS:
        raise ConfigError(
            f"true events cannot be made of '{truth}'",
            where="truth",
            expected=f"one of {', '.join(TRUTHS)}",
        )
    rows = by_row(cells, row)
    every = [counted_events(name, of_row, truth) for name, of_row in rows.items()]
    simulates = cells[0].simulates
    found, figures = {}, {}
    for of_row in every:
        found.update(tables(of_row))
        stem = f"events-{plain(of_row.title)}"
        # Two names may differ in punctuation alone.
        while stem in figures:
            stem += "-again"
        mark = " (simulated data)" if simulates else ""
        figures[stem] = bars(of_row, title=f"{of_row.title}: events{mark}")
    notes = [f"The recordings are SIMULATED, in the format of {simulates}."] if simulates else []
    return harbench.AnalysisResult(found, (*notes, *_notes(every, cells[0], truth)), figures)


def _notes(every: Sequence[RowEvents], cell: TrainedCell, truth: str) -> list[str]:
    settings = cell.record["settings"]
    notes = [
        {
            "windows": "True events are made of the classes of the test windows, spread over "
            "samples as the predictions are; --option truth=samples takes the dataset's labels.",
            "samples": "True events are those of the dataset's labels.",
        }[truth]
    ]
    for said in dict.fromkeys(of_row.said for of_row in every):
        titles = [of_row.title for of_row in every if of_row.said == said]
        which = f"{', '.join(titles)}: " if len(titles) < len(every) else ""
        notes.append(f"{which}Counts are of test data, {said}; a table's last line is the sum.")
    notes.append(
        "Samples: percent of the samples of the class, then of all others. Segment F1 is of all "
        "cells together. Delays count from the start of an event to its first right sample, of "
        "events that were found; windows look ahead, so a system in use would be later."
    )
    if settings["protocol"].get("within") == "segment":
        notes.append(
            "Windows lie within segments of one label, so where events begin and end was known: "
            "these scores say nothing about finding them."
        )
    if settings["split"].get("kind") == "random-windows":
        notes.append(
            "Test windows were drawn at random: they cut recordings anywhere, so events are pieces."
        )
    if cell.record["null"] is None:
        notes.append(
            "There is no NULL class: an event that is inserted takes its samples from another."
        )
    return notes


@harbench.hookimpl
def register_analyses(register: Callable[[harbench.Analysis], None]) -> None:
    """Offer the analysis."""
    register(
        harbench.Analysis(
            "events", "events found, missed, inserted, merged, fragmented, and how late", events
        )
    )
