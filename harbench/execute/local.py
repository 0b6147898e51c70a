"""Executors on this machine: in this process, or N processes side by side."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess

from harbench.errors import HarbenchError
from harbench.execute.folds import FoldFile, FoldFiles
from harbench.execute.jobs import (
    CellJob,
    Event,
    Failed,
    Finished,
    Job,
    Progress,
    Remark,
    Started,
)
from harbench.execute.ready import asked

# torch loads this when it is asked for deterministic algorithms: 1.5 s that every cell would take.
_ASKED_OF_TORCH = "torch._inductor.config"

# Each takes a good part of a second, which every fit would take again.
_SCIKIT_LEARN = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.neighbors")


_READY = "harbench.execute.ready"


class TimeLimitError(HarbenchError):
    """A cell took longer than it may."""


class InProcessExecutor:
    """One job after the other in this very process; for tests and debuggers.

    A cell's time limit is looked at when an epoch ends, and when the cell does.
    """

    def run(self, jobs: Iterable[Job], folds: FoldFiles | None = None) -> Generator[Event]:
        """See :class:`harbench.execute.jobs.Executor`."""
        from harbench.execute.work import perform

        for job in jobs:
            yield Started(job)
            heard: list[Event] = []
            end = _deadline(job)

            def hear(event: Event, heard: list[Event] = heard, end: float = end) -> None:
                heard.append(event)
                if time.monotonic() > end:
                    raise TimeLimitError(_too_long(event.job))

            outcome = perform(job, hear, folds.of(job) if folds else None)
            if isinstance(outcome, Finished) and time.monotonic() > end:
                # A fit has no epochs; in a process of its own it would have been ended.
                outcome = Failed(job, _too_long(job))
            yield from heard
            yield outcome


class ProcessExecutor:
    """Each job in a process of its own, on one thread, ``places`` of them side by side.

    A job that runs out of memory or is killed takes only itself along. On Linux the processes
    are forked from a server that has torch loaded already, so a job starts in milliseconds.

    Args:
        places: How many jobs run at once.
        estimators: Whether some will fit one: then scikit-learn is loaded as well.
    """

    def __init__(self, places: int, *, estimators: bool = False) -> None:
        self.places = places
        self._loaded = ["harbench.execute.work", _ASKED_OF_TORCH]
        self._loaded += _SCIKIT_LEARN if estimators else ()
        # Last: it looks at what plugins leave behind, and keeps all of it for the workers.
        self._loaded.append(_READY)

    def run(self, jobs: Iterable[Job], folds: FoldFiles | None = None) -> Generator[Event]:
        """See :class:`harbench.execute.jobs.Executor`."""
        waiting = iter(jobs)
        more = True
        context: multiprocessing.context.BaseContext | None = None
        running: dict[Connection, tuple[BaseProcess, Job]] = {}
        ends: dict[Connection, float] = {}
        heard: list[Event] = []
        try:
            while more or running:
                while more and len(running) < self.places:
                    job = next(waiting, None)
                    if job is None:
                        more = False
                        break
                    context = context or self._context(job)
                    ours, theirs = context.Pipe(duplex=False)
                    file = folds.of(job) if folds else None
                    process = context.Process(  # type: ignore[attr-defined]
                        target=_child, args=(theirs, job, file), daemon=True
                    )
                    process.start()
                    theirs.close()
                    running[ours] = (process, job)
                    ends[ours] = _deadline(job)
                    yield Started(job)
                # Only now that no place is empty: who hears of a result writes it to a disk.
                yield from heard
                heard.clear()
                for connection, event in _heard(running, ends):
                    if not isinstance(event, Progress | Remark):
                        process, _ = running.pop(connection)
                        del ends[connection]
                        connection.close()
                        process.join()
                    heard.append(event)
            yield from heard
        finally:
            _stop([process for process, _ in running.values()])

    def _context(self, first: Job) -> multiprocessing.context.BaseContext:
        # Several threads a process on as many processes as cores only wait for each other.
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        if sys.platform != "linux":
            return multiprocessing.get_context("spawn")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(self._loaded)
        with asked(first.plugin_files):
            ensure_running()
        return context


def _child(connection: Connection, job: Job, file: FoldFile | None) -> None:
    # Ctrl-C reaches every process of the terminal; who asked decides what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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


def _heard(
    running: Mapping[Connection, tuple[BaseProcess, Job]], ends: Mapping[Connection, float]
) -> list[tuple[Connection, Event]]:
    """Wait until something is said or a time is up; what was said, and who was ended."""
    if not running:
        return []
    left = min(ends.values()) - time.monotonic()
    ready = wait(list(running), None if left == float("inf") else max(0.0, left))
    events: list[tuple[Connection, Event]] = []
    for connection, (process, job) in running.items():
        if connection in ready:
            events.append((connection, _hear(connection, process, job)))
        elif ends[connection] <= time.monotonic():
            _stop([process])
            events.append((connection, Failed(job, _too_long(job))))
    return events


def _deadline(job: Job) -> float:
    limit = job.time_limit if isinstance(job, CellJob) else None
    return float("inf") if limit is None else time.monotonic() + limit


def _too_long(job: Job) -> str:
    limit = job.time_limit if isinstance(job, CellJob) else None
    return f"it took longer than its time limit of {limit:g} s"


def _hear(connection: Connection, process: BaseProcess, job: Job) -> Event:
    try:
        event = connection.recv()
    except (EOFError, OSError):
        # OSError: killed in the middle of its result.
        process.join()
        return Failed(job, _death(process.exitcode))
    assert isinstance(event, Progress | Remark | Finished | Failed)
    return event


def _death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        memory = "; the machine may be out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{memory}"
    return f"its process ended with exit code {exitcode} before it had a result"


def _stop(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + 1.0
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
