"""What a file of a network says about itself, so that it can be used and cited without harbench."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import harbench
from harbench.execute.exporting.recovered import Recovered


def facts_of(cell: Recovered) -> dict[str, Any]:
    """The facts of an exported network, JSON-like; texts stay texts in ONNX's metadata.

    ``channels`` and ``classes`` are in the order of the graph's axes. No path of this machine is
    among them.
    """
    record, measured = cell.stored.record, cell.stored.measured
    content, settings = record["cell"], record["settings"]
    dataset, environment = cell.dataset, measured.get("environment", {})
    git = environment.get("git") or {}
    simulated = f"SIMULATED data in the format of {dataset.simulates}. " * bool(dataset.simulates)
    fill = cell.data.protocol.fill
    return {
        "harbench": harbench.__version__,
        "description": (
            f"{simulated}{content['model']} trained on {dataset.name}, task {content['task']}, "
            f"fold {content['fold']}, seed {content['seed']}. Input: float32 [batch, "
            f"{len(cell.channels)} channels, {cell.data.length} samples] as recorded, in the units "
            f"of the channels, gaps filled before ({fill}), NaN where nothing is known. "
            "Normalisation is inside. Outputs: logits, and their softmax."
        ),
        "key": cell.stored.key,
        "commit": git.get("commit"),
        "commit_changed": git.get("changed"),
        "trained_with": environment.get("versions", {}),
        "weights_sha256": record["sha256"]["weights.safetensors"],
        "model": content["model"],
        "model_citation": cell.citation,
        "options": content["options"],
        "recipe": content["recipe"],
        "seed": content["seed"],
        "dataset": dataset.name,
        "dataset_title": dataset.title,
        "dataset_licence": dataset.licence,
        "dataset_citation": dataset.citation.text,
        "simulates": dataset.simulates,
        "task": content["task"],
        "classes": list(cell.data.classes),
        "null": record["null"],
        "channels": [asdict(channel) for channel in cell.channels],
        "sampling_rate_hz": dataset.rate_hz,
        "window_samples": cell.data.length,
        "step_samples": settings["step"],
        "fill": fill,
        "normalise": cell.data.protocol.normalise,
        "protocol": settings["protocol"],
        "split": settings["split"],
        "fold": content["fold"],
        "test_nf": record["scores"]["nf"],
    }
