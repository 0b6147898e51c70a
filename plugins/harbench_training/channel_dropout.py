"""Channel dropout: whole channels of a window set to zero, as of a sensor that is silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import harbench
from harbench_training.checks import check_number

if TYPE_CHECKING:
    from torch import Generator

    from harbench.nouns.training import Augment

CITATION = harbench.Citation(
    "Tompson, J., Goroshin, R., Jain, A., LeCun, Y., & Bregler, C. (2015). Efficient object "
    "localization using convolutional networks. CVPR 2015, 648-656.",
    doi="10.1109/CVPR.2015.7298664",
    url="https://arxiv.org/abs/1411.4280",
)


def build(channels: Sequence[harbench.Channel], *, p: float = 0.1) -> Augment:
    """Each channel of each window is zero with probability p (the paper's SpatialDropout,
    section 3.2, at the input).

    What is left is not made larger: a network is to know windows as they are, and with a sensor
    less. Under ``normalise: z-score`` zero is the mean of the channel.

    Args:
        channels: Not used.
        p: Probability, below 1.

    Raises:
        ValueError: ``p`` is not in 0 .. 0.99.
    """
    check_number("p", p, most=0.99)

    def channel_dropout(batch: harbench.TrainingBatch, random: Generator) -> harbench.TrainingBatch:
        import torch

        x = batch.x
        kept = torch.rand((*x.shape[:2], 1), generator=random, device=x.device) >= p
        return batch.with_x(x * kept)

    return channel_dropout


@harbench.hookimpl
def register_augmentations(register: Callable[[harbench.Augmentation], None]) -> None:
    """Offer ``channel-dropout``."""
    register(
        harbench.Augmentation("channel-dropout", "whole channels set to zero", build, CITATION)
    )
