"""``harbench report``: a results folder as one HTML page that opens anywhere, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import error_console, registry
from harbench.cli.metric_choice import chosen_metrics


def report(
    results: Annotated[
        Path, typer.Argument(metavar="[RESULTS]", help="Folder of results; results if not given.")
    ] = Path("results"),
    out: Annotated[Path, typer.Option(help="The file.")] = Path("report.html"),
    benchmark: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this benchmark; may be repeated."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="A score of the tables; may be repeated. Figures are of the first."),
    ] = None,
) -> None:
    """Write a results folder as one HTML page: tables that can be sorted and filtered, figures,
    the leakage audit, what analyses found, and for each row the command that makes it again.

    Nothing is trained, no data is read. The page loads nothing from anywhere. Equal results give
    equal bytes.
    """
    from harbench.report.html import report_of, write_report
    from harbench.results import Store

    store = Store(results)
    metrics, added = chosen_metrics(metric)
    datasets = registry().datasets
    with error_console().status("drawing"):
        page = report_of(
            store,
            list(dict.fromkeys(benchmark or ())),
            metrics=metrics,
            added=added,
            channels=datasets.get("opportunity").channels if "opportunity" in datasets else (),
        )
        if not page.benchmarks:
            raise store.nothing_yet()
        size = write_report(page, out)
    n, rows = len(page.benchmarks), sum(part.rows for part in page.benchmarks)
    typer.echo(f"{out}: {n} benchmark{'s' * (n != 1)}, {rows} rows, {size / 1e6:.1f} MB")
