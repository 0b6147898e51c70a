"""Stored predictions as stretches of samples: what scores of samples and events are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ResultsError
from harbench.metrics import SAMPLE_METRICS, sample_scores
from harbench.metrics.spreading import Stretch, spread
from harbench.results.records import Predictions, StoredCell

# The predictions are whole, but are none of windows of that length.
DAMAGED = (ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError)


def stretches_of(
    folder: Path,
    record: Mapping[str, Any],
    *,
    labels: Mapping[str, NDArray[np.int64]] | None = None,
    always: int | None = None,
) -> list[Stretch]:
    """A cell's test predictions, spread over the samples of each recording.

    Args:
        folder: Of the cell.
        record: Of the cell.
        labels: Recording -> true class of each sample; the windows' own classes where None.
        always: Predict this class everywhere, instead of what was predicted.

    Raises:
        ResultsError: the predictions are not there, or not what harbench writes.
    """
    path = folder / "predictions.npz"
    if "settings" not in record:
        raise ResultsError(
            "the record has no length of its windows: another version of harbench wrote it",
            where=str(folder / "record.json"),
            fix="harbench run benchmarks.yaml --force",
        )
    try:
        found = Predictions.load(path, record.get("sha256", {}).get(path.name))
        predicted = found.predicted if always is None else np.full_like(found.predicted, always)
        length = record["settings"]["window"]
        return spread(found.recording, found.start, found.true, predicted, length, labels)
    except DAMAGED as error:
        raise unreadable(path, error) from error


def scores_of(cell: StoredCell, metrics: Sequence[str]) -> dict[str, float | None]:
    """The scores of those names, 0 .. 1: from the record, or from the stored predictions.

    Args:
        cell: Of the store.
        metrics: Names of :data:`harbench.metrics.METRICS` and
            :data:`~harbench.metrics.SAMPLE_METRICS`.

    Raises:
        ResultsError: the predictions are needed, and are not what harbench writes.
    """
    stored = cell.record["scores"]
    return {
        **{name: stored[name] for name in metrics if name not in SAMPLE_METRICS},
        **sampled_scores(cell, metrics),
    }


def sampled_scores(
    cell: StoredCell, metrics: Sequence[str], *, always: int | None = None
) -> dict[str, float | None]:
    """Those of the scores that are of samples; see :func:`stretches_of` and :func:`scores_of`."""
    wanted = [name for name in metrics if name in SAMPLE_METRICS]
    if not wanted:
        return {}
    record = cell.record
    stretches = stretches_of(cell.folder, record, always=always)
    try:
        found = sample_scores(stretches, record["classes"], record["null"])
    except ValueError as error:
        raise unreadable(cell.folder / "predictions.npz", error) from error
    return {name: found[name] for name in wanted}


def unreadable(path: Path, error: Exception) -> ResultsError:
    """The error that says that stored predictions are damaged."""
    return ResultsError(
        f"the predictions cannot be read: {str(error) or type(error).__name__}",
        where=str(path),
        fix="harbench run benchmarks.yaml --force",
    )
