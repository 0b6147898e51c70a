"""The book of workers: which there are, which may be used, and what runs where.

It knows nothing of Dask: it is told what the scheduler says, and by whose clock.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harbench.config.cluster import ClusterSettings

Status = Literal["new", "asked", "usable", "refused", "silent"]

_RUNNING = "running"
"""What Dask calls a worker that takes tasks; others are paused or about to go."""


@dataclass
class Worker:
    """One worker.

    Args:
        address: Of it, as the scheduler says.
        name: What people call it.
        host: On which machine it runs.
        threads: Tasks that it runs at once.
        limit: Bytes that Dask lets it take; 0 is no limit.
        machine: Bytes of its machine; 0 is not known.
        status: "new", "asked" what it is, "usable", "refused", or "silent": cut off or hanging.
        open: Whether it takes tasks just now.
        gpus: What CUDA_VISIBLE_DEVICES calls each of its own.
        files: Single-file plugins, as they lie there.
        sources: sha256 over all that its cells load.
        cells: Token of each cell that it has -> the GPUs of that cell.
        alone: Whether its cell is to be the only one.
        unfit: Datasets that it could not take, and why.
        last_seen: By the scheduler's clock.
        heard: When that changed last, by ours.
    """

    address: str
    name: str
    host: str = ""
    threads: int = 1
    limit: int = 0
    machine: int = 0
    status: Status = "new"
    open: bool = True
    gpus: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    sources: str = ""
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    alone: bool = False
    unfit: dict[str, str] = field(default_factory=dict)
    last_seen: float = 0.0
    heard: float = 0.0

    @property
    def memory(self) -> int:
        """Bytes that it may take; without a limit of Dask's, all of its machine. 0 is not known."""
        return self.limit or self.machine


@dataclass(frozen=True)
class Changes:
    """What a look at the scheduler has shown: workers that came, went, fell silent, came back."""

    new: tuple[Worker, ...] = ()
    gone: tuple[Worker, ...] = ()
    silent: tuple[Worker, ...] = ()
    back: tuple[Worker, ...] = ()


