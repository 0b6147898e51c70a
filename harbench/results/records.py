"""What is stored of a cell.

``record.json`` holds what the seed determines and is the same bytes on every run on one machine;
``measured.json`` holds what it took (times, memory, environment) and differs from run to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
"""Raised when the layout of the stored files changes."""


@dataclass(frozen=True)
class Predictions:
    """What a trained network said of each test window; every score comes from these.

    Args:
        recording: Name of each window's recording, str [n_windows].
        start: int64 [n_windows], first sample of the window within its recording.
        true, predicted: int16 [n_windows].
        probabilities: float32 [n_windows, n_classes].
    """

    recording: NDArray[np.str_]
    start: NDArray[np.int64]
    true: NDArray[np.int16]
    predicted: NDArray[np.int16]
    probabilities: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read predictions.npz; no pickle is ever loaded."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def save(self, path: Path) -> None:
        """Write predictions.npz; equal predictions give equal bytes."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)


@dataclass(frozen=True)
class StoredCell:
    """A finished cell in the store.

    Args:
        folder: Holds record.json, measured.json, predictions.npz and weights.safetensors.
        record: Settings, scores, confusion matrix, learning curve, hashes of the other files.
        measured: Times, memory, environment.
    """

    folder: Path
    record: dict[str, Any]
    measured: dict[str, Any]

    @property
    def key(self) -> str:
        """Content key of the cell."""
        return str(self.record["key"])

    def predictions(self) -> Predictions:
        """What it said of each test window."""
        return Predictions.load(self.folder / "predictions.npz")
