"""Optimisers and schedules of a recipe, as torch's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from torch import nn, optim

from harbench.errors import ConfigError
from harbench.nouns.recipe import Plateau, Recipe, Step


class Schedule(Protocol):
    """What the loop calls at the end of an epoch."""

    def after_epoch(self, loss: float) -> None:
        """Set the next epoch's learning rate, given this epoch's validation loss."""
        ...

    def state(self) -> dict[str, Any]:
        """What it remembers of the epochs so far; JSON-like."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Remember what :meth:`state` gave."""
        ...


def optimiser_of(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
    """The recipe's optimiser over these parameters.

    With the recipe's ``lowering`` a step goes once through memory instead of once for every term.
    Its results differ from torch's plain form in the last bit, but for RMSprop's, which are the
    same.

    Raises:
        ConfigError: Nesterov's form asked of anything but SGD with momentum.
    """
    if recipe.nesterov and (recipe.optimizer != "sgd" or recipe.momentum == 0):
        raise ConfigError(
            f"nesterov with {recipe.optimizer} and momentum {recipe.momentum}",
            where="recipe.nesterov",
            expected="sgd with a momentum above 0",
        )
    rate, decay = recipe.learning_rate, recipe.weight_decay
    parameters = list(parameters)
    # None leaves it to torch, which fuses nothing unasked.
    fused = True if recipe.lowering == "auto" and _can_be_fused(parameters) else None
    if recipe.optimizer == "sgd":
        return optim.SGD(
            parameters,
            rate,
            momentum=recipe.momentum,
            weight_decay=decay,
            nesterov=recipe.nesterov,
            fused=fused,
        )
    if recipe.optimizer == "rmsprop":
        return optim.RMSprop(
            parameters,
            rate,
            alpha=recipe.decay,
            momentum=recipe.momentum,
            weight_decay=decay,
            foreach=fused,
        )
    kind = optim.Adam if recipe.optimizer == "adam" else optim.AdamW
    return kind(parameters, rate, weight_decay=decay, fused=fused)


def _can_be_fused(parameters: Iterable[nn.Parameter]) -> bool:
    return all(
        p.is_floating_point() and p.layout == torch.strided and p.device.type in ("cpu", "cuda")
        for p in parameters
    )


class _Constant:
    def after_epoch(self, loss: float) -> None:
        return

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        return


class _Remembering:
    """A schedule of torch's, which knows its own state."""

    inner: optim.lr_scheduler.LRScheduler

    def state(self) -> dict[str, Any]:
        return dict(self.inner.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        self.inner.load_state_dict(state)


class _OnLoss(_Remembering):
    inner: optim.lr_scheduler.ReduceLROnPlateau

    def __init__(self, optimiser: optim.Optimizer, plateau: Plateau) -> None:
        self.inner = optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, factor=plateau.factor, patience=plateau.patience, min_lr=plateau.smallest
        )

    def after_epoch(self, loss: float) -> None:
        self.inner.step(loss)


class _OnTime(_Remembering):
    def __init__(self, inner: optim.lr_scheduler.LRScheduler) -> None:
        self.inner = inner

    def after_epoch(self, loss: float) -> None:
        self.inner.step()


def schedule_of(recipe: Recipe, optimiser: optim.Optimizer) -> Schedule:
    """The recipe's schedule, driving this optimiser's learning rate."""
    plan = recipe.schedule
    if plan is None:
        return _Constant()
    if isinstance(plan, Plateau):
        return _OnLoss(optimiser, plan)
    if isinstance(plan, Step):
        return _OnTime(optim.lr_scheduler.LambdaLR(optimiser, _steps(plan, recipe.learning_rate)))
    return _OnTime(optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs, plan.smallest))


def _steps(plan: Step, rate: float) -> Callable[[int], float]:
    """Epoch, from 0 -> what the first rate is multiplied by."""
    lowest = min(1.0, plan.smallest / rate)
    return lambda epoch: max(lowest, plan.factor ** (epoch // plan.every))
