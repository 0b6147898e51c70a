"""Batches: windows gathered from the stream on the device where training runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows


class WindowBatches:
    """All windows of a stream as a view; a batch copies only its own.

    Args:
        data: The fold, whose signals are moved to ``device`` once.
        device: Where batches are made.
    """

    def __init__(self, data: PreparedFold, device: torch.device) -> None:
        signals = torch.from_numpy(np.ascontiguousarray(data.signals)).to(device)
        # [n_samples - length + 1, n_channels, length], no copy.
        self._every_window = signals.unfold(0, data.length, 1)
        self.device = device

    def in_order(self, windows: Windows, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (x [batch, n_channels, n_times], y [batch]) in the order of the windows."""
        return self._gather(windows, torch.arange(len(windows)), size)

    def shuffled(
        self, windows: Windows, size: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches in an order drawn from ``generator``.

        A last batch of a single window is left out: batch normalisation has no variance of one.
        """
        order = torch.randperm(len(windows), generator=generator)
        if len(order) > 1 and len(order) % size == 1:
            order = order[:-1]
        return self._gather(windows, order, size)

    def _gather(
        self, windows: Windows, order: Tensor, size: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        starts = torch.from_numpy(windows.starts)[order].to(self.device)
        labels = torch.from_numpy(windows.labels)[order].to(self.device)
        for first in range(0, len(starts), size):
            chosen = slice(first, first + size)
            yield self._every_window[starts[chosen]].contiguous(), labels[chosen]
