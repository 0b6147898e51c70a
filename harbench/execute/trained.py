"""Trained cells brought back from the store: network, weights, and the windows they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harbench.data.prepared import PreparedFold, prepare
from harbench.data.splits import Fold, folds_of
from harbench.data.stream import Stream, open_stream
from harbench.errors import DataError, ResultsError
from harbench.nouns import Dataset, LoadedCell, Model, Protocol, Task, TrainedCell
from harbench.plan.keys import fold_digest
from harbench.plugins import Registry
from harbench.results import Store, StoredCell

if TYPE_CHECKING:
    from torch import nn


def trained_cells(
    store: Store, benchmark: str, registry: Callable[[], Registry]
) -> list[TrainedCell]:
    """The finished cells of a benchmark, row by row.

    Args:
        store: Results folder.
        benchmark: Its name.
        registry: Gives the plugins, when a cell is loaded.

    Raises:
        ResultsError: the benchmark was never run into this store.
    """
    manifest = store.benchmark(benchmark)
    return [
        trained_cell(
            store,
            registry,
            benchmark=benchmark,
            row=row["row"],
            fold=cell["fold"],
            seed=cell["seed"],
            key=cell["key"],
            cost_key=row["cost"],
            simulates=manifest["simulates"],
            rate_hz=manifest.get("rate_hz"),
        )
        for row in manifest["rows"]
        for cell in row["cells"]
        if store.has(cell["key"])
    ]


def trained_cell(
    store: Store,
    registry: Callable[[], Registry],
    *,
    benchmark: str,
    row: str,
    fold: str,
    seed: int,
    key: str,
    cost_key: str,
    simulates: str | None,
    rate_hz: float | None,
) -> TrainedCell:
    """A finished cell of the store, as analyses are given it.

    Raises:
        ResultsError: it is not there, or is not what harbench writes.
    """
    stored = store.read(key)
    return TrainedCell(
        row=row,
        fold=fold,
        seed=seed,
        folder=stored.folder,
        record=stored.record,
        load=partial(_load_later, stored, registry),
        benchmark=benchmark,
        key=key,
        simulates=simulates,
        cost=store.cost(cost_key),
        rate_hz=rate_hz,
    )


def _load_later(stored: StoredCell, registry: Callable[[], Registry]) -> LoadedCell:
    return load_cell(stored, registry())


@dataclass(frozen=True)
class CellData:
    """The recordings and windows that a stored cell was trained and tested on.

    Args:
        stream, dataset, task, protocol, fold: As they were.
        channels: Columns of the stream that the model sees, in order.
        length: Samples of a window.
        classes: That the model's outputs stand for.
    """

    stream: Stream
    dataset: Dataset
    task: Task
    protocol: Protocol
    fold: Fold
    channels: tuple[int, ...]
    length: int
    classes: tuple[str, ...]

    def prepare(self) -> PreparedFold:
        """Filled and normalised as for the training."""
        return prepare(
            self.stream,
            self.dataset,
            self.fold,
            channels=self.channels,
            length=self.length,
            n_classes=len(self.classes),
            fill=self.protocol.fill,
            normalise=self.protocol.normalise,
        )


def data_of(stored: StoredCell, dataset: Dataset) -> CellData:
    """The data of a stored cell.

    Raises:
        DataMissingError: the dataset's files are not here.
        DataError: they are not the files that it was trained on.
    """
    facts: dict[str, Any] = stored.record["cell"]
    settings = stored.record["settings"]
    task = dataset.task(facts["task"])
    protocol = Protocol.model_validate({**settings["protocol"], "split": settings["split"]})
    path = stored.measured["asked_for_by"]["path"]
    stream = open_stream(dataset, Path(path) if path else None)
    length, step = settings["window"], settings["step"]
    folds = folds_of(stream, dataset, task, protocol, length, step)
    fold = next((fold for fold in folds if fold.name == facts["fold"]), None)
    if (
        stream.digest != facts["data"]
        or fold is None
        or fold_digest(fold) != facts["windows"]["sha256"]
    ):
        raise DataError(
            f"dataset '{dataset.name}' is not what this cell was trained on",
            where=str(stored.folder),
            expected="the same files, reader and windows",
            fix="harbench run benchmarks.yaml",
        )
    names = [channel.name for channel in dataset.channels]
    chosen = tuple(names.index(name) for name in facts["channels"])
    classes = tuple(stored.record["classes"])
    return CellData(stream, dataset, task, protocol, fold, chosen, length, classes)


def load_cell(stored: StoredCell, registry: Registry) -> LoadedCell:
    """A stored cell with its network and windows.

    An estimator is not kept, for only a pickle could bring it back. In its place stands a module
    that says so when it is asked for logits; the windows are there.

    Raises:
        ResultsError: the weights are missing or not those of the record.
        ConfigError: no installed plugin offers its model or dataset.
        DataMissingError: the dataset's files are not here.
        DataError: they are not the files that it was trained on.
    """
    facts: dict[str, Any] = stored.record["cell"]
    where = str(stored.folder)
    dataset = registry.datasets.get(facts["dataset"], where=where)
    model = registry.models.get(facts["model"], where=where)
    weights = stored_weights(stored) if facts["recipe"] is not None else None
    found = data_of(stored, dataset)
    data = found.prepare()

    def fresh(seed: int) -> nn.Module:
        if weights is None:
            return _no_network(facts["model"], stored)
        return _built(model, found, facts["options"], seed)

    module = fresh(facts["seed"]) if weights is None else network_of(stored, model, found, weights)
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return LoadedCell(
        module=module,
        fresh=fresh,
        signals=data.signals,
        length=found.length,
        starts={name: part.starts for name, part in parts.items()},
        labels={name: part.labels for name, part in parts.items()},
        dataset=dataset,
        task=found.task,
        channels=tuple(dataset.channels[i] for i in found.channels),
        classes=found.classes,
        null=stored.record["null"],
        samples=_sample_classes(found.stream, found.fold, found.task, found.protocol),
    )


def network_of(
    stored: StoredCell, model: Model, data: CellData, weights: Mapping[str, Any]
) -> nn.Module:
    """The network of a stored cell, on the CPU, in evaluation mode.

    Args:
        stored: Of which.
        model: As registered.
        data: For its shapes.
        weights: From :func:`stored_weights`.

    Raises:
        ModelError: the model cannot be built.
        ResultsError: the weights do not fit it.
    """
    facts = stored.record["cell"]
    module = _built(model, data, facts["options"], facts["seed"])
    _put(weights, module, model.name, str(stored.folder))
    return module


def _built(model: Model, data: CellData, options: Mapping[str, Any], seed: int) -> nn.Module:
    from harbench.training.cell import build

    shape = (len(data.channels), data.length, len(data.classes))
    return build(model, *shape, options, seed).eval()


def _put(weights: Mapping[str, Any], module: nn.Module, model: str, where: str) -> None:
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ResultsError(
            f"the stored weights do not fit model '{model}' as it is now: "
            f"{str(error).splitlines()[-1].strip()}",
            where=where,
            fix="harbench run benchmarks.yaml",
        ) from error


def _no_network(model: str, stored: StoredCell) -> nn.Module:
    from torch import nn

    row = stored.measured["asked_for_by"]["row"]

    class NoNetwork(nn.Module):
        """Stands where a network would, for analyses that ask for its windows alone."""

        def forward(self, *_: Any) -> Any:
            raise ResultsError(
                f"row '{row}' has no network: its model '{model}' is an estimator, of which "
                "predictions and scores are kept",
                where=str(stored.folder),
                expected="a row whose model is a network",
                fix="harbench models",
            )

    return NoNetwork().eval()


def _sample_classes(
    stream: Stream, fold: Fold, task: Task, protocol: Protocol
) -> dict[str, NDArray[np.int64]]:
    """Recordings that hold test windows -> the class of each of their samples."""
    labels = stream.labels[task.name]
    starts, found = fold.test.starts, {}
    for recording in stream.recordings:
        if ((starts >= recording.start) & (starts < recording.stop)).any():
            of_it = np.asarray(labels[recording.start : recording.stop], np.int64)
            if protocol.null == "drop" and task.null is not None:
                of_it = np.where(of_it == task.null, -1, of_it - (of_it > task.null))
            found[recording.name] = of_it
    return found


def stored_weights(stored: StoredCell) -> dict[str, Any]:
    """The tensors of a cell, by name.

    Raises:
        ResultsError: they are not there, are not those of the record, or are no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = stored.folder / "weights.safetensors"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultsError(
            f"the weights of this cell are not there: {error.strerror}",
            where=str(path),
            fix="harbench run benchmarks.yaml --force",
        ) from error
    if hashlib.sha256(content).hexdigest() != stored.record["sha256"]["weights.safetensors"]:
        raise ResultsError(
            "the weights are not those of the record",
            where=str(path),
            fix="harbench run benchmarks.yaml --force",
        )
    try:
        return load(content)
    # torch's own: a type that this version of it does not have.
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ResultsError(
            f"the weights cannot be read: {str(error) or type(error).__name__}",
            where=str(path),
            fix="harbench run benchmarks.yaml --force",
        ) from error
