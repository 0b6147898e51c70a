"""Writing to a disk that may be full or closed to us: one sentence, not a traceback."""

from __future__ import annotations

import errno
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harbench.errors import DataError

_FULL = {errno.ENOSPC, errno.EDQUOT}


class DiskFullError(DataError):
    """There is no room; what was half-written has to go."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says while ``path`` is written into an error that a user can read.

    Only writing goes inside: what a network or a source says is another matter, and much of it
    is an OSError too.

    Raises:
        DiskFullError: no room, or over the user's quota.
        DataError: not allowed, read-only, or a broken disk.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"the disk is full: {path.name} could not be written", where=str(path.parent)
            ) from error
        why = error.strerror or str(error)
        raise DataError(f"{path.name} cannot be written ({why})", where=str(path.parent)) from error


def write_all(file: io.FileIO, content: bytes) -> None:
    """Write all of ``content`` to an unbuffered file, so that closing it has nothing to say."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def check_room(folder: Path, needed: int) -> None:
    """Refuse before writing what cannot fit.

    Raises:
        DiskFullError: less than ``needed`` bytes are free where ``folder`` lies.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"the disk is too full: {size(free)} are free and {size(needed)} are needed",
            where=str(folder),
        )


def size(count: int) -> str:
    """Bytes for people: ``306.6 MB``, ``1.2 GB``, in powers of ten."""
    if count < 1000:
        return f"{count} bytes"
    number = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        number /= 1000
        if number < 1000 or unit == "TB":
            break
    return f"{number:.1f} {unit}"
