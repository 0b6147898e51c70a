"""Scaling: a factor on every channel of a window, as of stronger and weaker movements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import harbench
from harbench_training.checks import check_number
from harbench_training.um2017 import CITATION

if TYPE_CHECKING:
    from torch import Generator

    from harbench.nouns.training import Augment


def build(channels: Sequence[harbench.Channel], *, sigma: float = 0.1) -> Augment:
    """x times N(1, sigma^2), drawn for each channel of each window (Um et al. 2017, section 3).

    Args:
        channels: Not used.
        sigma: Standard deviation of the factor.

    Raises:
        ValueError: ``sigma`` is below 0.
    """
    check_number("sigma", sigma, most=math.inf)

    def scaling(batch: harbench.TrainingBatch, random: Generator) -> harbench.TrainingBatch:
        import torch

        x = batch.x
        shape = (*x.shape[:2], 1)
        factor = torch.randn(shape, generator=random, device=x.device, dtype=x.dtype)
        return batch.with_x(x * (1 + sigma * factor))

    return scaling


@harbench.hookimpl
def register_augmentations(register: Callable[[harbench.Augmentation], None]) -> None:
    """Offer ``scaling``."""
    register(harbench.Augmentation("scaling", "a factor on every channel", build, CITATION))
