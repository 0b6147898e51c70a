"""The stream: all recordings of a dataset, one after another, cached once as memory-mapped arrays.

A dataset's files are hashed, read once, and written as one float32 array and one int16 array a
task. What is cached is named by the sha256 of the files and the reader's version, so a changed
file or reader can never be served old samples. A window is then no more than a start index.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from harbench.config.nodes import printable
from harbench.data.file_hashes import FileHashes
from harbench.data.folders import cache_root, dataset_folder
from harbench.data.recordings import file_names, opened, write_source
from harbench.data.side_by_side import SideBySide, pays, start
from harbench.errors import DataError
from harbench.nouns import Dataset, Source, SourceFile

FORMAT = 1
"""Raised when the layout of the cached files changes."""

_META = {"digest", "recordings"}
_PIECE = 1 << 20


@dataclass(frozen=True)
class RecordingSpan:
    """Where a recording lies in the stream: samples ``start`` to ``stop`` (exclusive)."""

    name: str
    subject: str
    session: str
    start: int
    stop: int


@dataclass(frozen=True)
class Stream:
    """A dataset, ready to be windowed.

    Args:
        digest: sha256 that names the content: the files' hashes and the reader's version.
        recordings: In the order of the stream.
        signals: float32 [n_samples, n_channels], NaN where missing; memory-mapped, read-only.
        labels: task name -> int16 [n_samples]; memory-mapped, read-only.
    """

    digest: str
    recordings: tuple[RecordingSpan, ...]
    signals: NDArray[np.float32]
    labels: Mapping[str, NDArray[np.int16]]


def release(signals: NDArray[np.float32]) -> None:
    """Give back the memory that the read part of a memory-mapped array takes; it stays readable."""
    mapped = getattr(signals, "_mmap", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def folder_of(dataset: Dataset, path: Path | None) -> Path:
    """Where the dataset's files are looked for: the user's path, or harbench's data folder."""
    return path if path is not None else dataset_folder(dataset.name)


