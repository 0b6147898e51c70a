"""A run: what is to be done, doing it, and keeping what comes back."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from harbench.execute.folds import FoldFiles
from harbench.execute.jobs import (
    ENDS,
    CellJob,
    CostJob,
    Event,
    Executor,
    Job,
)
from harbench.execute.keeping import Keeper
from harbench.execute.sharing import Sharing
from harbench.plan import PlannedBenchmark
from harbench.results import Store
from harbench.results.manifest import manifest_of

_POLL_S = 0.3
"""Between two looks at the cells of another run."""


@dataclass(frozen=True)
class Work:
    """What a run has to do, and what is done already.

    Args:
        costs: Networks whose cost is not known on this machine.
        cells: To be trained.
        cached: Keys of cells that are in the store.
        before: Key of each job -> :meth:`harbench.results.Store.stamp` as it was found, to tell
            what another run does meanwhile.
    """

    costs: tuple[CostJob, ...]
    cells: tuple[CellJob, ...]
    cached: frozenset[str]
    before: Mapping[str, tuple[int, int]]


def work_of(
    planned: Sequence[PlannedBenchmark],
    store: Store,
    *,
    device: str = "cpu",
    plugin_files: tuple[Path, ...] = (),
    force: bool = False,
    time_limit: float | None = None,
) -> Work:
    """Compare a plan with the store. A cell that two benchmarks share is trained once.

    Args:
        planned: What is asked for.
        store: What is there.
        device: To train on.
        plugin_files: Single-file plugins that workers must load as well.
        force: Everything is to be done again.
        time_limit: Seconds that a cell may take; None is no limit.
    """
    store.recover()
    before: dict[str, tuple[int, int]] = {}
    costs: dict[str, CostJob] = {}
    cells: dict[str, CellJob] = {}
    cached: set[str] = set()
    checkpoints = store.checkpoints
    for benchmark in planned:
        for row in benchmark.rows:
            # What an estimator costs depends on its fit: it is measured in the cells.
            wanted = row.model.kind == "network"
            if wanted and (force or store.cost(row.cost_key) is None):
                before[row.cost_key] = _stamp(store, row.cost_key, force=force)
                costs[row.cost_key] = CostJob(
                    row.cost_key,
                    row.model.name,
                    row.options,
                    row.n_channels,
                    row.length,
                    row.n_classes,
                    plugin_files,
                )
            for cell in row.cells:
                if not force and store.has(cell.key):
                    cached.add(cell.key)
                else:
                    before[cell.key] = _stamp(store, cell.key, force=force)
                    cells[cell.key] = CellJob(cell, device, plugin_files, checkpoints, time_limit)
    return Work(tuple(costs.values()), tuple(cells.values()), frozenset(cached), before)


def _stamp(store: Store, key: str, *, force: bool) -> tuple[int, int]:
    stored, failed = store.stamp(key)
    # It was not there a moment ago: if it is now, another run has just stored it.
    return stored if force else 0, failed


def measure_costs(work: Work, store: Store, executor: Executor) -> Generator[Event]:
    """Measure what is not known, and store it; the events pass through.

    This comes before any cell, and one at a time: a latency measured beside a training would be
    the training's. What another run on the same store measures is left to it and waited for.

    Raises:
        ResultsError: the store cannot be written.
    """
    yield from _shared(work, work.costs, store, executor)


def efforts_of(work: Work, planned: Sequence[PlannedBenchmark], store: Store) -> dict[str, float]:
    """Key of each cell to be trained -> about how much work it is: MACs of all its epochs.

    Epochs that early stopping saves are counted; a model without a known cost counts 1 a window.
    """
    found: dict[str, float] = {}
    for benchmark in planned:
        for row in benchmark.rows:
            cost = store.cost(row.cost_key)
            macs = float(cost["macs"] or 1) if cost else 1.0
            windows = {fold.name: fold.windows["train"] for fold in row.folds}
            epochs = 1 if row.recipe is None else row.recipe.epochs
            for cell in row.cells:
                found[cell.key] = macs * windows[cell.fold] * epochs
    return {job.key: found[job.key] for job in work.cells}


def train_cells(
    work: Work, efforts: Mapping[str, float], store: Store, executor: Executor
) -> Generator[Event]:
    """Train the cells, the longest first, and store them; the events pass through.

    A long cell that started last would leave the other cores idle at the end. Cells that another
    run on the same store has in work are left to it, and waited for when all others are done.

    Raises:
        ResultsError: the store cannot be written.
    """
    longest_first = sorted(work.cells, key=lambda job: -efforts[job.key])
    yield from _shared(work, longest_first, store, executor)


def _shared(work: Work, jobs: Sequence[Job], store: Store, executor: Executor) -> Generator[Event]:
    """Do the jobs that no other run on the store has in work, and wait for the others."""
    sharing = Sharing(work, store)
    waiting = list(jobs)
    folds = FoldFiles(jobs)
    try:
        while waiting:
            # Closed before the locks are let go: what is stopped must not be in work any more.
            with (
                closing(Keeper(store)) as keeper,
                closing(executor.run(sharing.free(waiting), folds)) as events,
            ):
                for event in events:
                    yield from sharing.news()
                    yield from _let_go(keeper.keep(event), sharing)
                yield from _let_go(keeper.rest(), sharing)
            yield from sharing.news()
            waiting = sharing.busy()
            if waiting:
                yield from sharing.waits(waiting)
                time.sleep(_POLL_S)
    finally:
        sharing.locks.release_all()
        folds.forget()


def _let_go(events: Iterable[Event], sharing: Sharing) -> Generator[Event]:
    """The cells that have ended are free for other runs; the events pass through."""
    for event in events:
        if isinstance(event, ENDS):
            sharing.locks.release(event.job.key)
        yield event


def write_manifests(planned: Sequence[PlannedBenchmark], store: Store) -> None:
    """Store what the tables are made of, so that they can be printed while cells are trained."""
    store.sweep()
    for benchmark in planned:
        store.write_benchmark(benchmark.settings.name, manifest_of(benchmark, store))
