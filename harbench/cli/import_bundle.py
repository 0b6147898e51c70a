"""``harbench import``: results of others, verified, beside one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.options import AsJson

if TYPE_CHECKING:
    from harbench.results import Store


def import_bundle(
    archive: Annotated[Path | None, typer.Argument(help="As harbench export writes it.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    name: Annotated[
        str | None, typer.Option(help="What tables call it; from the archive's name if not given.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what was imported.")] = False,
    remove: Annotated[
        str | None, typer.Option(metavar="NAME", help="Remove what was imported.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Verify a bundle of harbench export, and put it beside one's own results.

    Every byte, hash, seal, key and score is checked before anything is written. harbench table
    shows its rows, marked, beside those of the same benchmark; harbench reproduce trains them
    again. One's own results are not touched.
    """
    from json import dumps

    from harbench.errors import ConfigError
    from harbench.results import Store
    from harbench.results.imports import import_archive, remove_import

    store = Store(results)
    if (archive is not None) + listed + (remove is not None) != 1:
        raise ConfigError(
            "one thing at a time", expected="an archive, --list or --remove NAME",
            fix="harbench import results.harbench.zip",
        )  # fmt: skip
    if remove is not None:
        remove_import(store, remove)
        typer.echo(f"removed {remove}")
    elif archive is None:
        _list(store, json=json)
    else:
        done = import_archive(archive, store, _can_be_shown, name)
        found, held = done.found, ", ".join(done.found.manifest["benchmarks"])
        if json:
            content = {
                "name": found.name,
                "new": done.new,
                "folder": str(found.store.folder),
                "sha256": found.sha256,
                "benchmarks": found.manifest["benchmarks"],
                "cells": len(found.manifest["cells"]),
            }
            typer.echo(dumps(content, indent=1, ensure_ascii=False))
        elif done.verified is None:
            typer.echo(f"{found.name} was imported before: nothing was changed")
        else:
            typer.echo(
                f"{found.name}: {held}; {done.verified.cells} cells, "
                f"{done.verified.windows:,} predicted windows; every score, key and hash is right"
            )
            typer.echo(f"its rows stand in: harbench table --out {results}")


def _list(store: Store, *, json: bool) -> None:
    from json import dumps

    from harbench.cli.context import print_rows
    from harbench.results.imports import imports

    found = imports(store)
    if json:
        content = [
            {
                "name": one.name,
                "sha256": one.sha256,
                "benchmarks": one.manifest["benchmarks"],
                "cells": len(one.manifest["cells"]),
                "harbench": one.manifest["harbench"],
            }
            for one in found
        ]
        typer.echo(dumps(content, indent=1, ensure_ascii=False))
    elif not found:
        typer.echo(f"nothing was imported into {store.folder}/")
    else:
        rows = [
            [
                one.name,
                ", ".join(one.manifest["benchmarks"]),
                str(len(one.manifest["cells"])),
                str(one.manifest["harbench"]),
            ]
            for one in found
        ]
        print_rows(["Name", "Benchmarks", "Cells#", "harbench"], rows)


def _can_be_shown(unpacked: Store) -> None:
    """Raises where a table of the bundle cannot be made."""
    from harbench.report.table import comparison_table
    from harbench.report.text import csv_text, json_text, latex, markdown

    for name in unpacked.benchmarks():
        table = comparison_table(unpacked, name)
        for write in (markdown, latex):
            write(table)
        for write_all in (csv_text, json_text):
            write_all([table])
