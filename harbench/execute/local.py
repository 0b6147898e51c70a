"""Executors on this machine: in this process, or N processes side by side."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable

from harbench.errors import HarbenchError
from harbench.execute.children import Children, deadline, too_long
from harbench.execute.folds import FoldFiles
from harbench.execute.jobs import Event, Failed, Finished, Job, Started


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
            end = deadline(job)

            def hear(event: Event, heard: list[Event] = heard, end: float = end) -> None:
                heard.append(event)
                if time.monotonic() > end:
                    raise TimeLimitError(too_long(event.job))

            outcome = perform(job, hear, folds.of(job) if folds else None)
            if isinstance(outcome, Finished) and time.monotonic() > end:
                # A fit has no epochs; in a process of its own it would have been ended.
                outcome = Failed(job, too_long(job))
            yield from heard
            yield outcome


class ProcessExecutor:
    """Each job in a process of its own, on one thread, ``places`` of them side by side.

    A job that runs out of memory or is killed takes only itself along.

    Args:
        places: How many jobs run at once.
        estimators: Whether some will fit one: then scikit-learn is loaded as well.
    """

    def __init__(self, places: int, *, estimators: bool = False) -> None:
        self.places = places
        self._estimators = estimators

    def run(self, jobs: Iterable[Job], folds: FoldFiles | None = None) -> Generator[Event]:
        """See :class:`harbench.execute.jobs.Executor`."""
        waiting = iter(jobs)
        more = True
        children = Children(estimators=self._estimators)
        heard: list[Event] = []
        try:
            while more or len(children):
                while more and len(children) < self.places:
                    job = next(waiting, None)
                    if job is None:
                        more = False
                        break
                    children.start(job, folds.of(job) if folds else None)
                    yield Started(job)
                # Only now that no place is empty: who hears of a result writes it to a disk.
                yield from heard
                heard = children.heard()
            yield from heard
        finally:
            children.stop_all()
