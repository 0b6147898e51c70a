"""What the commands share: the global options, the plugins, and where to print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from harbench.plugins import Registry

# Where output is no terminal nothing has to fit: wide enough that no row is wrapped.
PIPED_WIDTH = 200


@dataclass(frozen=True)
class Settings:
    """The options that stand before the command."""

    plugin_files: tuple[Path, ...] = ()
    strict_plugins: bool = False
    debug: bool = False


_settings = Settings()
_registry: Registry | None = None
_quiet = False


def use(given: Settings) -> None:
    """Make these the global options of the process; plugins will be loaded anew."""
    global _settings, _registry, _quiet
    _settings, _registry, _quiet = given, None, False


def be_quiet() -> None:
    """Let :func:`remarks` say nothing from now on."""
    global _quiet
    _quiet = True


def is_quiet() -> bool:
    """Whether results and errors are all that is to be printed."""
    return _quiet


def settings() -> Settings:
    """The global options."""
    return _settings


def plugin_files() -> tuple[Path, ...]:
    """The files given by ``--plugin``, for processes that load the same plugins."""
    return _settings.plugin_files


def registry(*, warn: bool = True) -> Registry:
    """The plugins, loaded once; each broken one is a warning on stderr.

    Args:
        warn: False for a command that shows the broken ones itself.

    Raises:
        PluginError: two plugins offer one name, ``--plugin`` names no file, or, with
            ``--strict-plugins``, a plugin cannot be loaded.
    """
    global _registry
    if _registry is None:
        from harbench.plugins import load_plugins

        _registry = load_plugins(_settings.plugin_files, strict=_settings.strict_plugins)
        for broken in _registry.broken if warn else ():
            print(f"warning: {broken}", file=sys.stderr)
    return _registry


def names_of(kind: str) -> Callable[[str], list[str]]:
    """A completion for the shell: the names of ``datasets``, ``models`` or ``analyses``."""

    def complete(incomplete: str) -> list[str]:
        try:
            names = [thing.name for thing in getattr(registry(warn=False), kind)]
        except Exception:  # noqa: BLE001 - a shell that completes has no place for errors
            return []
        return [name for name in names if name.startswith(incomplete)]

    return complete


def console() -> Console:
    """Where results are printed: colours and the width of the terminal, or plain and wide."""
    return _console(stderr=False)


def error_console() -> Console:
    """Where errors are printed, and what a command says besides its result."""
    return _console(stderr=True)


def remarks() -> Console:
    """Where progress and remarks are printed; nowhere with ``--quiet``."""
    return _console(stderr=True, quiet=_quiet)


def _console(*, stderr: bool, quiet: bool = False) -> Console:
    from harbench.cli.console import PlainConsole

    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and not os.environ.get("COLUMNS")
    return PlainConsole(
        stderr=stderr,
        quiet=quiet,
        width=PIPED_WIDTH if wide else None,
        markup=False,
        highlight=False,
        emoji=False,
    )


def print_rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on stdout: aligned columns, no lines; numbers (heads that end in #) right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, head in enumerate(heads):
        justify: Literal["right", "left"] = "right" if head.endswith("#") else "left"
        # The first column is the name, to be copied: it is never broken.
        table.add_column(
            head.removesuffix("#"), justify=justify, overflow="fold", no_wrap=number == 0
        )
    for row in rows:
        table.add_row(*row)
    _print_whole(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values on stdout, a line each; a name given again is not repeated."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    last = None
    for name, value in facts:
        table.add_row("" if name == last else name, value)
        last = name
    _print_whole(table)


def _print_whole(table: RenderableType) -> None:
    to = console()
    if to.is_terminal:
        to.print(table)
        return
    if not os.environ.get("COLUMNS"):
        to.width = 10_000
    with to.capture() as captured:
        to.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())
