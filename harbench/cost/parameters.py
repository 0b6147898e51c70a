"""Counting parameters, by the two conventions that papers use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harbench.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Parameters:
    """How many numbers a network holds.

    Args:
        trainable: Parameters that a gradient reaches. torch users print this.
        with_buffers: All parameters, and the floating-point buffers that are saved with them
            (batch norm's running mean and variance). Keras prints this as its total.
        weight_bytes: Of all that ``with_buffers`` counts.
    """

    trainable: int
    with_buffers: int
    weight_bytes: int


def count_parameters(module: nn.Module) -> Parameters:
    """Count the numbers of a network; what two layers share is counted once.

    Integer buffers (``num_batches_tracked``) and buffers that are not saved are not counted.

    Raises:
        ModelError: a lazy layer whose size is not known yet.
    """
    from torch.nn.parameter import is_lazy

    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise ModelError(
                f"the size of parameter '{name}' is not known yet",
                expected="a builder that runs its lazy layers once before it returns",
            )
    parameters = list(module.parameters())
    saved = set(module.state_dict())
    statistics = [
        buffer
        for name, buffer in module.named_buffers()
        if name in saved and buffer.is_floating_point()
    ]
    held: list[Tensor] = [*parameters, *statistics]
    return Parameters(
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        with_buffers=sum(tensor.numel() for tensor in held),
        weight_bytes=sum(tensor.numel() * tensor.element_size() for tensor in held),
    )
