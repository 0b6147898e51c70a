"""The hooks: what a plugin may offer harbench.

A plugin is a module with functions marked ``@harbench.hookimpl``, found through an entry point
of the group ``harbench`` or given as one file. Registration is light: it describes, and imports
nothing heavy. Torch is imported by the builders, when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from harbench.nouns import (
        Analysis,
        Augmentation,
        CellEnd,
        Command,
        Dataset,
        EpochEnd,
        Loss,
        Model,
        RunEnd,
        Score,
    )

hookspec = pluggy.HookspecMarker("harbench")
hookimpl = pluggy.HookimplMarker("harbench")


@hookspec
def register_datasets(register: Callable[[Dataset], None]) -> None:
    """Call ``register`` once for each dataset that the plugin offers."""


@hookspec
def register_models(register: Callable[[Model], None]) -> None:
    """Call ``register`` once for each model that the plugin offers."""


@hookspec
def register_analyses(register: Callable[[Analysis], None]) -> None:
    """Call ``register`` once for each analysis that the plugin offers."""


@hookspec
def register_commands(register: Callable[[Command], None]) -> None:
    """Call ``register`` once for each command that a single-file plugin adds to ``harbench``.

    A package names its commands as entry points of the group ``harbench.commands`` instead, so
    that ``harbench --help`` lists them and imports nothing.
    """


@hookspec
def register_losses(register: Callable[[Loss], None]) -> None:
    """Call ``register`` once for each loss that the plugin offers to recipes."""


@hookspec
def register_augmentations(register: Callable[[Augmentation], None]) -> None:
    """Call ``register`` once for each augmentation that the plugin offers to recipes."""


@hookspec
def register_scores(register: Callable[[Score], None]) -> None:
    """Call ``register`` once for each score that the plugin offers to tables."""


# What follows is called while a run goes on, in the process of the command, one call at a time.
# What an observer returns is ignored, and nothing that it does reaches a result or a key. One that
# raises is named in a warning and is not called again by this run.


@hookspec
def after_epoch(epoch: EpochEnd) -> None:
    """A network has been trained for one more epoch."""


@hookspec
def after_cell(cell: CellEnd) -> None:
    """A cell is trained and stored, or has failed."""


@hookspec
def after_run(run: RunEnd) -> None:
    """All cells that were asked for are done, or the run was stopped: flush and close."""


OBSERVING = ("after_epoch", "after_cell", "after_run")
"""Names of the hooks that are called while a run goes on."""
