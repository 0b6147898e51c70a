"""Recipes: how a model is trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_serializer

from harbench.nouns.names import NAME_RULE, is_name
from harbench.nouns.protocol import Settings

Monitor = Literal["nf", "macro_f1", "accuracy", "loss"]
Precision = Literal["float32", "bf16"]


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

PLAIN_LOSS = ("none", "cross-entropy")
"""What may be written for the loss that no plugin brings."""

Value = bool | int | float | str | None
MethodOption = Value | tuple[Value, ...]


class Method(Settings):
    """A loss or an augmentation that a recipe names: ``focal``, or ``{focal: {gamma: 2}}``.

    Args:
        name: As a plugin registers it.
        options: Keyword options of its builder.
    """

    name: str
    options: dict[str, MethodOption] = Field(default_factory=dict)

    @model_serializer
    def _written(self) -> str | dict[str, dict[str, Any]]:
        # As files write it: records and dumps are read again by the same rule.
        return {self.name: dict(self.options)} if self.options else self.name


def _method(value: Any) -> Any:
    """The method that is written so.

    Raises:
        ValueError: it is neither a name nor one name with its options.
    """
    if isinstance(value, Method):
        return value
    name, options = value, None
    if isinstance(value, dict) and len(value) == 1:
        [(name, options)] = value.items()
    if isinstance(name, str) and not is_name(name):
        raise ValueError(f"'{name}' is no name; a name has {NAME_RULE}")
    if not isinstance(name, str) or not isinstance(options, dict | None):
        raise ValueError(
            "there is neither a name (focal) nor one name with its options ({focal: {gamma: 2}})"
        )
    # Tuples, because strict validation takes no list from a validator that runs before it.
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in (options or {}).items()}
    for key, found in given.items():
        values = found if isinstance(found, tuple) else (found,)
        if not all(isinstance(one, bool | int | float | str | None) for one in values):
            raise ValueError(f"option {key} of '{name}' is neither a value nor a list of values")
    return Method(name=name, options=given)


def _loss(value: Any) -> Any:
    # Cross-entropy is what there is without a loss: one recipe, one way of writing it.
    return None if value is None or value in PLAIN_LOSS else _method(value)


def _augment(value: Any) -> Any:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else value


# What may be written where a method stands, for editors' schemas.
_Options = dict[str, Value | list[Value]]
_OneMethod = Annotated[dict[str, _Options | None], Field(min_length=1, max_length=1)]
_WrittenMethod = str | _OneMethod


USUAL = {"precision": "float32", "algorithms": "deterministic"}
"""Of keys that came later than the rest: named in no content key, and what is meant where a stored
recipe lacks them."""


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
        loss: What is made small; None is cross-entropy.
        sampling: ``shuffled``: every training window once an epoch. ``balanced``: as many windows
            an epoch, each drawn with replacement, first its class, all classes alike, then the
            window; classes without a training window are never drawn.
        augment: Changes of training windows, in this order, drawn anew for every batch.
        clip_norm: Largest norm of the gradient; None does not clip.
        label_smoothing: Share of the target spread over all classes; of cross-entropy only.
        lowering: ``auto``: layers run in the fastest layout where that is seen to give the same
            outputs and gradients, and the optimiser's steps are fused: results differ in the last
            bits. ``none``: torch's plain layers and steps.
        precision: ``float32``, or ``bf16``: the network runs under torch's autocast to bfloat16,
            in training and in prediction; weights, logits and loss stay float32.
        algorithms: ``deterministic``: the same seed gives the same bits, and an operation that
            cannot promise that fails the cell. ``fast``: torch and cuDNN take what is fastest.
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
    loss: Annotated[
        Method | None, BeforeValidator(_loss, json_schema_input_type=_WrittenMethod | None)
    ] = None
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    augment: Annotated[
        tuple[Annotated[Method, BeforeValidator(_method)], ...],
        BeforeValidator(_augment, json_schema_input_type=list[_WrittenMethod] | None),
    ] = ()
    clip_norm: float | None = Field(default=None, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    lowering: Literal["auto", "none"] = "auto"
    precision: Precision = "float32"
    algorithms: Literal["deterministic", "fast"] = "deterministic"

    @field_validator("augment")
    @classmethod
    def _distinct(cls, augment: tuple[Method, ...]) -> tuple[Method, ...]:
        names = [method.name for method in augment]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"augmentation '{twice[0]}' is given twice")
        return augment
