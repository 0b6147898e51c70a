"""``harbench table``: the tables again, from the store, without training."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import console
from harbench.cli.metric_choice import chosen_metrics
from harbench.cli.options import Out


class Format(StrEnum):
    """Of a printed table."""

    rich = "rich"
    markdown = "markdown"
    latex = "latex"
    csv = "csv"
    json = "json"


Standalone = Annotated[
    bool,
    typer.Option("--standalone", help="With --format latex: a document that compiles by itself."),
]


def check_standalone(standalone: bool, form: Format) -> None:
    """Refuse a document of its own in another format.

    Raises:
        ConfigError: the format is not LaTeX.
    """
    from harbench.errors import ConfigError

    if standalone and form is not Format.latex:
        raise ConfigError(
            "only LaTeX stands in a document of its own",
            where="--standalone",
            expected="--format latex",
        )


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
    standalone: Standalone = False,
    own: Annotated[
        bool, typer.Option("--own", help="Without what was imported or is reported by others.")
    ] = False,
) -> None:
    """Print the tables of a results folder again. Nothing is trained, no data is read."""
    from harbench.report.all_tables import all_tables
    from harbench.report.latex import latex_document, latex_snippets
    from harbench.report.terminal import print_table
    from harbench.report.text import csv_text, json_text, markdown
    from harbench.results import Store

    check_standalone(standalone, form)
    store = Store(out)
    metrics, added = chosen_metrics(metric)
    tables = all_tables(store, names or (), metrics, flops=flops, added=added, elsewhere=not own)
    if not tables:
        raise store.nothing_yet()
    if form is Format.rich:
        for found in tables:
            print_table(console(), found, out=out)
    elif form is Format.csv:
        typer.echo(csv_text(tables), nl=False)
    elif form is Format.json:
        typer.echo(json_text(tables), nl=False)
    elif form is Format.markdown:
        typer.echo("\n".join(markdown(found) for found in tables), nl=False)
    else:
        write = latex_document if standalone else latex_snippets
        typer.echo(write(tables), nl=False)
