"""Options that several commands have, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import names_of

Out = Annotated[Path, typer.Option(help="Folder of results.")]
Run = Annotated[
    str | None,
    typer.Option(metavar="BENCHMARK", help="Of the store; the latest that fits if not given."),
]
RowName = Annotated[
    str | None, typer.Option(metavar="ROW", help="A row of its table; the first if not given.")
]
OnDataset = Annotated[
    str | None,
    typer.Option(help="Runs on this dataset only.", autocompletion=names_of("datasets")),
]
Figures = Annotated[
    Path | None, typer.Option(help="Copy the figures into this folder: PDF, SVG and PNG.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print as CSV.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Jobs = Annotated[
    int | None,
    typer.Option(min=0, help="Cells side by side; the cores if not given, 0 in this process."),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:N or auto.")]
