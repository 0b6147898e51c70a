"""Several runs on one results folder: each cell is trained, and each cost measured, by one of them,
and all get it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from harbench.execute.jobs import CellJob, Event, Failed, Job, Remark, Taken, Waiting
from harbench.results import Store

if TYPE_CHECKING:
    from harbench.execute.run import Work


class Sharing:
    """One run's view of the cells and costs that others may have in work.

    Args:
        work: Of this run.
        store: That they share.
    """

    def __init__(self, work: Work, store: Store) -> None:
        self.locks = store.locks()
        self._store = store
        self._before = work.before
        self._busy: list[Job] = []
        self._news: list[Event] = []
        self._said: set[str] = set()
        self._warned = False

    def free(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Those that nobody else has in work or has done, each locked when it is asked for.

        Raises:
            ResultsError: the store cannot be written.
        """
        for job in jobs:
            try:
                taken = self.locks.take(job.key)
            except OSError as error:
                raise self._store.unwritable(error) from error
            if not taken:
                self._busy.append(job)
                continue
            self._warn(job)
            done = self._done_elsewhere(job)
            if done is not None:
                self.locks.release(job.key)
                self._news.append(done)
                continue
            if self._before[job.key][0]:
                # It is stored and yet asked for: from the beginning, then.
                self._store.forget_checkpoint(job.key)
            yield job

    def news(self) -> list[Event]:
        """What was noticed since the last call."""
        found, self._news = self._news, []
        return found

    def busy(self) -> list[Job]:
        """Those that others have in work; they are to be asked for again."""
        found, self._busy = self._busy, []
        return found

    def waits(self, jobs: Iterable[Job]) -> Iterator[Waiting]:
        """What is to be said of these, once each."""
        for job in jobs:
            if job.key not in self._said:
                self._said.add(job.key)
                yield Waiting(job)

    def _done_elsewhere(self, job: Job) -> Event | None:
        stored, failed = self._store.stamp(job.key)
        stored_before, failed_before = self._before[job.key]
        if stored and stored != stored_before:
            return Taken(job)
        # What failed over there would fail here: the next run may try again.
        failure = self._store.failure(job.key) if failed and failed != failed_before else None
        if failure is not None:
            return Failed(job, str(failure["reason"]), str(failure["detail"]))
        return None

    def _warn(self, job: Job) -> None:
        # Costs come first, and a cost that is measured twice is not worth a word.
        if self.locks.unsupported is not None and isinstance(job, CellJob) and not self._warned:
            self._warned = True
            self._news.append(
                Remark(
                    job,
                    f"{self._store.folder}/ has no file locks ({self.locks.unsupported}): two "
                    "runs on it at once may train one cell twice",
                )
            )
