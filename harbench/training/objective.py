"""What a training step makes small: the recipe's loss of a batch, as one number."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harbench.data.prepared import PreparedFold
from harbench.errors import ConfigError, ModelError
from harbench.nouns.recipe import Recipe
from harbench.nouns.training import LossFunction, TrainingBatch


class Objective:
    """Mean loss of a batch, weighted by class.

    Args:
        recipe: Its class weights and label smoothing.
        data: The fold, whose training windows "balanced" counts.
        loss: Of the recipe; None is cross-entropy.
        device: Where batches are.

    Raises:
        ConfigError: the class weights do not fit the classes.
    """

    def __init__(
        self, recipe: Recipe, data: PreparedFold, loss: LossFunction | None, device: torch.device
    ) -> None:
        weights = class_weights(recipe, data)
        self._weights = None if weights is None else torch.tensor(weights, device=device).float()
        self._smoothing = recipe.label_smoothing
        self._loss = loss

    def __call__(self, logits: Tensor, batch: TrainingBatch) -> Tensor:
        """A number: sum(w l) / sum(w), w the weight of a window's class, l its loss.

        A window of two classes counts as both, each by its share, as in Zhang et al. 2018,
        section 3: for cross-entropy that is the loss of the mixed class.

        Args:
            logits: [batch, n_classes].
            batch: What they are of.

        Raises:
            ModelError: the loss is not [batch].
        """
        if self._loss is None and batch.other is None:
            return functional.cross_entropy(
                logits, batch.y, weight=self._weights, label_smoothing=self._smoothing
            )
        losses, weights = self._of(logits, batch.y)
        if batch.other is not None and batch.share is not None:
            others, of_others = self._of(logits, batch.other)
            share = batch.share
            losses = share * losses + (1 - share) * others
            weights = share * weights + (1 - share) * of_others
        return losses.sum() / weights.sum()

    def _of(self, logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted loss of each window, and its weight; both [batch]."""
        weights = torch.ones_like(logits[:, 0]) if self._weights is None else self._weights[y]
        if self._loss is None:
            # Smoothing spreads over classes with weights of their own.
            losses = functional.cross_entropy(
                logits, y, self._weights, reduction="none", label_smoothing=self._smoothing
            )
            return losses, weights
        losses = self._loss(logits, y)
        if losses.shape != y.shape:
            raise ModelError(
                f"the loss returned {list(losses.shape)} for a batch of {len(y)} windows",
                expected=f"one number for each window, [{len(y)}]",
            )
        return weights * losses, weights


def class_weights(recipe: Recipe, data: PreparedFold) -> NDArray[np.float64] | None:
    """float64 [n_classes]; None where all classes weigh alike.

    Raises:
        ConfigError: there is not one weight a class.
    """
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
