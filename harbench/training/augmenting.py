"""Augmented batches: what a recipe's augmentations make of the training windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from harbench.errors import HarbenchError, ModelError
from harbench.nouns.training import Augment, TrainingBatch


class Augmented:
    """An epoch of training batches, each of them changed; validation and test are not.

    Args:
        batches: To be changed.
        augmentations: Name and function, in order.
        chance: What they draw from, on the device of the batches.
        layout: How the changed windows lie in memory; None leaves them as they are. Augmentations
            are given the plain layout, in which they may draw number by number.
    """

    def __init__(
        self,
        batches: Iterable[TrainingBatch],
        augmentations: Sequence[tuple[str, Augment]],
        chance: torch.Generator,
        layout: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._batches = batches
        self._augmentations = augmentations
        self._chance = chance
        self._layout = layout

    def __iter__(self) -> Iterator[TrainingBatch]:
        for batch in self._batches:
            yield self._changed(batch)

    @torch.no_grad()
    def _changed(self, batch: TrainingBatch) -> TrainingBatch:
        for name, augment in self._augmentations:
            try:
                changed = augment(batch, self._chance)
            except HarbenchError:
                raise
            except Exception as error:
                raise ModelError(
                    f"augmentation '{name}' failed: {type(error).__name__}: {error}"
                ) from error
            _check(name, batch, changed)
            batch = changed
        return batch if self._layout is None else batch.with_x(self._layout(batch.x))


def _check(name: str, before: TrainingBatch, after: object) -> None:
    """Refuse what is not a batch of the same shape: a network could take it all the same."""
    if not isinstance(after, TrainingBatch) or not isinstance(after.x, Tensor):
        raise ModelError(
            f"augmentation '{name}' returned {type(after).__name__}",
            expected="a harbench.TrainingBatch",
        )
    found = (tuple(after.x.shape), after.x.dtype, len(after.y))
    wanted = (tuple(before.x.shape), before.x.dtype, len(before.y))
    if found != wanted:
        raise ModelError(
            f"augmentation '{name}' returned windows {list(after.x.shape)}, {after.x.dtype}, "
            f"with {len(after.y)} classes",
            expected=f"{list(before.x.shape)}, {before.x.dtype}, with {len(before.y)}",
        )
