"""Data study: NF with and without NULL, on the benchmark's own part of the data and on all of it.

Table 2 and Fig. 3 of Yan et al. 2022, Sect. 5.4, on any dataset with a NULL class and any model.
All data are split twice: in windows drawn at random, as the paper did ("train-val-test split by
8-1-1"), and in contiguous blocks, so that what the random draw leaks can be measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import harbench
from harbench.errors import ConfigError
from harbench.nouns import TrainedCell, Trainer
from harbench.nouns.names import plain
from harbench_analyses import confusion_counting
from harbench_analyses.confusion import figures
from harbench_analyses.confusion_counting import counted
from harbench_analyses.data_study_notes import notes
from harbench_analyses.data_study_settings import PART, RANDOM, Study, trained
from harbench_analyses.data_study_tables import class_table, leak_table, leaks, nf_table
from harbench_analyses.rows import one_row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def data_study(
    cells: Sequence[TrainedCell],
    train: Trainer,
    *,
    row: str | None = None,
    ratio: Sequence[float] = (8, 1, 1),
    blocks: int = 10,
) -> harbench.AnalysisResult:
    """NF in six settings: {part; full, random windows; full, blocks} x {with, without NULL}.

    Part is the benchmark's own split, as the cells were trained. Every setting has the same seeds,
    model, recipe and windows' length; a split with one fold is trained once a seed.

    Args:
        cells: Of one benchmark.
        train: Trains what is not finished, all at once.
        row: Of the table; None is the first.
        ratio: Train, validation and test of both full splits.
        blocks: That each recording is cut into.

    Raises:
        ConfigError: no such row; an option that cannot be; the task has no NULL class.
        ResultsError: there is no cell; a training failed.
    """
    chosen, others = one_row(cells, row)
    name = chosen[0].row
    study = Study(chosen, _ratio(ratio), _blocks(blocks))
    settings = trained(study, train)
    found: dict[str, pd.DataFrame] = {
        "NF by data and NULL": nf_table(settings),
        "what the random split adds": leak_table(leaks(settings)),
    }
    pictures: dict[str, Figure] = {}
    confused = []
    # Those of Fig. 3.
    for data, short in ((PART, "part"), (RANDOM, "random")):
        setting = settings[data, False]
        confusions = counted(setting.title, setting.cells)
        confused.append(confusions)
        found |= confusion_counting.tables(confusions)
        stem = f"data-study-{plain(name)}-{short}"
        named = replace(confusions, title=f"{name}, {setting.title}")
        pictures |= figures(stem, named, chosen[0].simulates)
    found["per class"] = class_table(settings)
    return harbench.AnalysisResult(found, notes(study, settings, others, confused), pictures)


def _ratio(given: object) -> tuple[float, float, float]:
    """Three shares as numbers.

    Raises:
        ConfigError: they are not that.
    """
    numbers = list(given) if isinstance(given, list | tuple) else []
    fine = len(numbers) == 3 and all(
        isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers
    )
    if not fine or numbers[0] <= 0 or numbers[1] < 0 or numbers[2] <= 0:
        raise ConfigError(
            f"{given!r} is no ratio of train, validation and test",
            where="ratio",
            expected="three numbers such as [8, 1, 1], the first and the last above 0",
        )
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def _blocks(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 3:
        raise ConfigError(
            f"{given!r} is no number of blocks",
            where="blocks",
            expected="3 or more: one at least for train, validation and test",
        )
    return given


@harbench.hookimpl
def register_analyses(register: Callable[[harbench.Analysis], None]) -> None:
    """Offer the analysis."""
    register(
        harbench.Analysis(
            "data-study",
            "NF with and without NULL, on part and on all of the data; what a random split adds",
            data_study,
            trains=True,
        )
    )
