"""One run on a cluster: what is asked for, what runs where, what is done again."""

from __future__ import annotations

import pickle
import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path

from harbench.cluster.admission import Admission
from harbench.cluster.apart import ForemanKind
from harbench.cluster.connecting import Connected
from harbench.cluster.link import Answered, Arrived, Ended, Gone, Link, News, Said, Seen
from harbench.cluster.sending import Supply
from harbench.cluster.worker import Order
from harbench.cluster.workers import Book, Worker
from harbench.config.cluster import ClusterSettings
from harbench.errors import ClusterError, DataError
from harbench.execute.folds import FoldFiles
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    Event,
    Failed,
    Finished,
    Job,
    Lost,
    Started,
)

_TICK_S = 0.5
"""Between two looks at the clock, where nothing is heard."""

_SHORT_S, _RECENT = 0.5, 8
"""Where so many cells one after another took no longer than this, from start to end as heard here,
a worker gets its next cell before it has ended the last: the way there and back is a good part of
that. A longer cell would rather wait here, for whoever is free first."""


@dataclass
class Placed:
    """A cell at a worker.

    Args:
        job: As it was asked for.
        worker: Its address.
        name: What people call the worker.
        variables: Of its process.
        heard: How many of its events have been passed on.
        sent: Whether the worker has been told of it; before that its data arrives.
        began: When it began, by our clock; None while its data arrives or it waits for a place.
    """

    job: CellJob
    worker: str
    name: str
    variables: dict[str, str]
    heard: int = 0
    sent: bool = False
    began: float | None = None


