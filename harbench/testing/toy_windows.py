"""Windows of three classes that anything can tell apart which learns at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_CHANNELS = 6
N_CLASSES = 3


def toy_windows(
    n_windows: int, n_times: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Windows [n_windows, 6, n_times] and their classes, equally many of each.

    A class has a level of its own in the first two channels, and waves of its own speed in the
    others: a model that takes out each window's mean, or looks at the mean alone, finds enough.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(n_windows) % N_CLASSES
    x = 0.5 * rng.normal(size=(n_windows, N_CHANNELS, n_times))
    x[:, 0] += np.where(y == 0, 1.0, -1.0)[:, None]
    x[:, 1] += np.where(y == 1, 1.0, -1.0)[:, None]
    time = np.arange(n_times) / max(n_times, 1)
    phase = rng.uniform(0, 2 * np.pi, (n_windows, 1))
    waves = np.sin(2 * np.pi * (1 + 2 * y[:, None]) * time + phase)
    x[:, 2:] += waves[:, None] * (1 + y[:, None, None])
    return x.astype(np.float32), y.astype(np.int64)
