"""What the simulated people do, and when: the seven label tracks of a simulated run.

Numbers follow the real dataset: how often each subject does each gesture in the ADL runs, a Drill
of 20 repetitions of a fixed sequence, gestures of 1 to 4 s, and shares of the locomotion classes
near those of S1-ADL1. With them NULL comes to about three quarters of all samples, as it is in
the real files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench_datasets.opportunity_columns import GESTURES
from harbench_datasets.opportunity_files import FILES, DataFile

# Gestures in the five ADL runs together, in the order of the classes from Open Door 1 on
# (the dataset's own table of instances).
ADL_COUNTS = {
    "S1": (18, 15, 15, 14, 27, 27, 8, 7, 12, 12, 13, 13, 16, 16, 5, 48, 19),
    "S2": (8, 9, 7, 9, 34, 34, 20, 20, 14, 13, 9, 8, 14, 14, 12, 17, 24),
    "S3": (10, 10, 8, 9, 37, 39, 15, 15, 12, 12, 11, 11, 14, 15, 4, 32, 11),
    "S4": (10, 9, 9, 9, 31, 33, 13, 14, 12, 12, 12, 12, 12, 12, 12, 17, 21),
}
# One repetition of the Drill, by class: what is opened is closed; the switch twice, drinking twice.
DRILL = (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1, 3, 2, 4, 17, 17, 15, 16, 16)
DRILL_REPETITIONS = 20

SHORTEST, LONGEST = 30, 120
"""Samples of a gesture: 1 to 4 s at 30 Hz."""
SMALLEST_FILE = 2400
"""Samples: one gesture of each class and three times as much NULL."""

_SMALLEST_GAP = 8
_MEAN_SHARE_OF_LENGTH = (2.2, 1.4)  # beta distribution: a mean gesture of 85 samples
# At most this much of a run is gestures; where a short run would hold more, they are shortened.
_LARGEST_SHARE = {False: 0.22, True: 0.58}
# Code -> share of the run, and mean samples of a segment, by whether it is a Drill.
_LOCOMOTION: dict[bool, dict[int, tuple[float, int]]] = {
    False: {0: (0.26, 120), 1: (0.44, 220), 2: (0.13, 70), 4: (0.14, 700), 5: (0.03, 450)},
    True: {0: (0.26, 120), 1: (0.48, 220), 2: (0.18, 70), 4: (0.08, 500)},
}


@dataclass(frozen=True)
class Segment:
    """Samples ``start`` to before ``stop`` that carry one label code."""

    start: int
    stop: int
    code: int


@dataclass(frozen=True)
class Script:
    """What is done in one run.

    Args:
        n_rows: Samples.
        n_recorded: Samples before the sensors stop; from there on all are NaN and all labels 0.
        gestures: In time order, never touching each other.
        locomotion: In time order, without gaps, to ``n_recorded``.
        labels: int32 [n_rows, 7]: columns 244-250.
    """

    n_rows: int
    n_recorded: int
    gestures: tuple[Segment, ...]
    locomotion: tuple[Segment, ...]
    labels: NDArray[np.int32]


def rows_at(file: DataFile, scale: float) -> int:
    """Samples of a simulated file: the real file's times the scale, at least SMALLEST_FILE."""
    return max(round(file.rows * scale), SMALLEST_FILE)


