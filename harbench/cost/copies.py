"""Copies to measure on, so that no counter touches the network that will be used."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from harbench.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def copy_for(module: nn.Module, device: str) -> nn.Module:
    """A deep copy in evaluation mode on ``device``.

    Raises:
        ModelError: the network cannot be copied.
    """
    from torch import Tensor

    # Weight normalisation keeps its product as a plain attribute with a history, which deepcopy
    # refuses. Its value is enough: the next forward pass computes it anew.
    products = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    try:
        twin = copy.deepcopy(module, products)
    except Exception as error:
        raise ModelError(
            f"the network cannot be copied to measure its cost: {type(error).__name__}: {error}",
            expected="a torch.nn.Module that copy.deepcopy accepts",
        ) from error
    return twin.to(device).eval()


def window_for(module: nn.Module, n_channels: int, n_times: int, device: str) -> Tensor:
    """One window [1, n_channels, n_times] of noise, in the floating-point type of the network.

    The noise has a generator of its own: measuring draws nothing from the global one.
    """
    import torch

    noise = torch.randn(1, n_channels, n_times, generator=torch.Generator().manual_seed(0))
    return noise.to(device=device, dtype=_dtype(module))


def _dtype(module: nn.Module) -> torch.dtype:
    import torch

    kinds = (p.dtype for p in module.parameters() if p.dtype.is_floating_point)
    return next(kinds, torch.float32)
