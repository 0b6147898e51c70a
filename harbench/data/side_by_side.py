"""Reading the sources of a dataset side by side, in as many processes as there are processors.

What is read is the same, in the same order, as one after the other: each source is written to
files of its own, and :mod:`harbench.data.stream` appends these in the order of the sources. A
source that a process cannot read for whatever reason but a refusal is left to who asked, so an
error is the same too.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from harbench.data.processors import usable_processors
from harbench.data.reader_process import READY, Answer, part, read_part
from harbench.data.recordings import Written, file_names
from harbench.errors import HarbenchError
from harbench.nouns import Dataset, Source

MUCH = 64_000_000
"""Bytes from which processes, half a second each to start, are worth it whoever reads them."""

LONG = 2.0
"""Seconds that the rest must be likely to take, where it is fewer bytes than that."""

_MOST = 8
"""Processes: more wait for the disk, and each holds a recording in memory."""

_AHEAD = 2
"""Sources that each process may be ahead of those that are in the stream: they take up disk."""

READS_TOO = True
"""Whether this process reads as well, while it would only wait: one process less has to start."""

_START = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "import sys; sys.path[:] = {path!r}; "
    "from harbench.data.reader_process import serve; serve({files!r})"
)


def pays(sources: Sequence[Source], n_done: int, seconds: float) -> bool:
    """Whether the rest should be read side by side.

    Args:
        sources: All of the dataset.
        n_done: Sources that were read, one after the other.
        seconds: That they took.
    """
    n_left = len(sources) - n_done
    if n_left < 2:
        return False
    if n_done:
        return seconds / n_done * n_left > LONG
    try:
        return sum(file.path.stat().st_size for s in sources for file in s.files) > MUCH
    except OSError:
        return False


def start(
    dataset: Dataset, sources: Sequence[Source], first: int, folder: Path, jobs: int | None
) -> SideBySide | None:
    """Processes that read sources ``first`` and up; None where they cannot or need not be.

    Args:
        dataset: Whose reader; it and the sources have to be picklable.
        sources: All of the dataset.
        first: Number of the first that is to be read.
        folder: For their files.
        jobs: How many processes at most; None: as many as processors.
    """
    n_processes = min(usable_processors() if jobs is None else jobs, len(sources) - first, _MOST)
    if n_processes < 2 or not sys.executable:
        return None
    try:
        order = pickle.dumps((dataset, list(sources), folder))
    except Exception:  # noqa: BLE001 - whatever a plugin's objects say to being pickled
        return None
    return SideBySide(dataset, sources, order, first, folder, n_processes)


class SideBySide:
    """Sources that are being read; a context that ends its processes."""

    def __init__(
        self,
        dataset: Dataset,
        sources: Sequence[Source],
        order: bytes,
        first: int,
        folder: Path,
        n_processes: int,
    ) -> None:
        self._dataset, self._sources, self._folder = dataset, sources, folder
        self._names = file_names(dataset)
        self._n_sources = len(sources)
        self._next = self._wanted = first
        self._limit = _AHEAD * n_processes
        self._answers: dict[int, list[Written] | HarbenchError | None] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._working = 0
        try:
            for _ in range(n_processes - READS_TOO):
                process = _process()
                self._processes.append(process)
                thread = threading.Thread(target=self._drive, args=(process, order), daemon=True)
                self._threads.append(thread)
                self._working += 1
                thread.start()
        except OSError:
            pass  # those that were started do, and where there are none nobody waits for them
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for process in self._processes:
            process.kill()  # its files are of no use to anybody
        for process in self._processes:
            process.wait()
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    _close(pipe)

    def files(self, number: int) -> list[Path]:
        """Where the samples of a source stand that has been read."""
        return [part(self._folder, number, name) for name in self._names]

    def wait_for(self, number: int) -> list[Written] | None:
        """The recordings of a source, once its files are whole; None: read it yourself.

        Asked for in order: sources that lie too far behind the one asked for are not begun.

        Raises:
            HarbenchError: the reader refused it.
        """
        with self._changed:
            self._wanted = number
            self._changed.notify_all()
        while (own := self._meanwhile(number)) is not None:
            if own == number:
                return None
            self._note(*read_part(self._dataset, self._sources, self._folder, own))
        with self._changed:
            answer = self._answers.pop(number, None)
        if isinstance(answer, HarbenchError):
            raise answer
        if answer is None:
            for path in self.files(number):  # half-written, perhaps to a disk that is now full
                path.unlink(missing_ok=True)
        return answer

    def _drive(self, process: subprocess.Popen[bytes], order: bytes) -> None:
        """Give a process one source after the other, and note what it answers."""
        assert process.stdin is not None and process.stdout is not None
        number: int | None = None
        try:
            _send(process, order)
            if process.stdout.readline() != READY:
                return  # it cannot load the dataset
            while (number := self._take()) is not None:
                _send(process, pickle.dumps(number))
                answer: Answer = pickle.load(process.stdout)
                self._note(answer[0], answer[1])
        except Exception:  # noqa: BLE001 - it has ended, or answers nonsense
            return  # its source is left to who asked
        finally:
            with self._changed:
                self._working -= 1
                if number is not None and number not in self._answers:
                    self._answers[number] = None
                self._changed.notify_all()

    def _meanwhile(self, number: int) -> int | None:
        """A source for this process to read, until ``number`` has been read; then None."""
        with self._changed:
            while number not in self._answers and self._working:
                if READS_TOO and self._may_begin():
                    self._next += 1
                    return self._next - 1
                self._changed.wait()
        return None

    def _take(self) -> int | None:
        """The next source for another process; waits where that is too far ahead."""
        with self._changed:
            while not self._closing and self._next < self._n_sources and not self._may_begin():
                self._changed.wait()
            if self._closing or self._next >= self._n_sources:
                return None
            self._next += 1
            return self._next - 1

    def _may_begin(self) -> bool:
        return self._next < min(self._n_sources, self._wanted + self._limit)

    def _note(self, number: int, answer: list[Written] | HarbenchError | None) -> None:
        with self._changed:
            self._answers[number] = answer
            if isinstance(answer, HarbenchError):
                self._n_sources = self._next  # those before it are still wanted, no others
            self._changed.notify_all()


def _process() -> subprocess.Popen[bytes]:
    # No entry point leads to plugins that are single files: they are found by their path.
    files = {
        name: str(Path(file).resolve())
        for name, module in list(sys.modules.items())
        if name.startswith("harbench_file_") and (file := getattr(module, "__file__", None))
    }
    environment: dict[str, Any] = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment.setdefault(name, "1")
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _START.format(path=sys.path, files=files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )


def _send(process: subprocess.Popen[bytes], content: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(content)
    process.stdin.flush()


def _close(pipe: Any) -> None:
    # What was not sent to a process that has ended is of no use to anybody.
    with suppress(OSError):
        pipe.close()
