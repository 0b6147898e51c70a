"""Prepared folds that several cells of a run share: the first prepares, the others map its work.

The models and seeds of a fold are trained on the same filled and normalised signals. They lie in a
file without a name in the cache folder, which worker processes are handed open. Nobody else can
reach it, and it is gone when the last process that has it open ends, however that ends: nothing is
ever left behind, and runs cannot get in each other's way. Where such a file cannot be had (no room,
no rights, no locks), each cell prepares its fold itself, and gets the same bits.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import context, reduction
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from harbench.data.folders import cache_root
from harbench.data.gaps import PARTS
from harbench.data.normalise import Normaliser
from harbench.data.prepared import PreparedFold
from harbench.data.splits import Fold
from harbench.data.windows import Windows
from harbench.errors import ConfigError
from harbench.execute.jobs import CellJob, Job
from harbench.plan import Cell

AT_MOST = 4 << 30
"""Bytes that the files of a run take, beside those that are being written or used just now."""

_FILES = 64
"""At most: each is an open file."""

_PIECE = 1 << 24
_SEAL = 32 + 8
"""Behind the facts of a fold: their sha256, and their length."""

Made = tuple[Fold, PreparedFold]


@dataclass(frozen=True)
class FoldFile:
    """A file without a name, for one prepared fold; empty until a process has written it.

    Args:
        descriptor: Of this process. A worker process gets one of its own when it is started.
    """

    descriptor: int

    def __reduce__(self) -> tuple[Any, ...]:
        context.assert_spawning(self)
        return _received, (reduction.DupFd(self.descriptor),)


def _received(duplicate: Any) -> FoldFile:
    return FoldFile(duplicate.detach())


class FoldFiles:
    """The files of a run, for those folds of which it has several cells.

    Args:
        jobs: Of the run.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        cells = [job.cell for job in jobs if isinstance(job, CellJob)]
        self._left = Counter(map(_shares, cells))
        self._several = {place for place, number in self._left.items() if number > 1}
        # The one that was used last stands last.
        self._open: OrderedDict[Hashable, BinaryIO] = OrderedDict()
        self._none = False

    def of(self, job: Job) -> FoldFile | None:
        """For a cell that is about to be trained: its fold's file; None where it has no use.

        It is good until this is called again.
        """
        if not isinstance(job, CellJob):
            return None
        self._close(place for place in self._open if self._left[place] < 1)
        place = _shares(job.cell)
        self._left[place] -= 1
        file = self._open.pop(place, None)
        if file is None:
            if self._left[place] < 1 or self._none:
                return None
            self._make_room()
            try:
                cache_root().mkdir(parents=True, exist_ok=True)
                file = tempfile.TemporaryFile(dir=cache_root())  # noqa: SIM115 - see _close
            except (OSError, ConfigError):
                self._none = True
                return None
        self._open[place] = file
        return FoldFile(file.fileno())

    def several(self, job: Job) -> bool:
        """Whether the run has several cells of this one's fold."""
        return isinstance(job, CellJob) and _shares(job.cell) in self._several

    def expect(self, job: CellJob) -> None:
        """This cell is about to come, and others of its fold may: of a run that is planned
        elsewhere nobody here knows how many."""
        self._left[_shares(job.cell)] = 2

    def forget(self) -> None:
        """Give all files back; what maps one still has it."""
        self._close(self._open)

    def _make_room(self) -> None:
        sizes = {place: os.fstat(file.fileno()).st_size for place, file in self._open.items()}
        oldest = []
        for place in self._open:
            if sum(sizes.values()) < AT_MOST and len(sizes) < _FILES:
                break
            del sizes[place]
            oldest.append(place)
        self._close(oldest)

    def _close(self, places: Iterable[Hashable]) -> None:
        for place in list(places):
            self._open.pop(place).close()


def _shares(cell: Cell) -> Hashable:
    """Equal for cells whose prepared fold is the same: the facts that it is made of."""
    content, protocol = cell.content, cell.protocol
    return (
        cell.dataset,
        content["data"],
        content["windows"]["sha256"],
        cell.fold,
        cell.length,
        len(content["classes"]),
        cell.channels,
        protocol.fill,
        protocol.normalise,
    )


