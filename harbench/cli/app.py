"""The command ``harbench``: its global options and the table of its commands."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from harbench.cli.context import Settings, use
from harbench.cli.foreign import (
    ForeignCommand,
    blamed,
    commands_of_files,
    import_command,
    installed_commands,
    plugin_folder_has_files,
    the_one,
)
from harbench.errors import HarbenchError

# name, module, what in it: a function, or a typer app for a command with subcommands. The order
# is that of the help page.
COMMANDS = (
    ("run", "harbench.cli.run", "run"),
    ("table", "harbench.cli.table", "table"),
    ("show", "harbench.cli.show", "show"),
    ("report", "harbench.cli.report", "report"),
    ("figures", "harbench.cli.figures", "figures"),
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
    ("export-model", "harbench.cli.export_model", "export_model"),
    ("export", "harbench.cli.export", "export"),
    ("import", "harbench.cli.import_bundle", "import_bundle"),
    ("plugins", "harbench.cli.plugins_command", "app"),
    ("new", "harbench.cli.new", "new"),
    ("check", "harbench.cli.check", "check"),
    ("schema", "harbench.cli.schema", "schema"),
)


class Harbench(TyperGroup):
    """The top command, with its subcommands in the order of the table, then those of plugins."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names as the help page lists them."""
        own = [name for name, _, _ in COMMANDS if name in self.commands]
        return own + sorted(set(_installed(ctx)) - set(own))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command of ours; of a plugin, one that knows its package and is not imported."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        found = _installed(ctx).get(cmd_name)
        return _Listed(found) if found else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called; a plugin's is imported here.

        Raises:
            PluginError: it cannot be imported, or two packages offer it.
        """
        name = args[0]
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        try:
            foreign = _foreign(ctx, name)
            command = _blaming(import_command(foreign), foreign) if foreign else None
        except HarbenchError:
            if not ctx.resilient_parsing:  # a shell that completes has no place for errors
                raise
            command = None
        return (name, command, args[1:]) if command else super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List our commands, then those of plugins."""
        listed = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = formatter.width - 6 - max(map(len, listed))
        for title, own in (("Commands", True), ("Commands of plugins", False)):
            rows = [
                (name, command.get_short_help_str(width))
                for name, command in listed.items()
                if (name in self.commands) == own
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if plugin_folder_has_files():
            formatter.write_paragraph()
            formatter.write_text(
                "Files in ./harbench_plugins may add commands: harbench plugins lists them."
            )

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an interrupt passes by typer, which has its own exit code for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise SystemExit(130) from None


def _installed(ctx: Any) -> dict[str, list[ForeignCommand]]:
    # Help asks for every command by its name: look once.
    if "harbench.installed" not in ctx.meta:
        ctx.meta["harbench.installed"] = installed_commands()
    found: dict[str, list[ForeignCommand]] = ctx.meta["harbench.installed"]
    return found


def _foreign(ctx: Any, name: str) -> ForeignCommand | None:
    packages = _installed(ctx).get(name)
    if packages:
        return the_one(packages)
    plugin, strict = ctx.params.get("plugin"), ctx.params.get("strict_plugins")
    return commands_of_files(plugin or (), bool(strict)).get(name)


class _Listed(TyperCommand):
    """A plugin's command as the help page and the shell's completion see it."""

    def __init__(self, found: Sequence[ForeignCommand]) -> None:
        packages = " and ".join(command.package for command in found)
        super().__init__(found[0].name, help=f"from {packages}")


def _blaming(command: Any, foreign: ForeignCommand) -> Any:
    invoke = command.invoke

    def invoke_and_blame(ctx: Any) -> Any:
        with blamed(foreign):
            return invoke(ctx)

    command.invoke = invoke_and_blame
    return command


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
