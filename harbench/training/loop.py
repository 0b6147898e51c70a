"""The training loop: epochs, validation, early stopping, and the weights that are kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows
from harbench.errors import HarbenchError, ModelError
from harbench.metrics import confusion, score
from harbench.nouns.recipe import Precision, Recipe
from harbench.nouns.training import TrainingBatch
from harbench.training.augmenting import Augmented
from harbench.training.batches import TrainingBatches, WindowBatches
from harbench.training.checkpoints import Checkpoint
from harbench.training.curve import Best, Epoch, Training
from harbench.training.lowering import CHANNELS_LAST, COMPARED, channels_last, lowered, lowering_of
from harbench.training.methods import Methods
from harbench.training.objective import Objective
from harbench.training.optimisers import optimiser_of, schedule_of
from harbench.training.precision import first_step, logits_in, refuse_infinite
from harbench.training.seeds import (
    derived,
    fill_new_memory,
    new_memory_as_before,
    seed_everything,
)
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
    methods: Methods | None = None,
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
        methods: The loss and the augmentations that the recipe names; None where it names none.

    Unless the recipe says otherwise, the network's layers run in the fastest layout where that is
    seen to be the same; see :func:`harbench.training.lowering.lowering_of`.

    Raises:
        TrainingFailedError: the loss is not finite.
        ModelError: the network's output is not [batch, n_classes], or it cannot run in the
            recipe's precision.
        ValueError: the methods are not those of the recipe.
    """
    methods = methods or Methods()
    methods.check(recipe)
    if recipe.lowering == "none":
        lowering = "none: the recipe says so"
    else:
        lowering = lowering_of(model, *_first(batches, data))
    with lowered(model) if lowering == CHANNELS_LAST else nullcontext(), new_memory_as_before():
        training = _train(
            model, data, batches, recipe, seed, on_epoch, checkpoint, methods, lowering
        )
    return replace(training, lowering=lowering, precision=recipe.precision)


def _first(batches: WindowBatches, data: PreparedFold) -> tuple[Tensor, Tensor]:
    """The first training windows, in order: nothing is drawn."""
    windows = data.train[np.arange(min(COMPARED, len(data.train)))]
    return next(batches.in_order(windows, COMPARED), (torch.empty(0), torch.empty(0)))


def _train(
    model: nn.Module,
    data: PreparedFold,
    batches: WindowBatches,
    recipe: Recipe,
    seed: int,
    on_epoch: Callable[[Epoch], None] | None,
    checkpoint: Checkpoint | None,
    methods: Methods,
    lowering: str,
) -> Training:
    device = batches.device
    plain, layout = batches, None
    if lowering == CHANNELS_LAST:
        batches, layout = batches.channels_last(), channels_last
    optimiser = optimiser_of(recipe, model.parameters())
    schedule = schedule_of(recipe, optimiser)
    objective = Objective(recipe, data, methods.loss[1] if methods.loss else None, device)
    order = torch.Generator().manual_seed(derived(seed, "order"))
    draws = {"order": order}
    source: Iterable[TrainingBatch] = TrainingBatches(
        plain if methods.augmentations else batches, data.train, recipe, order
    )
    if methods.augmentations:
        # On the device: the noise of a batch takes longer to move there than to draw.
        chance = torch.Generator(device).manual_seed(derived(seed, "augmentation"))
        draws["augmentation"] = chance
        source = Augmented(source, methods.augmentations, chance, layout)
    seed_everything(seed, "training")
    state = TrainingState(model, optimiser, schedule, draws, device)
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
        loss = _train_epoch(model, data, source, recipe, optimiser, objective, number)
        # The first step and the first evaluation would have shown it.
        fill_new_memory(number == resumed_after + 1)
        validation = evaluate(model, data.validation, batches, data.n_classes, recipe.precision)
        fill_new_memory(False)
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
    source: Iterable[TrainingBatch],
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    objective: Objective,
    number: int,
) -> float:
    """Train it once over all batches; the mean loss of their windows.

    Nothing here waits for the device but the first step of the training and the end of the epoch.
    """
    model.train()
    losses: list[Tensor] = []
    sizes: list[int] = []
    for step, batch in enumerate(source, 1):
        optimiser.zero_grad(set_to_none=True)
        first = number == 1 and step == 1
        with first_step(recipe.precision) if first else nullcontext():
            logits = logits_in(recipe.precision, model, batch.x)
            if first:
                check_logits(logits, len(batch), data.n_classes)
                refuse_infinite(recipe.precision, logits)
            loss = objective(logits, batch)
            torch.autograd.backward(loss)
        if recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimiser.step()
        fill_new_memory(False)
        losses.append(loss.detach())
        sizes.append(len(batch))
        if first:
            _mean_loss(losses, sizes, number)
    return _mean_loss(losses, sizes, number)


def _mean_loss(losses: list[Tensor], sizes: Sequence[int], number: int) -> float:
    """Over the windows of all batches.

    Args:
        losses: Mean of each batch.
        sizes: Windows of each batch.
        number: Of the epoch.

    Raises:
        TrainingFailedError: one is not finite; with the first step of which that is so.
    """
    if not losses:
        return 0.0
    total = 0.0
    # One copy from the device for all of them.
    for step, (value, size) in enumerate(zip(torch.stack(losses).tolist(), sizes, strict=True), 1):
        if not math.isfinite(value):
            raise TrainingFailedError(
                f"the loss is {value} in epoch {number}, step {step}",
                expected="a finite loss; a smaller learning rate or clip_norm may help",
            )
        total += value * size
    return total / sum(sizes)


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
def logits_of(
    model: nn.Module,
    windows: Windows,
    batches: WindowBatches,
    precision: Precision = "float32",
) -> NDArray[np.float32]:
    """Logits float32 [n_windows, n_classes], the network in evaluation mode."""
    model.eval()
    pieces = [
        logits_in(precision, model, x).float()
        for x, _ in batches.in_order(windows, EVALUATION_BATCH)
    ]
    # Together, so that one copy waits for the device.
    found: NDArray[np.float32] = torch.cat(pieces).cpu().numpy()
    return found


def evaluate(
    model: nn.Module,
    windows: Windows,
    batches: WindowBatches,
    n_classes: int,
    precision: Precision = "float32",
) -> dict[str, float]:
    """ "loss" (plain cross-entropy), "nf", "macro_f1" and "accuracy"; empty without windows."""
    if len(windows) == 0:
        return {}
    logits = logits_of(model, windows, batches, precision)
    loss = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(windows.labels))
    matrix = confusion(windows.labels, logits.argmax(axis=1), n_classes)
    scores = score(matrix, tuple(map(str, range(n_classes))), None)
    return {
        "loss": float(loss),
        "nf": scores.nf,
        "macro_f1": scores.macro_f1,
        "accuracy": scores.accuracy,
    }
