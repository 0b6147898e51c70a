"""The command ``harbench``: its global options and the table of its commands."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from harbench.cli.context import Settings, use

# name, module, what in it: a function, or a typer app for a command with subcommands. The order
# is that of the help page.
COMMANDS = (
    ("run", "harbench.cli.run", "run"),
    ("table", "harbench.cli.table", "table"),
    ("compare", "harbench.cli.compare", "compare"),
    ("audit", "harbench.cli.audit", "audit"),
    ("paper", "harbench.cli.paper", "paper"),
    ("analyse", "harbench.cli.analyse", "analyse"),
    ("saliency", "harbench.cli.saliency", "saliency"),
    ("ablate", "harbench.cli.ablate", "ablate"),
    ("datasets", "harbench.cli.datasets", "app"),
    ("models", "harbench.cli.models", "app"),
    ("verify", "harbench.cli.verify", "verify"),
    ("reproduce", "harbench.cli.reproduce", "reproduce"),
    ("plugins", "harbench.cli.plugins_command", "app"),
    ("schema", "harbench.cli.schema", "schema"),
)


class Harbench(TyperGroup):
    """The top command, with its subcommands in the order of the table."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names as the help page lists them."""
        return [name for name, _, _ in COMMANDS if name in self.commands]

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an interrupt passes by typer, which has its own exit code for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise SystemExit(130) from None


def _version(asked: bool) -> None:
    if asked:
        from harbench import __version__

        typer.echo(f"harbench {__version__}")
        raise typer.Exit


def harbench(
    plugin: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Load a plugin from this Python file; may be repeated."),
    ] = None,
    strict_plugins: Annotated[
        bool, typer.Option("--strict-plugins", help="A plugin that cannot be loaded is an error.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Benchmarks for wearable human activity recognition.

    Options of this level stand before the command: harbench --plugin mine.py models
    """
    use(Settings(tuple(plugin or ()), strict_plugins, debug))


def _assemble() -> typer.Typer:
    # Plain help: rich's panels would double the time of --help.
    app = typer.Typer(
        cls=Harbench,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(harbench)
    for name, module, attribute in COMMANDS:
        command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


app = _assemble()
