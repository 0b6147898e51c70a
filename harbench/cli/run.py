"""``harbench run``: from benchmarks.yaml to the comparison table."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.context import console, error_console, plugin_files, registry

if TYPE_CHECKING:
    from harbench.config import Benchmark
    from harbench.execute.jobs import Failed
    from harbench.execute.run import Work
    from harbench.plan import PlannedBenchmark, PlannedFold
    from harbench.results import Store


def run(
    file: Annotated[Path, typer.Argument(help="The benchmarks, as YAML.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all if none is named.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the cells and what is done; train nothing.")
    ] = False,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a setting of the file."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=0, help="Cells side by side; the cores if not given, 0 in this process."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or auto.")] = "cpu",
    seeds: Annotated[
        str | None, typer.Option(help="A number of seeds (3), or seeds (0,7,8), for all.")
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Only these rows, separated by commas.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    force: Annotated[bool, typer.Option("--force", help="Train again what is done.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Missing data is an error, not an empty column.")
    ] = False,
    flops: Annotated[bool, typer.Option("--flops", help="Print FLOPs instead of MACs.")] = False,
) -> None:
    """Train every model of every benchmark that is not trained yet, and print the tables.

    Cells that are in the results folder already are not trained again. Stopped at any moment,
    the same command goes on. Exit code 1 means that some cells failed.
    """
    from harbench.config import load, select
    from harbench.execute.run import work_of
    from harbench.results import Store

    loaded = load(file, overrides or ())
    chosen = [_narrowed(benchmark, seeds, models) for benchmark in select(loaded, names or ())]
    if device != "cpu":
        # One mistake, told at once, and not one failure a cell. "cpu" can be told without torch.
        from harbench.training.cell import device_named

        device_named(device)
    planned = [_plan(benchmark) for benchmark in chosen]
    if strict:
        for benchmark in planned:
            if benchmark.missing is not None:
                raise benchmark.missing
    store = Store(out)
    work = work_of(planned, store, device=device, plugin_files=plugin_files(), force=force)
    if dry_run:
        _print_plan(planned, work, store)
        return
    failures = _carry_out(work, planned, store, jobs)
    from harbench.report.table import comparison_table
    from harbench.report.terminal import print_table

    # What was measured stands last: nearest to who waited for it.
    for benchmark in sorted(planned, key=lambda benchmark: benchmark.missing is None):
        print_table(console(), comparison_table(store, benchmark.settings.name, flops=flops))
    if work.cached:
        error_console().print(f"{len(work.cached)} cells were in {out}/ already (cached)")
    if failures:
        error_console().print(f"{len(failures)} of {len(work.cells) + len(work.costs)} jobs failed")
        raise typer.Exit(1)


def _narrowed(benchmark: Benchmark, seeds: str | None, models: str | None) -> Benchmark:
    """The benchmark with ``--seeds`` and ``--models`` applied."""
    from harbench.errors import ConfigError, did_you_mean

    update: dict[str, object] = {}
    if seeds is not None:
        try:
            numbers = [int(word) for word in seeds.split(",")]
        except ValueError:
            raise ConfigError(
                f"'{seeds}' is no number of seeds", where="--seeds", expected="3, or 0,7,8"
            ) from None
        given = range(numbers[0]) if len(numbers) == 1 and "," not in seeds else numbers
        if not given or min(given) < 0 or len(set(given)) != len(given):
            raise ConfigError(
                f"'{seeds}' is no set of seeds",
                where="--seeds",
                expected="a number above 0, or different numbers from 0 up",
            )
        update["seeds"] = tuple(given)
    if models is not None:
        rows = {entry.row: entry for entry in benchmark.models}
        wanted = [word.strip() for word in models.split(",") if word.strip()]
        for word in wanted:
            if word not in rows:
                raise ConfigError(
                    f"benchmark '{benchmark.name}' has no row '{word}'{did_you_mean(word, rows)}",
                    where="--models",
                    expected=f"one of {', '.join(rows)}",
                )
        update["models"] = tuple(rows[word] for word in wanted)
    return benchmark.model_copy(update=update)


def _plan(benchmark: Benchmark) -> PlannedBenchmark:
    from harbench.plan import plan

    with _reading(benchmark.dataset) as on_source:
        return plan(benchmark, registry(), on_source)


@contextmanager
def _reading(dataset: str) -> Iterator[Callable[[int, int], None]]:
    """A bar while a dataset is read for the first time; one line where there is no terminal."""
    from rich.progress import Progress

    console = error_console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(f"reading {dataset}", visible=False)

        def on_source(done: int, total: int) -> None:
            if not console.is_terminal and done == total:
                console.print(f"read {dataset}: {total} files")
            bars.update(task, completed=done, total=total, visible=True)

        yield on_source


def _carry_out(
    work: Work, planned: Sequence[PlannedBenchmark], store: Store, jobs: int | None
) -> list[Failed]:
    from harbench.cli.progress import RunProgress
    from harbench.execute.local import InProcessExecutor, ProcessExecutor
    from harbench.execute.run import efforts_of, measure_costs, train_cells, write_manifests

    write_manifests(planned, store)
    places = _cores() if jobs is None else jobs
    executor = ProcessExecutor(places) if places else InProcessExecutor()
    alone = ProcessExecutor(1) if places else InProcessExecutor()
    try:
        with RunProgress(error_console()) as progress:
            failures = progress.follow_costs(measure_costs(work, store, alone), len(work.costs))
            efforts = efforts_of(work, planned, store)
            return failures + progress.follow_cells(
                train_cells(work, efforts, store, executor), efforts
            )
    except KeyboardInterrupt:
        done = sum(store.has(job.key) for job in work.cells)
        error_console().print(
            f"\nstopped; {done} of {len(work.cells)} cells are kept in {store.folder}/\n"
            f"  go on with: {shlex.join(['harbench', *sys.argv[1:]])}",
            soft_wrap=True,
        )
        raise typer.Exit(130) from None


def _cores() -> int:
    """Those that this process may use, where the system tells (a container may have fewer)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _print_plan(planned: Sequence[PlannedBenchmark], work: Work, store: Store) -> None:
    from rich.tree import Tree

    for benchmark in planned:
        name = benchmark.settings.name
        tree = Tree(f"{name}: {benchmark.dataset.name}, split {benchmark.split}")
        for row in benchmark.rows:
            done = sum(cell.key in work.cached for cell in row.cells)
            branch = tree.add(
                f"{row.name}: window {row.length}, step {row.step}; "
                f"{done} of {len(row.cells)} cells cached"
            )
            for fold in row.folds:
                branch.add(f"fold {fold.name}: {_counts(fold)}")
            for cell in row.cells:
                branch.add(f"fold {cell.fold}, seed {cell.seed}: {_state(cell.key, work, store)}")
        if benchmark.missing is not None:
            tree.add(f"data missing: {benchmark.missing.what}\ntry: {benchmark.missing.fix}")
        console().print(tree)
    console().print(
        f"{len(work.cells)} cells to train, {len(work.cached)} cached; "
        f"{len(work.costs)} costs to measure"
    )


def _counts(fold: PlannedFold) -> str:
    def counts(windows: dict[str, int]) -> str:
        return ", ".join(f"{count:,} {part}" for part, count in windows.items())

    text = (
        f"{counts(fold.windows)} windows, none across the end of a recording "
        f"(as one stream, as some papers cut: {counts(fold.concatenated)})"
    )
    if fold.test_overlap or fold.validation_overlap:
        text += (
            f"; LEAKY: {100 * fold.test_overlap:.1f} % of the test windows and "
            f"{100 * fold.validation_overlap:.1f} % of the validation windows share samples with "
            "training windows"
        )
    return text


def _state(key: str, work: Work, store: Store) -> str:
    if key in work.cached:
        return "(cached)"
    failure = store.failure(key)
    return f"to train again; failed: {failure['reason']}" if failure else "to train"
