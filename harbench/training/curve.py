"""What a training came to: its learning curve and the epoch whose weights are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Epoch:
    """One line of the learning curve.

    Args:
        number: From 1.
        learning_rate: Of this epoch.
        train_loss: Mean over its windows, while it was being trained.
        validation: "loss", "nf", "macro_f1" and "accuracy" after it; empty without validation.
    """

    number: int
    learning_rate: float
    train_loss: float
    validation: dict[str, float]


@dataclass(frozen=True)
class Best:
    """The best epoch so far.

    Args:
        monitored: Its score; higher is better.
        epoch: Its number.
        weights: Its state_dict; empty where the last weights are kept anyway.
    """

    monitored: float
    epoch: int
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class Training:
    """What a training came to.

    Args:
        curve: All epochs that were trained.
        kept_epoch: Whose weights the network has now.
        stopped_early: Whether patience ran out.
        resumed_after: The epoch whose checkpoint it went on from; 0 if it began at the beginning.
        lowering: "channels-last", or "none: " and why; see :mod:`harbench.training.lowering`.
        precision: Of the recipe, "float32" or "bf16"; see :mod:`harbench.training.precision`.
    """

    curve: tuple[Epoch, ...]
    kept_epoch: int
    stopped_early: bool
    resumed_after: int = 0
    lowering: str = "none: no network"
    precision: str = "none: no network"
