"""The behavioural probe of leakage: change test samples, train again, compare the weights' bits."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import numpy as np
from safetensors.torch import save

from harbench.config import merge_recipe
from harbench.data.channels import chosen_channels
from harbench.data.prepared import prepare
from harbench.data.splits import classes_of, folds_of
from harbench.data.stream import Stream
from harbench.data.windows import covered
from harbench.nouns import Dataset, Model, Protocol, Recipe
from harbench.training.cell import train_cell
from harbench.training.estimators import fit_cell


@dataclass(frozen=True)
class Probe:
    """Trains the first fold of a dataset as a cell is trained, on this stream or a changed one."""

    model: Model
    dataset: Dataset
    protocol: Protocol
    length: int
    step: int
    recipe: Recipe

    def fold(self, stream: Stream):
        task = self.dataset.task(self.protocol.task)
        return folds_of(stream, self.dataset, task, self.protocol, self.length, self.step)[0]

    def train(self, stream: Stream) -> tuple[bytes, np.ndarray]:
        """The trained weights (the fitted estimator) as bytes, and what it says of test windows."""
        task = self.dataset.task(self.protocol.task)
        data = prepare(
            stream,
            self.dataset,
            self.fold(stream),
            channels=chosen_channels(self.dataset, self.protocol),
            length=self.length,
            n_classes=len(classes_of(task, self.protocol)[0]),
            fill=self.protocol.fill,
            normalise=self.protocol.normalise,
        )
        if self.model.recipe is None:
            fitted = fit_cell(self.model, data, self.model.options, seed=0)
            return pickle.dumps(fitted.estimator), fitted.probabilities
        recipe = merge_recipe(self.model.recipe, self.recipe)
        trained = train_cell(self.model, data, recipe, self.model.options, seed=0)
        return save(trained.weights), trained.probabilities

    def samples(self, stream: Stream, part: str) -> np.ndarray:
        """Those that the windows of a part hold."""
        starts = getattr(self.fold(stream), part).starts
        return np.flatnonzero(covered(starts, self.length, len(stream.signals)))


def changed(stream: Stream, samples, value) -> Stream:
    """The stream with other values at some samples, in every channel."""
    signals = np.array(stream.signals)
    signals[samples] = value
    return replace(stream, signals=signals)


def relabelled(stream: Stream, task: str, samples, n_classes: int) -> Stream:
    """The stream with every label at some samples moved on by one."""
    labels = np.array(stream.labels[task])
    labels[samples] = np.where(labels[samples] >= 0, (labels[samples] + 1) % n_classes, -1)
    return replace(stream, labels={**stream.labels, task: labels})


def disturbances(probe: Probe, stream: Stream, seed: int = 0) -> dict[str, Stream]:
    """Streams that differ in test samples alone: one at random, or all of them."""
    rng = np.random.default_rng(seed)
    task = probe.dataset.task(probe.protocol.task)
    test = probe.samples(stream, "test")
    one, other = rng.choice(test, 2)
    noise = rng.normal(0, 50, (len(test), stream.signals.shape[1]))
    return {
        "one becomes NaN": changed(stream, one, np.nan),
        "one becomes huge": changed(stream, other, 1e30),
        "all become noise": changed(stream, test, noise),
        "all are labelled otherwise": relabelled(stream, task.name, test, len(task.classes)),
    }
