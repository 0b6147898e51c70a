"""All that goes between the client and the cluster, as one queue of news; Dask ends here.

Nothing here waits for a worker: one that hangs holds up nobody. What is asked of the cluster is
done by the client's own loop, in its thread, and what comes of it is put into the queue.
"""

from __future__ import annotations

import asyncio
import pickle
import queue
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harbench.cluster.worker import Order

if TYPE_CHECKING:
    from distributed import Client, Future

_LOOK_S = 0.5
"""Between two looks at the workers; on large clusters longer."""

_WORKERS_A_SECOND = 500
"""That are looked at: what the scheduler says of a thousand takes it some 20 ms."""

_GOODBYE_S = 5.0
"""Seconds in which the scheduler must hear that the running cells are not wanted any more."""


@dataclass(frozen=True)
class Seen:
    """The workers, as the scheduler knows them: address -> what it says of each."""

    workers: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Answered:
    """A worker has answered what it is; None and why where it did not."""

    address: str
    answer: Mapping[str, Any] | None
    error: str = ""


@dataclass(frozen=True)
class Arrived:
    """Data has arrived at a worker for a cell, or could not."""

    token: str
    error: BaseException | None = None


@dataclass(frozen=True)
class Said:
    """Of a running cell: the number of the first event, and the events as they were packed."""

    token: str
    first: int
    events: Sequence[bytes]


@dataclass(frozen=True)
class Ended:
    """A task has ended: with what :func:`harbench.cluster.worker.train` gave, or an error."""

    token: str
    result: Mapping[str, Any] | None
    error: str = ""


@dataclass(frozen=True)
class Gone:
    """The scheduler is gone, or answers nobody."""

    reason: str


News = Seen | Answered | Arrived | Said | Ended | Gone


class Link:
    """A run's line to the cluster.

    Args:
        client: Connected.
        topic: Under which workers tell of cells; no other run's.
        silence: Seconds after which a scheduler that does not answer is given up.
    """

    def __init__(self, client: Client, topic: str, silence: float) -> None:
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self.topic = topic
        self._client = client
        self._silence = silence
        self._tasks: dict[str, Future] = {}
        self._ended = False

    def open(self) -> None:
        """Begin to hear."""
        self._client.subscribe_topic(self.topic, self._hear)
        self._begin(self._look())

    def close(self) -> None:
        """End what is running; back when the scheduler has been told, or does not listen."""
        self._ended = True
        tasks, self._tasks = list(self._tasks.values()), {}
        with_scheduler = self._client.status == "running"
        if not with_scheduler:
            return
        try:
            self._client.unsubscribe_topic(self.topic)
            if tasks:
                self._begin(self._cancel(tasks)).result(_GOODBYE_S)
        except (OSError, ValueError, TimeoutError, futures.CancelledError, RuntimeError):
            # It is not there any more: nor is anything of ours.
            return

    def ask(self, address: str, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a worker call something beside its tasks; comes back as :class:`Answered`."""
        self._begin(self._ask(address, function, arguments))

    def submit(self, address: str, name: str, order: Order) -> None:
        """Have a worker train a cell; comes back as :class:`Said` and :class:`Ended`."""
        try:
            future = self._client.submit(
                _task(),
                pickle.dumps(order),
                key=f"{name}-{order.token}",
                workers=[address],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
        except Exception as error:  # noqa: BLE001 - Dask has no class for a client that was closed
            self.news.put(Gone(str(error)))
            return
        self._tasks[order.token] = future
        self._begin(self._follow(order.token, future))

    def drop(self, token: str) -> None:
        """A cell is not wanted any more (or has ended): its worker stops it."""
        future = self._tasks.pop(token, None)
        if future is not None and not future.done():
            self._begin(self._cancel([future]))

    def arriving(self, token: str, arrival: futures.Future[Any]) -> None:
        """Have the end of a delivery come as :class:`Arrived`."""

        def tell(done: futures.Future[Any]) -> None:
            error: BaseException | None = futures.CancelledError()
            if not done.cancelled():
                error = done.exception()
            self.news.put(Arrived(token, error))

        arrival.add_done_callback(tell)

    def _begin(self, what: Coroutine[Any, Any, Any]) -> futures.Future[Any]:
        return asyncio.run_coroutine_threadsafe(what, self._client.loop.asyncio_loop)

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        said = event[1]
        self.news.put(Said(said["token"], said["first"], said["events"]))

    async def _look(self) -> None:
        while not self._ended:
            try:
                if self._client.status != "running":
                    raise OSError("the connection to it was lost")
                found = await asyncio.wait_for(self._client.scheduler.identity(), self._silence)
            except TimeoutError:
                self.news.put(Gone(f"it has not answered for {self._silence:g} s"))
                return
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - blind is as bad
                self.news.put(Gone(str(error) or type(error).__name__))
                return
            self.news.put(Seen(found["workers"]))
            await asyncio.sleep(max(_LOOK_S, len(found["workers"]) / _WORKERS_A_SECOND))

    async def _ask(
        self, address: str, function: Callable[..., Any], arguments: Sequence[Any]
    ) -> None:
        try:
            answers = await self._client.run(
                function, *arguments, workers=[address], on_error="return"
            )
            answer = answers[address]
        except Exception as error:  # noqa: BLE001 - whatever ends the question, the run goes on
            answer = error
        if isinstance(answer, BaseException):
            self.news.put(Answered(address, None, f"{type(answer).__name__}: {answer}"))
        else:
            self.news.put(Answered(address, answer))

    async def _follow(self, token: str, future: Future) -> None:
        try:
            result = await future
        except (asyncio.CancelledError, futures.CancelledError) as error:
            if token not in self._tasks:
                return  # by us
            # Dask cancels what it follows when it loses the scheduler. That is no fault of a cell.
            lost = self._client.status != "running"
            if lost or getattr(error, "reason", "") == "scheduler-connection-lost":
                self.news.put(Gone("the connection to it was lost"))
            else:
                self.news.put(Ended(token, None, str(error) or type(error).__name__))
        except Exception as error:  # noqa: BLE001 - whatever ended the task
            self.news.put(Ended(token, None, f"{type(error).__name__}: {error}"))
        else:
            self.news.put(Ended(token, result))

    async def _cancel(self, tasks: Sequence[Future]) -> None:
        await self._client.cancel(list(tasks), force=True)


def _task() -> Callable[[bytes], dict[str, Any]]:
    def train(order: bytes) -> dict[str, Any]:
        from harbench.cluster.worker import train

        return train(order)

    # No module's, it is packed with its code: the scheduler, which unpacks it, needs no harbench.
    return train
