"""The confusion matrix, which every score is computed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confusion(true: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """How often each class was taken for each class.

    Args:
        true: Integer classes [n_windows], each in ``0 .. n_classes - 1``.
        predicted: Likewise.
        n_classes: How many classes the task has, seen in these windows or not.

    Returns:
        int64 [n_classes, n_classes]: row = true class, column = predicted class.

    Raises:
        ValueError: where there is no window, the two differ in shape or have more than one
            dimension, are no integers, or hold something that is no class.
    """
    if n_classes < 1:
        raise ValueError(f"a task needs at least 1 class, not {n_classes}")
    rows = _classes(true, n_classes, "true")
    columns = _classes(predicted, n_classes, "predicted")
    if rows.shape != columns.shape:
        raise ValueError(f"{rows.size} true classes but {columns.size} predicted ones")
    if rows.size == 0:
        raise ValueError("no window to score")
    cells = np.bincount(rows * n_classes + columns, minlength=n_classes * n_classes)
    return cells.astype(np.int64, copy=False).reshape(n_classes, n_classes)


def _classes(values: ArrayLike, n_classes: int, which: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{which} classes have shape {array.shape}, expected [n_windows]")
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{which} classes are of type {array.dtype}, expected integers")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= n_classes:
        wrong = low if low < 0 else high
        raise ValueError(f"{which} class {wrong} is not in 0 .. {n_classes - 1}")
    # Labels are int16: row * n_classes + column would overflow from 182 classes on.
    return array.astype(np.int64, copy=False)
