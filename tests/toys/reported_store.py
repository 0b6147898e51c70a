"""A results folder with all that a report shows, without training: ties, a leak, simulated data,
published numbers, analyses with figures, learning curves, costs."""

import hashlib
import math

import numpy as np

from harbench.config import Benchmark, ModelEntry, dump
from harbench.cost.record import Cost
from harbench.metrics import score
from harbench.nouns import Protocol
from harbench.results import Store
from harbench.results.sealed import sealed_text

CLASSES = ("Null", "wave", "turn")
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="500pt" height="200pt" viewBox="0 0 500 200">'
    '<rect width="500" height="200" fill="#0072b2"/></svg>'
)
ROWS = {"good": 0.9, "same": 0.899, "cheap": 0.7, "poor": 0.5}
AUDIT = {
    "fold": "all", "test_in_validation": 0.0, "normaliser": "training windows", "fill": "forward",
    "label": "majority of the window's own samples", "chosen_by_labels": [], "channels": [3, 3],
}  # fmt: skip


def reported_store(folder, rows=ROWS, *, name="toys", leaky=("cheap",), classes=CLASSES, seeds=5,
                   texts="plain", simulates=None):  # fmt: skip
    """Write a benchmark.

    Args:
        folder: Of the results.
        rows: Row -> share of the windows of each class that is right, about.
        name: Of the benchmark.
        leaky: Rows whose test windows overlap with training windows.
        classes: Names; the first is NULL.
        seeds: Of each row.
        texts: Stands wherever a plugin, a paper or a data file has the say.
        simulates: What the data imitate.
    """
    store = Store(folder)
    settings = Benchmark(
        name=name, title="Toys", dataset="toy", protocol=Protocol(window=20, step=10),
        seeds=tuple(range(seeds)),
        models=tuple(ModelEntry(row=f"row{n}") for n in range(len(rows))),
    )  # fmt: skip
    manifest = {
        "format": 1, "name": name, "title": f"Toys, {texts}", "settings": dump(settings),
        "dataset": "toy", "dataset_title": "Toys", "simulates": simulates, "task": "gestures",
        "classes": list(classes), "null": 0, "split": "subjects", "allow_leakage": bool(leaky),
        "within": "recording", "rate_hz": 50.0, "missing": None, "rows": [],
    }  # fmt: skip
    for number, (row, mean) in enumerate(rows.items()):
        cells = []
        for seed in range(seeds):
            key = hashlib.sha256(f"{name} {number} {seed}".encode()).hexdigest()
            cells.append({"fold": "all", "seed": seed, "key": key})
            _write_cell(store, key, row, mean, classes, np.random.default_rng([number, seed]), seed)
        cost = f"cost{number}"
        store.write_cost(cost, _cost(1000 * 4 ** (len(rows) - number if number < 9 else 1)))
        manifest["rows"].append(_row(row, number, cells, cost, classes, row in leaky, texts))
    store.write_benchmark(name, manifest)
    _write_analysis(store, manifest, next(iter(rows)), texts)
    return store


def _row(row, number, cells, cost, classes, leaks, texts):
    shared = 0.5 if leaks else 0.0
    none = {"n": 1, "names": []}
    parts = {
        part: {"windows": n, "shared": shared if part == "test" else 0.0, "subjects": none,
               "sessions": none, "recordings": {"n": 1, "names": [texts]}, "gaps": None}
        for part, n in (("train", 600), ("test", 100 * len(classes)))
    }  # fmt: skip
    published = {
        "row": texts, "source": f"{texts} 2026, Table 1",
        "printed": {"NF": "88.8", "parameters": "0.5M*"}, "defects": {"parameters": texts},
        "protocol": texts,
    }  # fmt: skip
    return {
        "row": row, "model": row, "kind": "network", "citation": texts,
        "stand_in": texts if number == 1 else "", "options": {"text": texts},
        "recipe": {"epochs": 5},
        "length": 20, "step": 10, "n_channels": 3, "n_classes": len(classes), "cost": cost,
        "code": None, "published": [published] if number == 0 else [], "cells": cells,
        "folds": [{
            "name": "all", "windows": {"train": 600, "validation": 0, "test": 100 * len(classes)},
            "windows_as_one_stream": {}, "support": [100] * len(classes), "test_overlap": shared,
            "validation_overlap": 0, "audit": {**AUDIT, "parts": parts},
        }],
    }  # fmt: skip


def _cost(n):
    numbers = {
        "parameters": n, "parameters_with_buffers": n + 7, "macs": 9 * n, "weight_bytes": 4 * n,
        "latency_median_ms": n / 1000, "latency_p95_ms": n / 900,
    }  # fmt: skip
    known = dict.fromkeys(Cost.__dataclass_fields__)
    return {**known, **numbers, "counters_agree": True, "counters_note": ""}


def _write_cell(store, key, row, mean, classes, rng, seed):
    k = len(classes)
    matrix = np.zeros((k, k), int)
    for true in range(k):
        right = min(100, max(0, round(100 * (mean + 0.02 * rng.normal()))))
        matrix[true, true] = right
        matrix[true, (true + 1) % k] += 100 - right
    record = {
        "key": key,
        "cell": {
            "data": "d" * 64, "model": row, "source": "c" * 64, "distribution": ["mine", "1.0"],
            "channels": ["acc x", "acc y", "acc z"], "harbench": "b" * 64, "seed": seed,
            "windows": {"length": 20, "step": 10, "sha256": "e" * 64},
        },
        "settings": {"protocol": {"window": 20, "step": 10}},
        "classes": list(classes), "null": 0, "confusion": matrix.tolist(),
        "scores": score(matrix, [f"{n}" for n in range(k)], 0).to_json(),
        "curve": [
            {"epoch": e + 1, "train_loss": math.exp(-e), "validation_loss": 0.2 + math.exp(-e / 2),
             "validation_nf": mean * (1 - math.exp(-e - 1))}
            for e in range(5)
        ],
        "kept_epoch": 5,
        "sha256": {"predictions.npz": "f" * 64, "weights.safetensors": "a" * 64},
    }  # fmt: skip
    record["scores"]["classes"] = list(classes)
    measured = {
        "started": f"2026-01-0{seed % 9 + 1}T00:00:00+00:00", "device": "cpu",
        "peak_memory_bytes": 1, "seconds": {"train_and_predict": 1.0},
        "environment": {"versions": {"torch": "2.0"}, "processor": "abacus", "cores": 2},
    }  # fmt: skip
    home = store.cell_folder(key)
    home.mkdir(parents=True, exist_ok=True)
    (home / "record.json").write_text(sealed_text(record), encoding="utf-8")
    (home / "measured.json").write_text(sealed_text(measured), encoding="utf-8")


def _write_analysis(store, manifest, row, texts):
    content = {
        "format": 1, "key": "k", "benchmark": manifest["name"], "analysis": "ablation",
        "options": {"by": texts}, "simulates": manifest["simulates"],
        "tables": {
            f"{texts}: shortest list": {"columns": ["row", "k", texts],
                                        "rows": [[row, 1, texts], [row, 2, None]]},
        },
        "notes": [f"Note of {texts}."], "figures": ["curve"],
        "cells": [cell["key"] for cell in manifest["rows"][0]["cells"]], "trained": [],
    }  # fmt: skip
    files = {"curve.svg": SVG.encode(), "curve.png": b"", "curve.pdf": b""}
    store.write_analysis(manifest["name"], "ablation", content, files)
