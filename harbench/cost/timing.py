"""Timing one window on one CPU thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harbench.cost.copies import copy_for, window_for

if TYPE_CHECKING:
    from torch import nn

WARM_UP = 5
"""Runs that are not timed: the first ones choose kernels and fill caches."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds that one window takes.

    Args:
        median_ms: Of all timed runs.
        p95_ms: 95th percentile of the same.
        runs: How many were timed.
    """

    median_ms: float
    p95_ms: float
    runs: int


def latency(
    module: nn.Module, n_channels: int, n_times: int, *, runs: int = 50, seconds: float = 1.0
) -> Latency:
    """Time the forward pass at batch 1: evaluation mode, inference mode, one thread, on a copy.

    Args:
        module: Stays as it is.
        n_channels: Of the window.
        n_times: Samples of the window.
        runs: At least so many are timed.
        seconds: And at least for so long.

    Raises:
        ModelError: the network cannot be copied.
    """
    import torch

    twin = copy_for(module, "cpu")
    window = window_for(module, n_channels, n_times, "cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            return latency_of(lambda: twin(window), runs=runs, seconds=seconds)
    finally:
        torch.set_num_threads(threads)


def latency_of(predict: Callable[[], object], *, runs: int, seconds: float) -> Latency:
    """Time a call that predicts one window: ``runs`` times at least, and for ``seconds``."""
    for _ in range(WARM_UP):
        predict()
    taken: list[int] = []
    begin = time.perf_counter()
    while len(taken) < runs or time.perf_counter() - begin < seconds:
        start = time.perf_counter_ns()
        predict()
        taken.append(time.perf_counter_ns() - start)
    median, p95 = np.percentile(np.array(taken) / 1e6, [50, 95])
    return Latency(float(median), float(p95), len(taken))
