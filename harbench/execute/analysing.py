"""Analyses: run on trained cells, kept in the store, and not run again while nothing changed."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harbench.errors import ConfigError, HarbenchError, PluginError, did_you_mean
from harbench.nouns import Analysis, TrainedCell, Trainer
from harbench.plan.keys import harbench_digest, key_of, source_digest
from harbench.results import Store
from harbench.results.records import FORMAT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harbench.nouns import AnalysisResult

FIGURE_FORMATS = ("pdf", "svg", "png")

# What an analysis is given goes through these, besides its own code.
_ROOMS = ("data", "metrics", "nouns", "execute/trained.py")


@dataclass(frozen=True)
class Analysed:
    """What an analysis found, as the store keeps it.

    Args:
        folder: With ``result.json``, each table as CSV, each figure as PDF, SVG and PNG.
        content: Of ``result.json``: ``analysis``, ``options``, ``simulates``, ``tables`` (title
            -> ``columns`` and ``rows``; NaN is null), ``notes``, ``figures``, ``cells`` (keys of
            those that were read), ``trained`` (keys of those that it had trained).
        cached: Whether it was there already.
    """

    folder: Path
    content: dict[str, Any]
    cached: bool


def analyse(
    analysis: Analysis,
    entry: str,
    cells: Sequence[TrainedCell],
    options: Mapping[str, Any],
    train: Trainer,
    store: Store,
) -> Analysed:
    """Run an analysis on the finished cells of a benchmark, or find that it was run.

    Args:
        analysis: Which.
        entry: What the result is called in the store.
        cells: Of one benchmark, at least one.
        options: Of the analysis.
        train: For an analysis that trains.
        store: Results folder.

    Raises:
        HarbenchError: what the analysis refuses; PluginError where it breaks.
    """
    benchmark = cells[0].benchmark
    key = analysis_key(analysis, cells, options)
    folder = store.analysis_folder(benchmark, entry)
    found = store.analysis(benchmark, entry)
    if found is not None and found["key"] == key:
        return Analysed(folder, found, cached=True)
    trained: list[str] = []

    def remembered(wanted: Any) -> list[list[TrainedCell]]:
        made = train(wanted)
        trained.extend(cell.key for of_variant in made for cell in of_variant)
        return made

    try:
        given = (cells, remembered) if analysis.trains else (cells,)
        result = analysis.run(*given, **options)
        content = {
            "format": FORMAT,
            "key": key,
            "benchmark": benchmark,
            "analysis": analysis.name,
            "options": {**analysis.options, **options},
            "simulates": cells[0].simulates,
            "tables": {title: _plain(table) for title, table in result.tables.items()},
            "notes": list(result.notes),
            "figures": list(result.figures),
            "cells": [cell.key for cell in cells],
            "trained": list(dict.fromkeys(trained)),
        }
        files = _files(result)
    except HarbenchError:
        raise
    except Exception as error:
        raise PluginError(
            f"analysis '{analysis.name}' broke: {type(error).__name__}: {error}",
            where=f"benchmark '{benchmark}'",
            fix="see where with --debug",
        ) from error
    store.write_analysis(benchmark, entry, content, files)
    return Analysed(folder, content, cached=False)


def analysis_key(
    analysis: Analysis, cells: Sequence[TrainedCell], options: Mapping[str, Any]
) -> str:
    """Equal key, equal result: the code of the analysis, its options, and the cells."""
    return key_of(
        {
            "analysis": analysis.name,
            "source": source_digest(analysis.run),
            "options": {**analysis.options, **options},
            "cells": [[cell.row, cell.fold, cell.seed, cell.key] for cell in cells],
            "costs": [cell.cost and [cell.cost["parameters"], cell.cost["macs"]] for cell in cells],
            "harbench": harbench_digest(_ROOMS),
        }
    )


def check_options(analysis: Analysis, given: Mapping[str, Any], where: str) -> None:
    """Refuse options that the analysis does not have.

    Raises:
        ConfigError: there is one.
    """
    known = analysis.options
    for key in given:
        if key not in known:
            raise ConfigError(
                f"analysis '{analysis.name}' has no option '{key}'{did_you_mean(key, known)}",
                where=where,
                expected=f"one of {', '.join(known) or '(it has none)'}",
            )


def _plain(table: pd.DataFrame) -> dict[str, Any]:
    rows = [[_value(v) for v in row] for row in table.itertuples(index=False, name=None)]
    return {"columns": [str(column) for column in table.columns], "rows": rows}


def _value(value: Any) -> Any:
    """As JSON has it: numbers of numpy as Python's, what is not finite as null."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _files(result: AnalysisResult) -> dict[str, bytes]:
    files = {}
    for number, (title, table) in enumerate(result.tables.items(), 1):
        name = f"{number:02d}-{_file_name(title)}.csv"
        files[name] = table.to_csv(index=False, lineterminator="\n").encode()
    for name, figure in result.figures.items():
        for ending in FIGURE_FORMATS:
            files[f"{name}.{ending}"] = saved_figure(figure, ending)
    return files


def _file_name(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-")[:80]


def saved_figure(figure: Figure, ending: str) -> bytes:
    """A figure as a file of one of FIGURE_FORMATS; equal figures are equal files."""
    import matplotlib

    # Neither the time nor random identifiers.
    dates: dict[str, dict[str, None]] = {
        "pdf": {"CreationDate": None},
        "svg": {"Date": None},
        "png": {},
    }
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "harbench"}):
        figure.savefig(buffer, format=ending, metadata=dates[ending])
    return buffer.getvalue()
