"""Jitter: noise on every sample, as of a worse sensor."""

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


def build(channels: Sequence[harbench.Channel], *, sigma: float = 0.05) -> Augment:
    """x + N(0, sigma^2), drawn for each sample of each channel (Um et al. 2017, section 3).

    Args:
        channels: Not used.
        sigma: Standard deviation, in units of what the network sees: under ``normalise:
            z-score``, of a channel's own standard deviation. The paper has 0.05 of raw values.

    Raises:
        ValueError: ``sigma`` is below 0.
    """
    check_number("sigma", sigma, most=math.inf)

    def jitter(batch: harbench.TrainingBatch, random: Generator) -> harbench.TrainingBatch:
        import torch

        x = batch.x
        noise = torch.randn(x.shape, generator=random, device=x.device, dtype=x.dtype)
        return batch.with_x(x + sigma * noise)

    return jitter


@harbench.hookimpl
def register_augmentations(register: Callable[[harbench.Augmentation], None]) -> None:
    """Offer ``jitter``."""
    register(harbench.Augmentation("jitter", "noise on every sample", build, CITATION))
