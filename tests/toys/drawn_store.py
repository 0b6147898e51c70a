"""A results folder with everything that can be drawn, made without training."""

from __future__ import annotations

import math

import numpy as np

from harbench.cost.record import Cost
from harbench.metrics import score
from harbench.results import Store
from harbench.results.sealed import sealed_text

PLAIN = ("Null", "wave", "turn")
HOSTILE = (
    "$x_1^2$ and \\frac{1}{0}",
    "<script>alert(1)</script>",
    "line\nbreak\ttab\0null",
    "\u202emirrored\u202c שלום مرحبا",
    "🦑 emoji 🛰️",
    "x" * 500,
    "y" * 499 + "z",
    "",
    "&amp; % # ~ ' \" `",
)


def cost_of(place, macs=None):
    n = round(1000 * 4**place)
    return {
        "parameters": n, "parameters_with_buffers": n + 7, "macs": macs or 9 * n,
        "latency_median_ms": 0.5 + place, "latency_p95_ms": 0.7 + 1.4 * place,
    }  # fmt: skip


def drawn_store(
    folder, means, *, classes=PLAIN, seeds=6, epochs=5, leaky=(), simulates=None, name="toys",
    noise=0.02, costs=None,
):  # fmt: skip
    """A benchmark of one fold.

    Args:
        folder: Of the results.
        means: Row -> share of the windows of each class that is right, about.
        classes: Names; the first is NULL.
        seeds: Cells of each row.
        epochs: Of each training; seed s stops s epochs early as long as 2 are left.
        leaky: Rows whose test windows overlap with training windows.
        simulates: What the data imitate.
        name: Of the benchmark.
        noise: How much the cells of a row differ.
        costs: Row -> place among the costs; in the order of the rows if None.
    """
    store = Store(folder)
    k = len(classes)
    manifest = {
        "format": 1, "name": name, "title": "Toys", "dataset": "toy", "simulates": simulates,
        "task": "gestures", "classes": list(classes), "null": 0, "split": "fixed",
        "within": "recording", "rate_hz": 50.0, "missing": None, "rows": [],
    }  # fmt: skip
    for number, (row, mean) in enumerate(means.items()):
        place = number if costs is None else costs[row]
        cells = []
        for seed in range(seeds):
            key = f"{name}-{number}-{seed}".encode().hex()
            cells.append({"fold": "all", "seed": seed, "key": key})
            _write_cell(store, key, np.random.default_rng([number, seed]), mean, classes,
                        max(2, epochs - seed), noise)  # fmt: skip
        cost = f"cost{number}"
        store.write_cost(cost, _whole_cost(cost_of(place)))
        overlap = 0.5 if row in leaky else 0.0
        manifest["rows"].append({
            "row": row, "model": row, "citation": "", "stand_in": None, "options": {},
            "recipe": {}, "length": 20, "step": 10, "n_channels": 3, "n_classes": k, "cost": cost,
            "published": [], "cells": cells,
            "folds": [{
                "name": "all", "windows": {"train": 600, "validation": 50, "test": 100 * k},
                "windows_as_one_stream": {}, "support": [100] * k, "test_overlap": overlap,
                "validation_overlap": 0, "audit": None,
            }],
        })  # fmt: skip
    store.write_benchmark(name, manifest)
    return store


def _whole_cost(numbers):
    known = dict.fromkeys(Cost.__dataclass_fields__)
    return {**known, **numbers, "weight_bytes": 1, "counters_agree": True, "counters_note": ""}


def _write_cell(store, key, rng, mean, classes, epochs, noise):
    k = len(classes)
    matrix = np.zeros((k, k), int)
    for true in range(k):
        right = min(100, max(0, round(100 * (mean + noise * rng.normal()))))
        matrix[true, true] = right
        matrix[true, (true + 1) % k] += 100 - right
    curve = [
        {"epoch": e + 1, "train_loss": math.exp(-e), "validation_loss": 0.2 + math.exp(-e / 2),
         "validation_nf": mean * (1 - math.exp(-e - 1)) + noise * rng.normal() / 2}
        for e in range(epochs)
    ]  # fmt: skip
    record = {
        "key": key, "classes": list(classes), "null": 0, "confusion": matrix.tolist(),
        "scores": score(matrix, [str(i) + c for i, c in enumerate(classes)], 0).to_json(),
        "curve": curve, "kept_epoch": epochs - 1,
    }  # fmt: skip
    record["scores"]["classes"] = list(classes)
    home = store.cell_folder(key)
    home.mkdir(parents=True, exist_ok=True)
    (home / "record.json").write_text(sealed_text(record), encoding="utf-8")
    measured = {"peak_memory_bytes": 1, "seconds": {"train_and_predict": 1.0}}
    (home / "measured.json").write_text(sealed_text(measured))