def shared(file: FoldFile | None, make: Callable[[], Made]) -> Made:
    """The fold that a file holds; where it is empty, what is made, and written into it.

    Cells that begin together make it once: the others wait for the first.

    Args:
        file: For this fold; None makes it.
        make: Cuts and prepares the fold. What it raises is passed on.
    """
    if file is None or not _locked(file.descriptor, fcntl.LOCK_EX):
        return make()
    try:
        # Only who finds it empty writes: what others may have mapped is never changed.
        if os.fstat(file.descriptor).st_size:
            return _read(file.descriptor) or make()
        made = make()
        # Mapped again, so that this copy's memory is free and all cells use one.
        return (_write(file.descriptor, *made) and _read(file.descriptor)) or made
    finally:
        _locked(file.descriptor, fcntl.LOCK_UN)


def _locked(descriptor: int, how: int) -> bool:
    try:
        # A lock of the process, not of the open file, which all processes share.
        fcntl.lockf(descriptor, how)
    except OSError:
        return False
    return True


def _write(descriptor: int, fold: Fold, data: PreparedFold) -> bool:
    """Write a fold: signals, windows, facts, seal. False where it cannot be."""
    arrays: list[NDArray[Any]] = [np.ascontiguousarray(data.signals)]
    if arrays[0].nbytes % 8:
        arrays.append(np.zeros(8 - arrays[0].nbytes % 8, np.uint8))
    for part in PARTS:
        windows = getattr(fold, part)
        arrays += [np.ascontiguousarray(of, np.int64) for of in (windows.starts, windows.labels)]
    normaliser = data.normaliser
    numbers: list[NDArray[Any]] = [normaliser.offset, normaliser.scale, normaliser.missing]
    arrays += map(np.ascontiguousarray, numbers)
    facts = json.dumps(
        {
            "signals": data.signals.shape,
            "windows": {part: len(getattr(fold, part)) for part in PARTS},
            "length": data.length,
            "n_classes": data.n_classes,
            "fold": [fold.name, fold.test_overlap, fold.validation_overlap, fold.concatenated],
            # Fixed limits may be whole numbers, and are recorded as such.
            "normaliser": [array.dtype.str for array in numbers],
            "clip": normaliser.clip,
        }
    ).encode()
    seal = hashlib.sha256(facts).digest() + len(facts).to_bytes(8, "little")
    pieces: list[Any] = [array.reshape(-1).view(np.uint8).data for array in arrays]
    pieces += [facts, seal]
    try:
        free = os.fstatvfs(descriptor)
        # As much again is left to others.
        if 2 * sum(map(len, pieces)) > free.f_bavail * free.f_frsize:
            raise OSError("too little room")
        place = 0
        for piece in pieces:
            for first in range(0, len(piece), _PIECE):
                some = piece[first : first + _PIECE]
                while len(some):
                    n_written = os.pwrite(descriptor, some, place)
                    place, some = place + n_written, some[n_written:]
    except OSError:
        with suppress(OSError):
            # Its room is free again; not empty, so that nobody else tries.
            os.ftruncate(descriptor, 1)
        return False
    return True


def _read(descriptor: int) -> Made | None:
    """What :func:`_write` wrote, mapped; None where that did not end well."""
    size = os.fstat(descriptor).st_size
    if size <= _SEAL:
        return None
    try:
        # Changes would be this process's own; torch warns of an array that cannot be changed.
        mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY)
        seal, n_facts = (
            mapped[size - _SEAL : size - 8],
            int.from_bytes(mapped[size - 8 :], "little"),
        )
        text = mapped[size - _SEAL - n_facts : size - _SEAL]
        if size < _SEAL or hashlib.sha256(text).digest() != seal:
            return None
    except (OSError, ValueError, OverflowError):
        return None
    facts = json.loads(text)
    shape = tuple(facts["signals"])
    signals = np.frombuffer(mapped, np.float32, shape[0] * shape[1]).reshape(shape)
    place = -(-signals.nbytes // 8) * 8
    parts: list[Windows] = []
    for part in PARTS:
        n_windows = facts["windows"][part]
        both = np.frombuffer(mapped, np.int64, 2 * n_windows, place)
        parts.append(Windows(both[:n_windows], both[n_windows:]))
        place += both.nbytes
    train, validation, test = parts
    name, test_overlap, validation_overlap, concatenated = facts["fold"]
    fold = Fold(
        name, train, validation, test, test_overlap, validation_overlap, tuple(concatenated)
    )
    numbers = []
    for dtype in facts["normaliser"]:
        numbers.append(np.frombuffer(mapped, dtype, shape[1], place))
        place += numbers[-1].nbytes
    clip = None if facts["clip"] is None else tuple(facts["clip"])
    offset, scale, missing = numbers
    normaliser = Normaliser(offset, scale, missing, clip)
    data = PreparedFold(
        signals, facts["length"], train, validation, test, facts["n_classes"], normaliser
    )
    return fold, data
