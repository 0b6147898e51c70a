"""``harbench run``: from benchmarks.yaml to the comparison table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.context import (
    be_quiet,
    console,
    error_console,
    plugin_files,
    registry,
    remarks,
)
from harbench.cli.options import Cluster, Device, Jobs, Out, Timeout, check_timeout
from harbench.cli.planning import narrowed, plan_one

if TYPE_CHECKING:
    from harbench.config import Benchmark
    from harbench.execute.analysing import Analysed
    from harbench.plan import PlannedBenchmark
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
    jobs: Jobs = None,
    device: Device = "cpu",
    cluster: Cluster = None,
    seeds: Annotated[
        str | None, typer.Option(help="A number of seeds (3), or seeds (0,7,8), for all.")
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Only these rows, separated by commas.")
    ] = None,
    out: Out = Path("results"),
    force: Annotated[bool, typer.Option("--force", help="Train again what is done.")] = False,
    timeout: Timeout = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Missing data is an error, not an empty column.")
    ] = False,
    flops: Annotated[bool, typer.Option("--flops", help="Print FLOPs instead of MACs.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the tables and errors, nothing else.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the tables as JSON; all else goes to stderr.")
    ] = False,
) -> None:
    """Train every model of every benchmark that is not trained yet, and print the tables.

    Cells that are in the results folder already are not trained again. Stopped at any moment,
    the same command goes on. Exit code 1 means that some cells failed.
    """
    from harbench.errors import ConfigError

    if dry_run and json:
        raise ConfigError(
            "a plan has no tables", where="--dry-run --json", expected="one of the two"
        )
    if quiet:
        be_quiet()
    from harbench.cli.on_cluster import cluster_asked
    from harbench.cli.training import carry_out
    from harbench.config import load, select
    from harbench.execute.run import work_of, write_manifests
    from harbench.plan import refuse_leaks
    from harbench.results import Store

    check_timeout(timeout)
    loaded = load(file, overrides or (), registry)
    chosen = [narrowed(benchmark, seeds, models) for benchmark in select(loaded, names or ())]
    remote = cluster_asked(cluster, loaded.cluster, jobs=jobs, device=device)
    if device != "cpu" and remote is None:
        # One mistake, told at once, and not one failure a cell. "cpu" can be told without torch.
        from harbench.training.cell import device_named

        device_named(device)
    _check_analyses(chosen)
    planned = [plan_one(benchmark, file, jobs) for benchmark in chosen]
    if strict:
        for benchmark in planned:
            if benchmark.missing is not None:
                raise benchmark.missing
    store = Store(out)
    work = work_of(
        planned,
        store,
        device=device,
        plugin_files=plugin_files(),
        force=force,
        time_limit=timeout,
    )
    if dry_run:
        from harbench.cli.plan_tree import print_plan

        print_plan(console(), planned, work, store)
    refuse_leaks(planned, str(file))
    if dry_run:
        return
    write_manifests(planned, store)
    failures = carry_out(work, planned, store, jobs, remote)
    options = {"jobs": jobs, "device": device, "timeout": timeout, "cluster": remote}
    if json:
        broken = _print_json(planned, store, options, flops=flops)
    else:
        broken = _print_tables(planned, store, options, flops=flops)
    if work.cached:
        remarks().print(f"{len(work.cached)} cells were in {out}/ already (cached)")
    if failures:
        error_console().print(f"{len(failures)} of {len(work.cells) + len(work.costs)} jobs failed")
    if failures or broken:
        raise typer.Exit(1)


def _print_tables(
    planned: Sequence[PlannedBenchmark], store: Store, options: dict[str, Any], *, flops: bool
) -> int:
    """Print the tables and what the analyses found; how many of these failed."""
    from harbench.cli.analysing import show
    from harbench.report.plain_text import one_line
    from harbench.report.table import comparison_table
    from harbench.report.terminal import print_table

    # What was measured stands last: nearest to who waited for it.
    broken = 0
    shown: set[str] = set()
    for benchmark in sorted(planned, key=lambda benchmark: benchmark.missing is None):
        costs = {row.cost_key for row in benchmark.rows}
        if benchmark.missing is not None and costs <= shown:
            # Without scores a table is about its networks, and these were told of above.
            settings = benchmark.settings
            console().print(
                f"{one_line(f'{settings.name}: {settings.title}')}\n"
                "no NF measured; its networks are those above\n"
                f"  try: {benchmark.missing.fix}\n",
                soft_wrap=True,
            )
            continue
        shown |= costs
        table = comparison_table(store, benchmark.settings.name, flops=flops)
        print_table(console(), table, out=store.folder)
        for found in _analysed(benchmark, store, options):
            broken += found is None
            if found is not None:
                show(found, store)
    return broken


def _print_json(
    planned: Sequence[PlannedBenchmark], store: Store, options: dict[str, Any], *, flops: bool
) -> int:
    """Print one JSON text: the tables as ``harbench table --format json`` prints them, each with
    ``failed`` (cells and why) and ``analyses``; how many of these failed."""
    from json import dumps, loads

    from harbench.report.analyses import json_of
    from harbench.report.audit import leaks_of
    from harbench.report.table import comparison_table
    from harbench.report.text import json_text

    names = [benchmark.settings.name for benchmark in planned]
    tables = [comparison_table(store, name, flops=flops) for name in names]
    content = loads(json_text(tables))
    broken = 0
    for of_benchmark, benchmark in zip(content, planned, strict=True):
        of_benchmark["failed"] = [
            {"row": row.name, "fold": cell.fold, "seed": cell.seed, "reason": failure["reason"]}
            for row in benchmark.rows
            for cell in row.cells
            if not store.has(cell.key) and (failure := store.failure(cell.key))
        ]
        found = list(_analysed(benchmark, store, options))
        leaks = leaks_of(store.benchmark(benchmark.settings.name))
        of_benchmark["analyses"] = [loads(json_of(f.content, leaks)) for f in found if f]
        broken += sum(f is None for f in found)
    typer.echo(dumps(content, indent=1, ensure_ascii=True))
    return broken


def _analysed(
    benchmark: PlannedBenchmark, store: Store, options: dict[str, Any]
) -> Iterator[Analysed | None]:
    """Run the analyses of a benchmark that has trained cells; None for each that failed."""
    from harbench.cli.analysing import perform
    from harbench.cli.context import settings
    from harbench.errors import HarbenchError
    from harbench.execute.trained import trained_cells
    from harbench.report.plain_text import many_lines

    entries = benchmark.settings.analyses
    cells = trained_cells(store, benchmark.settings.name, registry) if entries else []
    for entry in entries if cells else ():
        analysis = registry().analyses.get(entry.analysis)
        try:
            yield perform(analysis, entry.entry, cells, entry.options, store, **options)
        except HarbenchError as error:
            # The other benchmarks' tables are still to be printed.
            if settings().debug:
                raise
            error_console().print(
                f"analysis '{entry.entry}' of '{benchmark.settings.name}' failed: "
                f"{many_lines(error)}",
                soft_wrap=True,
            )
            yield None


def _check_analyses(benchmarks: Sequence[Benchmark]) -> None:
    """Refuse analyses and options that no plugin has, before anything is trained for them."""
    for benchmark in benchmarks:
        for entry in benchmark.analyses:
            from harbench.execute.analysing import check_options

            where = f"benchmark '{benchmark.name}', analysis '{entry.entry}'"
            analysis = registry().analyses.get(entry.analysis, where=where)
            check_options(analysis, entry.options, where)
