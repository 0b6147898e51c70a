"""Tiny cells of the toy dataset: planned and trained as ``harbench run`` does it, in a second."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from harbench.config import loads
from harbench.errors import HarbenchError
from harbench.execute.jobs import CellJob, Failed
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import train_cells, work_of, write_manifests
from harbench.execute.trained import trained_cells
from harbench.execute.variants import VariantTrainer
from harbench.nouns import TrainedCell, Trainer
from harbench.plan import PlannedBenchmark, plan
from harbench.plugins import Registry, load_plugins
from harbench.results import Store
from harbench.testing import toy_plugin

BENCHMARK = "harbench-check"
TIME_LIMIT_S = 120


@cache
def registry_with_toys(files: tuple[Path, ...]) -> Registry:
    """All plugins, those of the files, and the toy dataset and network."""
    return load_plugins([*files, toy_plugin.FILE])


def plan_cells(
    registry: Registry,
    model: str,
    folder: Path,
    *,
    window: int = 20,
    seeds: int = 1,
    epochs: int | None = None,
) -> PlannedBenchmark:
    """A benchmark of one model on the toy dataset, whose files are written into the folder."""
    toy_plugin.write(folder, run=2 * window)
    settings = {
        "dataset": toy_plugin.DATASET,
        "path": str(folder),
        "protocol": {"window": window, "step": max(1, window // 2)},
        "seeds": seeds,
        "models": [model if epochs is None else {model: {"recipe": {"epochs": epochs}}}],
    }
    text = json.dumps({"benchmarks": {BENCHMARK: settings}})
    return plan(loads(text, "harbench check").benchmarks[0], registry)


def train_in_worker(planned: PlannedBenchmark, files: tuple[Path, ...], cache: Path) -> str:
    """Train the first cell in another process, which loads the plugins anew.

    Args:
        planned: Of :func:`plan_cells`.
        files: Single-file plugins.
        cache: harbench's cache folder in that process.

    Returns:
        Why it failed; empty where it did not.
    """
    context = start_workers()
    job = CellJob(planned.cells[0], "cpu", (*files, toy_plugin.FILE))
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(  # type: ignore[attr-defined]
        target=_work, args=(theirs, job, str(cache)), daemon=True
    )
    process.start()
    theirs.close()
    try:
        if not ours.poll(TIME_LIMIT_S):
            return f"it takes more than {TIME_LIMIT_S} s for one epoch of a few windows"
        return str(ours.recv())
    except EOFError:
        process.join()
        return f"the process died (exit code {process.exitcode})"
    finally:
        process.kill()
        process.join()
        ours.close()


def _work(connection: Connection, job: CellJob, cache: str) -> None:
    # The server that this process was forked from has the environment of another time.
    os.environ["HARBENCH_CACHE"] = cache
    from harbench.execute.work import perform

    outcome = perform(job, lambda event: None)
    connection.send(outcome.reason if isinstance(outcome, Failed) else "")


def start_workers() -> multiprocessing.context.BaseContext:
    """Where workers come from; on Linux a server that has torch loaded, and starts loading it now.

    Called early, it loads while other checks run.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    from multiprocessing.forkserver import ensure_running

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("forkserver")
    # Deterministic algorithms make torch import its compiler, which takes seconds: once is enough.
    context.set_forkserver_preload(["harbench.execute.work", "torch._inductor.config"])
    ensure_running()
    return context


class TrainedStore:
    """A store with two trained cells of the toy network: what analyses are given.

    Args:
        folder: To work in.
        files: Single-file plugins.
    """

    def __init__(self, folder: Path, files: tuple[Path, ...]) -> None:
        self.registry = registry_with_toys(files)
        self.store = Store(folder / "results")
        self.planned = plan_cells(
            self.registry, toy_plugin.NETWORK, folder / "data", seeds=2, epochs=4
        )
        self._files = (*files, toy_plugin.FILE)
        write_manifests([self.planned], self.store)
        self._carry_out([self.planned])

    def cells(self) -> list[TrainedCell]:
        """The two cells, each of its own seed."""
        return trained_cells(self.store, BENCHMARK, lambda: self.registry)

    def trainer(self) -> Trainer:
        """Trains variants into the store, as ``harbench analyse`` does."""
        return VariantTrainer(self.store, lambda: self.registry, self._carry_out)

    def _carry_out(self, planned: Sequence[PlannedBenchmark]) -> None:
        work = work_of(planned, self.store, plugin_files=self._files)
        # Costs are given, not measured: timing a network takes a second each.
        for job in work.costs:
            self.store.write_cost(job.key, _cost_of(job.n_channels, job.n_times, job.n_classes))
        efforts = dict.fromkeys([job.key for job in work.cells], 1.0)
        for event in train_cells(work, efforts, self.store, InProcessExecutor()):
            if isinstance(event, Failed):
                raise HarbenchError(f"the toy network cannot be trained: {event.reason}")


@cache
def _cost_of(n_channels: int, n_times: int, n_classes: int) -> dict[str, object]:
    from harbench.cost import count

    found = count(toy_plugin.build(n_channels, n_times, n_classes), n_channels, n_times)
    return {**found.to_json(), "latency_median_ms": 0.1, "latency_p95_ms": 0.2}
