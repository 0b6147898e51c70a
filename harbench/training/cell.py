"""One cell, from a prepared fold to stored truth: build, train, predict, score."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harbench.data.prepared import PreparedFold
from harbench.errors import ConfigError, HarbenchError, ModelError
from harbench.nouns import Model
from harbench.nouns.recipe import Recipe
from harbench.training.batches import WindowBatches
from harbench.training.checkpoints import Checkpoint
from harbench.training.curve import Epoch, Training
from harbench.training.loop import logits_of, train
from harbench.training.lowering import CHANNELS_LAST, lowered
from harbench.training.methods import Methods
from harbench.training.seeds import be_deterministic, be_fast, refused_as_such, seed_everything


@dataclass(frozen=True)
class TrainedModel:
    """A trained network and what it said about the test windows.

    Args:
        module: On the CPU.
        training: Its learning curve.
        probabilities: float32 [n_test_windows, n_classes], softmax of the logits.
        fit_seconds: What the training took; of the last process alone, where it was resumed.
    """

    module: nn.Module
    training: Training
    probabilities: NDArray[np.float32]
    fit_seconds: float

    @property
    def predicted(self) -> NDArray[np.int64]:
        """int64 [n_test_windows], the most probable class; the lowest number on a tie."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def weights(self) -> dict[str, Tensor]:
        """Parameters and buffers by name."""
        return {
            name: value.detach().contiguous() for name, value in self.module.state_dict().items()
        }


def build(
    model: Model,
    n_channels: int,
    n_times: int,
    n_classes: int,
    options: Mapping[str, Any],
    seed: int,
) -> nn.Module:
    """The network with its initial weights, which depend on the seed alone.

    Raises:
        ModelError: the builder raised, or did not return a module.
    """
    seed_everything(seed, "weights")
    try:
        module = model.build(n_channels, n_times, n_classes, **options)
    except HarbenchError:
        raise
    except Exception as error:
        raise ModelError(
            f"model '{model.name}' cannot be built for {n_channels} channels, {n_times} samples, "
            f"{n_classes} classes: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"the builder of model '{model.name}' returned {type(module).__name__}",
            expected="a torch.nn.Module",
        )
    return module


def device_named(name: str) -> torch.device:
    """``cpu``, ``cuda``, ``cuda:1``, or ``auto``: CUDA where there is one.

    Raises:
        ConfigError: CUDA was asked for and is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(
            f"no device is called '{name}'", where="--device", expected="cpu, cuda, cuda:N or auto"
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "this torch sees no CUDA device",
            where="--device",
            expected="a GPU and a CUDA build of torch",
            fix="--device cpu",
        )
    return device


def train_cell(
    model: Model,
    data: PreparedFold,
    recipe: Recipe,
    options: Mapping[str, Any],
    seed: int,
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] | None = None,
    checkpoint: Checkpoint | None = None,
    methods: Methods | None = None,
) -> TrainedModel:
    """Train one model on one fold with one seed, and let it predict the test windows.

    The same seed on the same machine gives the same bits, whether or not the training was stopped
    and resumed from ``checkpoint``; see :func:`harbench.training.loop.train`. Not so where the
    recipe's ``algorithms`` are ``fast``.

    Raises:
        ModelError: an operation of the network has no deterministic form, and the recipe wants one.
    """
    if recipe.algorithms == "fast":
        be_fast()
    else:
        be_deterministic()
    place = device_named(device)
    module = build(model, data.signals.shape[1], data.length, data.n_classes, options, seed)
    module.to(place)
    batches = WindowBatches(data, place)
    begin = time.perf_counter()
    with refused_as_such(place):
        training = train(module, data, batches, recipe, seed, on_epoch, checkpoint, methods)
    fit_seconds = time.perf_counter() - begin
    # In the layout that it was trained and validated in.
    is_lowered = training.lowering == CHANNELS_LAST
    with lowered(module) if is_lowered else nullcontext():
        batches = batches.channels_last() if is_lowered else batches
        logits = torch.from_numpy(logits_of(module, data.test, batches, recipe.precision))
    probabilities = torch.softmax(logits, dim=1).numpy()
    return TrainedModel(module.cpu(), training, probabilities, fit_seconds)
