"""Settings become cells: every model, fold and seed of a benchmark, each with its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harbench.config import Benchmark, ModelEntry, merge_recipe
from harbench.data.audit import FoldAudit, audit_fold
from harbench.data.channels import chosen_channels
from harbench.data.gap_runs import GapRuns, gap_runs
from harbench.data.splits import Fold, classes_of, folds_of, split_named
from harbench.data.stream import Stream, open_stream
from harbench.errors import ConfigError, DataMissingError, did_you_mean
from harbench.nouns import Dataset, Model, Protocol, Recipe, Split, Task
from harbench.nouns.lengths import in_samples
from harbench.plan.keys import fold_digest, harbench_digest, key_of, source_digest
from harbench.plan.recipes import refuse_recipe
from harbench.plugins import Registry


@dataclass(frozen=True)
class PlannedFold:
    """What a table says of a fold without opening the data again.

    Args:
        name: Of the fold.
        windows: Part -> number of windows.
        support: Test windows of each class.
        test_overlap, validation_overlap: Shares of windows that hold a training sample.
        concatenated: Part -> number of windows if the part were cut as one stream, across the
            borders of recordings, as some papers do.
        audit: What training could have learnt of the test; None where it was not asked for.
    """

    name: str
    windows: dict[str, int]
    support: tuple[int, ...]
    test_overlap: float
    validation_overlap: float
    concatenated: dict[str, int]
    audit: FoldAudit | None = None


@dataclass(frozen=True)
class Cell:
    """One training: scheduled, cached, resumed and stored as a unit.

    Args:
        key: sha256 of all that determines the result.
        content: What was hashed, for the record.
        benchmark, row: Where it was asked for; no part of the key.
        dataset, path, task, protocol, split, length, step, channels, fold: What it is trained on;
            ``split`` is the protocol's, looked up by name.
        model, options, recipe, seed: What is trained, and how.
    """

    key: str
    content: dict[str, Any]
    benchmark: str
    row: str
    dataset: str
    path: Path | None
    task: str
    protocol: Protocol
    split: Split
    length: int
    step: int
    channels: tuple[int, ...]
    fold: str
    model: str
    options: dict[str, Any]
    recipe: Recipe
    seed: int


@dataclass(frozen=True)
class Row:
    """One row of a table: a model with its settings, and its cells.

    Args:
        name: As benchmarks.yaml calls the row.
        model: The registered model.
        options: Of its builder, defaults filled in.
        recipe: The model's own, with the benchmark's overrides.
        length, step: Window and step in samples.
        n_channels, n_classes: What it is built for.
        cost_key: Names the cost of this network on this machine.
        folds: In order; empty where the data is not here.
        cells: Fold by fold, seed by seed; empty where the data is not here.
    """

    name: str
    model: Model
    options: dict[str, Any]
    recipe: Recipe
    length: int
    step: int
    n_channels: int = 0
    n_classes: int = 0
    cost_key: str = ""
    folds: tuple[PlannedFold, ...] = ()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class PlannedBenchmark:
    """A benchmark, resolved.

    Args:
        settings: As benchmarks.yaml says.
        dataset, task: Resolved.
        classes, null: What the models tell apart.
        split: What the split is called in tables.
        rows: One a model.
        missing: Set where the dataset's files are not here; then there are no cells.
    """

    settings: Benchmark
    dataset: Dataset
    task: Task
    classes: tuple[str, ...]
    null: int | None
    split: str
    rows: tuple[Row, ...]
    missing: DataMissingError | None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Of all rows."""
        return tuple(cell for row in self.rows for cell in row.cells)


