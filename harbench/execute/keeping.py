"""Storing what comes back, while the executor works on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from harbench.execute.jobs import (
    CellJob,
    CellResult,
    CostResult,
    Event,
    Failed,
    Finished,
)
from harbench.results import Store

WRITERS = 2
"""Results that are written at once: while one waits for the disk, the other is made."""

_AHEAD = 8
"""Results that wait to be stored, at most: each may have megabytes of weights."""


class Keeper:
    """Stores results, beside the run where that pays.

    A disk lets whoever writes to it wait, and a cluster of a hundred workers has the next result by
    then. An event is passed on when what it brings is on the disk, and not before.

    Args:
        store: To write to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writers: ThreadPoolExecutor | None = None
        self._writing: dict[Future[None], Event] = {}

    def keep(self, event: Event | None) -> Iterator[Event]:
        """Store what an event brings; what is stored by now comes back.

        Args:
            event: None of an executor that waits: from now on results are stored while it goes on.

        Raises:
            ResultsError: the store cannot be written.
        """
        if event is None:
            self._writers = self._writers or ThreadPoolExecutor(WRITERS, "harbench-keeper")
        elif not isinstance(event, Finished | Failed):
            yield event
        elif self._writers is None:
            _write(event, self._store)
            yield event
        else:
            self._writing[self._writers.submit(_write, event, self._store)] = event
        yield from self._stored(_AHEAD)

    def rest(self) -> Iterator[Event]:
        """Wait until all is stored.

        Raises:
            ResultsError: the store cannot be written.
        """
        yield from self._stored(0)

    def close(self) -> None:
        """Wait for what is being stored: a trained cell is kept, however its run ends."""
        if self._writers is not None:
            self._writers.shutdown()

    def _stored(self, left: int) -> Iterator[Event]:
        """What has been stored, when at most so many are still to be."""
        while True:
            for future in [future for future in self._writing if future.done()]:
                event = self._writing.pop(future)
                future.result()
                yield event
            if len(self._writing) <= left:
                return
            wait(self._writing, return_when=FIRST_COMPLETED)


def _write(event: Event, store: Store) -> None:
    if isinstance(event, Failed):
        store.write_failure(event.job.key, _failure(event))
    elif isinstance(event, Finished) and isinstance(event.outcome, CellResult):
        result = event.outcome
        store.write(
            event.job.key, result.record, result.measured, result.predictions, result.weights
        )
    elif isinstance(event, Finished) and isinstance(event.outcome, CostResult):
        store.write_cost(event.job.key, event.outcome.cost)
        store.forget_failure(event.job.key)


def _failure(event: Failed) -> dict[str, object]:
    failure: dict[str, object] = {"reason": event.reason, "detail": event.detail}
    if isinstance(event.job, CellJob):
        failure["cell"] = event.job.cell.content
    return failure
