"""sha256 of data files, several at a time, and remembered from one start to the next."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from harbench.data.folders import cache_root
from harbench.data.processors import usable_processors

_PIECE = 1 << 20
_MOST_THREADS = 8
"""More only wait for the disk."""


class FileHashes:
    """sha256 of files, remembered by path, size and time of change, so that a second start of
    a 885 MB dataset does not read it again."""

    def __init__(self, path: Path, known: dict[str, list[Any]]) -> None:
        self._path = path
        self._known = known
        self._changed = False

    @classmethod
    def load(cls) -> FileHashes:
        """What earlier starts left; nothing where that cannot be read."""
        path = cache_root() / "file-hashes.json"
        try:
            known = json.loads(path.read_text())
        except (OSError, ValueError, RecursionError):
            known = {}
        known = known if isinstance(known, dict) else {}
        return cls(path, {k: v for k, v in known.items() if isinstance(v, list) and len(v) == 4})

    def of(self, file: Path) -> str:
        """The sha256 of a file, from memory where size, time of change and inode are the same."""
        key, stamp = _stamp(file)
        if key in self._known and self._known[key][1:] == stamp:
            return str(self._known[key][0])
        self._remember(key, stamp, _sha256(file, Event()))
        return str(self._known[key][0])

    def learn(self, files: Iterable[Path]) -> None:
        """Hash those that are not remembered, side by side. What cannot be read is left out."""
        new = {}
        for file in files:
            try:
                key, stamp = _stamp(file)
            except (OSError, ValueError):
                continue  # who asks for its hash hears of it
            if self._known.get(key, [None])[1:] != stamp:
                new[key] = (stamp, file)
        n_threads = min(len(new), usable_processors(), _MOST_THREADS)
        if n_threads < 2:
            return
        # hashlib works without the interpreter's lock.
        stop = Event()
        pool = ThreadPoolExecutor(n_threads)
        try:
            waiting = {key: pool.submit(_sha256, file, stop) for key, (_, file) in new.items()}
            for key, found in waiting.items():
                try:
                    self._remember(key, new[key][0], found.result())
                except OSError:
                    continue
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _remember(self, key: str, stamp: list[int], found: str) -> None:
        self._known[key] = [found, *stamp]
        self._changed = True

    def save(self) -> None:
        """Keep what was learnt for the next start."""
        if not self._changed:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(self._known))
            temporary.replace(self._path)
        except OSError:
            # It only saves time: a read-only or full cache folder costs a second hashing.
            return


def _stamp(file: Path) -> tuple[str, list[int]]:
    stat = file.stat()
    return str(file.resolve()), [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _sha256(file: Path, stop: Event) -> str:
    """Of the content. Looks at ``stop`` often: after Ctrl-C nobody waits for a large file."""
    digest = hashlib.sha256()
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    with file.open("rb", buffering=0) as content:
        while not stop.is_set() and (n_read := content.readinto(piece)):
            digest.update(view[:n_read])
    return digest.hexdigest()
