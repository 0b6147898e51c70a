"""Every score of a cell, from its confusion matrix; and the names of those from its predictions.

Where a ratio is 0 / 0 (the precision of a class that is never predicted, say) it counts as 0, as
with scikit-learn's ``zero_division=0``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harbench.errors import ConfigError, did_you_mean
from harbench.metrics.segments import OVERLAPS
from harbench.nouns.score import Score


@dataclass(frozen=True)
class Metric:
    """A score that tables and ``--metric`` know.

    Args:
        name: Attribute of :class:`Scores`, or what :func:`harbench.metrics.sample_scores` gives.
        title: Head of its column.
        definition: One sentence.
    """

    name: str
    title: str
    definition: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(
                "nf",
                "NF",
                "Mean of the classes' F1, each weighted by the class's share of the test windows.",
            ),
            Metric(
                "macro_f1",
                "macro F1",
                "Plain mean of the F1 of the classes that occur in the test windows.",
            ),
            Metric("accuracy", "accuracy", "Share of the test windows whose class is right."),
            Metric(
                "balanced_accuracy",
                "balanced accuracy",
                "Plain mean of the recall of the classes that occur in the test windows.",
            ),
            Metric(
                "nf_without_null",
                "NF without NULL",
                "NF over the classes other than NULL; windows taken for NULL, or NULL windows "
                "taken for a class, still count as errors.",
            ),
        )
    }
)

SAMPLE_METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(
                "sample_nf",
                "NF by\nsample",
                "NF over samples, each of the class that most of the windows covering it have.",
            ),
            *(
                Metric(
                    f"segment_f1_{percent}",
                    f"segment\nF1@{percent}",
                    "F1 of segments other than NULL, right where they share at least "
                    f"{percent} % of their union with a true one.",
                )
                for percent in OVERLAPS
            ),
        )
    }
)
"""Scores that take the predictions of all windows, not only their confusion matrix."""


@dataclass(frozen=True)
class Scores:
    """The scores of one confusion matrix, each in 0 .. 1.

    Args:
        nf: Support-weighted mean F1: 2 sum_c (N_c / N) P_c R_c / (P_c + R_c). Yang et al. 2015
            call it normalised F; equals scikit-learn's ``average="weighted"``.
        macro_f1: Mean F1 over the classes with support (Yang's average F).
        accuracy: Share of right windows.
        balanced_accuracy: Mean recall over the classes with support.
        nf_without_null: Support-weighted mean F1 of the classes other than NULL, from the whole
            matrix. Equals ``nf`` where the task has no NULL class; None where no window is of
            another class.
        classes: Names, in the order of the tuples below.
        null: Index of the NULL class, or None.
        precision: Of each class.
        recall: Of each class.
        f1: Of each class.
        support: Windows of each class.
    """

    nf: float
    macro_f1: float
    accuracy: float
    balanced_accuracy: float
    nf_without_null: float | None
    classes: tuple[str, ...]
    null: int | None
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """A dictionary that :mod:`json` can write and :meth:`from_json` can read."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scores:
        """The scores that :meth:`to_json` wrote.

        Raises:
            ValueError: where keys are missing or unknown, or the lists differ in length.
        """
        names = {field.name for field in fields(cls)}
        if set(data) != names:
            raise ValueError(f"no scores: keys {sorted(set(data) ^ names)} are missing or unknown")
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        lengths = {len(v) for v in values.values() if isinstance(v, tuple)}
        if len(lengths) != 1:
            raise ValueError(f"no scores: lists of {sorted(lengths)} classes in one record")
        return cls(**values)


def score(matrix: ArrayLike, classes: Sequence[str], null: int | None = None) -> Scores:
    """Every score of one confusion matrix.

    Args:
        matrix: Counts [n_classes, n_classes], row = true class.
        classes: Names [n_classes].
        null: Index of the NULL class; None where the task has none.

    Raises:
        ValueError: where the matrix is empty, not square, holds a negative or no integer, or
            does not fit the classes.
    """
    counts = np.asarray(matrix)
    n_classes = len(classes)
    if counts.shape != (n_classes, n_classes):
        raise ValueError(f"a matrix of shape {counts.shape} for {n_classes} classes")
    if not np.issubdtype(counts.dtype, np.integer) or counts.min(initial=0) < 0:
        raise ValueError("a confusion matrix holds counts: integers from 0 on")
    if null is not None and not 0 <= null < n_classes:
        raise ValueError(f"NULL class {null} is not in 0 .. {n_classes - 1}")
    support = counts.sum(axis=1, dtype=np.int64)
    total = int(support.sum())
    if total == 0:
        raise ValueError("no window to score")

    right = counts.diagonal().astype(np.float64)
    predicted = counts.sum(axis=0, dtype=np.int64)
    precision = _ratio(right, predicted)
    recall = _ratio(right, support)
    f1 = _ratio(2.0 * right, support + predicted)
    present = support > 0

    others = support.copy()
    if null is not None:
        others[null] = 0
    n_others = int(others.sum())
    return Scores(
        nf=float(f1 @ support) / total,
        macro_f1=float(f1[present].mean()),
        accuracy=float(right.sum()) / total,
        balanced_accuracy=float(recall[present].mean()),
        nf_without_null=float(f1 @ others) / n_others if n_others else None,
        classes=tuple(classes),
        null=null,
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
        f1=tuple(f1.tolist()),
        support=tuple(support.tolist()),
    )


def always_commonest(
    supports: ArrayLike, classes: Sequence[str] | None = None, null: int | None = None
) -> Scores:
    """The scores of always guessing the commonest class: what any model has to beat.

    With p its share of the windows, NF is 2 p^2 / (1 + p): its precision is p, its recall 1, and
    every other class has F1 = 0. OPPORTUNITY's share of NULL, .7544, already gives .649.

    Args:
        supports: Windows of each class [n_classes]. On a tie the lower class number is guessed.
        classes: Names; "0", "1" ... where not given.
        null: Index of the NULL class, or None.

    Raises:
        ValueError: where there is no window, or as for :func:`score`.
    """
    counts = np.asarray(supports)
    if counts.ndim != 1 or counts.size == 0 or not np.issubdtype(counts.dtype, np.integer):
        raise ValueError("supports are one integer a class")
    matrix = np.zeros((counts.size, counts.size), dtype=np.int64)
    matrix[:, int(counts.argmax())] = counts
    names = tuple(map(str, range(counts.size))) if classes is None else classes
    return score(matrix, names, null)


def find_metric(name: str, *, of_samples: bool = False, added: Iterable[Score] = ()) -> Metric:
    """The metric of that name.

    Args:
        name: Of :data:`METRICS`.
        of_samples: Whether one of :data:`SAMPLE_METRICS` will do too.
        added: Scores of plugins that will do too.

    Raises:
        ConfigError: where there is none, with the nearest name.
    """
    known = {**METRICS, **SAMPLE_METRICS} if of_samples else dict(METRICS)
    known |= {score.name: Metric(score.name, score.title, score.summary) for score in added}
    if name not in known:
        raise ConfigError(
            f"no metric is called '{name}'{did_you_mean(name, known)}",
            where="--metric",
            expected=f"one of {', '.join(known)}",
        )
    return known[name]


def _ratio(above: NDArray[np.float64], below: NDArray[np.int64]) -> NDArray[np.float64]:
    # Where the denominator is 0 so is the numerator: 0 / 1 is the 0 that is wanted.
    return above / np.maximum(below, 1)
