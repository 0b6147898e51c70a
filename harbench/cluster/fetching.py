"""How a dataset's stream gets into a worker's cache: what runs on the worker.

Whatever way it came, a stream is in the cache only when every file has the sha256 that the client
stated. Nothing here takes one of the worker's task threads: cells may have them all.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from harbench.data.stream import alone_at, home_of
from harbench.errors import DataError

PIECE = 4 << 20
"""Bytes that are sent at once: what scheduler and workers hold of a stream in memory."""

_PIECE_S = 60.0
"""After which a worker that does not send a piece is given up as a source."""

_STALE_S = 86_400.0
"""After which what a worker that died left of a stream is removed."""

_whole: dict[Path, object] = {}


@dataclass(frozen=True)
class StreamFacts:
    """What a stream is made of, as the client has it.

    Args:
        dataset: Name.
        digest: Of the stream.
        files: Name, bytes and sha256 of each file.
    """

    dataset: str
    digest: str
    files: tuple[tuple[str, int, str], ...]

    @property
    def home(self) -> Path:
        """Where it lies in the cache of this process's machine."""
        return home_of(self.dataset, self.digest)

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(size for _, size, _ in self.files)


def facts_of(dataset: str, digest: str) -> StreamFacts:
    """What the stream in this machine's cache is made of; all of it is read.

    Raises:
        DataError: it is not there.
    """
    home = home_of(dataset, digest)
    try:
        files = [(p.name, p.stat().st_size, _sha256(p)) for p in sorted(home.iterdir())]
    except OSError as error:
        raise DataError(
            f"the cached data of '{dataset}' cannot be read: {error.strerror or error}",
            where=str(home),
            fix="run the same command again",
        ) from error
    return StreamFacts(dataset, digest, tuple(files))


def in_shared(facts: StreamFacts, shared: Path) -> Path:
    """Where a stream lies in the shared folder."""
    return shared / "streams" / facts.dataset / facts.digest[:32]


def is_whole(facts: StreamFacts, home: Path) -> bool:
    """Whether a folder holds exactly this stream. Read once a process, then by size and time."""
    try:
        found = {path.name: path.stat() for path in home.iterdir()}
        if {name: stat.st_size for name, stat in found.items()} != {
            name: size for name, size, _ in facts.files
        }:
            return False
        seen = facts, sorted((n, s.st_mtime_ns, s.st_ino) for n, s in found.items())
        if _whole.get(home) == seen:
            return True
        if any(_sha256(home / name) != sha256 for name, _, sha256 in facts.files):
            return False
    except OSError:
        return False
    _whole[home] = seen
    return True


def copied(facts: StreamFacts, source: Path, home: Path, *, keep: bool = False) -> bool:
    """Copy a stream from one folder to another; False where the source does not hold it.

    Args:
        facts: Of the stream.
        source: Folder that may hold it.
        home: Folder that shall.
        keep: Nothing is done where it holds it already.

    Raises:
        OSError: there is no room, or no right to write.
    """
    if keep and is_whole(facts, home):
        return True
    if not is_whole(facts, source):
        return False
    temporary = _begun(facts, home, uuid4().hex)
    try:
        for name, _, _ in facts.files:
            shutil.copyfile(source / name, temporary / name)
        _install(facts, temporary, home)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


async def look(facts: StreamFacts, shared: str | None) -> str | None:
    """Whether the stream is in this worker's cache, or in the shared folder: then it is copied.

    Returns:
        "held" or "shared", or None where it has to come from elsewhere.
    """
    return await asyncio.to_thread(_look, facts, shared)


def _look(facts: StreamFacts, shared: str | None) -> str | None:
    if is_whole(facts, facts.home):
        return "held"
    if shared is not None and copied(facts, in_shared(facts, Path(shared)), facts.home):
        return "shared"
    return None


async def piece(facts: StreamFacts, name: str, offset: int) -> bytes:
    """A part of a file that this worker holds; at most :data:`PIECE` bytes."""
    return await asyncio.to_thread(read_piece, facts.home / name, offset)


def read_piece(path: Path, offset: int) -> bytes:
    """At most :data:`PIECE` bytes of a file."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE)


async def take(facts: StreamFacts, holder: str, dask_worker: Any = None) -> str:
    """Get the stream from another worker, piece by piece, past client and scheduler.

    Args:
        facts: Of the stream.
        holder: Address of a worker that holds it.
        dask_worker: Dask puts in the worker that this runs on.

    Raises:
        OSError, TimeoutError: the other worker cannot be reached; or there is no room here.
        DataError: what it sent is not the stream.
    """
    from distributed.core import clean_exception
    from distributed.protocol.pickle import dumps

    if await asyncio.to_thread(is_whole, facts, facts.home):
        return "held"
    temporary = await asyncio.to_thread(_begun, facts, facts.home, uuid4().hex)
    try:
        for name, offset in pieces_of(facts):
            asked = dask_worker.rpc(holder).run(
                function=dumps(piece), args=dumps((facts, name, offset))
            )
            answer = await asyncio.wait_for(asked, _PIECE_S)
            if answer["status"] != "OK":
                _, error, _ = clean_exception(**answer)
                raise OSError(f"worker {holder} cannot give it: {error}")
            await asyncio.to_thread(_write, temporary / name, offset, answer["result"])
        await asyncio.to_thread(_install, facts, temporary, facts.home)
    finally:
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    return "worker"


def pieces_of(facts: StreamFacts) -> list[tuple[str, int]]:
    """Name and offset of each piece; an empty file has one."""
    return [
        (name, offset) for name, size, _ in facts.files for offset in range(0, max(size, 1), PIECE)
    ]


async def begin(facts: StreamFacts, token: str) -> None:
    """The client is about to send a stream under this token.

    Raises:
        OSError: there is no room, or no right to write.
    """
    await asyncio.to_thread(_begun, facts, facts.home, token)


async def put(facts: StreamFacts, token: str, name: str, offset: int, data: bytes) -> None:
    """A piece that the client sends."""
    await asyncio.to_thread(_write, _temporary(facts.home, token) / name, offset, data)


async def finish(facts: StreamFacts, token: str) -> None:
    """All pieces are there.

    Raises:
        DataError: they are not the stream.
    """
    temporary = _temporary(facts.home, token)
    try:
        await asyncio.to_thread(_install, facts, temporary, facts.home)
    finally:
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)


def _temporary(home: Path, token: str) -> Path:
    return home.with_name(f".{home.name}.{os.getpid()}.{token}.tmp")


def _begun(facts: StreamFacts, home: Path, token: str) -> Path:
    """An empty folder for a stream that comes."""
    home.parent.mkdir(parents=True, exist_ok=True)
    for left in home.parent.glob(f".{home.name}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
    if shutil.disk_usage(home.parent).free < facts.bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(home.parent))
    temporary = _temporary(home, token)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    return temporary


def _write(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b" if path.exists() else "wb") as file:
        file.seek(offset)
        file.write(data)


def _install(facts: StreamFacts, temporary: Path, home: Path) -> None:
    if not is_whole(facts, temporary):
        raise DataError(
            f"what came of '{facts.dataset}' is not what was sent", where=str(temporary)
        )
    with alone_at(home):
        # Another worker of this machine may have been first.
        if is_whole(facts, home):
            return
        shutil.rmtree(home, ignore_errors=True)
        temporary.replace(home)
        _whole.pop(temporary, None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
