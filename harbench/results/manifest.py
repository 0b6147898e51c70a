"""What a benchmark's table is made of, so that it can be printed again without plugins or data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harbench.config import dump
from harbench.errors import ResultsError
from harbench.nouns import PublishedResult
from harbench.plan import PlannedBenchmark, PlannedFold, Row
from harbench.plan.keys import key_of
from harbench.results.records import FORMAT
from harbench.results.store import Store


def manifest_of(planned: PlannedBenchmark, store: Store | None = None) -> dict[str, Any]:
    """A benchmark as the store keeps it: rows, the keys of their cells and costs, what was
    published, and what a reader must be told of the protocol.

    Args:
        planned: Of which.
        store: Where finished cells of earlier runs are looked for; None looks for none.
    """
    dataset = planned.dataset
    earlier = {} if store is None else _earlier(planned, store)
    return {
        "format": FORMAT,
        "name": planned.settings.name,
        "title": planned.settings.title,
        "settings": dump(planned.settings),
        "dataset": dataset.name,
        "dataset_title": dataset.title,
        "simulates": dataset.simulates,
        "task": planned.task.name,
        "classes": list(planned.classes),
        "null": planned.null,
        "split": planned.split,
        "allow_leakage": planned.settings.allow_leakage,
        "within": planned.settings.protocol.within,
        "rate_hz": dataset.rate_hz,
        "missing": _missing(planned),
        "rows": [_row(row, planned) for row in planned.rows],
        **(
            {"references": [_published(p) for p in planned.references]}
            if planned.references
            else {}
        ),
        **({"earlier": earlier} if earlier else {}),
    }


def older_cells(manifest: Mapping[str, Any], row: Mapping[str, Any], store: Store) -> int:
    """How many finished cells there are of an earlier run of this row, whose model had another
    source, or its package another version.

    Args:
        manifest: Of the benchmark.
        row: One of its rows.
        store: Where the cells are; no record is read.
    """
    code = row.get("code")
    if code is None:
        return 0
    before = manifest.get("earlier", {}).get(row["row"], ())
    return sum(cell["code"] not in (None, code) and store.has(cell["key"]) for cell in before)


def _earlier(planned: PlannedBenchmark, store: Store) -> dict[str, list[dict[str, Any]]]:
    """Row -> the finished cells that it had in earlier runs and has no more, with the code of
    their model. From the last run's manifest alone: records are not read."""
    try:
        last = store.benchmark(planned.settings.name)
    except ResultsError:
        # The first run, or the file is damaged, of which harbench verify tells.
        return {}
    now = {cell.key for cell in planned.cells}
    found: dict[str, dict[str, str | None]] = {}
    try:
        for name, cells in last.get("earlier", {}).items():
            found.setdefault(name, {}).update({cell["key"]: cell["code"] for cell in cells})
        for row in last["rows"]:
            keys = {cell["key"]: row.get("code") for cell in row["cells"]}
            found.setdefault(row["row"], {}).update(keys)
    except (AttributeError, KeyError, TypeError):
        return {}
    kept = {
        name: [
            {"key": key, "code": code}
            for key, code in cells.items()
            if key not in now and store.has(key)
        ]
        for name, cells in found.items()
    }
    return {name: cells for name, cells in kept.items() if cells}


def _code(row: Row) -> str | None:
    """Names the source of the row's model and the version of its package; None without data."""
    if not row.cells:
        return None
    facts = row.cells[0].content
    return key_of([facts["source"], facts["distribution"]])


def _missing(planned: PlannedBenchmark) -> dict[str, Any] | None:
    if planned.missing is None:
        return None
    return {"what": planned.missing.what, "fix": planned.missing.fix}


def _row(row: Row, planned: PlannedBenchmark) -> dict[str, Any]:
    subject = (planned.dataset.simulates or planned.dataset.name, planned.task.name)
    published = [p for p in row.model.published if (p.dataset, p.task) == subject]
    changed = row.options != row.model.options
    return {
        "row": row.name,
        "model": row.model.name,
        "kind": row.model.kind,
        "citation": row.model.citation.text,
        "stand_in": row.model.stand_in,
        "options": row.options,
        "recipe": None if row.recipe is None else row.recipe.model_dump(mode="json"),
        "length": row.length,
        "step": row.step,
        "n_channels": row.n_channels,
        "n_classes": row.n_classes,
        "cost": row.cost_key,
        "code": _code(row),
        # A row with other options is another network: the paper printed nothing about it.
        "published": [] if changed else [_published(p) for p in published],
        "folds": [_fold(fold) for fold in row.folds],
        "cells": [{"fold": cell.fold, "seed": cell.seed, "key": cell.key} for cell in row.cells],
    }


def _published(result: PublishedResult) -> dict[str, Any]:
    return {
        "row": result.row,
        "source": result.source,
        "printed": dict(result.printed),
        "defects": dict(result.defects),
        "protocol": result.protocol,
    }


def _fold(fold: PlannedFold) -> dict[str, Any]:
    return {
        "name": fold.name,
        "windows": fold.windows,
        "windows_as_one_stream": fold.concatenated,
        "support": list(fold.support),
        "test_overlap": fold.test_overlap,
        "validation_overlap": fold.validation_overlap,
        "audit": None if fold.audit is None else fold.audit.to_json(),
    }
