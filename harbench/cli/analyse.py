"""``harbench analyse``: what an analysis plugin says of trained cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.context import registry
from harbench.cli.options import (
    AsCsv,
    AsJson,
    Cluster,
    Device,
    Figures,
    Out,
    Timeout,
    check_timeout,
)

if TYPE_CHECKING:
    from harbench.nouns import Analysis


def analyse(
    name: Annotated[str, typer.Argument(help="An analysis; see harbench plugins.")],
    benchmarks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BENCHMARK]...", help="All in the store if none is named."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="An option of the analysis; may be repeated."),
    ] = None,
    out: Out = Path("results"),
    figures: Figures = None,
    csv: AsCsv = False,
    json: AsJson = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=0, help="Of an analysis that trains: side by side; 0 in this process."),
    ] = None,
    device: Device = "cpu",
    cluster: Cluster = None,
    timeout: Timeout = None,
) -> None:
    """Run an analysis on the finished cells of the results folder and print its tables.

    What it finds is kept in RESULTS/analyses/BENCHMARK/NAME, and not run again while nothing
    changed.
    """
    from harbench.cli.analysing import copy_figures, one_format, perform, show
    from harbench.cli.on_cluster import cluster_asked
    from harbench.errors import ResultsError
    from harbench.execute.trained import trained_cells
    from harbench.results import Store

    one_format(csv=csv, json=json)
    check_timeout(timeout)
    remote = cluster_asked(cluster, None, jobs=jobs, device=device)
    analysis = registry().analyses.get(name)
    options = _options(option or [], analysis)
    store = Store(out)
    found_any = False
    for benchmark in benchmarks or store.benchmarks():
        cells = trained_cells(store, benchmark, registry)
        if cells:
            found_any = True
            found = perform(
                analysis,
                name,
                cells,
                options,
                store,
                jobs=jobs,
                device=device,
                timeout=timeout,
                cluster=remote,
            )
            show(found, store, csv=csv, json=json)
            if figures is not None:
                copy_figures(found, figures)
    if not found_any:
        raise ResultsError(
            "there are no trained cells to analyse",
            where=str(out),
            fix="harbench run benchmarks.yaml",
        )


def _options(given: list[str], analysis: Analysis) -> dict[str, Any]:
    from harbench.config.nodes import Place, Problems, printable
    from harbench.config.reading import read_text
    from harbench.errors import ConfigError
    from harbench.execute.analysing import check_options

    options = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign:
            raise ConfigError(f"'{text}' has no '='", where="--option", expected="KEY=VALUE")
        check_options(analysis, {key: None}, "--option")
        # As in a file: safe_load would also make dates, and break on some.
        at, problems = Place(f"--option {key}"), Problems()
        try:
            node = read_text(value, at.source, problems, at)
            problems.raise_if_any()
        except ConfigError as error:
            what = f"'{printable(value[:60])}' is no value: {error.what}"
            raise ConfigError(what, where=str(at)) from None
        options[key] = None if node is None else node.plain()
    return options
