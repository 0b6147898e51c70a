"""``harbench table``: the tables again, from the store, without training."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import console, registry
from harbench.cli.options import Out


class Format(StrEnum):
    """Of a printed table."""

    rich = "rich"
    markdown = "markdown"
    latex = "latex"
    csv = "csv"
    json = "json"


def table(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Benchmarks; all in the store if none is named."),
    ] = None,
    out: Out = Path("results"),
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.rich,
    metric: Annotated[
        list[str] | None, typer.Option(help="A score to print; may be repeated.")
    ] = None,
    flops: Annotated[bool, typer.Option("--flops", help="Print FLOPs instead of MACs.")] = False,
) -> None:
    """Print the tables of a results folder again. Nothing is trained, no data is read."""
    from harbench.errors import ResultsError
    from harbench.metrics import METRICS, SAMPLE_METRICS, find_metric
    from harbench.report.table import DEFAULT_METRICS, comparison_table
    from harbench.report.terminal import print_table
    from harbench.report.text import csv_text, json_text, latex, markdown
    from harbench.results import Store

    store = Store(out)
    chosen = names or store.benchmarks()
    if not chosen:
        raise ResultsError(
            "there are no results yet", where=str(out), fix="harbench run benchmarks.yaml"
        )
    metrics = list(dict.fromkeys(metric)) if metric else list(DEFAULT_METRICS)
    # Plugins are loaded for a name that is none of harbench's own.
    own = METRICS.keys() | SAMPLE_METRICS.keys()
    scores = () if own.issuperset(metrics) else tuple(registry().scores)
    for name in metrics:
        find_metric(name, of_samples=True, added=scores)
    added = [score for score in scores if score.name in metrics]
    tables = [comparison_table(store, name, metrics, flops=flops, added=added) for name in chosen]
    if form is Format.rich:
        for found in tables:
            print_table(console(), found)
    elif form is Format.csv:
        typer.echo(csv_text(tables), nl=False)
    elif form is Format.json:
        typer.echo(json_text(tables), nl=False)
    else:
        write = markdown if form is Format.markdown else latex
        typer.echo("\n".join(write(found) for found in tables), nl=False)
