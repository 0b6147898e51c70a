"""The training loop: epochs, validation, early stopping, and the weights that are kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows
from harbench.errors import ConfigError, HarbenchError, ModelError
from harbench.metrics import confusion, score
from harbench.nouns.recipe import Recipe
from harbench.training.batches import WindowBatches
from harbench.training.checkpoints import Checkpoint
from harbench.training.curve import Best, Epoch, Training
from harbench.training.optimisers import optimiser_of, schedule_of
from harbench.training.seeds import derived, seed_everything
from harbench.training.state import TrainingState

EVALUATION_BATCH = 1024
"""Windows in a step without gradients: large enough to be fast, small enough for any memory."""


class TrainingFailedError(HarbenchError):
    """A training that cannot give a result: the loss is no longer a number."""


def train(
    model: nn.Module,
    data: PreparedFold,
    batches: WindowBatches,
    recipe: Recipe,
    seed: int,
    on_epoch: Callable[[Epoch], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Train a network, in place.

    Args:
        model: On the device of ``batches``; takes [batch, n_channels, n_times], returns logits.
        data: Training and validation windows. No test window is touched.
        batches: Of the same fold.
        recipe: How.
        seed: Draws the order of the windows and all that the network draws while training.
        on_epoch: Told after every epoch; where it resumes, of the last epoch done first.
        checkpoint: Where it is saved now and then, and resumed from. The bits are the same.

    Raises:
        TrainingFailedError: the loss is not finite.
        ModelError: the network's output is not [batch, n_classes].
    """
    device = batches.device
    optimiser = optimiser_of(recipe, model.parameters())
    schedule = schedule_of(recipe, optimiser)
    weights = _class_weights(recipe, data)
    class_weights = None if weights is None else torch.tensor(weights, device=device).float()
    order = torch.Generator().manual_seed(derived(seed, "order"))
    seed_everything(seed, "training")
    state = TrainingState(model, optimiser, schedule, order, device)
    curve: list[Epoch] = []
    best: Best | None = None
    if checkpoint is not None and (found := checkpoint.resume(state)) is not None:
        curve, best = found
        if on_epoch:
            on_epoch(curve[-1])
    resumed_after = len(curve)
    stopped_early = False
    for number in range(resumed_after + 1, recipe.epochs + 1):
        rate = float(optimiser.param_groups[0]["lr"])
        loss = _train_epoch(model, data, batches, recipe, optimiser, class_weights, order, number)
        validation = evaluate(model, data.validation, batches, data.n_classes)
        schedule.after_epoch(validation.get("loss", loss))
        curve.append(Epoch(number, rate, loss, validation))
        if on_epoch:
            on_epoch(curve[-1])
        if validation:
            monitored = validation[recipe.monitor] * (-1 if recipe.monitor == "loss" else 1)
            if best is None or monitored > best.monitored:
                keep = copy.deepcopy(model.state_dict()) if recipe.keep == "best" else {}
                best = Best(monitored, number, keep)
            elif recipe.patience is not None and number - best.epoch >= recipe.patience:
                stopped_early = True
                break
        if checkpoint is not None and number < recipe.epochs:
            checkpoint.after_epoch(state, curve, best)
    kept = len(curve)
    if best is not None and recipe.keep == "best":
        model.load_state_dict(best.weights)
        kept = best.epoch
    return Training(tuple(curve), kept, stopped_early, resumed_after)


def _train_epoch(
    model: nn.Module,
    data: PreparedFold,
    batches: WindowBatches,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    class_weights: Tensor | None,
    order: torch.Generator,
    number: int,
) -> float:
    model.train()
    total = 0.0
    n_windows = 0
    for step, (x, y) in enumerate(batches.shuffled(data.train, recipe.batch_size, order), 1):
        optimiser.zero_grad(set_to_none=True)
        logits = model(x)
        if number == 1 and step == 1:
            check_logits(logits, len(x), data.n_classes)
        loss = functional.cross_entropy(
            logits, y, weight=class_weights, label_smoothing=recipe.label_smoothing
        )
        torch.autograd.backward(loss)
        if recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimiser.step()
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingFailedError(
                f"the loss is {value} in epoch {number}, step {step}",
                expected="a finite loss; a smaller learning rate or clip_norm may help",
            )
        total += value * len(x)
        n_windows += len(x)
    return total / max(n_windows, 1)


def check_logits(logits: Tensor, n_windows: int, n_classes: int) -> None:
    """Refuse an output that is not [n_windows, n_classes].

    Raises:
        ModelError: with the shape that was found.
    """
    shape = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if shape != [n_windows, n_classes]:
        raise ModelError(
            f"the model returned {shape} for a batch of {n_windows} windows",
            expected=f"logits [{n_windows}, {n_classes}]",
        )


@torch.inference_mode()
def logits_of(model: nn.Module, windows: Windows, batches: WindowBatches) -> NDArray[np.float32]:
    """Logits float32 [n_windows, n_classes], the network in evaluation mode."""
    model.eval()
    pieces = [model(x).float().cpu() for x, _ in batches.in_order(windows, EVALUATION_BATCH)]
    found: NDArray[np.float32] = torch.cat(pieces).numpy()
    return found


def evaluate(
    model: nn.Module, windows: Windows, batches: WindowBatches, n_classes: int
) -> dict[str, float]:
    """ "loss" (plain cross-entropy), "nf", "macro_f1" and "accuracy"; empty without windows."""
    if len(windows) == 0:
        return {}
    logits = logits_of(model, windows, batches)
    loss = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(windows.labels))
    matrix = confusion(windows.labels, logits.argmax(axis=1), n_classes)
    scores = score(matrix, tuple(map(str, range(n_classes))), None)
    return {
        "loss": float(loss),
        "nf": scores.nf,
        "macro_f1": scores.macro_f1,
        "accuracy": scores.accuracy,
    }


def _class_weights(recipe: Recipe, data: PreparedFold) -> NDArray[np.float64] | None:
    if recipe.class_weights == "none":
        return None
    if recipe.class_weights == "balanced":
        counts = np.bincount(data.train.labels, minlength=data.n_classes)
        # A class without a training window cannot be learnt; any weight will do.
        return np.asarray(len(data.train) / (data.n_classes * np.maximum(counts, 1)))
    if len(recipe.class_weights) != data.n_classes:
        raise ConfigError(
            f"{len(recipe.class_weights)} class weights for {data.n_classes} classes",
            where="recipe.class_weights",
            expected="one number a class",
        )
    return np.array(recipe.class_weights)
