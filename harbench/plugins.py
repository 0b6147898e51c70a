"""Finding and loading plugins: one broken plugin never stops the others."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

import pluggy

from harbench import hookspecs
from harbench.errors import ConfigError, PluginError, did_you_mean
from harbench.nouns import Analysis, Dataset, Model

GROUP = "harbench"
LOCAL_FOLDER = "harbench_plugins"

Noun = TypeVar("Noun", Dataset, Model, Analysis)


@dataclass(frozen=True)
class Origin:
    """Where a plugin came from: its name, distribution and version, or its file."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        known = f"{self.distribution} {self.version}".strip()
        return f"{self.plugin} ({known})" if known else self.plugin


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be loaded, and why."""

    origin: Origin
    reason: str


class Shelf(Generic[Noun]):
    """The registered things of one kind, by name, each with its origin."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, tuple[Noun, Origin]] = {}

    def add(self, thing: Noun, origin: Origin) -> None:
        """Put a thing on the shelf.

        Raises:
            PluginError: where another plugin already offers the name; it names both.
        """
        if thing.name in self._things:
            other = self._things[thing.name][1]
            raise PluginError(
                f"{self.kind} '{thing.name}' is offered by two plugins, {other} and {origin}",
                expected="one plugin for each name",
            )
        self._things[thing.name] = (thing, origin)

    def remove_from(self, origin: Origin) -> None:
        """Take off what a plugin registered before it failed."""
        self._things = {n: pair for n, pair in self._things.items() if pair[1] != origin}

    def get(self, name: str, where: str | None = None) -> Noun:
        """The thing of that name.

        Raises:
            ConfigError: where there is none, with the nearest name.
        """
        if name not in self._things:
            raise ConfigError(
                f"no {self.kind} is called '{name}'{did_you_mean(name, self._things)}",
                where=where,
                expected=f"one of {', '.join(self._things) or '(none registered)'}",
                fix="harbench plugins",
            )
        return self._things[name][0]

    def origin(self, name: str) -> Origin:
        """Which plugin offers the thing of that name."""
        return self._things[name][1]

    def __iter__(self) -> Iterable[Noun]:  # type: ignore[override]
        return iter(thing for thing, _ in self._things.values())

    def __contains__(self, name: str) -> bool:
        return name in self._things

    def __len__(self) -> int:
        return len(self._things)


@dataclass
class Registry:
    """All that the installed plugins offer, and the plugins that could not be loaded."""

    datasets: Shelf[Dataset] = field(default_factory=lambda: Shelf("dataset"))
    models: Shelf[Model] = field(default_factory=lambda: Shelf("model"))
    analyses: Shelf[Analysis] = field(default_factory=lambda: Shelf("analysis"))
    loaded: list[Origin] = field(default_factory=list)
    broken: list[BrokenPlugin] = field(default_factory=list)

    def names_of(self, origin: Origin) -> dict[str, list[str]]:
        """Kind -> names that this plugin registered."""
        found: dict[str, list[str]] = {}
        for shelf in (self.datasets, self.models, self.analyses):
            names = [thing.name for thing in shelf if shelf.origin(thing.name) == origin]  # type: ignore[attr-defined]
            if names:
                found[shelf.kind] = names
        return found


def load_plugins(files: Sequence[Path] = (), *, strict: bool = False) -> Registry:
    """Load every installed plugin, the files in ``./harbench_plugins/``, and ``files``.

    Args:
        files: Single-file plugins, as given by ``--plugin PATH``.
        strict: Raise at the first plugin that cannot be loaded, instead of noting it.

    Raises:
        PluginError: two plugins offer one name; a file does not exist; or, if ``strict``, any
            plugin that fails.
    """
    registry = Registry()
    found = sorted(entry_points(group=GROUP), key=lambda point: (_home(point), point.name))
    seen: set[tuple[str, str]] = set()
    for point in found:
        # An editable install beside a wheel lists the same entry point twice.
        if (point.name, point.value) in seen:
            continue
        seen.add((point.name, point.value))
        version = point.dist.version if point.dist else ""
        _load(registry, Origin(point.name, _home(point), version), point.load, strict)
    local = sorted(Path(LOCAL_FOLDER).glob("*.py")) if Path(LOCAL_FOLDER).is_dir() else []
    for path in [*local, *files]:
        if not path.is_file():
            raise PluginError(f"no plugin file {path}", where="--plugin")
        origin = Origin(path.stem, str(path), "")
        _load(registry, origin, lambda path=path: _import_file(path), strict)
    return registry


def _home(point: EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _import_file(path: Path) -> ModuleType:
    name = f"harbench_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that inspect finds the source of its builders
    spec.loader.exec_module(module)
    return module


def _load(
    registry: Registry, origin: Origin, load: Callable[[], object], strict: bool
) -> None:
    try:
        module = load()
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        manager.register(module, name=origin.plugin)
        manager.check_pending()
        hook = manager.hook
        hook.register_datasets(register=lambda thing: registry.datasets.add(thing, origin))
        hook.register_models(register=lambda thing: registry.models.add(thing, origin))
        hook.register_analyses(register=lambda thing: registry.analyses.add(thing, origin))
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin does, the others load
        for shelf in (registry.datasets, registry.models, registry.analyses):
            shelf.remove_from(origin)  # type: ignore[attr-defined]
        reason = f"{type(error).__name__}: {error}"
        if strict:
            raise PluginError(f"plugin {origin} cannot be loaded: {reason}") from error
        registry.broken.append(BrokenPlugin(origin, reason))
    else:
        registry.loaded.append(origin)
