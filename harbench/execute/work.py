"""What a worker does with a job: the same in this process, another, or another machine."""

from __future__ import annotations

import math
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from harbench.cost import FittedCost, measure, measure_fitted
from harbench.data.prepared import PreparedFold, prepare
from harbench.data.splits import Fold, classes_of, folds_of
from harbench.data.stream import Stream, open_content, open_stream
from harbench.errors import DataError, HarbenchError
from harbench.execute import ready
from harbench.execute.environment import environment
from harbench.execute.folds import FoldFile, shared
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    CostJob,
    CostResult,
    Failed,
    Finished,
    Job,
    Progress,
    Remark,
)
from harbench.metrics import confusion, score
from harbench.nouns import Dataset, Model, Recipe, Task
from harbench.plan.keys import fold_digest
from harbench.plugins import Registry, load_plugins
from harbench.results.records import Predictions
from harbench.training.cell import TrainedModel, build, device_named, train_cell
from harbench.training.checkpoints import Checkpoint, seconds_between
from harbench.training.curve import Epoch
from harbench.training.estimators import FittedModel, fit_cell, windows_of
from harbench.training.methods import Methods, methods_of
from harbench.training.seeds import be_deterministic


def perform(
    job: Job, report: Callable[[Progress | Remark], None], file: FoldFile | None = None
) -> Finished | Failed:
    """Do a job. Whatever goes wrong in it comes back as :class:`Failed`.

    Args:
        job: To be done.
        report: Told what happens meanwhile.
        file: Where the cell's prepared fold is, or is to be written; None: nobody shares it.
    """
    try:
        if isinstance(job, CostJob):
            return Finished(job, _measure(job))
        return Finished(job, _train(job, report, file))
    except (BrokenPipeError, KeyboardInterrupt):
        # Nobody listens any more.
        raise
    except HarbenchError as error:
        # A builder that finds no memory comes as a model that cannot be built.
        starved = error.__cause__ is not None and _is_of_memory(error.__cause__)
        reason = f"out of memory ({error})" if starved else str(error)
        return Failed(job, reason, traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - a cell's failure never stops the others
        return Failed(job, reason_of(error), traceback.format_exc())


def reason_of(error: BaseException) -> str:
    """In one line what ended a job; that memory was short in so many words."""
    first = _first_line(error)
    named = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return f"out of memory ({named})" if _is_of_memory(error) else named


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "")


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    # torch's allocator of the CPU raises no class of its own.
    first = _first_line(error).lower()
    return "out of memory" in first or ("alloc" in first and "memory" in first)


@cache
def _registry(files: tuple[Path, ...]) -> Registry:
    return ready.registry(files) or load_plugins(files)


