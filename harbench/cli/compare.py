"""``harbench compare``: whether models differ, or only seem to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import console, error_console
from harbench.cli.options import AsCsv, AsJson, Out, Run


def compare(
    a: Annotated[str | None, typer.Argument(metavar="A", help="A row of the table.")] = None,
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="Another; without both, all pairs.")
    ] = None,
    run: Run = None,
    metric: Annotated[str, typer.Option(help="The score to compare.")] = "nf",
    out: Out = Path("results"),
    figures: Annotated[
        Path | None,
        typer.Option(help="Write the critical-difference diagram here: PDF, SVG and PNG."),
    ] = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Compare models on the same folds and seeds: tests, effect sizes, and how many more repeats
    it would take to tell them apart. Nothing is trained, no data is read."""
    from harbench.cli.analysing import one_format
    from harbench.errors import ConfigError
    from harbench.metrics import find_metric
    from harbench.report.comparison import comparison_page
    from harbench.report.comparison_text import comparison_csv, comparison_json, print_comparison
    from harbench.results import Store

    one_format(csv=csv, json=json)
    if a is not None and (b is None or a == b):
        what = "two rows are needed for a comparison" if b is None else "a row is no other row"
        raise ConfigError(what, where=a, expected="two names, or none for all pairs",
                          fix="harbench compare")  # fmt: skip
    pair = None if a is None or b is None else (a, b)
    found = find_metric(metric, of_samples=True).name
    page = comparison_page(Store(out), run, found, pair)
    if csv:
        typer.echo(comparison_csv(page), nl=False)
    elif json:
        typer.echo(comparison_json(page), nl=False)
    else:
        print_comparison(console(), page)
    if figures is not None:
        from harbench.report.critical_difference import critical_difference, write_figure

        name = f"{page.benchmark}-critical-difference-{page.metric}"
        write_figure(critical_difference(page), figures, name)
        error_console().print(f"figures are in {figures}/", soft_wrap=True)
