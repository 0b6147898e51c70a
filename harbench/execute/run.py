"""A run: what is to be done, doing it, and keeping what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harbench.execute.jobs import (
    CellJob,
    CellResult,
    CostJob,
    CostResult,
    Event,
    Executor,
    Failed,
    Finished,
)
from harbench.plan import PlannedBenchmark
from harbench.results import Store
from harbench.results.manifest import manifest_of


@dataclass(frozen=True)
class Work:
    """What a run has to do, and what is done already.

    Args:
        costs: Networks whose cost is not known on this machine.
        cells: To be trained, the longest first.
        cached: Keys of cells that are in the store.
    """

    costs: tuple[CostJob, ...]
    cells: tuple[CellJob, ...]
    cached: frozenset[str]


def work_of(
    planned: Sequence[PlannedBenchmark],
    store: Store,
    *,
    device: str = "cpu",
    plugin_files: tuple[Path, ...] = (),
    force: bool = False,
) -> Work:
    """Compare a plan with the store. A cell that two benchmarks share is trained once."""
    costs: dict[str, CostJob] = {}
    cells: dict[str, CellJob] = {}
    cached: set[str] = set()
    for benchmark in planned:
        for row in benchmark.rows:
            if force or store.cost(row.cost_key) is None:
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
                    cells[cell.key] = CellJob(cell, device, plugin_files)
    return Work(tuple(costs.values()), tuple(cells.values()), frozenset(cached))


def carry_out(
    work: Work,
    planned: Sequence[PlannedBenchmark],
    store: Store,
    executor: Executor,
    alone: Executor,
) -> Iterator[Event]:
    """Do the work and store what comes back; the events pass through.

    Args:
        work: As :func:`work_of` found it.
        planned: Whose tables can be printed as soon as the first cell is done.
        store: Written by this process alone.
        executor: Trains the cells.
        alone: Measures the costs, one at a time, before any cell runs: a latency measured
            beside a training would be the training's.
    """
    for benchmark in planned:
        store.write_benchmark(benchmark.settings.name, manifest_of(benchmark))
    macs: dict[str, int] = {}
    for event in alone.run(work.costs):
        if isinstance(event, Finished) and isinstance(event.outcome, CostResult):
            store.write_cost(event.job.key, event.outcome.cost)
            store.forget_failure(event.job.key)
        elif isinstance(event, Failed):
            store.write_failure(event.job.key, _failure(event))
        yield event
    for benchmark in planned:
        for row in benchmark.rows:
            cost = store.cost(row.cost_key)
            macs[row.cost_key] = int(cost["macs"] or 0) if cost else 0
    longest_first = sorted(work.cells, key=lambda job: -_effort(job, planned, macs))
    for event in executor.run(longest_first):
        if isinstance(event, Finished) and isinstance(event.outcome, CellResult):
            result = event.outcome
            store.write(
                event.job.key, result.record, result.measured, result.predictions, result.weights
            )
        elif isinstance(event, Failed):
            store.write_failure(event.job.key, _failure(event))
        yield event


def _effort(job: CellJob, planned: Sequence[PlannedBenchmark], macs: dict[str, int]) -> int:
    # MACs an epoch. A long cell that starts last would leave the other cores idle at the end.
    for benchmark in planned:
        for row in benchmark.rows:
            if row.name == job.cell.row and benchmark.settings.name == job.cell.benchmark:
                fold = next(fold for fold in row.folds if fold.name == job.cell.fold)
                return macs[row.cost_key] * fold.windows["train"] * row.recipe.epochs
    return 0


def _failure(event: Failed) -> dict[str, object]:
    failure: dict[str, object] = {"reason": event.reason, "detail": event.detail}
    if isinstance(event.job, CellJob):
        failure["cell"] = event.job.cell.content
    return failure
