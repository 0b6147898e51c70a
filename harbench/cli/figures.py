"""``harbench figures``: the figures of a results folder, for papers and talks."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import console

NARROWEST, WIDEST = 60.0, 400.0  # mm


class FigureFormat(StrEnum):
    """Of a figure's file."""

    pdf = "pdf"
    svg = "svg"
    png = "png"


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BENCHMARK]...", help="Benchmarks; all in the store if none is named."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the figures.")] = Path("figures"),
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    form: Annotated[
        list[FigureFormat] | None,
        typer.Option("--format", help="May be repeated. [default: pdf]", show_default=False),
    ] = None,
    width: Annotated[
        str, typer.Option(metavar="WIDTH", help="column (88 mm), page (180 mm), or so many mm.")
    ] = "column",
    metric: Annotated[str, typer.Option(help="The score on the axes.")] = "nf",
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only figures of this kind (pareto, curves ...); may be repeated."),
    ] = None,
    rows: Annotated[
        int, typer.Option(min=0, help="So many of the best rows get figures of their own.")
    ] = 12,
) -> None:
    """Draw the figures of a results folder: scores against costs, classes, confusion matrices,
    learning curves, ranks, and what analyses drew. Nothing is trained, no data is read."""
    from harbench.errors import ConfigError, ResultsError
    from harbench.metrics import find_metric
    from harbench.report.figures import drawings, write_drawing
    from harbench.report.table import comparison_table
    from harbench.results import Store

    store, wide = Store(results), _width(width)
    chosen = names or store.benchmarks()
    if not chosen:
        raise store.nothing_yet()
    score = find_metric(metric, of_samples=True).name
    found = []
    for name in chosen:
        table = comparison_table(store, name, [score])
        found += drawings(store, table, metric=score, width=wide, rows_at_most=rows)
    known = list(dict.fromkeys(drawing.kind for drawing in found))
    for asked in kind or ():
        if asked not in known:
            raise ConfigError(
                f"no figure of the kind '{asked}' can be drawn",
                where="--kind",
                expected=f"one of {', '.join(known)}" if known else "results with scores",
            )
    shown = [drawing for drawing in found if not kind or drawing.kind in kind]
    if not shown:
        raise ResultsError(
            "there is nothing to draw yet", where=str(results), fix="harbench run benchmarks.yaml"
        )
    for drawing in shown:
        for ending in dict.fromkeys(form or [FigureFormat.pdf]):
            written = write_drawing(drawing, out, ending.value)
            console().print(f"{written}  {drawing.title}", soft_wrap=True)


def _width(text: str) -> float:
    """In mm.

    Raises:
        ConfigError: it is neither a word nor a number of mm that a figure can have.
    """
    from harbench.errors import ConfigError
    from harbench.report.figures import COLUMN, PAGE

    words = {"column": COLUMN, "page": PAGE}
    if text in words:
        return words[text]
    try:
        found = float(text.removesuffix("mm"))
    except ValueError:
        found = 0.0
    if not NARROWEST <= found <= WIDEST:
        raise ConfigError(
            f"that is no width: '{text}'",
            where="--width",
            expected=f"column, page, or {NARROWEST:.0f} to {WIDEST:.0f} (mm)",
        )
    return found
