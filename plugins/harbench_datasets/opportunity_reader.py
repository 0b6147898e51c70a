"""Reading one ``.dat`` file of OPPORTUNITY into a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harbench import DataError, Recording, Source
from harbench_datasets.opportunity_columns import (
    CHANNELS,
    COLUMNS,
    GESTURE_COLUMN,
    GESTURES,
    LOCOMOTION,
    LOCOMOTION_COLUMN,
)
from harbench_datasets.opportunity_text import read_table

# Raise it when `read_recording` returns something else for the same bytes.
READER_VERSION = 1

_NAMES = tuple(column.name for column in COLUMNS)
_KEPT = tuple(
    number - 1
    for number in (*(channel.number for channel in CHANNELS), LOCOMOTION_COLUMN, GESTURE_COLUMN)
)


def read_recording(source: Source, *, fix: str) -> Recording:
    """The recording of one file: 113 channels and the labels of both tasks.

    The 113 channels and the two label columns are read strictly. Of the other 135 columns only
    the number of fields and their characters are checked: they are not used, and parsing them
    too would cost about as much again. The times in column 1 are not looked at: a sample is a
    line, at 30 Hz.

    Args:
        source: Its one file; its name becomes the recording's, "S1-ADL1".
        fix: The command that gets the file anew, for messages.

    Returns:
        ``signals`` float32 [n, 113] with NaN where the file has it; ``labels`` "gestures" and
        "locomotion", int16 [n]. Each run is a session of its own.

    Raises:
        DataError: naming file, line and column (both from 1): a line without 250 columns, a
            field that is no number, a label that is not in the dataset's legend, an empty file.
    """
    path = source.files[0].path
    table = read_table(path, _NAMES, _KEPT, fix=fix, codes=_KEPT[-2:])
    n_channels = len(CHANNELS)
    labels = {
        "gestures": _classes(table[:, n_channels + 1], GESTURES, path, GESTURE_COLUMN, fix),
        "locomotion": _classes(table[:, n_channels], LOCOMOTION, path, LOCOMOTION_COLUMN, fix),
    }
    signals = np.ascontiguousarray(table[:, :n_channels])
    return Recording(source.name, source.name.split("-")[0], source.name, signals, labels)


def _classes(
    codes: NDArray[np.float32], legend: Mapping[int, str], path: Path, column: int, fix: str
) -> NDArray[np.int16]:
    """Index into the legend of every code. Codes of six digits are exact in float32."""
    known: Sequence[int] = sorted(legend)
    place = np.searchsorted(known, codes).clip(max=len(known) - 1)  # NaN sorts to the end
    wrong = np.flatnonzero(np.asarray(known)[place] != codes)
    if len(wrong):
        row = int(wrong[0])
        code = "NaN" if np.isnan(codes[row]) else f"{codes[row]:.9g}"
        raise DataError(
            f"label {code} in column {_NAMES[column - 1]} is not in the dataset's legend",
            where=f"{path}:{row + 1}:{column}",
            expected=f"one of {', '.join(str(code) for code in known)}",
            fix=fix,
        )
    classes = list(legend)
    index: NDArray[np.int16] = np.array([classes.index(code) for code in known], dtype=np.int16)
    return np.take(index, place)
