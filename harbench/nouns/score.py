"""Scores that plugins add: from the stored predictions of a cell to one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OWN_SCORES = frozenset(
    {
        "nf",
        "macro_f1",
        "accuracy",
        "balanced_accuracy",
        "nf_without_null",
        "sample_nf",
        "segment_f1_10",
        "segment_f1_25",
        "segment_f1_50",
    }
)
"""Names that no plugin may take: those of :mod:`harbench.metrics`."""


@dataclass(frozen=True)
class Predicted:
    """What a trained cell said of its test windows.

    Args:
        classes: Names; the numbers below index them.
        null: Index of NULL among them; None if none.
        true, predicted: int64 [n_windows].
        probabilities: float32 [n_windows, n_classes].
        recording: str [n_windows], name of each window's recording.
        start: int64 [n_windows], first sample of each window within its recording.
        length: Samples of a window.
    """

    classes: tuple[str, ...]
    null: int | None
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    recording: NDArray[np.str_]
    start: NDArray[np.int64]
    length: int

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Windows [n_classes, n_classes], row = true class."""
        n_classes = len(self.classes)
        pairs = np.bincount(self.true * n_classes + self.predicted, minlength=n_classes**2)
        return pairs.reshape(n_classes, n_classes).astype(np.int64)


@dataclass(frozen=True)
class Score:
    """A score for ``harbench table --metric NAME``: higher is better, 1 is perfect.

    It is computed from what is stored; nothing is trained for it, and no key depends on it.

    Args:
        name: What ``--metric`` calls it.
        title: Head of its column.
        summary: Its definition in one sentence.
        compute: ``(Predicted) -> float``, printed as percent; None where it is not defined.

    Raises:
        ValueError: harbench has a score of that name.
    """

    name: str
    title: str
    summary: str
    compute: Callable[[Predicted], float | None]

    def __post_init__(self) -> None:
        if self.name in OWN_SCORES:
            raise ValueError(f"the name of score '{self.name}' is that of one of harbench's own")
