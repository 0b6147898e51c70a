"""What determines the result of a cell, and the keys that are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from harbench.cost.processor import processor
from harbench.data.splits import Fold
from harbench.data.stream import Stream
from harbench.nouns import Dataset, Protocol, Split
from harbench.nouns.recipe import USUAL
from harbench.plan.cells import Cell, PlannedBenchmark, Row
from harbench.plan.keys import (
    harbench_digest,
    key_of,
    library_versions,
    seeded_keys,
    source_digest,
)
from harbench.plan.methods import method_facts
from harbench.plugins import Registry


def with_keys(
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
    network: dict[str, Any] = {
        "model": row.model.name,
        "source": source_digest(row.model.build),
        # A single file has no version, and where it lies is no part of what it does.
        "distribution": [origin.distribution, origin.version] if origin.version else None,
        "options": row.options,
    }
    if row.model.kind == "estimator":
        # Its algorithm is the library's, of which its own source says nothing.
        network["libraries"] = library_versions(row.model.build)
    methods: dict[str, Any] = {}
    if row.recipe is not None:
        where = f"benchmark '{benchmark.name}', model '{row.name}', recipe"
        seen = [dataset.channels[i] for i in channels]
        methods = method_facts(row.recipe, registry, seen, row.n_classes, where)
    shape = [row.n_channels, row.length, row.n_classes]
    machine = [version("torch"), processor(), harbench_digest(("cost",))]
    facts = _protocol_facts(benchmark.protocol, dataset, channels)
    recipe = None if row.recipe is None else row.recipe.model_dump(mode="json")
    if recipe:
        recipe = {k: v for k, v in recipe.items() if k not in USUAL or v != USUAL[k]}
    cells = []
    for fold, digest in folds.get((row.length, row.step), []):
        assert stream is not None
        # The seed alone tells the cells of a fold apart.
        content = {
            "dataset": dataset.name,
            "data": stream.digest,
            "task": planned.task.name,
            "channels": [dataset.channels[i].name for i in channels],
            "classes": list(planned.classes),
            "fold": fold.name,
            "windows": {"length": row.length, "step": row.step, "sha256": digest},
            "protocol": facts,
            **network,
            "recipe": recipe,
            **methods,
            "harbench": harbench_digest(),
        }
        keys = seeded_keys(content, benchmark.seeds)
        for seed, key in zip(benchmark.seeds, keys, strict=True):
            cells.append(
                Cell(
                    key=key,
                    content={**content, "seed": seed},
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


def _protocol_facts(
    protocol: Protocol, dataset: Dataset, channels: tuple[int, ...]
) -> dict[str, Any]:
    # Split, window, step and label rule are in the windows' own hash.
    facts = protocol.model_dump(mode="json", include={"fill", "normalise", "null"})
    if protocol.normalise == "fixed":
        facts["limits"] = [dataset.channels[i].limits for i in channels]
    return facts
