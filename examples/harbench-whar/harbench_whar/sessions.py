"""Reads the session files that whar-datasets writes, without whar-datasets.

Its "common format" is three files: ``metadata/activity_df.csv`` (activity_id, activity_name),
``metadata/session_df.csv`` (session_id, subject_id, activity_id) and ``sessions/sessions.parquet``
(session_id, timestamp, one column a channel; sorted by session_id). A session is a stretch of one
subject doing one activity: whar-datasets cuts the streams at every change of label.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import harbench
from harbench.nouns.names import plain

FILES = ("sessions/sessions.parquet", "metadata/activity_df.csv", "metadata/session_df.csv")
GAP_SECONDS = 1.0
"""A longer pause between two time stamps of a session ends a recording."""


def read_sessions(
    files: Sequence[Path], channels: Sequence[str], classes: Sequence[str], rate_hz: float
) -> Iterator[harbench.Recording]:
    """Recordings of one dataset, by session.

    Samples are put on a grid of ``rate_hz`` by their time stamps: the mean of those that fall on
    one point, NaN where none does. Nothing is interpolated.

    Args:
        files: Those of :data:`FILES`, in that order.
        channels: Columns to take, in order.
        classes: Names of the classes, in the order of their integers.
        rate_hz: Samples per second.

    Raises:
        DataError: a file lacks a column, names an activity that is not among ``classes``, or has
            sessions in another order; pyarrow is not installed.
    """
    parquet, activities, sessions = files
    names = {row["activity_id"]: row["activity_name"] for row in _rows(activities, 2)}
    # Where the number of activities differs from its configuration, whar-datasets keeps the
    # spelling of the files.
    number = {plain(name): index for index, name in enumerate(classes)}
    facts: dict[int, tuple[str, int]] = {}
    for row in _rows(sessions, 3):
        name = names.get(row["activity_id"], f"activity_id {row['activity_id']}")
        if plain(name) not in number:
            raise harbench.DataError(
                f"session {row['session_id']} has the activity '{name}'",
                where=str(activities),
                expected=f"one of {', '.join(classes)}",
                fix="python -m harbench_whar versions",
            )
        facts[int(row["session_id"])] = (row["subject_id"], number[plain(name)])
    for session, columns in _by_session(parquet, channels):
        if session not in facts:
            raise harbench.DataError(
                f"session {session} is not in the list of sessions",
                where=str(parquet),
                expected=f"a session_id of {sessions}",
            )
        subject, label = facts[session]
        who = f"s{int(subject) + 1:02d}"
        parts = _on_grid(columns, channels, rate_hz)
        for part, signals in enumerate(parts):
            yield harbench.Recording(
                name=f"{who}-{session:05d}" + (f".{part}" if len(parts) > 1 else ""),
                subject=who,
                session=f"{who}-{session:05d}",
                signals=signals,
                labels={"activity": np.full(len(signals), label, np.int16)},
            )


def _rows(file: Path, columns: int) -> Iterator[dict[str, str]]:
    wanted = ("activity_id", "activity_name") if columns == 2 else (
        "session_id", "subject_id", "activity_id")  # fmt: skip
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        missing = [name for name in wanted if name not in (reader.fieldnames or ())]
        if missing:
            raise harbench.DataError(
                f"there is no column {', '.join(missing)}",
                where=f"{file}:1",
                expected=", ".join(wanted),
            )
        for line, row in enumerate(reader, start=2):
            for name in wanted:
                if name != "activity_name" and not row[name].isdigit():
                    raise harbench.DataError(
                        f"{name} is '{row[name]}'",
                        where=f"{file}:{line}",
                        expected="a whole number from 0",
                    )
            yield row


def _by_session(file: Path, channels: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(session, column -> array), a session at a time: some datasets do not fit into memory."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise harbench.DataError(
            "sessions are kept as parquet, and pyarrow is not installed",
            where=str(file),
            fix="pip install pyarrow",
        ) from error
    wanted = ["session_id", "timestamp", *channels]
    opened = pyarrow.parquet.ParquetFile(file)
    missing = [name for name in wanted if name not in opened.schema_arrow.names]
    if missing:
        raise harbench.DataError(
            f"there is no column {', '.join(missing)}",
            where=str(file),
            expected="session_id, timestamp and a column for each channel",
        )
    current: int | None = None
    seen: set[int] = set()
    pieces: list[dict[str, Any]] = []
    for batch in opened.iter_batches(columns=wanted):
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in wanted}
        ids = columns["session_id"]
        edges = [0, *(np.flatnonzero(np.diff(ids)) + 1), len(ids)] if len(ids) else [0]
        for start, end in pairwise(edges):
            session = int(ids[start])
            if session != current:
                if current is not None:
                    yield current, _joined(pieces)
                if session in seen:
                    raise harbench.DataError(
                        f"session {session} comes twice",
                        where=str(file),
                        expected="rows sorted by session_id",
                    )
                seen.add(session)
                current, pieces = session, []
            pieces.append({name: values[start:end] for name, values in columns.items()})
    if current is not None:
        yield current, _joined(pieces)


def _joined(pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _on_grid(
    columns: Mapping[str, Any], channels: Sequence[str], rate_hz: float
) -> list[NDArray[np.float32]]:
    times = np.asarray(columns["timestamp"], "datetime64[ns]").astype(np.int64) / 1e9
    values = np.stack([np.asarray(columns[name], np.float64) for name in channels], axis=1)
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    cuts = np.flatnonzero(np.diff(times) > max(GAP_SECONDS, 2 / rate_hz)) + 1
    return [
        _averaged(part, values[where], rate_hz)
        for part, where in (
            (times[start:end], slice(start, end))
            for start, end in zip([0, *cuts], [*cuts, len(times)], strict=True)
        )
        if len(part)
    ]


def _averaged(
    times: NDArray[np.float64], values: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float32]:
    points = np.floor((times - times[0]) * rate_hz + 0.5).astype(np.int64)
    size = int(points[-1]) + 1
    there = ~np.isnan(values)
    sums = np.zeros((size, values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, points, np.where(there, values, 0.0))
    np.add.at(counts, points, there)
    with np.errstate(invalid="ignore"):
        return (sums / counts).astype(np.float32)
