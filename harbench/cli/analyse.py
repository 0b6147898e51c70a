"""``harbench analyse``: what an analysis plugin says of trained cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.context import console, registry

if TYPE_CHECKING:
    import pandas as pd

    from harbench.nouns import Analysis, AnalysisResult


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
    out: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    figures: Annotated[
        Path | None, typer.Option(help="Save figures into this folder, as PDF, SVG and PNG.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print as CSV.")] = False,
) -> None:
    """Run an analysis on the finished cells of the results folder and print its tables."""
    from harbench.errors import ResultsError
    from harbench.execute.trained import trained_cells
    from harbench.results import Store

    analysis = registry().analyses.get(name)
    options = _options(option or [], analysis)
    store = Store(out)
    found_any = False
    for benchmark in benchmarks or store.benchmarks():
        cells = trained_cells(store, benchmark, registry)
        if cells:
            found_any = True
            show(benchmark, analysis.run(cells, **options), csv=csv, figures=figures)
    if not found_any:
        raise ResultsError(
            "there are no trained cells to analyse",
            where=str(out),
            fix="harbench run benchmarks.yaml",
        )


def _options(given: list[str], analysis: Analysis) -> dict[str, Any]:
    import yaml

    from harbench.errors import ConfigError, did_you_mean

    options = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or key not in analysis.options:
            raise ConfigError(
                f"analysis '{analysis.name}' has no option '{key}'"
                f"{did_you_mean(key, analysis.options)}",
                where="--option",
                expected=f"KEY=VALUE with one of {', '.join(analysis.options) or '(it has none)'}",
            )
        try:
            options[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"'{value}' is no value", where=f"--option {key}") from None
    return options


def _digits(column: pd.Series[Any]) -> int:
    """Behind the point: one, but so many that the largest number shows three that count."""
    import math

    largest = column.abs().max() if column.dtype.kind == "f" else 0
    if not (math.isfinite(largest) and largest):
        return 1
    return max(1, 2 - math.floor(math.log10(largest)))


def show(title: str, result: AnalysisResult, *, csv: bool, figures: Path | None) -> None:
    """Print an analysis's tables and notes, and save its figures."""
    from rich.table import Table

    from harbench.report.terminal import print_page

    for name, frame in result.tables.items():
        if csv:
            typer.echo(frame.to_csv(index=False), nl=False)
            continue
        shown = Table(title=f"{title}: {name}", title_justify="left", box=None)
        digits = [_digits(frame.iloc[:, number]) for number in range(frame.shape[1])]
        for column in frame.columns:
            number = frame[column].dtype.kind in "if"
            shown.add_column(str(column), justify="right" if number else "left")
        for values in frame.itertuples(index=False):
            shown.add_row(
                *(
                    f"{v:.{n}f}" if isinstance(v, float) else str(v)
                    for v, n in zip(values, digits, strict=True)
                )
            )
        print_page(console(), shown)
    if not csv:
        for note in result.notes:
            console().print(note)
    if figures is not None:
        save_figures(title, result, figures)


def save_figures(title: str, result: AnalysisResult, folder: Path) -> None:
    """Save an analysis's figures as PDF, SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in result.figures.items():
        for ending in ("pdf", "svg", "png"):
            figure.savefig(folder / f"{title}-{name}.{ending}")
