"""A results folder that is whole to the last hash, without training: verify finds nothing in it."""

import hashlib

import numpy as np

from harbench.config import Benchmark, ModelEntry, dump
from harbench.metrics import confusion, score
from harbench.nouns import Protocol
from harbench.plan.keys import harbench_digest, key_of
from harbench.results import Predictions, Store

CLASSES = ("Null", "wave", "turn")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def whole_store(folder, rows=("small", "wide"), *, name="toy", seeds=(0, 1), n=40, **facts):
    """Write a benchmark with these rows, a cell a seed.

    Args:
        folder: Of the results.
        rows: Names of rows; what a row predicts depends on its name and the seed alone.
        name: Of the benchmark.
        seeds: Of each row.
        n: Test windows.
        facts: In place of facts of the cells, such as ``data``.
    """
    store = Store(folder)
    protocol = Protocol(window=20, step=10)
    settings = Benchmark(
        name=name, title="Toys", dataset="toy", path="/home/somebody/files", protocol=protocol,
        seeds=seeds, models=tuple(ModelEntry(row=row) for row in rows),
    )  # fmt: skip
    manifest = {
        "format": 1, "name": name, "title": "Toys", "settings": dump(settings), "dataset": "toy",
        "dataset_title": "Toys", "simulates": None, "task": "gestures", "classes": list(CLASSES),
        "null": 0, "split": "fixed", "allow_leakage": False, "within": "recording", "rate_hz": 50,
        "missing": None, "rows": [],
    }  # fmt: skip
    for row in rows:
        cells = [_cell(store, name, row, seed, protocol, n, facts) for seed in seeds]
        cost = digest(f"cost {row}")
        store.write_cost(cost, {"macs": 7})
        manifest["rows"].append({
            "row": row, "model": row, "kind": "network", "citation": "", "stand_in": None,
            "options": {}, "recipe": {}, "length": 20, "step": 10, "n_channels": 1, "n_classes": 3,
            "cost": cost, "code": None, "published": [], "cells": cells,
            "folds": [{
                "name": "all", "windows": {"train": 80, "validation": 40, "test": n},
                "windows_as_one_stream": {}, "support": [20, 10, 10], "test_overlap": 0,
                "validation_overlap": 0, "audit": None,
            }],
        })  # fmt: skip
    store.write_benchmark(name, manifest)
    return store


def _cell(store, name, row, seed, protocol, n, facts):
    rng = np.random.default_rng([*row.encode(), seed])
    probabilities = rng.dirichlet(np.ones(3), n).astype(np.float32)
    predictions = Predictions(
        recording=np.array(["s1"] * n),
        start=np.arange(n) * 10,
        true=(np.arange(n) % 3).astype(np.int16),
        predicted=probabilities.argmax(1).astype(np.int16),
        probabilities=probabilities,
    )
    matrix = confusion(predictions.true, predictions.predicted, 3)
    cell = {
        "dataset": "toy", "data": digest("data"), "task": "gestures", "channels": ["acc x"],
        "classes": list(CLASSES), "fold": "all",
        "windows": {"length": 20, "step": 10, "sha256": digest("windows")},
        "protocol": {"fill": "forward", "normalise": "z-score", "null": "keep"},
        "model": row, "source": digest(row), "distribution": ["mine", "1.0"], "options": {},
        "recipe": None, "harbench": harbench_digest(), "seed": seed, **facts,
    }  # fmt: skip
    record = {
        "cell": cell,
        "settings": {
            "protocol": protocol.model_dump(mode="json"), "split": {"kind": "fixed"},
            "window": 20, "step": 10,
        },
        "classes": list(CLASSES), "null": 0,
        "windows": {"train": 80, "validation": 40, "test": n},
        "confusion": matrix.tolist(), "scores": score(matrix, CLASSES, 0).to_json(),
        "curve": [],
    }  # fmt: skip
    measured = {
        "started": "2026-01-01T00:00:00+00:00",
        "asked_for_by": {"benchmark": name, "row": row, "path": "/home/somebody/files"},
        "device": "cpu", "cost": None, "seconds": {"fit": 1.0, "train_and_predict": 1.5},
        "resumed_after_epoch": None, "peak_memory_bytes": 1000,
        "environment": {"versions": {"torch": "2"}, "processor": "abacus"},
    }  # fmt: skip
    key = key_of(cell)
    store.write(key, record, measured, predictions.packed(), b"weights" * 9)
    return {"fold": "all", "seed": seed, "key": key}