class Book:
    """All workers.

    Args:
        settings: How much a cell takes, and how long a worker may be silent.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._workers: dict[str, Worker] = {}
        # Cells of all that share a memory.
        self._having = Counter[str]()

    def __getitem__(self, address: str) -> Worker:
        return self._workers[address]

    def get(self, address: str) -> Worker | None:
        """The worker of that address, if it is still there."""
        return self._workers.get(address)

    def of(self, *statuses: Status) -> list[Worker]:
        """Those of these statuses; all where none is named."""
        return [w for w in self._workers.values() if not statuses or w.status in statuses]

    def see(self, seen: Mapping[str, Mapping[str, Any]], now: float) -> Changes:
        """Take in what the scheduler says of its workers.

        Args:
            seen: Address -> name, host, nthreads, memory_limit, last_seen, status.
            now: By our clock, in seconds.
        """
        gone = [self._workers.pop(address) for address in set(self._workers) - set(seen)]
        for left in gone:
            self._having[_memory_key(left)] -= len(left.cells)
        new, silent, back = [], [], []
        for address, facts in seen.items():
            worker = self._workers.get(address)
            if worker is None:
                worker = self._workers[address] = _worker(address, facts, now)
                new.append(worker)
            worker.open = facts.get("status", _RUNNING) == _RUNNING
            if facts.get("last_seen", 0.0) != worker.last_seen:
                worker.last_seen, worker.heard = float(facts["last_seen"]), now
                if worker.status == "silent":
                    # It may be another by now.
                    worker.status = "new"
                    back.append(worker)
            elif worker.status != "silent" and now - worker.heard > self._settings.silence:
                worker.status = "silent"
                silent.append(worker)
        return Changes(tuple(new), tuple(gone), tuple(silent), tuple(back))

    def places(self, worker: Worker) -> int:
        """Cells that it can have at once."""
        settings = self._settings
        # A task takes one of its threads, however many the cell is given.
        places = int(min(worker.threads // settings.threads, self._fit(worker)))
        if settings.gpu:
            share = settings.gpu
            of_gpus = (
                len(worker.gpus) // int(share)
                if share >= 1
                else len(worker.gpus) * int(1 / share + 1e-9)
            )
            places = min(places, of_gpus)
        return places

    def free(self, worker: Worker, ahead: int = 0) -> int:
        """Cells that it can take now.

        Args:
            worker: Which.
            ahead: Cells that may wait at it beside those that run; only where nothing but its
                threads limits what it runs, because Dask lets more wait and knows no other limit.
        """
        if worker.status != "usable" or not worker.open or worker.alone:
            return 0
        places = self.places(worker)
        if places == worker.threads:
            places += ahead
        room = self._fit(worker) - self._having[_memory_key(worker)]
        return max(0, int(min(places - len(worker.cells), room)))

    def _fit(self, worker: Worker) -> float:
        """Cells for whose memory there is room where it is, in it and its like together."""
        needed = self._settings.memory_bytes
        return worker.memory // needed if needed and worker.memory else math.inf

    def all_places(self) -> int:
        """Cells that all usable workers can have at once."""
        places, fit = Counter[str](), dict[str, float]()
        for worker in self.of("usable"):
            places[_memory_key(worker)] += self.places(worker)
            fit[_memory_key(worker)] = self._fit(worker)
        return sum(int(min(number, fit[where])) for where, number in places.items())

    def any_free(self, ahead: int = 0) -> bool:
        """Whether some worker can take a cell now; see :meth:`free`."""
        return any(self.free(worker, ahead) for worker in self._workers.values())

    def pick(
        self,
        dataset: str,
        holders: Collection[str],
        avoid: Iterable[str] = (),
        ahead: int = 0,
        *,
        alone: bool = False,
    ) -> Worker | None:
        """Who is to have a cell: one that holds its data where there is one, then the emptiest.

        Args:
            dataset: Of the cell.
            holders: Addresses of those that hold its data, or get it now.
            avoid: Names of workers that it has been lost with; they come last.
            ahead: See :meth:`free`; who can begin at once comes before who lets it wait.
            alone: Only one that has nothing.
        """
        free = [
            w
            for w in self._workers.values()
            if self.free(w, ahead) and dataset not in w.unfit and not (alone and w.cells)
        ]
        avoided = set(avoid)
        return min(
            free,
            key=lambda w: (
                w.name in avoided,
                not self.free(w),
                w.address not in holders,
                len(w.cells) / max(self.places(w), 1),
                -self.free(w),
            ),
            default=None,
        )

    def take(self, worker: Worker, token: str, *, alone: bool = False) -> Mapping[str, str]:
        """A cell is given to a worker: the variables that its process gets (its GPUs).

        Args:
            worker: Which.
            token: Names this training of the cell.
            alone: Whether the worker is to get no other until it has given this one back.
        """
        gpus = self._gpus(worker)
        worker.cells[token], worker.alone = gpus, alone
        self._having[_memory_key(worker)] += 1
        return {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}

    def give_back(self, worker: Worker, token: str) -> None:
        """A cell has left a worker."""
        if worker.cells.pop(token, None) is not None:
            worker.alone = False
            self._having[_memory_key(worker)] -= 1

    def _gpus(self, worker: Worker) -> tuple[str, ...]:
        share = self._settings.gpu
        if not share or not worker.gpus:
            return ()
        cells = dict.fromkeys(worker.gpus, 0)
        for gpus in worker.cells.values():
            for gpu in gpus:
                cells[gpu] += 1
        emptiest = sorted(worker.gpus, key=lambda gpu: cells[gpu])
        return tuple(emptiest[: max(1, int(share))])

    def too_small(self, worker: Worker) -> str:
        """Why it cannot have a single cell."""
        settings = self._settings
        if worker.threads < settings.threads:
            return f"it has {worker.threads} threads, and a cell takes {settings.threads}"
        if settings.memory_bytes and worker.memory and worker.memory < settings.memory_bytes:
            return f"it may take {worker.memory / 1e9:.1f} GB, and a cell takes {settings.memory}"
        return f"it has {len(worker.gpus)} GPUs, and a cell takes {settings.gpu:g}"


def _memory_key(worker: Worker) -> str:
    """The same for workers that share a memory: those of a machine to which Dask sets no limit."""
    return worker.address if worker.limit else worker.host


def _worker(address: str, facts: Mapping[str, Any], now: float) -> Worker:
    short = address.split("://")[-1]
    name = str(facts.get("name", ""))
    return Worker(
        address,
        # A worker that was given no name is called by its address.
        short if not name or name == address else name,
        str(facts.get("host", "")),
        int(facts.get("nthreads", 1)),
        int(facts.get("memory_limit") or 0),
        last_seen=float(facts.get("last_seen", 0.0)),
        heard=now,
    )
