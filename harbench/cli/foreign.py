"""Commands that plugins add: listed from package metadata, imported when called.

harbench's own commands come first, always: no plugin can take the place of one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from harbench.cli.context import settings
from harbench.errors import HarbenchError, PluginError

GROUP = "harbench.commands"
# Wrong usage of a command, by whichever name typer knows the class.
_USAGE: type[Exception] = next(
    kind
    for kind in typer.BadParameter.__mro__
    if kind.__name__ == "ClickException" and issubclass(kind, Exception)
)


class CommandBrokeError(PluginError):
    """A plugin's command raised what it did not mean to raise."""

    exit_code = 70  # as a bug of harbench's own


@dataclass(frozen=True)
class ForeignCommand:
    """A command of a plugin that is not imported yet.

    Args:
        name: What is typed after ``harbench``.
        home: Name of the package, or the path of the file.
        version: Of the package; empty for a file.
        load: Imports it; returns a function or a typer app, or raises anything.
    """

    name: str
    home: str
    version: str
    load: Callable[[], object]

    @property
    def package(self) -> str:
        """``harbench-mine 0.1.0``, or the path of the file."""
        return f"{self.home} {self.version}".strip()

    @property
    def said(self) -> str:
        """How errors call it."""
        return f"command '{self.name}' of {self.package}"


def installed_commands() -> dict[str, list[ForeignCommand]]:
    """Name -> the packages' commands of that name; nothing of them is imported."""
    from harbench.installed import UnreadableEntryPoint, entry_points, home, in_order, version

    found: dict[str, list[ForeignCommand]] = {}
    for point in in_order(entry_points(GROUP)):
        if not isinstance(point, UnreadableEntryPoint):
            package = home(point) or point.value
            command = ForeignCommand(point.name, package, version(point), point.load)
            found.setdefault(point.name, []).append(command)
    return found


def clashes(own: Sequence[str], files: Sequence[tuple[str, str]] = ()) -> list[str]:
    """What is wrong with the names of plugins' commands, a sentence each.

    Args:
        own: harbench's own commands.
        files: Name and file of each command that a single-file plugin offers.
    """
    packages = {name: [c.package for c in found] for name, found in installed_commands().items()}
    for name, path in files:
        packages.setdefault(name, []).append(path)
    lines = []
    for name, homes in sorted(packages.items()):
        offered = f"command '{name}' is offered by {' and '.join(homes)}"
        if name in own:
            lines.append(f"{offered}; harbench's own command of that name is the one that runs")
        elif len(homes) > 1:
            lines.append(f"{offered}; none of them runs")
    return lines


def the_one(found: Sequence[ForeignCommand]) -> ForeignCommand:
    """The only command of its name.

    Raises:
        PluginError: several packages offer the name.
    """
    if len(found) > 1:
        packages = " and ".join(command.package for command in found)
        raise PluginError(
            f"command '{found[0].name}' is offered by {packages}",
            expected="one package for each command",
            fix="pip uninstall one of them",
        )
    return found[0]


def commands_of_files(files: Sequence[Path], strict: bool) -> dict[str, ForeignCommand]:
    """Name -> command, of the files in ``./harbench_plugins/`` and ``files``, which are loaded.

    Nothing is loaded where there is no file.

    Raises:
        PluginError: as :func:`harbench.plugins.load_plugins`.
    """
    if not files and not plugin_folder_has_files():
        return {}
    from harbench.plugins import load_plugins

    registry = load_plugins(files, strict=strict, packages=False)
    for broken in registry.broken:
        typer.echo(f"warning: {broken}", err=True)
    return {
        command.name: ForeignCommand(
            command.name,
            registry.commands.origin(command.name).package,
            "",
            lambda command=command: command.run,  # type: ignore[misc]
        )
        for command in registry.commands
    }


def plugin_folder_has_files() -> bool:
    """Whether ``./harbench_plugins/`` holds a plugin."""
    return any(Path("harbench_plugins").glob("*.py"))


def import_command(command: ForeignCommand) -> Any:
    """The command as typer's own kind of object.

    Raises:
        PluginError: it cannot be imported, or is neither a function nor a typer app.
    """
    from harbench.plugin_guard import nothing_on_stdout, patience, stopped_when_stuck

    try:
        with nothing_on_stdout(), stopped_when_stuck(command.said, patience()):
            found = command.load()
            return _click_command(command.name, found)
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        from harbench.plugins import reason_of

        raise PluginError(
            f"{command.said} cannot be loaded: {reason_of(error)}", fix="harbench plugins"
        ) from error


def _click_command(name: str, found: object) -> Any:
    from typer.main import get_command

    outer = typer.Typer(add_completion=False, rich_markup_mode=None)
    outer.callback()(lambda: None)  # else an app of one command is that command
    if isinstance(found, typer.Typer):
        outer.add_typer(found, name=name)
    elif callable(found) and not isinstance(found, type):
        outer.command(name)(found)
    else:
        raise TypeError(f"it is a {type(found).__name__}, neither a function nor a typer.Typer")
    return get_command(outer).commands[name]  # type: ignore[attr-defined]


@contextlib.contextmanager
def blamed(command: ForeignCommand) -> Iterator[None]:
    """Whatever breaks inside the block is the fault of the command's package.

    Raises:
        CommandBrokeError: in place of an exception that nobody meant to raise; not with --debug.
    """
    try:
        yield
    except (HarbenchError, typer.Exit, typer.Abort, BrokenPipeError, _USAGE):
        raise
    except Exception as error:
        if settings().debug:
            raise
        from harbench.plugins import reason_of

        raise CommandBrokeError(
            f"{command.said} broke: {reason_of(error)}", fix=f"harbench --debug {command.name} ..."
        ) from error
