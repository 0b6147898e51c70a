"""``harbench plugins``: what is installed, what it offers, and what cannot be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.context import print_facts, print_rows, registry
from harbench.cli.foreign import clashes, installed_commands

if TYPE_CHECKING:
    from harbench.plugins import Origin, Registry

app = typer.Typer(invoke_without_command=True, help="List the plugins, show one.")


@app.callback()
def list_plugins(context: typer.Context) -> None:
    """List the plugins, what each offers, and those that cannot be loaded."""
    if context.invoked_subcommand:
        return
    found = registry(warn=False)
    rows = []
    for origin in found.loaded:
        offers = [
            f"{kind} {name}" for kind, names in found.names_of(origin).items() for name in names
        ]
        rows.append((origin.plugin, origin.distribution, origin.version, ", ".join(offers)))
    rows += [
        (command.name, command.home, command.version, f"command {command.name}")
        for commands in installed_commands().values()
        for command in commands
    ]
    print_rows(("plugin", "from", "version", "offers"), rows)
    if found.broken:
        typer.echo("\ncannot be loaded")
        print_rows(
            ("plugin", "from", "version", "reason"),
            [
                (b.origin.plugin, b.origin.distribution, b.origin.version, b.reason)
                for b in found.broken
            ],
        )
    from harbench.cli.app import COMMANDS

    for line in clashes([name for name, _, _ in COMMANDS], _of_files(found)):
        typer.echo(f"\nwarning: {line}")


def _of_files(found: Registry) -> list[tuple[str, str]]:
    shelf = found.commands
    return [(command.name, shelf.origin(command.name).package) for command in shelf]


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A plugin.")]) -> None:
    """Show where a plugin comes from and what it offers."""
    from harbench.errors import ConfigError, did_you_mean

    found = registry(warn=False)
    reasons = {broken.origin: broken.reason for broken in found.broken}
    origins = [origin for origin in [*found.loaded, *reasons] if origin.plugin == name]
    commands = installed_commands().get(name, [])
    if not origins and not commands:
        known = [origin.plugin for origin in [*found.loaded, *reasons]]
        raise ConfigError(
            f"no plugin is called '{name}'{did_you_mean(name, known)}", fix="harbench plugins"
        )
    for number, origin in enumerate(origins):
        if number:
            typer.echo()
        facts = _facts(origin)
        if origin in reasons:
            facts.append(("cannot be loaded", reasons[origin]))
        for shelf in found.shelves:
            for thing in shelf:
                if shelf.origin(thing.name) == origin:
                    about = thing.title if shelf.kind == "dataset" else thing.summary
                    facts.append((shelf.kind, f"{thing.name}: {about}"))
        print_facts(facts)
    for number, command in enumerate(commands):
        if number or origins:
            typer.echo()
        print_facts([("command", command.name), ("package", command.package)])


def _facts(origin: Origin) -> list[tuple[str, str]]:
    facts = [("plugin", origin.plugin)]
    if origin.module:
        facts += [("package", origin.package), ("module", origin.module)]
    else:
        facts.append(("file", origin.distribution))
    return facts
