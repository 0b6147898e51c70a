"""Carrying out a plan and showing how far it is: what ``run`` and the analyses that train share."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from harbench.cli.context import error_console, is_quiet, registry

if TYPE_CHECKING:
    from harbench.config import ClusterSettings
    from harbench.execute.jobs import Failed
    from harbench.execute.run import Work
    from harbench.plan import PlannedBenchmark
    from harbench.results import Store


def carry_out(
    work: Work,
    planned: Sequence[PlannedBenchmark],
    store: Store,
    jobs: int | None,
    cluster: ClusterSettings | None = None,
) -> list[Failed]:
    """Measure the costs and train the cells of some work; those that failed.

    Args:
        work: What is to be done.
        planned: What it is part of.
        store: Gets the results.
        jobs: Side by side; None is the number of cores, 0 is in this process.
        cluster: Where the cells are trained; None is this machine. Costs are measured on this
            machine, whose they are, wherever cells are trained.

    Raises:
        ClusterError: the cluster cannot be used, or is gone; what has ended is stored.
    """
    from harbench.cli.progress import RunProgress
    from harbench.execute.local import InProcessExecutor, ProcessExecutor
    from harbench.execute.observers import Observers
    from harbench.execute.run import efforts_of, measure_costs, train_cells

    places = _cores() if jobs is None else jobs
    fits = any(job.cell.recipe is None for job in work.cells)
    executor = ProcessExecutor(places, estimators=fits) if places else InProcessExecutor()
    alone = ProcessExecutor(1, estimators=fits) if places else InProcessExecutor()
    progress = RunProgress(
        error_console(),
        planned,
        work.cached,
        [job.key for job in work.cells],
        # On a cluster it is seen how many there are.
        places=places if cluster is None else 1,
        quiet=is_quiet(),
    )
    # What an observer is warned of is no error of the run, but stands above its tree.
    observers = Observers(registry().observers, store, progress.say)
    try:
        with ExitStack() as stack:
            remote = None
            if cluster is not None and work.cells:
                from harbench.cli.on_cluster import on_cluster

                # Before the costs: an address that nobody answers at is told at once.
                remote = stack.enter_context(
                    on_cluster(cluster, work.cells[0].device, progress.say)
                )
            stack.enter_context(progress)
            failures = progress.follow_costs(measure_costs(work, store, alone), len(work.costs))
            efforts = efforts_of(work, planned, store)
            trained = train_cells(work, efforts, store, remote.executor if remote else executor)
            if remote is not None:
                trained = remote.followed(trained, len(work.cells))
            events = observers.watched(trained)
            failures += progress.follow_cells(events, efforts)
        observers.end(work)
        return failures
    except KeyboardInterrupt:
        observers.end(work, stopped=True)
        done = sum(store.has(job.key) for job in work.cells)
        error_console().print(
            f"\nstopped; {done} of {len(work.cells)} cells are kept in {store.folder}/\n"
            f"  go on with: {shlex.join(['harbench', *sys.argv[1:]])}",
            soft_wrap=True,
        )
        # Not typer.Exit, which is an Exception: an analysis that had this trained did not break.
        raise SystemExit(130) from None


def _cores() -> int:
    """Those that this process may use, where the system tells (a container may have fewer)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
