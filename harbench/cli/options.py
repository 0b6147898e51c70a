"""Options that several commands have, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import names_of
from harbench.errors import ConfigError

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
Timeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="End a cell that takes longer; the others go on."),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Train on a Dask cluster: tcp://HOST:8786, local or local:N; none leaves the "
        "file's cluster: aside.",
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:N or auto.")]


def check_timeout(seconds: float | None) -> None:
    """Refuse a time limit that no cell can keep.

    Raises:
        ConfigError: it is 0 or less, or no number.
    """
    if seconds is not None and not seconds > 0:
        raise ConfigError("that is no time", where="--timeout", expected="seconds above 0")
