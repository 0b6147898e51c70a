"""``harbench analyse``: what an analysis plugin says of trained cells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import console, registry


def analyse(
    name: Annotated[str, typer.Argument(help="An analysis; see harbench plugins.")],
    benchmarks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BENCHMARK]...", help="All in the store if none is named."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    csv: Annotated[bool, typer.Option("--csv", help="Print as CSV.")] = False,
) -> None:
    """Run an analysis on the finished cells of the results folder and print its tables."""
    from rich.table import Table

    from harbench.errors import ResultsError
    from harbench.nouns import TrainedCell
    from harbench.results import Store

    analysis = registry().analyses.get(name)
    store = Store(out)
    chosen = benchmarks or store.benchmarks()
    found_any = False
    for benchmark in chosen:
        manifest = store.benchmark(benchmark)
        cells = []
        for row in manifest["rows"]:
            for cell in row["cells"]:
                if store.has(cell["key"]):
                    stored = store.read(cell["key"])
                    cells.append(
                        TrainedCell(
                            row["row"], cell["fold"], cell["seed"], stored.folder, stored.record
                        )
                    )
        if not cells:
            continue
        found_any = True
        for title, frame in analysis.run(cells).items():
            if csv:
                typer.echo(frame.to_csv(index=False), nl=False)
                continue
            shown = Table(title=f"{benchmark}: {title}", title_justify="left", box=None)
            for column in frame.columns:
                number = frame[column].dtype.kind in "if"
                shown.add_column(str(column), justify="right" if number else "left")
            for values in frame.itertuples(index=False):
                shown.add_row(*(f"{v:.1f}" if isinstance(v, float) else str(v) for v in values))
            console().print(shown)
    if not found_any:
        raise ResultsError(
            "there are no trained cells to analyse",
            where=str(out),
            fix="harbench run benchmarks.yaml",
        )
