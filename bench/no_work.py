"""Cells of no work: what a worker sends back at once, as large as a small cell's result."""

from __future__ import annotations

from functools import cache

import numpy as np

from harbench.execute.jobs import CellJob, CellResult, Finished
from harbench.results.records import Predictions

WINDOWS, CLASSES, EPOCHS, PARAMETERS = 500, 7, 30, 18_647
"""Of a cell of quickstart: resnet-like, and about the test windows of three subjects."""


def no_work(job: CellJob) -> Finished:
    """Instead of training a cell: a result of the usual size, made up."""
    record, predictions, weights = _made_up()
    record = {"cell": job.cell.content, **record}
    return Finished(job, CellResult(record, {"seconds": {"prepare": 0.0}}, predictions, weights))


@cache
def _made_up() -> tuple[dict[str, object], bytes, bytes]:
    from safetensors.numpy import save

    rng = np.random.default_rng(0)
    drawn = rng.integers(0, CLASSES, (2, WINDOWS)).astype(np.int16)
    probabilities = rng.dirichlet(np.ones(CLASSES), WINDOWS).astype(np.float32)
    curve = [
        {"epoch": epoch, "learning_rate": 1e-3, "train_loss": 1 / epoch, "validation_nf": 0.5}
        for epoch in range(1, EPOCHS + 1)
    ]
    record = {"classes": [f"class {i}" for i in range(CLASSES)], "null": None, "curve": curve}
    predictions = Predictions(
        np.array(["s1"] * WINDOWS), np.arange(WINDOWS), drawn[0], drawn[1], probabilities
    )
    weights = save({"weight": rng.normal(size=PARAMETERS).astype(np.float32)})
    return record, predictions.packed(), weights
