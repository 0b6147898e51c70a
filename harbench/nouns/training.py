"""What a recipe can name: losses, and augmentations of training batches."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harbench.errors import ConfigError, did_you_mean
from harbench.nouns.dataset import Channel, Citation

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class TrainingBatch:
    """Some training windows, on the device where training runs.

    Args:
        x: float32 [batch, n_channels, n_times], filled and normalised as the protocol says.
        y: int64 [batch], the class of each window.
        other: int64 [batch], the second class of each window; None where nothing is mixed.
        share: float32 [batch] in 0 .. 1, how much of a window is of class ``y``; the rest is of
            ``other``.
    """

    x: Tensor
    y: Tensor
    other: Tensor | None = None
    share: Tensor | None = None

    def __len__(self) -> int:
        return len(self.y)

    def with_x(self, x: Tensor) -> TrainingBatch:
        """The same classes, other numbers."""
        return replace(self, x=x)

    def mixed(self, x: Tensor, partners: Tensor, share: Tensor) -> TrainingBatch:
        """The batch whose windows are each mixed with another window of it.

        Args:
            x: float32 [batch, n_channels, n_times], after mixing.
            partners: int64 [batch], the place in the batch of the window that was mixed in.
            share: float32 [batch] in 0 .. 1, what is left of the window itself.

        Raises:
            ConfigError: the windows are mixed already: two augmentations of the recipe mix.
        """
        if self.other is not None:
            raise ConfigError(
                "two augmentations of the recipe mix windows, and a window has at most two classes",
                where="recipe.augment",
                expected="one augmentation that mixes",
            )
        return TrainingBatch(x, self.y, self.y[partners], share)


LossFunction = Callable[["Tensor", "Tensor"], "Tensor"]
"""``(logits [batch, n_classes], y int64 [batch]) -> [batch]``: the loss of each window."""

Augment = Callable[[TrainingBatch, "Generator"], TrainingBatch]
"""A batch and the cell's generator (on the batch's device) -> the batch to train on.

It draws from that generator alone, keeps nothing between two calls, leaves what it is given as it
is, and returns windows of the same shape.
"""


@dataclass(frozen=True)
class Loss:
    """A loss that networks can be trained with, instead of cross-entropy.

    Args:
        name: What ``recipe: {loss: NAME}`` calls it.
        summary: One line.
        build: ``(support, **options) -> LossFunction``. ``support``: training windows of each
            class, int [n_classes]. Keyword arguments with defaults are the options. It may be
            called without being used, to see whether the options can be: it imports torch in
            what it returns. ``class_weights`` of the recipe weigh its windows afterwards. What
            an option cannot be it says with a ValueError.
        citation: Where it was published.
    """

    name: str
    summary: str
    build: Callable[..., LossFunction]
    citation: Citation

    @property
    def options(self) -> dict[str, Any]:
        """Keyword options and their defaults."""
        return _options(self.build)


@dataclass(frozen=True)
class Augmentation:
    """A change of training windows, drawn anew for every batch; no other window is changed.

    Args:
        name: What ``recipe: {augment: [NAME]}`` calls it.
        summary: One line.
        build: ``(channels, **options) -> Augment``. ``channels``: those of the windows, in
            order. Keyword arguments with defaults are the options. As of :class:`Loss`, it
            imports torch in what it returns, and raises ValueError.
        citation: Where it was published.
    """

    name: str
    summary: str
    build: Callable[..., Augment]
    citation: Citation

    @property
    def options(self) -> dict[str, Any]:
        """Keyword options and their defaults."""
        return _options(self.build)


def _options(build: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(build).parameters.values())
    return {p.name: p.default for p in parameters[1:] if p.default is not p.empty}


def unknown_option(thing: Loss | Augmentation, options: Iterable[str]) -> tuple[str, str] | None:
    """What is wrong with the first option that is not there, and what was expected; or None."""
    kind = "loss" if isinstance(thing, Loss) else "augmentation"
    known = thing.options
    for option in options:
        if option not in known:
            what = f"{kind} '{thing.name}' has no option '{option}'{did_you_mean(option, known)}"
            return what, f"one of {', '.join(known)}" if known else "no option"
    return None


def whole_sensors(channels: Sequence[Channel]) -> list[list[tuple[int, int, int]]]:
    """Which channels are the x, y and z axes of one sensor.

    Args:
        channels: Of the windows, in order.

    Returns:
        For each device that has any, the triples (x, y, z) of channel indices, one for each
        vector that it measures: acceleration, rate of turn, magnetic field. A vector of which an
        axis is missing is left out, and so are angles (modality ``orientation``), which are no
        vector. A device that measures a vector twice has its triples in order.
    """
    devices: dict[tuple[str, str], dict[str, dict[str, list[int]]]] = {}
    for index, channel in enumerate(channels):
        if channel.axis in ("x", "y", "z") and channel.modality != "orientation":
            device = devices.setdefault((channel.sensor, channel.position), {})
            axes = device.setdefault(channel.modality, {"x": [], "y": [], "z": []})
            axes[channel.axis].append(index)
    found = []
    for device in devices.values():
        triples = [
            triple
            for axes in device.values()
            if len({len(indices) for indices in axes.values()}) == 1
            for triple in zip(axes["x"], axes["y"], axes["z"], strict=True)
        ]
        if triples:
            found.append(triples)
    return found
