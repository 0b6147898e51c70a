"""Recipes: how a model is trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from harbench.nouns.protocol import Settings

Monitor = Literal["nf", "macro_f1", "accuracy", "loss"]


class Plateau(Settings):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without a gain.

    A gain is a smaller validation loss (training loss where there is no validation part).
    """

    kind: Literal["plateau"] = "plateau"
    factor: float = Field(default=0.1, gt=0, lt=1)
    patience: int = Field(default=5, ge=0)
    smallest: float = Field(default=1e-6, ge=0, description="the rate never falls below it")


class Step(Settings):
    """Multiply the learning rate by ``factor`` every ``every`` epochs."""

    kind: Literal["step"] = "step"
    every: int = Field(ge=1)
    factor: float = Field(default=0.1, gt=0)
    smallest: float = Field(default=0.0, ge=0, description="the rate never falls below it")


class Cosine(Settings):
    """Let the learning rate fall to ``smallest`` along half a cosine over all epochs."""

    kind: Literal["cosine"] = "cosine"
    smallest: float = Field(default=0.0, ge=0)


Schedule = Annotated[Plateau | Step | Cosine, Field(discriminator="kind")]


def _by_kind(value: Any) -> Any:
    # "plateau" alone means plateau with its defaults; "none" is what other fields say for None.
    if value == "none":
        return None
    return {"kind": value} if isinstance(value, str) else value


# What may be written where a schedule stands; editors' schemas are made from it.
_Written = Schedule | Literal["plateau", "cosine", "none"] | None


class Recipe(Settings):
    """Optimiser, schedule, length and selection of a training.

    Args:
        optimizer: ``sgd``, ``adam``, ``adamw`` or ``rmsprop``.
        learning_rate: At the start.
        momentum: Of SGD and RMSprop.
        nesterov: Nesterov's form of SGD's momentum.
        decay: RMSprop's smoothing constant (torch's alpha, Lasagne's rho).
        weight_decay: L2 penalty, or AdamW's decoupled decay.
        batch_size: Windows in a step.
        epochs: At most.
        schedule: Of the learning rate; None keeps it.
        monitor: The validation score that chooses the best epoch and stops early.
        patience: Stop after so many epochs without a better ``monitor``; None never stops early.
        keep: Weights of the ``best`` epoch by ``monitor``, or of the ``last``. Without a
            validation part the last are kept.
        class_weights: ``none``; ``balanced``: n_windows / (n_classes * windows of the class);
            or one number a class.
        clip_norm: Largest norm of the gradient; None does not clip.
        label_smoothing: Share of the target spread over all classes.
    """

    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "adam"
    learning_rate: float = Field(default=1e-3, gt=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False
    decay: float = Field(default=0.99, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    batch_size: int = Field(default=256, ge=1)
    epochs: int = Field(default=100, ge=1)
    schedule: Annotated[
        Schedule | None, BeforeValidator(_by_kind, json_schema_input_type=_Written)
    ] = None
    monitor: Monitor = "nf"
    patience: int | None = Field(default=None, ge=1)
    keep: Literal["best", "last"] = "best"
    class_weights: Literal["none", "balanced"] | tuple[float, ...] = "none"
    clip_norm: float | None = Field(default=None, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