def write_script(file: DataFile, n_rows: int, rng: np.random.Generator) -> Script:
    """Draw what is done in one run.

    Args:
        file: The real file that is imitated.
        n_rows: Samples, at least SMALLEST_FILE.
        rng: Where chance comes from.
    """
    # Every other file ends in a block without sensors, as S1-ADL1 does.
    silent = max(15, n_rows // 100) if FILES.index(file) % 2 == 0 else 0
    n_recorded = n_rows - silent
    gestures = _gestures(file, n_rows, n_recorded, rng)
    locomotion = _locomotion(file, n_recorded, rng)
    labels = np.zeros((n_rows, 7), np.int32)
    for segment in locomotion:
        labels[segment.start : segment.stop, 0] = segment.code
    if not file.is_drill:
        labels[:n_recorded, 1] = _high_level(n_recorded, rng)
    labels[:n_recorded, 2:4] = _left_arm(n_recorded, rng)
    for segment in gestures:
        span = slice(segment.start, segment.stop)
        labels[span, 4], labels[span, 5] = divmod(segment.code, 1000)
        labels[span, 6] = segment.code
    return Script(n_rows, n_recorded, gestures, locomotion, labels)


def _order(file: DataFile, n_rows: int, rng: np.random.Generator) -> list[int]:
    """Classes of the gestures of a run, in their order."""
    share_of_file = n_rows / file.rows
    if file.is_drill:
        return list(DRILL) * max(1, round(DRILL_REPETITIONS * share_of_file))
    adl_rows = sum(f.rows for f in FILES if f.subject == file.subject and not f.is_drill)
    counts = [max(1, round(n * n_rows / adl_rows)) for n in ADL_COUNTS[file.subject]]
    return list(rng.permutation(np.repeat(np.arange(1, 18), counts)))


def _gestures(
    file: DataFile, n_rows: int, n_recorded: int, rng: np.random.Generator
) -> tuple[Segment, ...]:
    order = _order(file, n_rows, rng)
    extra = (LONGEST - SHORTEST) * rng.beta(*_MEAN_SHARE_OF_LENGTH, size=len(order))
    room = _LARGEST_SHARE[file.is_drill] * n_rows - SHORTEST * len(order)
    lengths = SHORTEST + (extra * min(1.0, room / extra.sum())).astype(int)
    spare = n_recorded - int(lengths.sum()) - _SMALLEST_GAP * (len(order) + 1)
    gaps = _SMALLEST_GAP + _parts(spare, len(order) + 1, rng)
    starts = np.cumsum(gaps[:-1]) + np.cumsum(lengths) - lengths
    codes = list(GESTURES)
    return tuple(
        Segment(int(start), int(start + length), codes[k])
        for start, length, k in zip(starts, lengths, order, strict=True)
    )


def _locomotion(file: DataFile, n_rows: int, rng: np.random.Generator) -> tuple[Segment, ...]:
    codes: list[int] = []
    lengths: list[int] = []
    left = n_rows
    for code, (share, mean) in reversed(_LOCOMOTION[file.is_drill].items()):
        # The first class takes what rounding leaves over.
        rows = round(share * n_rows) if code else left
        n = max(1, round(rows / mean))
        smallest = rows // (3 * n)
        lengths += list(smallest + _parts(rows - smallest * n, n, rng))
        codes += [code] * n
        left -= rows
    segments: list[Segment] = []
    start = 0
    for k in rng.permutation(len(codes)):
        segments.append(Segment(start, start + int(lengths[k]), codes[k]))
        start += int(lengths[k])
    return tuple(segments)


def _high_level(n_rows: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Early morning, coffee, sandwich, relaxing, clean-up, each after some NULL."""
    track = np.zeros(n_rows, np.int32)
    edges = np.linspace(0, n_rows, 6).astype(int)
    for code, start, stop in zip((103, 102, 105, 101, 104), edges, edges[1:], strict=False):
        track[start + int((stop - start) * rng.uniform(0.1, 0.4)) : stop] = code
    return track


def _left_arm(n_rows: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Actions 201-213 on objects 301-323, independent of everything else."""
    tracks = np.zeros((n_rows, 2), np.int32)
    for start in rng.integers(0, n_rows, max(1, n_rows // 300)):
        stop = start + rng.integers(20, 61)
        tracks[start:stop] = rng.integers(201, 214), rng.integers(301, 324)
    return tracks


def _parts(total: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``total`` samples in ``n`` parts of random size."""
    return rng.multinomial(total, rng.dirichlet(np.full(n, 2.0)))
