"""A network with the normalisation of its fold in front, as one module."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from harbench.data.normalise import Normaliser


class NormalisedNetwork(nn.Module):
    """Raw windows -> logits and probabilities.

    Normalises in float64, as :meth:`harbench.data.normalise.Normaliser.apply` does, so that the
    network is given the same bits: a channel may have a large mean and a small deviation.

    Args:
        network: float32 [batch, n_channels, n_times] -> logits [batch, n_classes].
        normaliser: Of its fold.
    """

    offset: Tensor
    scale: Tensor
    missing: Tensor

    def __init__(self, network: nn.Module, normaliser: Normaliser) -> None:
        super().__init__()
        self.network = network
        self.clip = normaliser.clip
        for name in ("offset", "scale", "missing"):
            values = np.asarray(getattr(normaliser, name), np.float64)
            self.register_buffer(name, torch.from_numpy(values.copy())[:, None])

    def normalise(self, windows: Tensor) -> Tensor:
        """float32 [batch, n_channels, n_times], NaN where missing -> the same, normalised."""
        scaled = (windows.double() - self.offset) / self.scale
        if self.clip is not None:
            low, high = self.clip
            scaled = torch.where(scaled < 0, low, torch.where(scaled > 1, high, scaled))
        return torch.where(torch.isnan(scaled), self.missing, scaled).float()

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and their softmax, [batch, n_classes] each."""
        logits = self.network(self.normalise(windows))
        return logits, torch.softmax(logits, dim=1)
