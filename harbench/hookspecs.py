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
    from harbench.nouns import Analysis, Dataset, Model

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
