"""What is written while something runs: every file that Python opens to write, wherever it lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Not os.mkdir: it is heard also where the folder is there already, and an empty one is no harm.
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"}

# An audit hook cannot be taken away again: there is one, and it is deaf most of the time.
_heard: set[Path] | None = None
_listening = False


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _heard is None:
        return
    if event == "open":
        path, mode, flags = args
        writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else flags & _WRITES
        if writes and isinstance(path, str | bytes | os.PathLike):
            _heard.add(_absolute(path))
    elif event in _CHANGES:
        # The last path of a rename or a link is the one that comes into being.
        paths = [part for part in args if isinstance(part, str | bytes | os.PathLike)]
        _heard.update(_absolute(path) for path in paths)


def _absolute(path: str | bytes | os.PathLike[Any]) -> Path:
    # Not resolve(): that would follow a link that is being made or removed.
    return Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100


@contextmanager
def writing_heard() -> Iterator[set[Path]]:
    """The set fills with every path that is opened to write, renamed or removed.

    What C code opens by itself is not heard; compare :func:`tree` before and after for that.
    """
    global _heard, _listening
    if not _listening:
        sys.addaudithook(_hear)
        _listening = True
    before, _heard = _heard, set()
    try:
        yield _heard
    finally:
        _heard = before


def outside(paths: set[Path], allowed: tuple[Path, ...], never: tuple[Path, ...]) -> list[Path]:
    """Those that lie in a folder of ``never``, or in none of the allowed ones.

    Python's own caches are nobody's business.
    """

    def inside(path: Path, folders: tuple[Path, ...]) -> bool:
        return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)

    return [
        path
        for path in sorted(paths)
        if (inside(path, never) or not inside(path, allowed))
        and "__pycache__" not in path.parts
        and not path.is_relative_to("/dev")
    ]


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Relative path -> size and time of change, of every file and folder in it."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        size = stat.st_size if path.is_file() else 0
        found[str(path.relative_to(folder))] = (size, stat.st_mtime_ns if path.is_file() else 0)
    return found
