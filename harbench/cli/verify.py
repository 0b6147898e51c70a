"""``harbench verify``: is a results folder what harbench wrote?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.options import AsJson


def verify(
    results: Annotated[Path, typer.Argument(help="Folder of results.")] = Path("results"),
    json: AsJson = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="What is stale or unfinished is exit code 1 as well.")
    ] = False,
) -> None:
    """Recompute every score from the stored predictions, and check every hash and key.

    Names what is torn (missing, unreadable) or edited (changed after harbench wrote it); what is
    stale (whole, but made by other code of harbench, or in no table); and tables that lack cells.
    Imported bundles are checked as well.
    Exit code 1 means that something is torn or edited.
    """
    from dataclasses import asdict
    from json import dumps

    from harbench.cli.context import print_rows
    from harbench.results import Store
    from harbench.results.imports import verify_imports
    from harbench.results.verifying import verify as look

    store = Store(results)
    found = look(store)
    of_others = verify_imports(store)
    found.cells += of_others.cells
    found.windows += of_others.windows
    found.files += of_others.files
    found.findings += of_others.findings
    order = {"torn": 0, "edited": 1, "stale": 2, "unfinished": 3}
    findings = sorted(found.findings, key=lambda f: (order[f.kind], f.where))
    bad = found.damaged or (strict and bool(findings))
    if json:
        content = {
            "results": str(results),
            "clean": not bad,
            "cells": found.cells,
            "windows": found.windows,
            "files": found.files,
            "findings": [asdict(finding) for finding in findings],
        }
        typer.echo(dumps(content, indent=1, ensure_ascii=False))
    else:
        if findings:
            print_rows(["Where", "Kind", "Found"], [[f.where, f.kind, f.what] for f in findings])
        damaged = sum(f.damage for f in findings)
        typer.echo(
            f"{results}/: {found.cells} cells, {found.windows:,} predicted windows, "
            f"{found.files} files; "
            + (f"{damaged} torn or edited" if damaged else "every score, key and hash is right")
        )
        if damaged:
            typer.echo(
                "  try: delete what is torn or edited, and harbench run benchmarks.yaml", err=True
            )
    if bad:
        raise typer.Exit(1)
