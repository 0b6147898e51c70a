"""A results folder whose scores are given, without training."""

from harbench.results import Store
from harbench.results.sealed import sealed_text


def scored_store(folder, rows, name="toys", *, simulates=None, windows=None, length=20, overlap=0):
    """Write a benchmark with these scores.

    Args:
        folder: Of the results.
        rows: Row -> {(fold, seed): score}; None is a cell that is not finished.
        name: Of the benchmark.
        simulates: Of the manifest.
        windows: Fold -> (train, test); 600 and 100 where not given.
        length: Of the windows; or row -> length.
        overlap: Share of test windows that share samples with training windows; or row -> share.
    """
    store = Store(folder)
    manifest = {
        "format": 1, "name": name, "title": "Toys", "dataset": "toy", "simulates": simulates,
        "task": "gestures", "classes": ["a", "b"], "null": None, "split": "loso",
        "within": "recording", "rate_hz": 50.0, "missing": None, "rows": [],
    }  # fmt: skip
    for row, scores in rows.items():
        folds = list(dict.fromkeys(fold for fold, _ in scores))
        sizes = {fold: (windows or {}).get(fold, (600, 100)) for fold in folds}
        cells = []
        for (fold, seed), score in scores.items():
            key = f"{name}-{row}-{fold}-{seed}".encode().hex()
            cells.append({"fold": fold, "seed": seed, "key": key})
            if score is None:
                continue
            home = store.cell_folder(key)
            home.mkdir(parents=True, exist_ok=True)
            metrics = dict.fromkeys(("nf", "macro_f1", "accuracy", "balanced_accuracy"), score)
            record = {"scores": {**metrics, "nf_without_null": None}}
            (home / "record.json").write_text(sealed_text(record))
            measured = {"peak_memory_bytes": 1, "seconds": {"train_and_predict": 1.0}}
            (home / "measured.json").write_text(sealed_text(measured))
        manifest["rows"].append({
            "row": row, "model": row, "citation": "", "stand_in": None, "options": {},
            "recipe": {}, "length": length if isinstance(length, int) else length[row],
            "step": 10, "n_channels": 3, "n_classes": 2, "cost": "none", "published": [],
            "folds": [
                {
                    "name": fold,
                    "windows": {"train": train, "validation": 0, "test": test},
                    "windows_as_one_stream": {}, "support": [60, 40],
                    "test_overlap": overlap[row] if isinstance(overlap, dict) else overlap,
                    "validation_overlap": 0, "audit": None,
                }
                for fold, (train, test) in sizes.items()
            ],
            "cells": cells,
        })  # fmt: skip
    store.write_benchmark(name, manifest)
    return store
