"""Batches: windows gathered from the stream on the device where training runs."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows
from harbench.nouns.recipe import Recipe
from harbench.nouns.training import TrainingBatch


class WindowBatches:
    """All windows of a stream as a view; a batch copies only its own.

    Args:
        data: The fold, whose signals are moved to ``device`` once.
        device: Where batches are made.
    """

    def __init__(self, data: PreparedFold, device: torch.device) -> None:
        signals = torch.from_numpy(np.ascontiguousarray(data.signals)).to(device)
        n_samples, self._n_channels = signals.shape
        self._length = data.length
        # [n_samples - length + 1, length * n_channels], no copy: a window lies in one piece.
        self._every_window = signals.view(-1).as_strided(
            (n_samples - data.length + 1, data.length * self._n_channels), (self._n_channels, 1)
        )
        self._channels_last = False
        self.device = device

    def channels_last(self) -> WindowBatches:
        """The same windows of the same stream, with the channels side by side in memory."""
        other = copy.copy(self)
        other._channels_last = True
        return other

    def in_order(self, windows: Windows, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (x [batch, n_channels, n_times], y [batch]) in the order of the windows."""
        return self._gather(windows, None, size)

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

    def balanced(
        self, windows: Windows, size: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """As many windows as there are, each drawn with replacement from a class drawn before.

        All classes that have a window are drawn alike, and within a class all windows: a window's
        chance is 1 / (n_classes * windows of its class). A last batch of a single window is left
        out, as of :meth:`shuffled`.
        """
        n_windows = len(windows)
        labels = torch.from_numpy(windows.labels)
        by_class = torch.argsort(labels, stable=True)
        counts = torch.bincount(labels)
        present = counts.nonzero()[:, 0]
        first = counts.cumsum(0) - counts
        drawn = present[torch.randint(len(present), (n_windows,), generator=generator)]
        # float64: with 24 bits some windows of a large class could never be drawn.
        share = torch.rand(n_windows, generator=generator, dtype=torch.float64)
        within = (share * counts[drawn]).long().minimum(counts[drawn] - 1)
        order = by_class[first[drawn] + within]
        if n_windows > 1 and n_windows % size == 1:
            order = order[:-1]
        return self._gather(windows, order, size)

    def _gather(
        self, windows: Windows, order: Tensor | None, size: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        starts, labels = torch.from_numpy(windows.starts), torch.from_numpy(windows.labels)
        if order is not None:
            starts, labels = starts[order], labels[order]
        starts, labels = starts.to(self.device), labels.to(self.device)
        for first in range(0, len(starts), size):
            chosen = slice(first, first + size)
            flat = self._every_window.index_select(0, starts[chosen])
            x = flat.view(-1, self._length, self._n_channels).transpose(1, 2)
            yield x if self._channels_last else x.contiguous(), labels[chosen]


class TrainingBatches:
    """An epoch of training batches, each time that it is gone through.

    Args:
        batches: Of the fold.
        windows: Its training windows.
        recipe: Its batch size, and how windows are sampled.
        order: Draws them.
    """

    def __init__(
        self, batches: WindowBatches, windows: Windows, recipe: Recipe, order: torch.Generator
    ) -> None:
        self._batches = batches
        self._windows = windows
        self._recipe = recipe
        self._order = order

    def __iter__(self) -> Iterator[TrainingBatch]:
        draw = (
            self._batches.balanced
            if self._recipe.sampling == "balanced"
            else self._batches.shuffled
        )
        for x, y in draw(self._windows, self._recipe.batch_size, self._order):
            yield TrainingBatch(x, y)
