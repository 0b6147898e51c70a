"""What a benchmark's table is made of, so that it can be printed again without plugins or data."""

from __future__ import annotations

from typing import Any

from harbench.config import dump
from harbench.nouns import PublishedResult
from harbench.plan import PlannedBenchmark, PlannedFold, Row
from harbench.results.records import FORMAT


def manifest_of(planned: PlannedBenchmark) -> dict[str, Any]:
    """A benchmark as the store keeps it: rows, the keys of their cells and costs, what was
    published, and what a reader must be told of the protocol."""
    dataset = planned.dataset
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
    }


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
