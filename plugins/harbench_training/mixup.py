"""Mixup: windows and their classes, mixed in pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import harbench
from harbench_training.checks import check_number

if TYPE_CHECKING:
    from torch import Generator

    from harbench.nouns.training import Augment

CITATION = harbench.Citation(
    "Zhang, H., Cissé, M., Dauphin, Y. N., & Lopez-Paz, D. (2018). mixup: Beyond empirical risk "
    "minimization. ICLR 2018.",
    url="https://arxiv.org/abs/1710.09412",
)


def build(channels: Sequence[harbench.Channel], *, alpha: float = 0.2) -> Augment:
    """lambda x_i + (1 - lambda) x_j, and the same of the losses (equation 2; section 3).

    As in the paper's code, the partners are the batch itself in another order, and one lambda of
    Beta(alpha, alpha) is drawn for each batch.

    Args:
        channels: Not used.
        alpha: Small values leave most batches nearly as they were; 1 mixes evenly.

    Raises:
        ValueError: ``alpha`` is not above 0, or above 100.
    """
    check_number("alpha", alpha, above=0, most=100)

    def mixup(batch: harbench.TrainingBatch, random: Generator) -> harbench.TrainingBatch:
        import numpy as np
        import torch

        x = batch.x
        partners = torch.randperm(len(x), generator=random, device=x.device)
        # torch draws no Beta from a generator of one's own; NumPy does, from a seed of it.
        seed = torch.randint(2**62, (1,), generator=random, device=x.device).item()
        share = np.random.default_rng(int(seed)).beta(alpha, alpha)
        mixed = share * x + (1 - share) * x[partners]
        return batch.mixed(mixed, partners, x.new_full((len(x),), share))

    return mixup


@harbench.hookimpl
def register_augmentations(register: Callable[[harbench.Augmentation], None]) -> None:
    """Offer ``mixup``."""
    register(harbench.Augmentation("mixup", "windows mixed in pairs", build, CITATION))
