"""FindingError what is to be checked, and checking it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from harbench.errors import ConfigError, PluginError, did_you_mean
from harbench.nouns import Analysis, Dataset, Model
from harbench.plugins import BrokenPlugin, NameTakenError, Origin, Registry, load_plugins
from harbench.testing.checks import Check, CheckResult, Kind, Report, run_checks
from harbench.testing.subject import Subject

KINDS = ("model", "dataset", "analysis")
LOADS = "the plugin can be imported, and registers what harbench can take"
ONE_NAME = "no other plugin offers the same name"


def check_model(model: str | Model, *, files: Sequence[str | Path] = ()) -> Report:
    """Check a model.

    Args:
        model: Its registered name; or the model itself, which then is not looked for in a plugin
            and not trained in a worker process.
        files: Single-file plugins to load, as by ``--plugin``.

    Raises:
        ConfigError: no plugin offers that name.
    """
    return _check("model", model, files)


def check_dataset(
    dataset: str | Dataset, *, files: Sequence[str | Path] = (), folder: str | Path | None = None
) -> Report:
    """Check a dataset; what reads its files is skipped where they are not here.

    Args:
        dataset: Its registered name, or the dataset itself.
        files: Single-file plugins to load.
        folder: Of its files, where not the usual one.

    Raises:
        ConfigError: no plugin offers that name.
    """
    return _check("dataset", dataset, files, Path(folder) if folder is not None else None)


def check_analysis(analysis: str | Analysis, *, files: Sequence[str | Path] = ()) -> Report:
    """Check an analysis on two small trained cells.

    Args:
        analysis: Its registered name, or the analysis itself.
        files: Single-file plugins to load.

    Raises:
        ConfigError: no plugin offers that name.
    """
    return _check("analysis", analysis, files)


def _check(
    kind: str, thing: Any, files: Sequence[str | Path], folder: Path | None = None
) -> Report:
    if not isinstance(thing, str):
        item = Item(cast(Kind, kind), thing.name, thing)
        return report_on(item, item.checks(), item.subject(folder))
    paths = tuple(Path(file).absolute() for file in files)
    [item] = find(thing, kind, partial(load_plugins, paths), paths)
    return report_on(item, item.checks(), item.subject(folder))


class Item:
    """Something to check, by name.

    Args:
        kind: ``plugin`` where its plugin cannot be loaded.
        name: As asked for.
        thing: None where it cannot be loaded.
        origin: Its plugin; None of what is not registered.
        files: Single-file plugins that are loaded.
        broken: Why it cannot be loaded: the one failed check.
    """

    def __init__(
        self,
        kind: Kind,
        name: str,
        thing: Model | Dataset | Analysis | None,
        origin: Origin | None = None,
        files: tuple[Path, ...] = (),
        broken: CheckResult | None = None,
    ) -> None:
        self.kind, self.name, self.thing = kind, name, thing
        self.origin, self.files, self.broken = origin, files, broken

    @property
    def plugin(self) -> str:
        """What offers it."""
        return str(self.origin) if self.origin else "handed in, not registered"

    def checks(self) -> list[Check[Any]]:
        """Those of its kind, in order."""
        if self.broken is not None:
            return [_always(self.broken)]
        from harbench.testing.plugin_checks import PLUGIN

        loads = CheckResult("loads", LOADS, "passed")
        return [_always(loads), *PLUGIN, *_checks_of(self.thing)]

    def subject(self, folder: Path | None = None) -> Subject[Any] | None:
        """What the checks are given."""
        if self.thing is None:
            return None
        if isinstance(self.thing, Model) and self.origin is not None:
            from harbench.testing.tiny_cells import start_workers

            start_workers()
        return _subject_of(self.thing, self.origin, self.files, folder)


def report_on(item: Item, checks: Sequence[Check[Any]], subject: Subject[Any] | None) -> Report:
    """Run the checks."""
    return run_checks(item.kind, item.name, item.plugin, checks, subject)


def find(
    name: str, kind: str | None, load: Callable[[], Registry], files: tuple[Path, ...] = ()
) -> list[Item]:
    """What is called so: a model, dataset or analysis; or all that a plugin or package offers.

    A plugin that cannot be loaded gives one item, whose check ``loads`` fails with the reason. Two
    plugins that offer one name give one whose check ``one-name`` fails: then nothing is loaded.

    Args:
        name: Of the thing, or of the plugin, its package, or its file.
        kind: ``model``, ``dataset`` or ``analysis``; None is any.
        load: Loads the plugins.
        files: Single-file plugins that ``load`` loads.

    Raises:
        ConfigError: nothing is called so.
    """
    try:
        registry = load()
    except NameTakenError as error:
        return [name_taken(name, error)]
    found = [
        item
        for item in everything(registry, files)
        if item.name == name and item.broken is None and kind in (None, item.kind)
    ] or [
        item
        for item in everything(registry, files)
        if item.origin is not None
        and _called(item.origin, name)
        and (kind in (None, item.kind) or item.broken is not None)
    ]
    if not found:
        known = [i.name for i in everything(registry) if i.thing and kind in (None, i.kind)]
        raise ConfigError(
            f"no {kind or 'model, dataset, analysis or plugin'} is called '{name}'"
            f"{did_you_mean(name, known)}",
            expected="a name that harbench plugins lists",
            fix="harbench plugins",
        )
    return found


def everything(registry: Registry, files: tuple[Path, ...] = ()) -> list[Item]:
    """All that is registered, models first, and the plugins that cannot be loaded."""
    shelves = {shelf.kind: shelf for shelf in registry.shelves}
    good = [
        Item(cast(Kind, kind), thing.name, thing, shelves[kind].origin(thing.name), files)
        for kind in KINDS
        for thing in shelves[kind]
    ]
    return [*good, *(_broken(broken) for broken in registry.broken)]


def _called(origin: Origin, name: str) -> bool:
    return name in (origin.plugin, origin.distribution, Path(origin.distribution).name)


def _broken(broken: BrokenPlugin) -> Item:
    result = CheckResult(
        "loads",
        LOADS,
        "failed",
        broken.reason,
        "a module that can be imported and has a function marked @harbench.hookimpl",
        f"harbench --strict-plugins --debug plugins show {broken.origin.plugin}",
    )
    return Item("plugin", broken.origin.plugin, None, broken.origin, broken=result)


def name_taken(name: str, error: PluginError) -> Item:
    """What is to be said of any name, as long as two plugins offer one."""
    result = CheckResult(
        "one-name",
        ONE_NAME,
        "failed",
        error.what,
        error.expected or "one plugin for each name",
        "rename yours, or uninstall the other",
    )
    return Item("plugin", name, None, broken=result)


def _always(result: CheckResult) -> Check[Any]:
    from harbench.testing.checks import FailedError

    def run(subject: object) -> str | None:
        if result.outcome == "failed":
            raise FailedError(result.found, expected=result.expected, fix=result.fix)
        return result.found

    return Check(result.name, result.asserts, run)


def _checks_of(thing: Model | Dataset | Analysis | None) -> Iterator[Check[Any]]:
    if isinstance(thing, Dataset):
        from harbench.testing.dataset_checks import DATASET
        from harbench.testing.recording_checks import RECORDINGS

        yield from [*DATASET, *RECORDINGS]
    elif isinstance(thing, Analysis):
        from harbench.testing.analysis_checks import ANALYSIS

        yield from ANALYSIS
    elif isinstance(thing, Model):
        from harbench.testing.model_checks import LAST, MODEL

        yield from MODEL
        if thing.kind == "estimator":
            from harbench.testing.estimator_checks import ESTIMATOR

            yield from ESTIMATOR
        else:
            from harbench.testing.network_bits import BITS
            from harbench.testing.network_checks import NETWORK

            yield from [*NETWORK, *BITS]
        yield from LAST


def _subject_of(
    thing: Model | Dataset | Analysis,
    origin: Origin | None,
    files: tuple[Path, ...],
    folder: Path | None,
) -> Subject[Any]:
    if isinstance(thing, Dataset):
        from harbench.testing.dataset_subject import DatasetSubject

        return DatasetSubject(thing, origin, files, folder)
    if isinstance(thing, Analysis):
        from harbench.testing.analysis_checks import AnalysisSubject

        return AnalysisSubject(thing, origin, files)
    if thing.kind == "estimator":
        from harbench.testing.estimator_subject import EstimatorSubject

        return EstimatorSubject(thing, origin, files)
    from harbench.testing.network_subject import NetworkSubject

    return NetworkSubject(thing, origin, files)
