"""Finding and loading plugins: one broken plugin never stops the others."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

import pluggy

from harbench import hookspecs
from harbench.errors import ConfigError, PluginError, did_you_mean
from harbench.installed import MetadataError, entry_points, home, in_order, version
from harbench.nouns import Analysis, Augmentation, Command, Dataset, Loss, Model, Score
from harbench.nouns.names import NAME_RULE, is_name
from harbench.plugin_files import spec_of
from harbench.plugin_guard import StuckError, nothing_on_stdout, patience, stopped_when_stuck

GROUP = "harbench"
LOCAL_FOLDER = "harbench_plugins"

Noun = TypeVar("Noun", Dataset, Model, Analysis, Command, Loss, Augmentation, Score)
_WORDS: dict[type, tuple[str, str]] = {
    Dataset: ("dataset", "datasets"),
    Model: ("model", "models"),
    Analysis: ("analysis", "analyses"),
    Command: ("command", "commands"),
    Loss: ("loss", "losses"),
    Augmentation: ("augmentation", "augmentations"),
    Score: ("score", "scores"),
}


@dataclass(frozen=True)
class Origin:
    """Where a plugin came from.

    Args:
        plugin: Its name: of the entry point, or of the file without ``.py``.
        distribution: The package that brings it, or the path of its file.
        version: Of the distribution; empty for a file.
        module: What the entry point imports; empty for a file.
    """

    plugin: str
    distribution: str
    version: str
    module: str = ""

    @property
    def package(self) -> str:
        """``harbench 0.1.0``, or the path of the file."""
        return f"{self.distribution} {self.version}".strip()

    def __str__(self) -> str:
        known = self.package
        return f"{self.plugin} ({known})" if known else self.plugin


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be loaded, and why."""

    origin: Origin
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.origin} cannot be loaded: {self.reason}"


class NameTakenError(PluginError):
    """Two plugins offer one name: no order of loading makes that right, so nothing is loaded."""


class _RefusedError(Exception):
    """What a plugin registers cannot be taken; the text alone is the reason."""


