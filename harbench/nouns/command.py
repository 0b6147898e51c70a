"""Commands: what a plugin adds to the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer import Typer


@dataclass(frozen=True)
class Command:
    """A subcommand of ``harbench`` that a single-file plugin offers.

    Args:
        name: What is typed after ``harbench``.
        summary: One line.
        run: A function whose parameters are those of a typer command, or a ``typer.Typer`` for a
            command with subcommands. What it prints, it prints itself; a HarbenchError that it
            raises is shown as harbench's own are.
    """

    name: str
    summary: str
    run: Callable[..., Any] | Typer