def _measure(job: CostJob) -> CostResult:
    # A network that trains by ``algorithms: fast`` alone has a cost all the same.
    be_deterministic(refuse=False)
    model = _registry(job.plugin_files).models.get(job.model)
    module = build(model, job.n_channels, job.n_times, job.n_classes, job.options, seed=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* does not have a deterministic", UserWarning)
        return CostResult(measure(module, job.n_channels, job.n_times).to_json())


def _train(
    job: CellJob, report: Callable[[Progress | Remark], None], file: FoldFile | None
) -> CellResult:
    cell = job.cell
    started = datetime.now(UTC)
    clock, processor = time.perf_counter(), time.process_time()
    registry = _registry(job.plugin_files)
    dataset = registry.datasets.get(cell.dataset)
    model = registry.models.get(cell.model)
    task = dataset.task(cell.task)
    classes, null = classes_of(task, cell.protocol)
    stream = _opened(job, dataset)
    fold, data = shared(file, lambda: _prepared(job, stream, dataset, task, len(classes)))
    # Another cell may have prepared it.
    _refuse_changed(job, stream, fold)
    prepared = time.perf_counter()

    trained = _learnt(job, model, data, report)
    finished = time.perf_counter()
    cost = _cost(model, data, trained) if isinstance(trained, FittedModel) else None
    measured = {
        "started": started.isoformat(timespec="seconds"),
        "asked_for_by": {
            "benchmark": cell.benchmark,
            "row": cell.row,
            "path": None if cell.path is None else str(cell.path),
        },
        "device": "cpu" if cell.recipe is None else str(device_named(job.device)),
        "cost": None if cost is None else cost.to_json(),
        "seconds": {
            "prepare": round(prepared - clock, 3),
            "fit": round(trained.fit_seconds, 4),
            "train_and_predict": round(finished - prepared, 3),
            "processor": round(time.process_time() - processor, 3),
        },
        # The seconds above are of the last process alone.
        "resumed_after_epoch": trained.training.resumed_after,
        "peak_memory_bytes": _peak_memory(),
        "environment": environment(),
    }
    return CellResult(
        _record(job, fold, data, trained, classes, null),
        measured,
        # Here, where many cells do it side by side: who stores them does it for all of them.
        _predictions(stream, fold, trained).packed(),
        save(trained.weights),
    )


def _opened(job: CellJob, dataset: Dataset) -> Stream:
    if job.by_content:
        return open_content(dataset, job.cell.content["data"])
    return open_stream(dataset, job.cell.path)


def _prepared(
    job: CellJob, stream: Stream, dataset: Dataset, task: Task, n_classes: int
) -> tuple[Fold, PreparedFold]:
    cell = job.cell
    folds = folds_of(stream, dataset, task, cell.protocol, cell.length, cell.step)
    fold = next(fold for fold in folds if fold.name == cell.fold)
    _refuse_changed(job, stream, fold)
    data = prepare(
        stream,
        dataset,
        fold,
        channels=cell.channels,
        length=cell.length,
        n_classes=n_classes,
        fill=cell.protocol.fill,
        normalise=cell.protocol.normalise,
    )
    return fold, data


def _refuse_changed(job: CellJob, stream: Stream, fold: Fold) -> None:
    content = job.cell.content
    if stream.digest != content["data"] or fold_digest(fold) != content["windows"]["sha256"]:
        raise DataError(
            "the data changed between planning and training",
            where=f"dataset '{job.cell.dataset}'",
            fix="run again",
        )


def _learnt(
    job: CellJob,
    model: Model,
    data: PreparedFold,
    report: Callable[[Progress | Remark], None],
) -> TrainedModel | FittedModel:
    cell, recipe = job.cell, job.cell.recipe
    if recipe is None:
        return fit_cell(model, data, cell.options, cell.seed)

    def on_epoch(epoch: Epoch) -> None:
        value = epoch.validation.get(recipe.monitor)
        report(Progress(job, epoch.number, recipe.epochs, value, epoch))

    return train_cell(
        model,
        data,
        recipe,
        cell.options,
        cell.seed,
        job.device,
        on_epoch,
        _checkpoint(job, lambda text: report(Remark(job, text))),
        _methods(job, data, recipe),
    )


def _methods(job: CellJob, data: PreparedFold, recipe: Recipe) -> Methods:
    registry = _registry(job.plugin_files)
    dataset = registry.datasets.get(job.cell.dataset)
    channels = [dataset.channels[i] for i in job.cell.channels]
    support = np.bincount(data.train.labels, minlength=data.n_classes)
    return methods_of(recipe, registry, channels, tuple(map(int, support)))


def _cost(model: Model, data: PreparedFold, fitted: FittedModel) -> FittedCost:
    # All windows cost about the same; the first is there in each fold.
    first = (data.test if len(data.test) else data.train)[np.arange(1)]
    return measure_fitted(fitted.estimator, windows_of(data, first), model.counts)


def _checkpoint(job: CellJob, on_trouble: Callable[[str], None]) -> Checkpoint | None:
    if job.checkpoints is None:
        return None
    here = environment()
    identity = {
        "key": job.key,
        "device": str(device_named(job.device)),
        "versions": here["versions"],
        "processor": here["processor"],
    }
    path = job.checkpoints / f"{job.key}.checkpoint"
    return Checkpoint(path, identity, seconds_between(), on_trouble)


def _record(
    job: CellJob,
    fold: Fold,
    data: PreparedFold,
    trained: TrainedModel | FittedModel,
    classes: tuple[str, ...],
    null: int | None,
) -> dict[str, Any]:
    matrix = confusion(data.test.labels, trained.predicted, len(classes))
    cell = job.cell
    return {
        "cell": cell.content,
        # The key holds the windows themselves; this says in words how they came about.
        "settings": {
            "protocol": cell.protocol.model_dump(mode="json"),
            "split": cell.split.model_dump(mode="json"),
            "window": cell.length,
            "step": cell.step,
        },
        "classes": list(classes),
        "null": null,
        "windows": {
            "train": len(fold.train),
            "validation": len(fold.validation),
            "test": len(fold.test),
        },
        "overlap": {"test": fold.test_overlap, "validation": fold.validation_overlap},
        "normaliser": {
            "offset": data.normaliser.offset.tolist(),
            "scale": data.normaliser.scale.tolist(),
            "missing": data.normaliser.missing.tolist(),
            "clip": data.normaliser.clip,
        },
        "confusion": matrix.tolist(),
        "scores": score(matrix, classes, null).to_json(),
        "kept_epoch": trained.training.kept_epoch,
        "stopped_early": trained.training.stopped_early,
        "lowering": trained.training.lowering,
        "precision": trained.training.precision,
        "curve": [
            {
                "epoch": epoch.number,
                "learning_rate": _finite(epoch.learning_rate),
                "train_loss": _finite(epoch.train_loss),
                **{f"validation_{k}": _finite(v) for k, v in epoch.validation.items()},
            }
            for epoch in trained.training.curve
        ],
    }


def _finite(value: float) -> float | None:
    # JSON has no infinity; and a fit has neither learning rate nor loss.
    return value if math.isfinite(value) else None


def _predictions(stream: Stream, fold: Fold, trained: TrainedModel | FittedModel) -> Predictions:
    stops = np.array([recording.stop for recording in stream.recordings])
    which = np.searchsorted(stops, fold.test.starts, side="right")
    begins = np.array([recording.start for recording in stream.recordings])
    names = np.array([recording.name for recording in stream.recordings])
    return Predictions(
        recording=names[which],
        start=fold.test.starts - begins[which],
        true=fold.test.labels.astype(np.int16),
        predicted=trained.predicted.astype(np.int16),
        probabilities=trained.probabilities,
    )


def _peak_memory() -> int:
    """Bytes of resident memory at the highest, of this process, since it began."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
