"""Who has a cell in work: runs that share one results folder keep out of each other's way."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock
    fcntl = None  # type: ignore[assignment]

# What file systems answer that have no locks (some NFS, FUSE and cluster mounts).
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class CellLocks:
    """A lock for each cell: ``flock`` on an empty file, which the kernel releases when the
    process ends, however it ends.

    The files stay until the run ends: a file system may be slow to make files while it still
    remembers thousands that were removed (ext4 looks at each, for half a minute).

    Where the file system has no locks every cell is free: two runs may then train one cell twice,
    which costs time and changes nothing.

    Args:
        folder: Of the lock files; made when the first is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int | None] = {}
        self._let_go: set[str] = set()
        self.unsupported: str | None = None
        """Why there are no locks, once that is known."""

    def take(self, key: str) -> bool:
        """Try to take a cell; False if another process has it.

        Raises:
            OSError: the folder cannot be written.
        """
        if fcntl is None:
            self.unsupported = "this system has no flock"
        if self.unsupported is not None:
            self._held[key] = None
            return True
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{key}.lock"
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno in _NO_LOCKS:
                    self.unsupported = error.strerror or str(error)
                    path.unlink(missing_ok=True)
                    self._held[key] = None
                    return True
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    return False
                raise
            if _is(path, descriptor):
                self._held[key] = descriptor
                return True
            # Its last holder removed the file between our opening and our locking it.
            os.close(descriptor)

    def release(self, key: str) -> None:
        """Let a cell go."""
        descriptor = self._held.pop(key, None)
        if descriptor is not None:
            self._let_go.add(key)
            os.close(descriptor)

    def release_all(self) -> None:
        """Let go whatever is held, and remove the files of all that was."""
        for key in list(self._held):
            self._remove(key)
        for key in self._let_go:
            # Whoever has it by now will remove it.
            with suppress(OSError):
                if self.take(key):
                    self._remove(key)
        self._let_go.clear()

    def _remove(self, key: str) -> None:
        """Let a cell go, and remove its file."""
        descriptor = self._held.pop(key)
        if descriptor is None:
            return
        try:
            # Ours while we hold the lock: who opened it meanwhile will see that it is gone.
            (self._folder / f"{key}.lock").unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Remove the files of processes that were killed."""
        if fcntl is None or not self._folder.is_dir():
            return
        for path in self._folder.glob("*.lock"):
            with suppress(OSError):
                if self.take(path.stem):
                    self._remove(path.stem)


def _is(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
