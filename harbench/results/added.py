"""Scores that plugins add, computed from stored predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np

from harbench.errors import PluginError, ResultsError
from harbench.nouns.score import Predicted, Score
from harbench.results.records import StoredCell


def predicted_of(cell: StoredCell, always: int | None = None) -> Predicted:
    """What a cell said of its test windows.

    Args:
        cell: Of the store.
        always: Say this class of every window, with certainty, instead of what was said.

    Raises:
        ResultsError: the predictions are not there, or not what harbench writes.
    """
    from harbench.results.sampled import DAMAGED, unreadable

    record = cell.record
    try:
        found = cell.predictions()
        predicted = found.predicted.astype(np.int64)
        probabilities = found.probabilities
        if always is not None:
            predicted = np.full_like(predicted, always)
            probabilities = np.eye(len(record["classes"]), dtype=np.float32)[predicted]
        return Predicted(
            classes=tuple(record["classes"]),
            null=record["null"],
            true=found.true.astype(np.int64),
            predicted=predicted,
            probabilities=probabilities,
            recording=found.recording,
            start=found.start,
            length=int(record["settings"]["window"]),
        )
    except DAMAGED as error:
        raise unreadable(cell.folder / "predictions.npz", error) from error


def added_scores(
    cell: StoredCell, scores: Sequence[Score], always: int | None = None
) -> dict[str, float | None]:
    """The scores of a cell by name; None where one is not defined.

    Args:
        cell: Of the store.
        scores: Of plugins.
        always: As of :func:`predicted_of`.

    Raises:
        PluginError: a score breaks, or gives no number.
        ResultsError: as :func:`predicted_of`.
    """
    if not scores:
        return {}
    predicted = predicted_of(cell, always)
    return {score.name: _computed(score, predicted) for score in scores}


def _computed(score: Score, predicted: Predicted) -> float | None:
    try:
        value = score.compute(predicted)
    except ResultsError:
        raise
    except Exception as error:
        raise PluginError(
            f"score '{score.name}' broke: {type(error).__name__}: {error}", where="--metric"
        ) from error
    if value is None:
        return None
    if not isinstance(value, Real) or isinstance(value, bool) or math.isinf(value):
        raise PluginError(
            f"score '{score.name}' gave {value!r}",
            where="--metric",
            expected="a number, or None where it is not defined",
        )
    return None if math.isnan(value) else float(value)
