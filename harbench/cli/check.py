"""``harbench check``: the conformance suite on anybody's model, dataset or analysis."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.options import AsJson

if TYPE_CHECKING:
    from harbench.testing.checking import Item


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="A model, dataset or analysis; or a plugin or package."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Only a model, a dataset or an analysis of that name."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is installed.")] = False,
    first_party: Annotated[
        bool, typer.Option("--first-party", help="All that harbench itself brings.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Run the checks on a plugin that harbench's own plugins must pass.

    Each check says what it found, what it expected and what to do. Exit code 1 means that a check
    failed; warnings and skipped checks are allowed. The checks are in docs/conformance.md.
    """
    from harbench.cli.context import console, settings
    from harbench.report.conformance import print_report, reports_json
    from harbench.testing.checking import report_on
    from harbench.testing.checks import show_tracebacks_with

    items = _items(names or [], kind, every=every, first_party=first_party)
    if settings().debug:
        show_tracebacks_with(lambda error: traceback.print_exception(error))
    reports = []
    for item in items:
        subject = item.subject()
        report = report_on(item, item.checks(), subject).to_json()
        reports.append(report)
        if not json:
            print_report(console(), report, whole=len(items) == 1)
    if json:
        typer.echo(reports_json(reports), nl=False)
    elif len(reports) > 1:
        failed = [report for report in reports if not report["passed"]]
        typer.echo(f"{len(reports) - len(failed)} of {len(reports)} passed")
    if not all(report["passed"] for report in reports):
        raise typer.Exit(1)


def _items(names: list[str], kind: str | None, *, every: bool, first_party: bool) -> list[Item]:
    from functools import partial

    from harbench.cli.context import plugin_files, registry
    from harbench.errors import ConfigError, did_you_mean
    from harbench.plugins import NameTakenError
    from harbench.testing.checking import KINDS, everything, find, name_taken

    if kind is not None and kind not in KINDS:
        raise ConfigError(
            f"no kind is called '{kind}'{did_you_mean(kind, KINDS)}",
            where="--kind",
            expected=f"one of {', '.join(KINDS)}",
        )
    if bool(names) + every + first_party != 1:
        raise ConfigError(
            "nothing is said to be checked" if not names else "names and --all are two questions",
            expected="names, or --all, or --first-party",
            fix="harbench check --first-party",
        )
    files = tuple(Path(file).absolute() for file in plugin_files())
    load = partial(registry, warn=False)
    if names:
        found = [item for name in dict.fromkeys(names) for item in find(name, kind, load, files)]
        return list({(item.kind, item.name): item for item in found}.values())
    try:
        items = everything(load(), files)
    except NameTakenError as error:
        return [name_taken("plugins", error)]
    return [
        item
        for item in items
        if kind in (None, item.kind)
        and (every or (item.origin is not None and item.origin.distribution == "harbench"))
    ]
