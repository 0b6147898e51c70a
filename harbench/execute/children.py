"""Jobs in processes of their own: started, heard, ended when they take too long or too much."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

from harbench.execute.folds import FoldFile
from harbench.execute.jobs import CellJob, Event, Failed, Finished, Job, Progress, Remark
from harbench.execute.ready import asked

# torch loads this when it is asked for deterministic algorithms: 1.5 s that every cell would take.
_ASKED_OF_TORCH = "torch._inductor.config"

# Each takes a good part of a second, which every fit would take again.
_SCIKIT_LEARN = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.neighbors")

_READY = "harbench.execute.ready"

_LOOK_S = 1.0
"""Between two looks at how much memory a job takes."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Children:
    """Processes that do one job each, on one thread.

    On Linux they are forked from a server that has torch loaded already, so a job starts in
    milliseconds.

    Args:
        estimators: Whether some will fit one: then scikit-learn is loaded as well.
        memory: Bytes of its own (not of mapped files) that a job may take; None is no limit. A job
            that takes more is ended within a second or so. Looked at on Linux only.
    """

    def __init__(self, *, estimators: bool = False, memory: int | None = None) -> None:
        self._loaded = ["harbench.execute.work", _ASKED_OF_TORCH]
        self._loaded += _SCIKIT_LEARN if estimators else ()
        # Last: it looks at what plugins leave behind, and keeps all of it for the workers.
        self._loaded.append(_READY)
        self._memory = memory
        self._context: BaseContext | None = None
        self._running: dict[Connection, tuple[BaseProcess, Job]] = {}
        self._ends: dict[Connection, float] = {}
        self._looked = 0.0

    def __len__(self) -> int:
        return len(self._running)

    def start(
        self,
        job: Job,
        file: FoldFile | None = None,
        environment: Mapping[str, str] = _NOTHING,
    ) -> None:
        """Begin a job.

        Args:
            job: Which.
            file: Of its prepared fold, where jobs share one.
            environment: Variables that its process gets beside those of this one.
        """
        context = self.prepare(job.plugin_files)
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(  # type: ignore[attr-defined]
            target=_child, args=(theirs, job, file, dict(environment)), daemon=True
        )
        process.start()
        theirs.close()
        self._running[ours] = (process, job)
        self._ends[ours] = deadline(job)

    def prepare(self, plugin_files: Sequence[Path]) -> BaseContext:
        """Have the server load what jobs need; only the first call does something."""
        if self._context is not None:
            return self._context
        # Several threads a process on as many processes as cores only wait for each other.
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        if sys.platform != "linux":
            self._context = multiprocessing.get_context("spawn")
            return self._context
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(self._loaded)
        with asked(plugin_files):
            ensure_running()
        self._context = context
        return context

    def heard(self, also: Sequence[Connection] = ()) -> list[Event]:
        """Wait until a job says something, one is ended, or one of ``also`` can be read.

        Jobs whose last event is among those that come back are no longer running.
        """
        if not self._running and not also:
            return []
        ready = wait([*self._running, *also], self._patience())
        greedy = self._greedy()
        events: list[Event] = []
        for connection, (process, job) in list(self._running.items()):
            if connection in ready:
                events.append(hear(connection, process, job))
                if not isinstance(events[-1], Progress | Remark):
                    self._forget(connection)
                    process.join()
                    continue
            # Also of one that says something all the time.
            if self._ends[connection] <= time.monotonic():
                reason = too_long(job)
            elif connection in greedy:
                reason = greedy[connection]
            else:
                continue
            stop([process])
            self._forget(connection)
            events.append(Failed(job, reason))
        return events

    def stop(self, key: str) -> None:
        """End the job of that key, where it runs."""
        for connection, (process, job) in list(self._running.items()):
            if job.key == key:
                stop([process])
                self._forget(connection)

    def stop_all(self) -> None:
        """End all that runs."""
        stop([process for process, _ in self._running.values()])
        for connection in list(self._running):
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        del self._running[connection], self._ends[connection]
        connection.close()

    def _patience(self) -> float | None:
        left = min(self._ends.values(), default=float("inf")) - time.monotonic()
        if self._memory is not None and self._running:
            left = min(left, _LOOK_S)
        return None if left == float("inf") else max(0.0, left)

    def _greedy(self) -> dict[Connection, str]:
        """Those that take more memory than they may, and a sentence on each."""
        if self._memory is None or time.monotonic() - self._looked < _LOOK_S:
            return {}
        self._looked = time.monotonic()
        taken = {c: own_memory(process.pid) for c, (process, _) in self._running.items()}
        return {
            connection: f"it took {size / 1e9:.2f} GB of memory, and a cell may take "
            f"{self._memory / 1e9:.2f} GB"
            for connection, size in taken.items()
            if size > self._memory
        }


def own_memory(pid: int | None) -> int:
    """Bytes of memory that a process has to itself, files that it maps left out; 0 if unknown."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    found = next((line.split() for line in lines if line.startswith("RssAnon:")), None)
    return int(found[1]) * 1024 if found else 0


def _child(
    connection: Connection, job: Job, file: FoldFile | None, environment: Mapping[str, str]
) -> None:
    # Ctrl-C reaches every process of the terminal; who asked decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment)
    from harbench.execute.work import perform, reason_of

    try:
        try:
            connection.send(perform(job, connection.send, file))
        except MemoryError as error:
            # Packing the result takes memory as well; nothing of it was sent.
            connection.send(Failed(job, reason_of(error)))
    except BrokenPipeError:
        # Who asked is gone. The result is lost with them; the next run makes it again.
        os._exit(1)


def deadline(job: Job) -> float:
    """When a job that begins now has taken too long, on the monotonic clock."""
    limit = job.time_limit if isinstance(job, CellJob) else None
    return float("inf") if limit is None else time.monotonic() + limit


def too_long(job: Job) -> str:
    """Why a job was ended."""
    limit = job.time_limit if isinstance(job, CellJob) else None
    return f"it took longer than its time limit of {limit:g} s"


def hear(connection: Connection, process: BaseProcess, job: Job) -> Event:
    """What a job says; where its process has ended before it had a result, that it failed."""
    try:
        event = connection.recv()
    except (EOFError, OSError):
        # OSError: killed in the middle of its result.
        process.join()
        return Failed(job, death(process.exitcode))
    assert isinstance(event, Progress | Remark | Finished | Failed)
    return event


def death(exitcode: int | None) -> str:
    """How a process ended that had no result."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        memory = "; the machine may be out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{memory}"
    return f"its process ended with exit code {exitcode} before it had a result"


def stop(processes: Sequence[BaseProcess]) -> None:
    """End processes: asked at first, and killed a second later."""
    for process in processes:
        process.terminate()
    limit = time.monotonic() + 1.0
    for process in processes:
        process.join(max(0.0, limit - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
