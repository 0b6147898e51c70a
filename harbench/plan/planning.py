"""Settings become a plan: every model, fold and seed of a benchmark, each cell with its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from harbench.config import Benchmark
from harbench.data.audit import FoldAudit, audit_fold
from harbench.data.channels import chosen_channels
from harbench.data.splits import Fold, classes_of, split_named
from harbench.data.stream import Stream
from harbench.errors import ConfigError, DataMissingError, did_you_mean
from harbench.nouns import Dataset, Protocol, Task
from harbench.plan.cells import PlannedBenchmark, PlannedFold
from harbench.plan.contents import with_keys
from harbench.plan.opened import Opened
from harbench.plan.recipes import refuse_recipe
from harbench.plan.references import read_references
from harbench.plan.rows import resolve_row
from harbench.plugins import Registry


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
        resolve_row(entry, benchmark, dataset, registry, f"{where}, model '{entry.row}'")
        for entry in benchmark.models
    ]
    for row in resolved:
        if row.recipe is not None:
            refuse_recipe(row.recipe, len(classes), f"{where}, model '{row.name}'")
    references = read_references(benchmark.references, dataset.name, task.name)
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
        references,
    )
    return replace(
        planned,
        rows=tuple(
            with_keys(row, planned, split, channels, stream, folds, registry) for row in rows
        ),
    )


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
