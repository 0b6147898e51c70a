"""What is stored of a cell.

``record.json`` holds what the seed determines and is the same bytes on every run on one machine;
``measured.json`` holds what it took (times, memory, environment) and differs from run to run.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench.config.nodes import printable
from harbench.errors import ResultsError

FORMAT = 1
"""Raised when the layout of the stored files changes."""


# Of NumPy's types: text, whole numbers, floating point.
_KINDS = {"recording": "U", "start": "i", "true": "i", "predicted": "i", "probabilities": "f"}


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
    def load(cls, path: Path, sha256: str | None = None) -> Predictions:
        """Read predictions.npz; no pickle is ever loaded.

        Args:
            path: The file.
            sha256: What its bytes must hash to; None where that is not known.

        Raises:
            ResultsError: it is not there, is another file, or is not what :meth:`save` writes.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from error
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise _unreadable(path, "they are not those of the record")
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                found = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        # A damaged zip or array ends in one of a dozen errors, that of memory among them.
        except Exception as error:
            raise _unreadable(path, str(error).strip() or type(error).__name__) from error
        if wrong := found._wrong():
            raise _unreadable(path, wrong)
        return found

    def _wrong(self) -> str | None:
        """Which array is none of those that are stored."""
        for name, kinds in _KINDS.items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray):  # a file in the zip that is no array
                return f"'{name}' is no array"
            if array.dtype.kind != kinds or array.ndim != 1 + (name == "probabilities"):
                return f"'{name}' is {array.dtype} {list(array.shape)}"
            if len(array) != len(self.recording):
                return f"'{name}' has {len(array)} windows, not {len(self.recording)}"
        return None

    def packed(self) -> bytes:
        """Content of predictions.npz; equal predictions give equal bytes."""
        file = io.BytesIO()
        np.savez_compressed(
            file, **{name: getattr(self, name) for name in self.__dataclass_fields__}
        )
        return file.getvalue()


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
        """What it said of each test window.

        Raises:
            ResultsError: the file is not there, or not the one that the record names.
        """
        name = "predictions.npz"
        return Predictions.load(self.folder / name, self.record.get("sha256", {}).get(name))


def _unreadable(path: Path, why: str) -> ResultsError:
    return ResultsError(
        f"the predictions cannot be read: {printable(why)[:200]}",
        where=str(path),
        fix="harbench run benchmarks.yaml --force",
    )
