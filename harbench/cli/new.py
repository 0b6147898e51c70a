"""``harbench new``: a plugin package to begin with, which works as it stands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harbench.scaffold import PluginNames


class PluginKind(StrEnum):
    """What can be begun."""

    model = "model"
    dataset = "dataset"
    analysis = "analysis"


def new(
    kind: Annotated[PluginKind, typer.Argument(metavar="model|dataset|analysis", help="What.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write; here, if not given.", show_default=False),
    ] = None,
    file: Annotated[
        bool, typer.Option("--file", help="One file in ./harbench_plugins, no package.")
    ] = False,
    author: Annotated[str, typer.Option(help="Of licence and citation.", show_default=False)] = "",
) -> None:
    """Begin a plugin: write a package that can be installed, checked and run as it stands."""
    from harbench.plugins import LOCAL_FOLDER
    from harbench.scaffold import names_for, write_file, write_package

    names = names_for(kind.value, name)
    _refuse_taken(names)
    if file:
        path = write_file(names, folder or Path(LOCAL_FOLDER), author)
        loaded = "" if path.parent == Path(LOCAL_FOLDER) else f"--plugin {path} "
        typer.echo(f"wrote {path}; next:\n  harbench {loaded}check {names.name}")
        return
    path = write_package(names, folder or Path(), author)
    simulate = f"  harbench datasets simulate {names.name}\n" if names.kind == "dataset" else ""
    typer.echo(
        f"wrote {path}; next:\n"
        f"  cd {path}\n"
        "  pip install -e '.[test]'\n"
        f"  harbench check {names.name}\n"
        f"{simulate}  harbench run benchmarks.yaml"
    )


def _refuse_taken(names: PluginNames) -> None:
    """Two plugins of one name stop every command, and two modules hide one another: say it now.

    Raises:
        ConfigError: an installed plugin, or an installed module, is called so.
    """
    from importlib.util import find_spec

    from harbench.cli.context import registry
    from harbench.errors import ConfigError, PluginError

    another = f"harbench new {names.kind} my-{names.name}"
    try:
        shelves = registry(warn=False).shelves
    except PluginError:
        shelves = ()  # what is wrong with the plugins that are there, other commands say
    for shelf in shelves:
        if shelf.kind == names.kind and names.name in shelf:
            raise ConfigError(
                f"{names.kind} '{names.name}' is there already, offered by "
                f"{shelf.origin(names.name)}",
                where="NAME",
                expected="a name that harbench plugins does not list",
                fix=another,
            )
    spec = find_spec(names.module)
    if spec is not None:
        raise ConfigError(
            f"the Python module {names.module} is installed already"
            f"{f' ({spec.origin})' if spec.origin else ''}",
            where="NAME",
            expected="a name that is not taken",
            fix=another,
        )