def digest_of(dataset: Dataset, sources: Sequence[Source]) -> str:
    """Name of a dataset's content: a sha256 over its files' sha256 and the reader's version.

    Raises:
        DataError: where a file's bytes are not those that the dataset states.
    """
    hashes = FileHashes.load()
    hashes.learn(file.path for source in sources for file in source.files)
    listing = [
        [source.name, [_checked_hash(dataset, file, hashes) for file in source.files]]
        for source in sources
    ]
    hashes.save()
    content = [FORMAT, dataset.name, dataset.reader_version, listing]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def open_stream(
    dataset: Dataset,
    path: Path | None = None,
    on_source: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> Stream:
    """The dataset as a stream; read from its files the first time, from the cache after that.

    Args:
        dataset: Which.
        path: Folder of its files, where not the usual one.
        on_source: Told (sources read, sources in all) while the cache is being made.
        jobs: Processes that read at most; None: as many as this one may use processors. What is
            read is the same, however many they are.

    Raises:
        DataMissingError: the files are not here.
        DataError: a file is not what it should be, or the disk is full; no half-made cache stays.
    """
    folder = folder_of(dataset, path)
    try:
        sources = dataset.sources(folder)
        digest = digest_of(dataset, sources)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(
            f"the files of '{dataset.name}' cannot be read: "
            f"{getattr(error, 'strerror', None) or error}",
            where=printable(str(folder)),
            expected="a folder that can be read",
        ) from error
    home = home_of(dataset.name, digest)
    if not (home / "stream.json").is_file():
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            with alone_at(home):
                if not (home / "stream.json").is_file():
                    _build(dataset, sources, digest, home, on_source, jobs)
        except OSError as error:
            raise DataError(
                f"the cache of '{dataset.name}' cannot be written: {error.strerror or error}",
                where=str(home.parent),
                expected="a writable folder with room for the dataset",
                fix="HARBENCH_CACHE=/a/folder/with/room harbench run benchmarks.yaml",
            ) from error
    return _open(dataset, home, digest)


def home_of(dataset: str, digest: str) -> Path:
    """Where a stream is cached on this machine; it need not be there.

    Args:
        dataset: Name.
        digest: As :func:`digest_of` gives it.
    """
    return cache_root() / "streams" / dataset / digest[:32]


def open_content(dataset: Dataset, digest: str) -> Stream:
    """A stream by its content alone, from the cache; the dataset's files need not be here.

    Args:
        dataset: Which.
        digest: Of the stream, as it was planned with.

    Raises:
        DataError: it is not in this machine's cache, or is damaged (and is then removed).
    """
    home = home_of(dataset.name, digest)
    if not (home / "stream.json").is_file():
        raise DataError(
            f"the data of '{dataset.name}' with sha256 {digest[:16]}... is not here",
            where=str(home),
            expected="a stream that was read, or sent, before",
        )
    return _open(dataset, home, digest)


@contextmanager
def alone_at(home: Path) -> Iterator[None]:
    """Keep other processes from writing a stream; where the file system has no locks, each does."""
    lock = FileLock(home.with_suffix(".lock"))
    try:
        lock.acquire()
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
    try:
        yield
    finally:
        lock.release()


def _checked_hash(dataset: Dataset, file: SourceFile, hashes: FileHashes) -> str:
    found = hashes.of(file.path)
    if file.sha256 is not None and found != file.sha256:
        fetch = f"harbench datasets fetch {dataset.name}" if dataset.archive else None
        raise DataError(
            f"this is not the file that '{dataset.name}' names: its sha256 is {found[:16]}...",
            where=str(file.path),
            expected=f"{file.sha256[:16]}...",
            fix=fetch,
        )
    return found


def _build(
    dataset: Dataset,
    sources: Sequence[Source],
    digest: str,
    home: Path,
    on_source: Callable[[int, int], None] | None,
    jobs: int | None = None,
) -> None:
    temporary = home.with_name(f".{home.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        spans = _write_arrays(dataset, sources, temporary, on_source, jobs)
        meta = {"digest": digest, "recordings": [asdict(span) for span in spans]}
        meta["sha256"] = _sha256_of(meta)
        (temporary / "stream.json").write_text(json.dumps(meta))
        shutil.rmtree(home, ignore_errors=True)
        temporary.replace(home)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_arrays(
    dataset: Dataset,
    sources: Sequence[Source],
    folder: Path,
    on_source: Callable[[int, int], None] | None,
    jobs: int | None,
) -> list[RecordingSpan]:
    spans: list[RecordingSpan] = []
    names: set[str] = set()
    position = 0
    begin = time.monotonic()
    with (
        opened([folder / name for name in file_names(dataset)], "wb") as files,
        ExitStack() as stack,
    ):
        readers: SideBySide | None = None
        asked = False
        for number, source in enumerate(sources):
            if not asked and pays(sources, number, time.monotonic() - begin):
                asked = True
                if readers := start(dataset, sources, number, folder, jobs):
                    stack.enter_context(readers)
            found = readers.wait_for(number) if readers else None
            if readers and found is not None:
                for path, file in zip(readers.files(number), files, strict=True):
                    _move(path, file)
            else:
                found = write_source(dataset, source, files)
            for recording in found:
                if recording.name in names:
                    raise DataError(
                        f"two recordings of '{dataset.name}' are called '{recording.name}'",
                        expected="a name of its own for each",
                    )
                names.add(recording.name)
                end = position + recording.n_samples
                spans.append(
                    RecordingSpan(
                        recording.name, recording.subject, recording.session, position, end
                    )
                )
                position = end
            if on_source:
                on_source(number + 1, len(sources))
        for file in files:
            _sync(file)
    return spans


def _move(path: Path, file: BinaryIO) -> None:
    """Append a file's content, and remove it."""
    with path.open("rb", buffering=0) as content:
        shutil.copyfileobj(content, file, _PIECE)
    path.unlink()


def _sha256_of(meta: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _open(dataset: Dataset, home: Path, digest: str) -> Stream:
    try:
        meta = json.loads((home / "stream.json").read_text())
        said = meta.pop("sha256", None)
        # Caches of earlier versions have none, and are as good.
        whole = said == _sha256_of(meta) or (said is None and meta.keys() == _META)
        whole = whole and meta["digest"] == digest
        recordings = tuple(RecordingSpan(**span) for span in meta["recordings"])
        n_samples = recordings[-1].stop if recordings else 0
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole, recordings, n_samples = False, (), 0
    n_channels = len(dataset.channels)
    sizes = {"signals.f32": n_samples * n_channels * 4}
    sizes |= {f"labels-{i}.i16": n_samples * 2 for i in range(len(dataset.tasks))}
    if (
        not whole
        or n_samples == 0
        or any((home / name).stat().st_size != size for name, size in sizes.items())
    ):
        shutil.rmtree(home, ignore_errors=True)
        raise DataError(
            f"the cache of '{dataset.name}' was damaged and has been removed",
            where=str(home),
            fix="run the same command again",
        )
    return Stream(
        digest=digest,
        recordings=recordings,
        signals=np.memmap(home / "signals.f32", np.float32, "r", shape=(n_samples, n_channels)),
        labels={
            task.name: np.memmap(home / f"labels-{i}.i16", np.int16, "r", shape=(n_samples,))
            for i, task in enumerate(dataset.tasks)
        },
    )