class Running:
    """A run.

    Args:
        cluster: Connected to it.
        settings: What a cell takes, and when a worker is given up.
        link: To the cluster.
        supply: Brings data to workers.
        admission: Decides who is used.
        say: Told what is to be known of the cluster.
        perform: As of :class:`harbench.cluster.client.ClusterExecutor`.
    """

    def __init__(
        self,
        cluster: Connected,
        settings: ClusterSettings,
        link: Link,
        supply: Supply,
        admission: Admission,
        book: Book,
        say: Callable[[str], None],
        perform: Callable[[CellJob], Finished | Failed] | None = None,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._link = link
        self._supply = supply
        self._book = book
        self._admission = admission
        self._say = say
        self._perform = perform
        self._placed: dict[str, Placed] = {}
        self._again: deque[CellJob] = deque()
        # Key -> names of the workers that were lost with it.
        self._losses: dict[str, list[str]] = {}
        self._lasted: deque[float] = deque(maxlen=_RECENT)
        self._out: deque[Event] = deque()
        self._folds: FoldFiles | None = None
        self._number = 0
        self._more = True

    def work(self, jobs: Iterable[Job], folds: FoldFiles | None = None) -> Generator[Event | None]:
        """Do the jobs; see :class:`harbench.execute.jobs.Executor`.

        Raises:
            ClusterError: no worker can be used, or the scheduler is gone.
        """
        waiting, self._folds = iter(jobs), folds
        while True:
            yield from self._fill(waiting)
            if not (self._more or self._placed or self._again):
                return
            if self._link.news.empty():
                yield None
            for news in self._heard():
                self._take_in(news)
                # A place that is free now gets its next cell before the last one is stored.
                yield from self._fill(waiting)
                yield from self._passed_on()
            self._admission.look(time.monotonic())

    def _heard(self) -> Iterator[News]:
        """What has come; waits for the first a little, and for no other."""
        try:
            yield self._link.news.get(timeout=_TICK_S)
            while True:
                yield self._link.news.get_nowait()
        except queue.Empty:
            return

    def _passed_on(self) -> Iterator[Event]:
        while self._out:
            yield self._out.popleft()

    # Giving cells to workers

    def _fill(self, waiting: Iterator[Job]) -> Iterator[Event]:
        """Give a cell to every free place; a job is asked for only when there is one."""
        if not self._admission.open:
            return
        yield from self._place_again()
        while (
            self._more
            and self._book.any_free(self._ahead())
            and len(self._again) <= self._book.all_places()
        ):
            job = next(waiting, None)
            if job is None:
                self._more = False
                break
            if not isinstance(job, CellJob):
                raise TypeError(f"a cluster trains cells, and this is a {type(job).__name__}")
            if not self._place(job):
                # Free workers cannot take its dataset; they may take one further on.
                self._again.append(job)
            yield from self._passed_on()
        if not self._more and not self._again and self._book.any_free():
            self._call_back()
            yield from self._place_again()

    def _ahead(self) -> int:
        """Cells that may wait at a worker for a place."""
        short = len(self._lasted) == _RECENT and max(self._lasted) <= _SHORT_S
        return int(short and self._more)

    def _call_back(self) -> None:
        """What waits at a worker, at the end of the run, is given to who can begin at once."""
        for token, placed in list(self._placed.items()):
            if placed.sent and placed.began is None:
                self._off(token)
                self._again.append(placed.job)

    def _place_again(self) -> Iterator[Event]:
        """Those that have lost their workers come first."""
        for _ in range(len(self._again)):
            job = self._again.popleft()
            if not self._place(job):
                self._again.append(job)
            yield from self._passed_on()

    def _place(self, job: CellJob) -> bool:
        """Give a cell to a worker; False where none can take it now."""
        dataset, digest = job.cell.dataset, str(job.cell.content["data"])
        holders = frozenset[str]() if self._perform else self._supply.holders(dataset, digest)
        losses = self._losses.get(job.key, ())
        # One that may have ended workers waits at none beside others. Nor is it to be charged with
        # what another did: should its last try end a worker, there was nobody else.
        alone = 0 < len(losses) == self._settings.tries - 1
        ahead = 0 if losses else self._ahead()
        worker = self._book.pick(dataset, holders, losses, ahead, alone=alone)
        if worker is None:
            usable = self._book.of("usable")
            if usable and all(dataset in worker.unfit for worker in usable):
                why = "; ".join(f"{worker.name}: {worker.unfit[dataset]}" for worker in usable)
                self._out.append(Failed(job, f"no worker can take '{dataset}': {why}"))
                return True
            return False
        self._number += 1
        token = f"{job.key[:16]}-{self._number}"
        variables = dict(self._book.take(worker, token, alone=alone))
        self._placed[token] = Placed(job, worker.address, worker.name, variables)
        if self._perform:
            self._begin(token)
            return True
        arrival = self._supply.deliver(dataset, digest, worker.address, worker.files)
        if arrival.done() and not arrival.cancelled() and arrival.exception() is None:
            self._begin(token)
        else:
            self._link.arriving(token, arrival)
        return True

    def _begin(self, token: str) -> None:
        placed = self._placed[token]
        worker = self._book[placed.worker]
        job = placed.job
        if not self._perform:
            files = tuple(map(Path, worker.files))
            job = replace(job, plugin_files=files, by_content=True)
        kind = ForemanKind(worker.files, self._settings.memory_bytes, worker.sources)
        order = Order(
            self._link.topic,
            token,
            pickle.dumps(job),
            kind,
            placed.variables,
            bool(self._folds and self._folds.several(job)),
            self._perform,
        )
        placed.sent = True
        self._link.submit(worker.address, f"{job.cell.benchmark}-{job.cell.row}", order)
        self._start_at(worker)

    def _start_at(self, worker: Worker) -> None:
        """Of what was sent to a worker so much begins, in this order, as it has places for."""
        sent = [placed for token in worker.cells if (placed := self._placed[token]).sent]
        waiting = [placed for placed in sent if placed.began is None]
        places = self._book.places(worker) - (len(sent) - len(waiting))
        for placed in waiting[: max(0, places)]:
            placed.began = time.monotonic()
            self._out.append(Started(placed.job, placed.name))

    # What is heard

    def _take_in(self, news: News) -> None:
        if isinstance(news, Seen):
            self._see(news)
        elif isinstance(news, Answered):
            self._admission.answered(news)
        elif isinstance(news, Arrived):
            self._arrived(news)
        elif isinstance(news, Said):
            if news.token in self._placed:
                self._say_on(self._placed[news.token], news.first, news.events)
        elif isinstance(news, Ended):
            self._ended(news)
        elif isinstance(news, Gone):
            raise ClusterError(
                f"the scheduler is gone: {news.reason}",
                where=self._cluster.address,
                expected="a scheduler that answers; what has ended is stored, and the same command "
                "goes on once there is one",
            )

    def _see(self, seen: Seen) -> None:
        changes = self._book.see(seen.workers, time.monotonic())
        for worker in changes.gone:
            self._lose(worker, "died or left")
        for worker in changes.silent:
            self._lose(worker, f"gave no sign of life for {self._settings.silence:g} s")
        self._admission.changed(changes)

    def _lose(self, worker: Worker, reason: str) -> None:
        self._supply.lost(worker.address)
        for token in [t for t, placed in self._placed.items() if placed.worker == worker.address]:
            self._lose_cell(token, reason)

    def _lose_cell(self, token: str, reason: str) -> None:
        placed = self._off(token)
        if placed.began is None:
            # Its data was on the way, or it waited for a place; the cell had no part in it.
            self._again.append(placed.job)
            return
        names = self._losses.setdefault(placed.job.key, [])
        names.append(placed.name)
        if len(names) < self._settings.tries:
            self._again.append(placed.job)
            self._out.append(Lost(placed.job, placed.name, reason))
            return
        number = len(names)
        times = "a worker" if number == 1 else f"{number} workers"
        self._out.append(
            Failed(
                placed.job,
                f"{times} were lost with it, one after another ({', '.join(names)}; the "
                f"last {reason}): the cell may be what ends them"
                if number > 1
                else f"{times} was lost with it ({placed.name} {reason})",
            )
        )

    def _off(self, token: str) -> Placed:
        """A cell leaves its worker, which stops it if it still runs."""
        placed = self._placed.pop(token)
        self._link.drop(token)
        worker = self._book.get(placed.worker)
        if worker is not None:
            self._book.give_back(worker, token)
            if worker.status == "usable":
                self._start_at(worker)
        return placed

    def _arrived(self, news: Arrived) -> None:
        placed = self._placed.get(news.token)
        if placed is None:
            return
        if news.error is None:
            self._begin(news.token)
            return
        self._off(news.token)
        worker = self._book.get(placed.worker)
        if isinstance(news.error, DataError):
            self._out.append(Failed(placed.job, str(news.error)))
            return
        if worker is not None and not isinstance(news.error, CancelledError):
            dataset = placed.job.cell.dataset
            if dataset not in worker.unfit:
                worker.unfit[dataset] = str(news.error)
                self._say(f"worker {worker.name} gets no cells of {dataset}: {news.error}")
        self._again.append(placed.job)

    def _say_on(self, placed: Placed, first: int, events: Sequence[bytes]) -> None:
        """Pass on what was not yet; what comes twice, or early, is left to the end."""
        if first > placed.heard:
            return
        for packed in events[placed.heard - first :]:
            placed.heard += 1
            event = replace(pickle.loads(packed), job=placed.job)
            if isinstance(event, Finished) and isinstance(event.outcome, CellResult):
                measured = {**event.outcome.measured, "worker": placed.name}
                event = replace(event, outcome=replace(event.outcome, measured=measured))
            self._out.append(event)

    def _ended(self, news: Ended) -> None:
        placed = self._placed.get(news.token)
        if placed is None:
            return
        if news.result and "said" in news.result:
            self._say_on(placed, 0, news.result["said"])
            if placed.began is not None:
                self._lasted.append(time.monotonic() - placed.began)
            self._off(news.token)
        elif news.result and "lost" in news.result:
            self._lose_cell(news.token, f"lost its cells: {news.result['lost']}")
        else:
            reason = f"gave an error: {news.error}" if news.error else "stopped it"
            self._lose_cell(news.token, reason)
