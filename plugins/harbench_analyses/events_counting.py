"""Events of many cells: counted class by class, added up, and as tables."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harbench.metrics.sampled import ClassEvents, score_events, together
from harbench.metrics.segments import OVERLAPS
from harbench.nouns import TrainedCell
from harbench.results.sampled import stretches_of
from harbench_analyses.confusion_counting import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RowEvents:
    """What became of the events of a row.

    Args:
        title: Of the row.
        names: Of the classes other than NULL, and of all of them together.
        events: float64 [n_names, 9], sum over folds of the mean over seeds, in the order of
            :class:`harbench.metrics.events.EventCounts`.
        frames: float64 [n_names, 10], likewise, of :class:`~harbench.metrics.events.FrameCounts`.
        pooled: Of each name, all cells together.
        rate_hz: Samples per second; None where it is not known.
        said: What the counts were added up over, in words.
    """

    title: str
    names: tuple[str, ...]
    events: NDArray[np.float64]
    frames: NDArray[np.float64]
    pooled: tuple[ClassEvents, ...]
    rate_hz: float | None
    said: str


def counted_events(title: str, cells: Sequence[TrainedCell], truth: str) -> RowEvents:
    """Count the events of cells that tell the same classes apart.

    Args:
        title: What they have in common.
        cells: At least one.
        truth: "windows" or "samples"; see :func:`harbench_analyses.events.events`.

    Raises:
        ResultsError: the predictions of a cell cannot be read.
        DataMissingError: the labels are asked for, and are not here.
    """
    classes, null = cells[0].record["classes"], cells[0].record["null"]
    by_fold: dict[str, list[list[ClassEvents]]] = {}
    labels: dict[str, Mapping[str, NDArray[np.int64]]] = {}
    for cell in cells:
        if truth == "samples" and cell.fold not in labels:
            labels[cell.fold] = cell.load().samples
        stretches = stretches_of(cell.folder, cell.record, labels=labels.get(cell.fold))
        by_class = score_events(stretches, len(classes))
        kept = [found for number, found in enumerate(by_class) if number != null]
        by_fold.setdefault(cell.fold, []).append([*kept, together(by_class, null)])
    # Mean first: a fold with fewer finished seeds must not count less.
    events, frames = (
        np.sum(
            [
                np.mean([[astuple(getattr(of, what)) for of in seed] for seed in seeds], axis=0)
                for seeds in by_fold.values()
            ],
            axis=0,
        )
        for what in ("events", "frames")
    )
    every = [seed for seeds in by_fold.values() for seed in seeds]
    return RowEvents(
        title,
        (
            *(name for number, name in enumerate(classes) if number != null),
            "(all)" if null is None else f"(all but {classes[null]})",
        ),
        events,
        frames,
        tuple(functools.reduce(operator.add, of_name) for of_name in zip(*every, strict=True)),
        cells[0].rate_hz,
        counted(title, cells).said,
    )


def tables(found: RowEvents) -> dict[str, pd.DataFrame]:
    """Events, samples, and segments with delays; a line for each class, and one for all."""
    return {
        f"{found.title}: events": _events(found),
        f"{found.title}: samples, percent": _samples(found),
        f"{found.title}: segments and delay": _segments(found),
    }


def _events(found: RowEvents) -> pd.DataFrame:
    deleted, fragmented, both, merged, correct, merging, both_too, fragmenting, inserted = (
        found.events.T
    )
    return _table(
        found.names,
        {
            "true": found.events[:, :5].sum(axis=1),
            "correct": correct,
            "fragmented": fragmented,
            "fragmented & merged": both,
            "merged": merged,
            "deleted": deleted,
            "predicted": found.events[:, 4:].sum(axis=1),
            "inserted": inserted,
            "merging": merging,
            "fragmenting & merging": both_too,
            "fragmenting": fragmenting,
        },
        whole=True,
    )


def _samples(found: RowEvents) -> pd.DataFrame:
    right_not, right, deletion, fragmentation, under, under_end, *wrong = found.frames.T
    insertion, merge, over, over_end = wrong
    of_class = right + deletion + fragmentation + under + under_end
    others = right_not + insertion + merge + over + over_end
    shares = {
        "right": right / _known(of_class),
        "underfill, start": under / _known(of_class),
        "underfill, end": under_end / _known(of_class),
        "fragmentation": fragmentation / _known(of_class),
        "deletion": deletion / _known(of_class),
        "insertion": insertion / _known(others),
        "merge": merge / _known(others),
        "overfill, start": over / _known(others),
        "overfill, end": over_end / _known(others),
    }
    return _table(found.names, {name: 100 * share for name, share in shares.items()})


def _known(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where there is none: a share of nothing is not 0."""
    return np.where(samples > 0, samples, np.nan)


def _segments(found: RowEvents) -> pd.DataFrame:
    def f1(of: ClassEvents, percent: int) -> float:
        value = of.segments[percent].f1
        return float("nan") if value is None else 100 * value

    unit, rate = ("s", found.rate_hz) if found.rate_hz else ("samples", 1.0)
    late = [np.array(of.delays, np.float64) / rate for of in found.pooled]
    n_events = [len(of.delays) + of.missed for of in found.pooled]
    missed = [
        of.missed / n if n else float("nan") for of, n in zip(found.pooled, n_events, strict=True)
    ]
    return _table(
        found.names,
        {
            **{f"F1@{percent}": [f1(of, percent) for of in found.pooled] for percent in OVERLAPS},
            "missed, %": [100 * share for share in missed],
            f"delay, median [{unit}]": [_quantile(of, 0.5) for of in late],
            f"delay, mean [{unit}]": [float(of.mean()) if len(of) else np.nan for of in late],
            f"delay, 90th percentile [{unit}]": [_quantile(of, 0.9) for of in late],
        },
    )


def _quantile(values: NDArray[np.float64], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else float("nan")


def _table(
    names: Sequence[str],
    columns: Mapping[str, Sequence[float] | NDArray[np.float64]],
    *,
    whole: bool = False,
) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame({"class": list(names), **columns})
    counts = table.columns[1:]
    if whole and (table[counts] % 1 == 0).all(axis=None):
        table = table.astype(dict.fromkeys(counts, np.int64))
    return table