class Opened:
    """What planning has opened and cut: plans that share it do not open and cut the same again."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, Path | None], Stream] = {}
        self._folds: dict[tuple[Any, ...], list[tuple[Fold, str]]] = {}
        self._gap_runs: dict[str, GapRuns] = {}

    def stream(
        self,
        dataset: Dataset,
        path: Path | None,
        on_source: Callable[[int, int], None] | None = None,
    ) -> Stream:
        """See :func:`harbench.data.stream.open_stream`."""
        place = (dataset.name, path)
        if place not in self._streams:
            self._streams[place] = open_stream(dataset, path, on_source)
        return self._streams[place]

    def folds(
        self,
        stream: Stream,
        dataset: Dataset,
        task: Task,
        protocol: Protocol,
        size: tuple[int, int],
    ) -> list[tuple[Fold, str]]:
        """The folds of :func:`harbench.data.splits.folds_of`, each with its digest."""
        # What only concerns the values of the samples has no part in where windows are cut.
        values = {"channels", "fill", "normalise"}
        place = (stream.digest, task.name, protocol.model_dump_json(exclude=values), *size)
        if place not in self._folds:
            found = folds_of(stream, dataset, task, protocol, *size)
            self._folds[place] = [(fold, fold_digest(fold)) for fold in found]
        return self._folds[place]

    def gap_runs(self, stream: Stream) -> GapRuns:
        """See :func:`harbench.data.gap_runs.gap_runs`."""
        if stream.digest not in self._gap_runs:
            self._gap_runs[stream.digest] = gap_runs(stream)
        return self._gap_runs[stream.digest]


def plan(
    benchmark: Benchmark,
    registry: Registry,
    on_source: Callable[[int, int], None] | None = None,
    opened: Opened | None = None,
    *,
    audit: bool = True,
) -> PlannedBenchmark:
    """Resolve a benchmark into rows and cells. Reads the dataset into the cache if need be.

    Args:
        benchmark: Settings.
        registry: The plugins.
        on_source: Called while the dataset is read for the first time: sources done, and all.
        opened: What earlier plans opened, for many plans of one dataset.
        audit: Whether the folds are audited: not needed of variants of what has been.

    Raises:
        ConfigError: a name that no plugin offers, an option that the builder does not have, a
            window shorter than the model takes, a recipe that no training can follow.
        DataError: a file of the dataset is not what it should be.
    """
    where = f"benchmark '{benchmark.name}'"
    dataset = registry.datasets.get(benchmark.dataset, where=f"{where}, dataset")
    task = _task(dataset, benchmark.protocol, where)
    split = split_named(dataset, benchmark.protocol, where=f"{where}, protocol.split")
    channels = chosen_channels(dataset, benchmark.protocol)
    classes, null = classes_of(task, benchmark.protocol)
    resolved = [
        _resolve(entry, benchmark, dataset, registry, f"{where}, model '{entry.row}'")
        for entry in benchmark.models
    ]
    for row in resolved:
        refuse_recipe(row.recipe, len(classes), f"{where}, model '{row.name}'")
    stream: Stream | None = None
    missing: DataMissingError | None = None
    # Rows of one window share their folds, which take a while to cut.
    opened = opened or Opened()
    try:
        stream = opened.stream(dataset, benchmark.path, on_source)
    except DataMissingError as error:
        missing = error
    folds: dict[tuple[int, int], list[tuple[Fold, str]]] = {}
    facts: dict[tuple[int, int], tuple[PlannedFold, ...]] = {}
    rows = []
    for row in resolved:
        size = (row.length, row.step)
        if stream is not None and size not in folds:
            folds[size] = opened.folds(stream, dataset, task, benchmark.protocol, size)
            audits = [
                audit_fold(
                    fold,
                    stream,
                    benchmark.protocol,
                    length=row.length,
                    channels=channels,
                    null=task.null,
                    runs=partial(opened.gap_runs, stream),
                )
                if audit
                else None
                for fold, _ in folds[size]
            ]
            facts[size] = tuple(
                _facts(fold, len(classes), found)
                for (fold, _), found in zip(folds[size], audits, strict=True)
            )
        rows.append(
            replace(
                row,
                n_channels=len(channels),
                n_classes=len(classes),
                folds=facts.get(size, ()),
            )
        )
    planned = PlannedBenchmark(
        benchmark,
        dataset,
        task,
        classes,
        null,
        _split_title(dataset, benchmark.protocol),
        tuple(rows),
        missing,
    )
    return replace(
        planned,
        rows=tuple(
            _with_keys(row, planned, split, channels, stream, folds, registry) for row in rows
        ),
    )


def _with_keys(
    row: Row,
    planned: PlannedBenchmark,
    split: Split,
    channels: tuple[int, ...],
    stream: Stream | None,
    folds: Mapping[tuple[int, int], list[tuple[Fold, str]]],
    registry: Registry,
) -> Row:
    """The row with its cost key and its cells."""
    benchmark, dataset = planned.settings, planned.dataset
    origin = registry.models.origin(row.model.name)
    network = {
        "model": row.model.name,
        "source": source_digest(row.model.build),
        # A single file has no version, and where it lies is no part of what it does.
        "distribution": [origin.distribution, origin.version] if origin.version else None,
        "options": row.options,
    }
    shape = [row.n_channels, row.length, row.n_classes]
    machine = [version("torch"), processor(), harbench_digest(("cost",))]
    cells = []
    for fold, digest in folds.get((row.length, row.step), []):
        assert stream is not None
        for seed in benchmark.seeds:
            content = {
                "dataset": dataset.name,
                "data": stream.digest,
                "task": planned.task.name,
                "channels": [dataset.channels[i].name for i in channels],
                "classes": list(planned.classes),
                "fold": fold.name,
                "windows": {"length": row.length, "step": row.step, "sha256": digest},
                "protocol": _protocol_facts(benchmark.protocol, dataset, channels),
                **network,
                "recipe": row.recipe.model_dump(mode="json"),
                "seed": seed,
                "harbench": harbench_digest(),
            }
            cells.append(
                Cell(
                    key=key_of(content),
                    content=content,
                    benchmark=benchmark.name,
                    row=row.name,
                    dataset=dataset.name,
                    path=benchmark.path,
                    task=planned.task.name,
                    protocol=benchmark.protocol,
                    split=split,
                    length=row.length,
                    step=row.step,
                    channels=channels,
                    fold=fold.name,
                    model=row.model.name,
                    options=row.options,
                    recipe=row.recipe,
                    seed=seed,
                )
            )
    return replace(row, cost_key=key_of([network, shape, machine]), cells=tuple(cells))


def _task(dataset: Dataset, protocol: Protocol, where: str) -> Task:
    names = [task.name for task in dataset.tasks]
    if protocol.task is not None and protocol.task not in names:
        raise ConfigError(
            f"dataset '{dataset.name}' has no task '{protocol.task}'"
            f"{did_you_mean(protocol.task, names)}",
            where=f"{where}, protocol.task",
            expected=f"one of {', '.join(names)}",
        )
    return dataset.task(protocol.task)


def _resolve(
    entry: ModelEntry, benchmark: Benchmark, dataset: Dataset, registry: Registry, where: str
) -> Row:
    model = registry.models.get(entry.model, where=where)
    options = _options(entry.options, model, where)
    recipe = merge_recipe(model.recipe, benchmark.recipe, entry.recipe)
    protocol = benchmark.protocol_of(entry)
    window = protocol.window
    if window == "paper":
        if model.window is None:
            raise ConfigError(
                f"the paper of model '{model.name}' states no window",
                where=where,
                expected="a window in samples or time",
            )
        window = model.window
    try:
        length = in_samples(window, dataset.rate_hz)
        hop = in_samples(protocol.step, dataset.rate_hz, length)
    except ValueError as error:
        raise ConfigError(str(error), where=where) from error
    if length < model.min_times:
        raise ConfigError(
            f"model '{model.name}' is given windows of {length} samples",
            where=where,
            expected=f"at least {model.min_times}",
            fix=f"give the row its own window: '{entry.row}: {{window: {model.min_times}}}'",
        )
    return Row(entry.row, model, options, recipe, length, hop)


def _options(given: Mapping[str, Any], model: Model, where: str) -> dict[str, Any]:
    known = model.options
    for name in given:
        if name not in known:
            raise ConfigError(
                f"model '{model.name}' has no option '{name}'{did_you_mean(name, known)}",
                where=where,
                expected=f"one of {', '.join(known) or '(it has none)'}",
                fix=f"harbench models show {model.name}",
            )
    return {**known, **given}


def _protocol_facts(
    protocol: Protocol, dataset: Dataset, channels: tuple[int, ...]
) -> dict[str, Any]:
    # Split, window, step and label rule are in the windows' own hash.
    facts = protocol.model_dump(mode="json", include={"fill", "normalise", "null"})
    if protocol.normalise == "fixed":
        facts["limits"] = [dataset.channels[i].limits for i in channels]
    return facts


def _facts(fold: Fold, n_classes: int, audit: FoldAudit | None) -> PlannedFold:
    import numpy as np

    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    support = np.bincount(fold.test.labels, minlength=n_classes)
    return PlannedFold(
        fold.name,
        {name: len(part) for name, part in parts.items()},
        tuple(int(count) for count in support),
        fold.test_overlap,
        fold.validation_overlap,
        dict(zip(parts, fold.concatenated, strict=True)),
        audit,
    )


def _split_title(dataset: Dataset, protocol: Protocol) -> str:
    if isinstance(protocol.split, str):
        return protocol.split
    if protocol.split is None:
        return next(iter(dataset.splits))
    return protocol.split.kind


def processor() -> str:
    """The processor's name: latency belongs to a machine."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()
