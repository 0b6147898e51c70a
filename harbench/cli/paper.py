"""``harbench paper``: the four tables of Yan, Younes and Forsyth 2022, measured beside printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.context import console, error_console, plugin_files, registry
from harbench.cli.options import Out
from harbench.cli.table import Format, Standalone, check_standalone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harbench.config import Benchmark
    from harbench.plan import Opened, PlannedBenchmark
    from harbench.report.paper import Page
    from harbench.results import Store

DEFAULT_FILE = Path("benchmarks.yaml")


def paper(
    file: Annotated[
        Path | None, typer.Argument(help="The benchmarks, as YAML; benchmarks.yaml if not given.")
    ] = None,
    out: Out = Path("results"),
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.rich,
    markdown: Annotated[bool, typer.Option("--markdown", help="--format markdown.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="--format csv.")] = False,
    json: Annotated[bool, typer.Option("--json", help="--format json.")] = False,
    standalone: Standalone = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=0, help="0 measures costs in this process; else in another, one by one."),
    ] = None,
) -> None:
    """Print the four tables of the ResNet-like paper, measured beside printed, and what of it
    does not add up.

    Nothing is trained. What the results folder lacks of parameters and MACs is measured, which
    takes seconds; scores are those that `harbench run benchmarks.yaml table1 table2 table3
    table4` left there.
    """
    chosen = _format(form, markdown=markdown, csv=csv, json=json)
    check_standalone(standalone, chosen)
    from harbench.plan import Opened
    from harbench.report.paper import Sources, paper_page
    from harbench.results import Store

    store, opened = Store(out), Opened()
    planned = _planned(file, store, opened)
    narrow = _narrow(store, planned, opened)
    failed = _measure([*planned.values(), *narrow.values()], list(planned.values()), store, jobs)
    datasets = registry().datasets
    page = paper_page(
        Sources(
            store,
            datasets.get("opportunity").channels if "opportunity" in datasets else (),
            {k: of_k.rows[0].cost_key for k, of_k in narrow.items()},
            {},
            str(file or DEFAULT_FILE),
        )
    )
    _print(page, chosen, standalone=standalone)
    if failed:
        error_console().print(f"{failed} costs could not be measured")
        raise typer.Exit(1)


def _format(form: Format, **short: bool) -> Format:
    """The format that is asked for.

    Raises:
        ConfigError: several are.
    """
    asked = {Format(name) for name, given in short.items() if given}
    if form is not Format.rich:
        asked.add(form)
    if len(asked) > 1:
        from harbench.errors import ConfigError

        raise ConfigError(
            "one output has one format",
            where=" ".join(f"--{name}" for name, given in short.items() if given),
            expected="one of them",
        )
    return asked.pop() if asked else Format.rich


def _planned(file: Path | None, store: Store, opened: Opened) -> dict[str, PlannedBenchmark]:
    """The benchmarks that the store has no cells of, planned.

    Those that the store knows are planned as they were run there: their data may have come since.

    Raises:
        ConfigError: the file is needed and is not there, or has no such benchmark.
    """
    from harbench.config import load, loads, select
    from harbench.report.paper import BENCHMARKS

    loaded = None if file is None else load(file)
    known = store.benchmarks()
    settings: dict[str, Benchmark] = {}
    for name in BENCHMARKS:
        if name not in known:
            loaded = loaded or load(DEFAULT_FILE)
            settings[name] = select(loaded, [name])[0]
        elif (manifest := store.benchmark(name))["missing"] is not None:
            settings[name] = loads(manifest["settings"], f"{name}.json").benchmarks[0]
    return {name: _plan(benchmark, opened) for name, benchmark in settings.items()}


def _plan(benchmark: Benchmark, opened: Opened) -> PlannedBenchmark:
    from harbench.plan import plan

    with error_console().status(f"planning {benchmark.name}"):
        return plan(benchmark, registry(), opened=opened)


def _narrow(
    store: Store, planned: Mapping[str, PlannedBenchmark], opened: Opened
) -> dict[int, PlannedBenchmark]:
    """Number of channels -> table4 with so many, where nobody counted that network yet.

    Which channels they are makes no difference to what a network costs.
    """
    from harbench.config import loads
    from harbench.report.paper import uncounted

    missing = uncounted(store)
    if not missing:
        return {}
    if "table4" in planned:
        benchmark = planned["table4"].settings
    else:
        benchmark = loads(store.benchmark("table4")["settings"], "table4.json").benchmarks[0]
    names = [channel.name for channel in registry().datasets.get(benchmark.dataset).channels]
    found = {}
    for k in (k for k in missing if k <= len(names)):
        protocol = benchmark.protocol.model_copy(update={"channels": tuple(names[:k])})
        found[k] = _plan(benchmark.model_copy(update={"protocol": protocol}), opened)
    return found


def _measure(
    costly: list[PlannedBenchmark],
    planned: list[PlannedBenchmark],
    store: Store,
    jobs: int | None,
) -> int:
    """Measure the costs that the store lacks, and store what is planned; how many failed.

    Args:
        costly: Whose networks' costs are needed.
        planned: Whose manifests are written.
        store: Gets both.
        jobs: 0 is in this process.
    """
    from dataclasses import replace
    from json import dumps, loads

    from harbench.cli.training import carry_out
    from harbench.execute.run import work_of, write_manifests
    from harbench.results.manifest import manifest_of

    known = store.benchmarks()
    changed = [
        benchmark
        for benchmark in planned
        if (name := benchmark.settings.name) not in known
        or store.benchmark(name) != loads(dumps(manifest_of(benchmark, store)))
    ]
    if changed:
        write_manifests(changed, store)
    # Without the cells: nothing is trained here.
    work = replace(work_of(costly, store, plugin_files=plugin_files()), cells=())
    return len(carry_out(work, planned, store, jobs)) if work.costs else 0


def _print(page: Page, form: Format, *, standalone: bool) -> None:
    from harbench.report.latex import latex_document, latex_snippets
    from harbench.report.paper import paper_json, paper_markdown, print_paper
    from harbench.report.text import csv_text

    if form is Format.rich:
        print_paper(console(), page)
    elif form is Format.markdown:
        typer.echo(paper_markdown(page), nl=False)
    elif form is Format.json:
        typer.echo(paper_json(page), nl=False)
    elif form is Format.csv:
        typer.echo(csv_text(page.tables), nl=False)
    else:
        write = latex_document if standalone else latex_snippets
        typer.echo(write(page.tables), nl=False)
