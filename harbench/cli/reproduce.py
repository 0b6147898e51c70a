"""``harbench reproduce``: a stored cell trained once more, and held against what was stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.cell_choice import chosen_cell
from harbench.cli.context import error_console, plugin_files, registry
from harbench.cli.options import AsJson, Out

if TYPE_CHECKING:
    from harbench.execute.reproducing import Reproduced


def reproduce(
    cell: Annotated[
        str, typer.Argument(help="Key of a cell, its first characters, or its folder.")
    ],
    out: Out = Path("results"),
    path: Annotated[
        Path | None,
        typer.Option(help="Where the dataset's files lie; as the first time if not given."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:N; that of the first time if not given.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, max=1, help="0 trains in this process, for a debugger.")
    ] = 1,
    json: AsJson = False,
) -> None:
    """Train a stored cell again from its record, and say whether it comes out the same.

    Same bits: record, predictions and weights are equal to the byte. Within the interval: they are
    not, but NF is where one more seed of the row would be. Different: exit code 1. Below stands
    what has changed in code, versions and machine. The results folder is only read. Cells of
    imported bundles are trained from their records likewise, with the data of this machine.
    """
    from dataclasses import asdict
    from json import dumps

    from harbench.cli.progress import job_title
    from harbench.execute.jobs import Event, Started
    from harbench.execute.local import InProcessExecutor, ProcessExecutor
    from harbench.execute.reproducing import reproduce as train_again
    from harbench.results import Store

    if device is not None and device != "cpu":
        from harbench.training.cell import device_named

        device_named(device)
    store, key = chosen_cell(cell, Store(out))

    def on_event(event: Event) -> None:
        if isinstance(event, Started):
            error_console().print(f"training again: {job_title(event.job)}", soft_wrap=True)

    found = train_again(
        store,
        key,
        registry(),
        ProcessExecutor(1) if jobs else InProcessExecutor(),
        device=device,
        path=path,
        plugin_files=plugin_files(),
        on_event=on_event,
    )
    if json:
        typer.echo(dumps(asdict(found), indent=1, ensure_ascii=False))
    else:
        _print(found)
    if found.verdict == "different":
        raise typer.Exit(1)


def _print(found: Reproduced) -> None:
    from harbench.cli.context import print_rows

    then, now = (100 * value for value in found.nf)
    typer.echo(f"{found.key[:12]}: {found.verdict}")
    typer.echo(f"NF {then:.3f} stored, {now:.3f} now")
    if found.results:
        if found.interval is None:
            typer.echo("fewer than two other seeds of its row are in the store: no interval")
        else:
            low, high = max(0, 100 * found.interval.low), min(100, 100 * found.interval.high)
            typer.echo(
                f"one more seed is expected between {low:.3f} and {high:.3f} "
                f"(95 %, from {found.interval.n_seeds} other seeds)"
            )
    for line in found.results:
        typer.echo(f"- {line}")
    if found.environment:
        typer.echo("what differs in code, versions and machine:")
        print_rows(["", "then", "now"], found.environment)
    else:
        typer.echo("code, versions and machine are those of the first time")
