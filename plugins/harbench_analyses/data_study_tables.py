"""Tables of the data study: scores of the six settings, the leak, F1 of every class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harbench.metrics.intervals import Summary, summarise
from harbench.nouns import TrainedCell
from harbench_analyses.data_study_settings import BLOCKS, RANDOM, Setting, Settings, said

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Leak:
    """What windows drawn at random add to NF, over contiguous blocks of the same data.

    Args:
        with_null: Whether NULL is a class.
        random, blocks: Mean NF in percent.
        points: Mean of the differences of the seeds.
        half: Half of its 95 % t interval; NaN with one seed.
        seeds: How many.
    """

    with_null: bool
    random: float
    blocks: float
    points: float
    half: float
    seeds: int


def nf(setting: Setting) -> Summary:
    """NF of a setting, 0 .. 1."""
    return summarise({(c.fold, c.seed): c.record["scores"]["nf"] for c in setting.cells})


def half_in_points(summary: Summary) -> float:
    """Half of the 95 % interval of a score, in points; NaN where there is none."""
    return math.nan if summary.high is None else 100 * (summary.high - summary.mean)


def nf_table(settings: Settings) -> pd.DataFrame:
    """A row for each setting; windows and shared ones are means over folds."""
    import pandas as pd

    lines = []
    for setting in settings.values():
        summary = nf(setting)
        records = [cell.record for cell in setting.cells]
        lines.append(
            {
                "data": setting.data,
                "NULL": said(setting.with_null),
                "NF": 100 * summary.mean,
                "±": half_in_points(summary),
                "macro F1": 100 * float(np.mean([r["scores"]["macro_f1"] for r in records])),
                "train windows": round(np.mean([r["windows"]["train"] for r in records])),
                "test windows": round(np.mean([r["windows"]["test"] for r in records])),
                "shared": shared(setting.cells),
                "networks": len(records),
            }
        )
    return pd.DataFrame(lines)


def shared(cells: Sequence[TrainedCell]) -> float:
    """Percent of the test windows that share samples with training windows, mean over cells."""
    return 100 * float(np.mean([cell.record["overlap"]["test"] for cell in cells]))


def leaks(settings: Settings) -> list[Leak]:
    """With NULL, and without: random windows against blocks, seed by seed."""
    found = []
    for with_null in (True, False):
        random, blocks = settings[RANDOM, with_null], settings[BLOCKS, with_null]
        # The seed is what both have in common: initial weights and order of batches.
        of_blocks = {cell.seed: cell.record["scores"]["nf"] for cell in blocks.cells}
        difference = summarise(
            {
                (cell.fold, cell.seed): cell.record["scores"]["nf"] - of_blocks[cell.seed]
                for cell in random.cells
            }
        )
        found.append(
            Leak(
                with_null,
                100 * nf(random).mean,
                100 * nf(blocks).mean,
                100 * difference.mean,
                half_in_points(difference),
                len(random.cells),
            )
        )
    return found


def leak_table(found: Sequence[Leak]) -> pd.DataFrame:
    """A row with NULL and one without, in percent and points."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "NULL": said(leak.with_null),
                "random windows": leak.random,
                "blocks": leak.blocks,
                "leak": leak.points,
                "±": leak.half,
            }
            for leak in found
        ]
    )


def class_table(settings: Settings) -> pd.DataFrame:
    """F1 in percent: the mean over the cells that have test windows of the class, NaN if none."""
    import pandas as pd

    classes = next(s for s in settings.values() if s.with_null).cells[0].record["classes"]
    columns: dict[str, list[float]] = {}
    for setting in settings.values():
        values: dict[str, list[float]] = {name: [] for name in classes}
        for cell in setting.cells:
            scores = cell.record["scores"]
            for name, f1, support in zip(
                cell.record["classes"], scores["f1"], scores["support"], strict=True
            ):
                if support > 0:
                    values[name].append(f1)
        columns[setting.title] = [
            100 * float(np.mean(some)) if some else math.nan for some in values.values()
        ]
    return pd.DataFrame({"class": classes, **columns})
