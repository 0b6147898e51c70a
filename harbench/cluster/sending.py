"""Bringing each dataset's stream to the workers that need it, once each, whatever way is nearest.

In this order: what the worker's cache holds already; the shared folder; another worker that holds
it; its own files, or the dataset's source; and last the client, through the scheduler, in pieces.
As long as nobody holds a stream only one worker is helped to it, and the others then have it from
that one: the source and the client give it once.

Nothing of this is a task of Dask: data arrives at workers whose threads are all taken by cells.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from harbench.cluster.fetching import (
    StreamFacts,
    begin,
    copied,
    facts_of,
    finish,
    in_shared,
    look,
    pieces_of,
    put,
    read_piece,
    take,
)
from harbench.cluster.own_files import read_own
from harbench.errors import ClusterError, HarbenchError

if TYPE_CHECKING:
    from distributed import Client

_HOLDERS = 2
"""That are asked before another way is taken: workers may not be let through to each other."""

Want = tuple[str, str]
"""Dataset and digest."""


@dataclass(frozen=True)
class Arrival:
    """How a stream came to a worker.

    Args:
        how: "held", "shared", "worker", "own files", "source" or "client".
        bytes: Of the stream, whether or not they were sent.
        seconds: That it took, waiting for others included.
    """

    how: str
    bytes: int
    seconds: float


class Supply:
    """What a run's workers hold, and what is under way to them.

    Args:
        client: Connected.
        shared: A folder that this machine and the workers see; None where there is none. Streams
            are left in it where it can be written.
    """

    def __init__(self, client: Client, shared: Path | None = None) -> None:
        self._client = client
        self._shared = shared
        self._facts: dict[Want, asyncio.Task[StreamFacts]] = {}
        self._held: dict[Want, dict[str, int]] = {}
        self._first: dict[Want, asyncio.Lock] = {}
        self._coming: dict[tuple[Want, str], Future[Arrival]] = {}

    def deliver(
        self, dataset: str, digest: str, worker: str, plugin_files: Sequence[str] = ()
    ) -> Future[Arrival]:
        """Bring a stream into a worker's cache; not waited for.

        The same stream for the same worker is the same future, until it has failed.

        Args:
            dataset: Name.
            digest: Of the stream, which is in this machine's cache.
            worker: Address.
            plugin_files: Single-file plugins, as they lie on the worker: one may hold the dataset.

        Returns:
            Its result says how it came. Its error is a :class:`ClusterError` where the worker
            could not take it, a :class:`DataError` where this machine has it no more, and a
            ``CancelledError`` where the worker was lost.
        """
        want = (dataset, digest)
        known = self._coming.get((want, worker))
        if known is not None and not (
            known.done() and (known.cancelled() or known.exception() is not None)
        ):
            return known
        coming = asyncio.run_coroutine_threadsafe(
            self._deliver(want, worker, tuple(plugin_files)), self._client.loop.asyncio_loop
        )
        self._coming[want, worker] = coming
        return coming

    def holders(self, dataset: str, digest: str) -> frozenset[str]:
        """Addresses of the workers that hold a stream."""
        return frozenset(self._held.get((dataset, digest), ()))

    def lost(self, worker: str) -> None:
        """A worker is gone, or counts as gone: nothing goes to it, nobody is sent to it."""
        # The client's loop, another thread, adds to these.
        for of_one in list(self._held.values()):
            of_one.pop(worker, None)
        for (want, to), coming in list(self._coming.items()):
            if to == worker:
                coming.cancel()
                self._coming.pop((want, to), None)

    def close(self) -> None:
        """Stop all that is under way."""
        for coming in list(self._coming.values()):
            coming.cancel()
        self._coming.clear()

    async def _deliver(self, want: Want, worker: str, plugin_files: Sequence[str]) -> Arrival:
        began = time.monotonic()
        facts = await self._known(want)
        try:
            how = await self._brought(want, facts, worker, plugin_files)
        except (OSError, TimeoutError, HarbenchError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ClusterError(
                f"worker {worker} cannot take the data of '{facts.dataset}': {reason}",
                where="cluster",
            ) from error
        self._held.setdefault(want, {}).setdefault(worker, 0)
        return Arrival(how, facts.bytes, time.monotonic() - began)

    async def _known(self, want: Want) -> StreamFacts:
        # Hashed once, whoever asks; one who is cancelled does not take it from the others.
        if want not in self._facts or (
            self._facts[want].done() and self._facts[want].exception() is not None
        ):
            self._facts[want] = asyncio.ensure_future(asyncio.to_thread(self._prepared, want))
        return await asyncio.shield(self._facts[want])

    def _prepared(self, want: Want) -> StreamFacts:
        facts = facts_of(*want)
        if self._shared is not None and self._shared.is_dir():
            # Where it may only be read, somebody else fills it; or it comes another way.
            with suppress(OSError, HarbenchError):
                copied(facts, facts.home, in_shared(facts, self._shared), keep=True)
        return facts

    async def _brought(
        self, want: Want, facts: StreamFacts, worker: str, plugin_files: Sequence[str]
    ) -> str:
        shared = None if self._shared is None else str(self._shared)
        how: str | None = await self._call(worker, look, facts, shared)
        if how is not None:
            return how
        async with self._first.setdefault(want, asyncio.Lock()):
            if not self._held.get(want):
                how = await self._first_hand(facts, worker, plugin_files)
                self._held.setdefault(want, {})[worker] = 0
                return how
        with suppress(OSError, TimeoutError):
            return await self._from_another(want, facts, worker)
        return await self._first_hand(facts, worker, plugin_files)

    async def _from_another(self, want: Want, facts: StreamFacts, worker: str) -> str:
        held, asked = self._held[want], set[str]()
        while True:
            # Who gives to the fewest just now.
            others = [holder for holder in list(held) if holder not in asked]
            if not others or len(asked) == _HOLDERS:
                raise OSError("no other worker can give it")
            holder = min(others, key=lambda address: held.get(address, 0))
            asked.add(holder)
            if holder in held:
                held[holder] += 1
            try:
                return str(await self._call(worker, take, facts, holder))
            except (OSError, TimeoutError, HarbenchError):
                continue
            finally:
                if holder in held:
                    held[holder] -= 1

    async def _first_hand(
        self, facts: StreamFacts, worker: str, plugin_files: Sequence[str]
    ) -> str:
        how: str | None = await self._call(worker, read_own, facts, list(plugin_files))
        if how is not None:
            return how
        token = uuid4().hex
        await self._call(worker, begin, facts, token)
        for name, offset in pieces_of(facts):
            data = await asyncio.to_thread(read_piece, facts.home / name, offset)
            await self._call(worker, put, facts, token, name, offset, data)
        await self._call(worker, finish, facts, token)
        return "client"

    async def _call(
        self, worker: str, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any
    ) -> Any:
        """Run something on a worker, outside its tasks.

        Raises:
            OSError: the worker is not there; or whatever the function raises.
        """
        answers = await self._client.run(function, *arguments, workers=[worker], on_error="return")
        answer = answers.get(worker, OSError("the worker is not there"))
        if isinstance(answer, BaseException):
            raise answer
        return answer
