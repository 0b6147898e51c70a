"""Focal loss: windows that are classified well already count less."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import harbench
from harbench_training.checks import check_number

if TYPE_CHECKING:
    from torch import Tensor

    from harbench.nouns.training import LossFunction

CITATION = harbench.Citation(
    "Lin, T.-Y., Goyal, P., Girshick, R., He, K., & Dollár, P. (2017). Focal loss for dense object "
    "detection. ICCV 2017, 2980-2988.",
    doi="10.1109/ICCV.2017.324",
)


def build(support: Sequence[int], *, gamma: float = 2.0) -> LossFunction:
    """FL(p) = -(1 - p)^gamma log p, p the probability of the true class (equation 4).

    The paper's factor alpha (equation 5) is the recipe's ``class_weights``. With gamma = 0 it is
    cross-entropy. The probability is that of the softmax over all classes, where the paper has
    a sigmoid for each.

    Args:
        support: Not used.
        gamma: How fast a window that is known stops counting; the paper's best is 2.

    Raises:
        ValueError: ``gamma`` is below 0.
    """
    check_number("gamma", gamma, most=math.inf)

    def focal(logits: Tensor, y: Tensor) -> Tensor:
        import torch
        from torch.nn import functional

        log_p = -functional.cross_entropy(logits, y, reduction="none")
        # 1 - p by expm1: near p = 1 the difference would lose all its digits. Where it is 0 the
        # power's slope would be infinite for gamma < 1.
        rest = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).tiny)
        return -(rest**gamma) * log_p

    return focal


@harbench.hookimpl
def register_losses(register: Callable[[harbench.Loss], None]) -> None:
    """Offer focal loss."""
    register(
        harbench.Loss(
            "focal", "cross-entropy that counts well classified windows less", build, CITATION
        )
    )
