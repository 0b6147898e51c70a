"""``harbench export``: chosen results in one archive, for somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harbench.cli.context import error_console
from harbench.cli.options import AsJson


def export(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BENCHMARKS FILE]", help="Its benchmarks; all in the results if not given."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The archive.")] = Path("results.harbench.zip"),
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="BENCHMARK", help="Only this benchmark; may be repeated."),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Only these rows, separated by commas.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    weights: Annotated[bool, typer.Option("--weights", help="With the trained networks.")] = False,
    json: AsJson = False,
) -> None:
    """Bundle results in one archive, which harbench import verifies and shows beside one's own.

    Records, predictions, tables of analyses, settings and versions go along; paths of this disk do
    not. The same results give the same bytes.
    """
    from json import dumps

    from harbench.results import Store
    from harbench.results.bundle import export as write_bundle

    store = Store(results)
    names = list(only or ())
    if file is not None:
        names = _of_file(file, store, names)
    rows = [word.strip() for word in (models or "").split(",") if word.strip()]
    found = write_bundle(store, out, only=names, models=rows, weights=weights)
    manifest = found.manifest
    if json:
        content = {
            "archive": str(found.path),
            "sha256": found.sha256,
            "bytes": out.stat().st_size,
            "benchmarks": manifest["benchmarks"],
            "cells": len(manifest["cells"]),
            "weights": manifest["weights"],
            "left_out": list(found.left_out),
        }
        typer.echo(dumps(content, indent=1, ensure_ascii=False))
    else:
        held = ", ".join(
            f"{name} ({len(rows)} rows)" for name, rows in manifest["benchmarks"].items()
        )
        typer.echo(
            f"{found.path}: {held}; {len(manifest['cells'])} cells, "
            f"{len(manifest['members'])} files, {out.stat().st_size:,} bytes"
        )
        typer.echo(f"sha256 {found.sha256}")
    for line in found.left_out:
        error_console().print(f"left out: {line}", soft_wrap=True)


def _of_file(file: Path, store: object, only: list[str]) -> list[str]:
    """The benchmarks of a file that were run; says where the file has changed since."""
    from harbench.config import load, loads, select
    from harbench.results import Store

    assert isinstance(store, Store)
    chosen = select(load(file), only)
    known = store.benchmarks()
    names = []
    for benchmark in chosen:
        if benchmark.name not in known:
            if only:
                store.benchmark(benchmark.name)  # raises, with the command that runs it
            error_console().print(f"left out: benchmark '{benchmark.name}' was not run")
            continue
        names.append(benchmark.name)
        manifest = store.benchmark(benchmark.name)
        ran = loads(manifest["settings"], f"{benchmark.name}.json").benchmarks[0]
        if (ran.protocol, ran.recipe, ran.dataset) != (
            benchmark.protocol,
            benchmark.recipe,
            benchmark.dataset,
        ):
            error_console().print(
                f"benchmark '{benchmark.name}': {file} says otherwise now than when it was run; "
                "the bundle holds the settings that it was run with",
                soft_wrap=True,
            )
    if not names:
        from harbench.errors import ResultsError

        raise ResultsError(
            "none of its benchmarks was run", where=str(file), fix=f"harbench run {file}"
        )
    return names