class Shelf(Generic[Noun]):
    """The registered things of one kind, by name, each with its origin."""

    def __init__(self, noun: type[Noun]) -> None:
        self.kind, self.plural = _WORDS[noun]
        self._noun: type[Noun] = noun
        self._things: dict[str, tuple[Noun, Origin]] = {}

    def add(self, thing: Noun, origin: Origin) -> None:
        """Put a thing on the shelf.

        Raises:
            NameTakenError: where another plugin already offers the name; it names both.
        """
        if not isinstance(thing, self._noun):
            raise _RefusedError(
                f"register_{self.plural} is given {_the(thing)}, "
                f"not a harbench.{self._noun.__name__}"
            )
        if not is_name(thing.name):
            raise _RefusedError(
                f"register_{self.plural} is given the name {thing.name!r}; a name has {NAME_RULE}"
            )
        if thing.name in self._things:
            other = self._things[thing.name][1]
            if other == origin:
                raise _RefusedError(f"it registers two {self.plural} named '{thing.name}'")
            raise NameTakenError(
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

    def names_from(self, origin: Origin) -> list[str]:
        """The names that a plugin registered, in its order."""
        return [name for name, pair in self._things.items() if pair[1] == origin]

    def __iter__(self) -> Iterator[Noun]:
        return iter([thing for thing, _ in self._things.values()])

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __len__(self) -> int:
        return len(self._things)


@dataclass(frozen=True)
class Observer:
    """A plugin that is told what happens while a run goes on.

    Args:
        origin: Which.
        hooks: Those of :data:`harbench.hookspecs.OBSERVING` that it has, by name; each takes its
            one argument by keyword.
    """

    origin: Origin
    hooks: Mapping[str, Callable[..., object]]


@dataclass
class Registry:
    """All that the installed plugins offer, and the plugins that could not be loaded."""

    datasets: Shelf[Dataset] = field(default_factory=lambda: Shelf(Dataset))
    models: Shelf[Model] = field(default_factory=lambda: Shelf(Model))
    analyses: Shelf[Analysis] = field(default_factory=lambda: Shelf(Analysis))
    commands: Shelf[Command] = field(default_factory=lambda: Shelf(Command))
    losses: Shelf[Loss] = field(default_factory=lambda: Shelf(Loss))
    augmentations: Shelf[Augmentation] = field(default_factory=lambda: Shelf(Augmentation))
    scores: Shelf[Score] = field(default_factory=lambda: Shelf(Score))
    observers: list[Observer] = field(default_factory=list)
    loaded: list[Origin] = field(default_factory=list)
    broken: list[BrokenPlugin] = field(default_factory=list)

    @property
    def shelves(self) -> tuple[Shelf[Any], ...]:
        """Datasets, models, analyses, commands, losses, augmentations, scores."""
        return (
            self.datasets,
            self.models,
            self.analyses,
            self.commands,
            self.losses,
            self.augmentations,
            self.scores,
        )

    def names_of(self, origin: Origin) -> dict[str, list[str]]:
        """Kind -> names that this plugin registered; kinds without a name are left out."""
        found = {shelf.kind: shelf.names_from(origin) for shelf in self.shelves}
        return {kind: names for kind, names in found.items() if names}


def load_plugins(
    files: Sequence[Path] = (), *, strict: bool = False, packages: bool = True
) -> Registry:
    """Load every installed plugin, the files in ``./harbench_plugins/``, and ``files``.

    Args:
        files: Single-file plugins, as given by ``--plugin PATH``.
        strict: Raise at the first plugin that cannot be loaded, instead of noting it.
        packages: False loads the files only.

    Raises:
        PluginError: two plugins offer one name; a file does not exist; or, if ``strict``, any
            plugin that fails.
        ConfigError: HARBENCH_PLUGIN_TIMEOUT is no number of seconds.
    """
    for path in files:
        if not path.is_file():
            raise PluginError(
                f"there is no plugin file {path}", where="--plugin", expected="one Python file"
            )
    registry, seconds = Registry(), patience()

    def load(origin: Origin, imports: Callable[[], object]) -> None:
        try:
            with stopped_when_stuck(str(origin), seconds):
                _register(registry, origin, imports())
        except (NameTakenError, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever one plugin does, the others load
            for shelf in registry.shelves:
                shelf.remove_from(origin)
            broken = BrokenPlugin(origin, reason_of(error))
            if strict:
                raise PluginError(str(broken)) from error
            registry.broken.append(broken)
        else:
            registry.loaded.append(origin)

    # What a plugin prints while it loads must not end up in a table or in JSON.
    with nothing_on_stdout():
        for point in in_order(entry_points(GROUP)) if packages else ():
            load(Origin(point.name, home(point), version(point), point.value), point.load)
        local = sorted(Path(LOCAL_FOLDER).glob("*.py")) if Path(LOCAL_FOLDER).is_dir() else []
        # One file named twice (in the folder and by --plugin) is one plugin.
        for path in {path.resolve(): path for path in [*local, *files]}.values():
            load(Origin(path.stem, str(path), ""), partial(_import_file, path))
    return registry


def _import_file(path: Path) -> ModuleType:
    name = f"harbench_file_{path.stem}"
    there = getattr(sys.modules.get(name), "__file__", None)
    if there is not None and Path(there) != path.resolve():
        # Two files of one name in two folders are two modules.
        name = f"{name}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = spec_of(name, path.resolve())
    if spec is None or spec.loader is None:
        raise _RefusedError("it is not a Python file (expected a name that ends in .py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that inspect finds the source of its builders
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _register(registry: Registry, origin: Origin, module: object) -> None:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=origin.plugin)
    manager.check_pending()
    if not manager.get_hookcallers(module):
        raise _RefusedError("it has no function marked @harbench.hookimpl")
    hook = manager.hook
    hook.register_datasets(register=lambda thing: registry.datasets.add(thing, origin))
    hook.register_models(register=lambda thing: registry.models.add(thing, origin))
    hook.register_analyses(register=lambda thing: registry.analyses.add(thing, origin))
    hook.register_commands(register=lambda thing: _add_command(registry, thing, origin))
    hook.register_losses(register=lambda thing: registry.losses.add(thing, origin))
    hook.register_augmentations(register=lambda thing: registry.augmentations.add(thing, origin))
    hook.register_scores(register=lambda thing: registry.scores.add(thing, origin))
    callers = {name: getattr(hook, name) for name in hookspecs.OBSERVING}
    if told := {name: call for name, call in callers.items() if call.get_hookimpls()}:
        registry.observers.append(Observer(origin, told))


def _add_command(registry: Registry, thing: Command, origin: Origin) -> None:
    if origin.module:
        raise _RefusedError(
            "it is a package and calls register_commands, which is for single files; a package's "
            "command is an entry point of the group harbench.commands"
        )
    registry.commands.add(thing, origin)


def reason_of(error: BaseException) -> str:
    """Why a plugin cannot be loaded, in one line of at most 500 characters."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - an exception of the plugin's own, whose text fails
        text = ""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    text = text if len(text) <= 400 else f"{text[:400]} ..."
    if isinstance(error, (_RefusedError, StuckError, MetadataError)):
        return text
    if isinstance(error, SystemExit):
        return f"it ends the program while loading (SystemExit: {text or 'no code'})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _the(thing: object) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else f"a {type(thing).__name__}"
