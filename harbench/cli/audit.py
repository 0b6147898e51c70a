"""``harbench audit``: what training could have learnt of the test windows, and what that is worth.

Of a file its benchmarks are planned, which needs their data; of a results folder the audits are
read that its runs left there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.context import console, error_console, plugin_files, registry
from harbench.cli.options import AsJson, Device, Jobs, Timeout, check_timeout

if TYPE_CHECKING:
    from harbench.config import Benchmark


def audit(
    target: Annotated[
        Path, typer.Argument(metavar="FILE|RESULTS", help="Benchmarks as YAML, or a folder.")
    ],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all if none is named.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a setting of the file."),
    ] = None,
    inflation: Annotated[
        bool,
        typer.Option("--inflation", help="Train under a leaky and an honest split; compare."),
    ] = False,
    draws: Annotated[int, typer.Option(min=1, help="Of both splits, for --inflation.")] = 3,
    blocks: Annotated[
        int | None, typer.Option(min=3, help="Of a recording in the honest split; 10 if not given.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="For --inflation: a number (3), or seeds (0,7,8).")
    ] = None,
    models: Annotated[str | None, typer.Option(help="For --inflation: only these rows.")] = None,
    jobs: Jobs = None,
    device: Device = "cpu",
    timeout: Timeout = None,
    out: Annotated[
        Path | None, typer.Option(help="Where --inflation keeps its cells; results if not given.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Audit benchmarks for leakage: windows that share samples, subjects in common, gap filling
    that looks ahead, where normalisation was fitted, what labels decide.

    Exit code 1 means that one of them leaks and does not say allow_leakage: true. --inflation
    trains each model under a leaky and an honest split of the same ratio and says how many points
    of NF the leak is worth.
    """
    if inflation:
        chosen = _benchmarks(target, names or (), overrides or ())
        home = out or (target if target.is_dir() else Path("results"))
        check_timeout(timeout)
        _inflate(
            target, chosen, draws, blocks, seeds, models, jobs, device, timeout, home, json=json
        )
        return
    from harbench.report.audit import audit_json, is_leaky
    from harbench.report.audit_page import print_audit

    manifests = _manifests(target, names or (), overrides or (), jobs)
    if json:
        typer.echo(audit_json(manifests), nl=False)
    else:
        for manifest in manifests:
            print_audit(console(), manifest)
    if any(
        is_leaky(row["folds"]) and not manifest.get("allow_leakage")
        for manifest in manifests
        for row in manifest["rows"]
    ):
        raise typer.Exit(1)


def _manifests(target: Path, names: Any, overrides: Any, jobs: int | None) -> list[dict[str, Any]]:
    """What the results folder says of each benchmark, or would, once the file was run.

    Raises:
        DataMissingError: none of the benchmarks can be audited, because no data is here.
    """
    if target.is_dir():
        store = _store(target, overrides)
        return [store.benchmark(name) for name in names or store.benchmarks()]
    from harbench.cli.planning import plan_one
    from harbench.results.manifest import manifest_of

    planned = [plan_one(one, target, jobs) for one in _benchmarks(target, names, overrides)]
    missing = [one.missing for one in planned if one.missing is not None]
    if missing and len(missing) == len(planned):
        raise missing[0]
    return [manifest_of(one) for one in planned]


def _benchmarks(target: Path, names: Any, overrides: Any) -> list[Benchmark]:
    from harbench.config import load, loads, select

    if not target.is_dir():
        return select(load(target, overrides, registry), names)
    store = _store(target, overrides)
    return [
        loads(store.benchmark(name)["settings"], f"{name}.json").benchmarks[0]
        for name in names or store.benchmarks()
    ]


def _store(target: Path, overrides: Any) -> Any:
    from harbench.errors import ConfigError, ResultsError
    from harbench.results import Store

    if overrides:
        raise ConfigError(
            f"{target}/ holds results, whose settings are past changing",
            where="--set",
            expected="a file of benchmarks",
            fix="harbench audit benchmarks.yaml --set ...",
        )
    store = Store(target)
    if not store.benchmarks():
        raise ResultsError(
            "there are no results in it", where=str(target), fix="harbench audit benchmarks.yaml"
        )
    return store


def _inflate(
    target: Path,
    chosen: list[Benchmark],
    draws: int,
    blocks: int | None,
    seeds: str | None,
    models: str | None,
    jobs: int | None,
    device: str,
    timeout: float | None,
    out: Path,
    *,
    json: bool,
) -> None:
    from harbench.cli.planning import narrowed, read_from, reading
    from harbench.cli.training import carry_out
    from harbench.execute.inflation import BLOCKS, draws_of, inflation_of
    from harbench.execute.run import work_of
    from harbench.plan import Opened
    from harbench.report.analyses import json_of, print_analysis
    from harbench.report.inflation import inflation_content
    from harbench.results import Store

    if device != "cpu":
        from harbench.training.cell import device_named

        device_named(device)
    store, opened, pieces = Store(out), Opened(jobs), blocks or BLOCKS
    chosen = [narrowed(benchmark, seeds, models) for benchmark in chosen]
    planned = []
    # All are planned before one is trained: a mistake in the last is told at once.
    for benchmark in chosen:
        with read_from(target), reading(benchmark.dataset) as on_source:
            planned.append(
                draws_of(
                    benchmark,
                    registry(),
                    draws,
                    blocks=pieces,
                    opened=opened,
                    on_source=on_source,
                )
            )
    every = [one for found in planned for draw in found for one in (draw.leaky, draw.honest)]
    work = work_of(every, store, device=device, plugin_files=plugin_files(), time_limit=timeout)
    carry_out(work, every, store, jobs)
    for found in planned:
        first = found[0].leaky
        content = inflation_content(
            first.settings.name, first.dataset.simulates, inflation_of(found, store), pieces
        )
        if json:
            typer.echo(json_of(content), nl=False)
        else:
            print_analysis(console(), content)
    if work.cached:
        error_console().print(f"{len(work.cached)} cells were in {out}/ already (cached)")
