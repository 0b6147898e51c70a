"""Saliency: which channels a trained network looks at, for a class or for the whole dataset.

Yan et al. 2022, Sect. 4 and 5.5, with other methods beside theirs, and with checks that say how
far the ranking can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

import harbench
from harbench.errors import ConfigError, ResultsError
from harbench.nouns import Channel, TrainedCell
from harbench.nouns.names import class_named, plain
from harbench_analyses.attribution import METHODS, REDUCTIONS, choose
from harbench_analyses.body_map import body_map
from harbench_analyses.body_positions import by_position
from harbench_analyses.channel_figures import ONE_COLUMN, TWO_COLUMNS, curve, grid
from harbench_analyses.rows import one_row
from harbench_analyses.saliency_measuring import (
    MeanMap,
    Measured,
    mean_map,
    mean_of_finite,
    measure,
    one_thread,
    over_classes,
)
from harbench_analyses.saliency_notes import Findings, notes
from harbench_analyses.saliency_tables import channel_tables, class_table
from harbench_analyses.trust import Map, agreement, spearman
from harbench_analyses.trust import top as top_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOP_OF_EACH = 5  # channels of each class, in the dataset's table
_ALL = "all classes"


def saliency(
    cells: Sequence[TrainedCell],
    *,
    class_name: str | None = None,
    row: str | None = None,
    method: str = "gradient",
    reduction: str = "signed",
    top: int = 10,
    part: str = "test",
) -> harbench.AnalysisResult:
    """Importance of every channel, mean over the trained networks of a row.

    Args:
        cells: Of one benchmark.
        class_name: Case, spaces and punctuation make no difference. None is the map of the whole
            dataset: the mean of the maps of its classes, NULL left out.
        row: Of the table; None is the first.
        method, reduction: How a value comes about; the defaults are the paper's.
        top: Channels to list at either end.
        part: "test", "validation" or "train": where the windows come from.

    Raises:
        ConfigError: no such class, row, method, reduction or part.
        ResultsError: the class has no window in that part; weights are missing.
    """
    choose(method, METHODS, "method")
    choose(reduction, REDUCTIONS, "reduction")
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ConfigError(f"{top!r} is no number of channels", where="top", expected="1 or more")
    chosen, others = one_row(cells, row)
    classes, null = chosen[0].record["classes"], chosen[0].record["null"]
    wanted = None if class_name is None else class_named(str(class_name), classes, "class")
    names = [wanted] if wanted else [c for i, c in enumerate(classes) if i != null]

    measured: list[Measured] = []
    for cell in chosen:
        # One after another: the signals of a cell may fill much of the memory.
        loaded = cell.load()
        with one_thread():
            measured += measure(cell, loaded, names, method, reduction, part)
    if not measured:
        raise ResultsError(
            f"no {part} window is of class '{wanted}'" if wanted else f"there is no {part} window",
            where=chosen[0].row,
            expected="a part that has some: train, validation or test",
        )
    by_class = {name: [m for m in measured if m.name == name] for name in names}
    by_class = {name: found for name, found in by_class.items() if found}
    shown = measured if wanted else over_classes(measured, _ALL)
    mean, title, channels = mean_map(shown), wanted or _ALL, loaded.channels
    n_listed = min(top, len(channels))
    tables = channel_tables(title, mean, channels, loaded.dataset, n_listed)
    maps = {name: mean_map(found).values for name, found in by_class.items()}
    if not wanted:
        tables["by class"] = class_table(maps, channels, min(_TOP_OF_EACH, len(channels)))
    findings = Findings(
        method=method,
        reduction=reduction,
        part=part,
        row=chosen[0].row,
        other_rows=others,
        class_name=wanted,
        n_networks=len(chosen),
        n_without=len(chosen) - len(shown),
        n_windows=sum(m.n_windows for m in shown),
        unit=mean.unit if mean.half is not None else None,
        n_listed=n_listed,
        n_channels=len(channels),
        agreement=agreement([m.values for m in shown], n_listed),
        untrained=mean_of_finite([spearman(m.values, m.untrained) for m in shown]),
        deletion=float(np.mean([m.deletion for m in shown])),
        insertion=float(np.mean([m.insertion for m in shown])),
        with_best=mean_of_finite([spearman(m.values, m.best) for m in shown]),
        dataset=loaded.dataset,
        normalise=chosen[0].record["settings"]["protocol"]["normalise"],
    )
    figures = _figures(title, mean, {} if wanted else maps, channels, findings)
    return harbench.AnalysisResult(tables, notes(findings), figures)


def _figures(
    title: str,
    mean: MeanMap,
    maps: dict[str, Map],
    channels: Sequence[Channel],
    findings: Findings,
) -> dict[str, Figure]:
    how = f"{findings.method}, {findings.reduction}"
    simulated = " (simulated data)" if findings.dataset.simulates else ""
    stem = f"saliency-{plain(findings.row)}"
    name, text = f"{stem}-{plain(title)}", f"{title}, {findings.row}{simulated}"
    figures = {
        f"{name}{suffix}": curve(
            mean.values,
            mean.half,
            channels,
            title=text,
            ylabel=how,
            marked=top_of(mean.values, min(findings.n_listed, 5)).tolist(),
            width=width,
        )
        for suffix, width in (("", TWO_COLUMNS), ("-column", ONE_COLUMN))
    }
    positions = by_position(mean.values, channels)
    figures[f"{name}-body"] = body_map(positions, title=text, measure=how)
    if maps:
        text = f"Every class, {findings.row}: {how}{simulated}; each on its own scale"
        figures[f"{stem}-grid"] = grid(maps, channels, title=text)
    return figures


@harbench.hookimpl
def register_analyses(register: Callable[[harbench.Analysis], None]) -> None:
    """Offer the analysis."""
    register(harbench.Analysis("saliency", "which channels a trained network looks at", saliency))
