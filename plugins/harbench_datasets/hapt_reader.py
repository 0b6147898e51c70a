"""Reading one experiment of HAPT: two tables of numbers and the segments that are labelled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harbench import DataError, Recording, Source

FETCH: Final = "harbench datasets fetch hapt"

# In the order of activity_labels.txt; the first six are the basic ones.
ACTIVITIES: Final = (
    "walking",
    "walking upstairs",
    "walking downstairs",
    "sitting",
    "standing",
    "laying",
    "stand to sit",
    "sit to stand",
    "sit to lie",
    "lie to sit",
    "stand to lie",
    "lie to stand",
)
N_BASIC: Final = 6
NULL: Final = "NULL"

_NAME: Final = re.compile(r"exp(\d+)-user(\d+)")
_NUMBER: Final = re.compile(rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WHOLE: Final = re.compile(rb"[0-9]{1,9}")
# No \r: NumPy takes it for the end of a line.
_PLAIN: Final = b"0123456789+-.eE \n"
_COLUMNS: Final = ("x", "y", "z")
_LABEL_COLUMNS: Final = ("experiment", "user", "activity", "start", "end")


@dataclass(frozen=True)
class Segment:
    """One labelled stretch: samples ``start`` to ``stop`` (exclusive) of its experiment.

    Args:
        activity: 1 ... 12.
        line: Of the file, from 1.
    """

    activity: int
    start: int
    stop: int
    line: int


def read(source: Source) -> Iterable[Recording]:
    """The recording of one experiment: acceleration, then turn rates, and labels of all tasks.

    Args:
        source: Its files of the accelerometer, the gyroscope, and of all labels; its name
            becomes the recording's, "exp01-user01".

    Raises:
        DataError: naming file and line: a line without three numbers, signals of two lengths, a
            segment that is no stretch of the recording, overlaps another or names no activity.
    """
    match = _NAME.fullmatch(source.name)
    assert match is not None  # the name is ours
    experiment, user = int(match[1]), int(match[2])
    acc_path, gyro_path, labels_path = (file.path for file in source.files)
    acc, gyro = read_table(acc_path), read_table(gyro_path)
    if len(acc) != len(gyro):
        shorter, path = min((len(acc), acc_path), (len(gyro), gyro_path))
        raise DataError(
            "the file ends before that of the other sensor",
            where=f"{path}:{shorter + 1}",
            expected=f"{max(len(acc), len(gyro))} lines",
            fix=FETCH,
        )
    classes = np.full(len(acc), -1, np.int16)
    for segment in read_segments(labels_path, experiment, user, len(acc)):
        classes[segment.start : segment.stop] = segment.activity - 1
    labels = {
        "basic6": np.where(classes < N_BASIC, classes, np.int16(-1)),
        "all12": classes,
        "all12-null": classes + np.int16(1),
    }
    subject = f"user{user:02d}"
    session = f"exp{experiment:02d}"
    return [Recording(source.name, subject, session, np.hstack([acc, gyro]), labels)]


def read_table(path: Path) -> NDArray[np.float32]:
    """Three numbers a line, parted by spaces: float32 [n_lines, 3].

    What is accepted is defined by :func:`_read_slowly`; NumPy's parser is believed only where
    the text has no character that it could understand otherwise.

    Raises:
        DataError: naming file and line.
    """
    content = _bytes_of(path)
    n_lines = content.count(b"\n")
    # Of text without a number NumPy warns.
    plain = content.endswith(b"\n") and not content.translate(None, _PLAIN)
    if plain and not content.isspace():
        try:
            table = np.loadtxt(BytesIO(content), ndmin=2, comments=None)
        except ValueError:
            pass
        else:
            values = _as_float32(table)
            if table.shape == (n_lines, 3) and np.isfinite(values).all():
                return values
    return _read_slowly(content, path)


def _read_slowly(content: bytes, path: Path) -> NDArray[np.float32]:
    rows = []
    for number, fields in _lines(content, path, _COLUMNS):
        for column, field in enumerate(fields, start=1):
            if not _NUMBER.fullmatch(field):
                raise _not(field, path, number, column, "a number")
        row = [float(field) for field in fields]
        if not np.isfinite(_as_float32(np.array(row))).all():
            raise DataError("a number is too large", where=f"{path}:{number}", fix=FETCH)
        rows.append(row)
    return np.array(rows, np.float32)


def read_segments(path: Path, experiment: int, user: int, n_samples: int) -> list[Segment]:
    """The segments of one experiment, by their start; the whole file is checked.

    Start and end are counted from 0 and both belong to the segment: only so do windows cut
    inside the segments come out as the dataset's own.

    Raises:
        DataError: naming file and line.
    """
    found = []
    for number, fields in _lines(_bytes_of(path), path, _LABEL_COLUMNS):
        for column, field in enumerate(fields, start=1):
            if not _WHOLE.fullmatch(field):
                raise _not(field, path, number, column, "a whole number")
        its_experiment, its_user, activity, start, end = map(int, fields)
        where = f"{path}:{number}"
        if not 1 <= activity <= len(ACTIVITIES):
            raise DataError(
                f"there is no activity {activity}",
                where=f"{where}:3",
                expected=f"1 to {len(ACTIVITIES)}",
                fix=FETCH,
            )
        if end < start:
            raise DataError(f"the segment ends at {end} and starts at {start}", where=where)
        if its_experiment != experiment:
            continue
        if its_user != user:
            raise DataError(
                f"experiment {experiment} is of user {its_user} here",
                where=f"{where}:2",
                expected=f"user {user}, as in the names of its files",
                fix=FETCH,
            )
        if end >= n_samples:
            raise DataError(
                f"the segment ends at sample {end} of a recording of {n_samples}",
                where=f"{where}:5",
                expected=f"at most {n_samples - 1}, counted from 0",
                fix=FETCH,
            )
        found.append(Segment(activity, start, end + 1, number))
    if not found:
        raise DataError(f"no segment is of experiment {experiment}", where=str(path), fix=FETCH)
    found.sort(key=lambda segment: (segment.start, segment.line))
    for before, after in pairwise(found):
        if after.start < before.stop:
            raise DataError(
                f"the segment overlaps that of line {before.line}",
                where=f"{path}:{after.line}",
                expected=f"a start from {before.stop}",
                fix=FETCH,
            )
    return found


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from None


def _lines(
    content: bytes, path: Path, columns: tuple[str, ...]
) -> Iterable[tuple[int, list[bytes]]]:
    """Number and fields of every line; only white space may follow the last."""
    lines = content.rstrip(b" \r\n").split(b"\n")
    for number, line in enumerate(lines, start=1):
        fields = [field for field in line.removesuffix(b"\r").split(b" ") if field]
        if len(fields) != len(columns):
            raise DataError(
                f"the line has {len(fields)} fields",
                where=f"{path}:{number}",
                expected=f"{len(columns)}: {', '.join(columns)}",
                fix=FETCH,
            )
        yield number, fields


def _not(field: bytes, path: Path, line: int, column: int, expected: str) -> DataError:
    shown = field[:20].decode("ascii", "backslashreplace")
    what = f"field {column} is {shown!r}"
    return DataError(what, where=f"{path}:{line}:{column}", expected=expected, fix=FETCH)


def _as_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)
