"""Normalisation, fitted on what the training windows hold and on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ConfigError
from harbench.nouns import Channel

Kind = Literal["z-score", "min-max", "fixed", "none"]

_ROWS = 65_536
"""Rows at a time: float64 copies of a whole dataset would double its memory."""

CLIP = (0.0, 0.99)
"""``fixed``: what Ordóñez & Roggen's code sets values to that fall outside their limits."""


@dataclass(frozen=True)
class Normaliser:
    """x -> (x - offset) / scale, then what is missing, then the clip.

    Args:
        offset, scale: float64 [n_channels].
        missing: float64 [n_channels], what a missing value becomes, after scaling.
        clip: Values below 0 become the first, values above 1 the second; None clips nothing.
    """

    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    missing: NDArray[np.float64]
    clip: tuple[float, float] | None = None

    def apply(self, signals: NDArray[np.float32]) -> None:
        """Normalise float32 [n_samples, n_channels] in place."""
        for first in range(0, len(signals), _ROWS):
            rows = signals[first : first + _ROWS]
            scaled = (rows - self.offset) / self.scale
            if self.clip is not None:
                scaled[scaled < 0] = self.clip[0]
                scaled[scaled > 1] = self.clip[1]
            rows[:] = np.where(np.isnan(scaled), self.missing, scaled)


def fit(
    kind: Kind,
    signals: NDArray[np.float32],
    training: NDArray[np.bool_],
    channels: Sequence[Channel],
) -> Normaliser:
    """The normaliser of a fold.

    Args:
        kind: ``z-score`` (population standard deviation; a constant channel is only centred),
            ``min-max`` to [0, 1], ``fixed`` (the channels' own limits to [0, 1], outside values
            to 0 and 0.99 as in Ordóñez & Roggen 2016), or ``none``.
        signals: float32 [n_samples, n_channels], NaN where missing.
        training: bool [n_samples], the samples that training windows hold, each counted once.
        channels: For their limits.

    Raises:
        ConfigError: ``fixed`` asked of a channel without limits.
    """
    n_channels = len(channels)
    zeros, ones = np.zeros(n_channels), np.ones(n_channels)
    if kind == "none":
        return Normaliser(zeros, ones, zeros)
    if kind == "fixed":
        return _fixed(channels)
    count, total = np.zeros(n_channels), np.zeros(n_channels)
    low, high = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
    for rows in _training_rows(signals, training):
        count += (~np.isnan(rows)).sum(axis=0)
        total += np.nansum(rows, axis=0)
        low = np.fmin(low, np.fmin.reduce(rows, axis=0))
        high = np.fmax(high, np.fmax.reduce(rows, axis=0))
    seen = count > 0
    mean = np.divide(total, count, out=np.zeros(n_channels), where=seen)
    if kind == "min-max":
        low, high = np.where(seen, low, 0.0), np.where(seen, high, 0.0)
        scale = np.where(high > low, high - low, 1.0)
        return Normaliser(low, scale, (mean - low) / scale)
    squares = np.zeros(n_channels)
    for rows in _training_rows(signals, training):
        squares += np.nansum((rows - mean) ** 2, axis=0)
    std = np.sqrt(np.divide(squares, count, out=np.zeros(n_channels), where=seen))
    return Normaliser(mean, np.where(std > 1e-8, std, 1.0), zeros)


def _training_rows(
    signals: NDArray[np.float32], training: NDArray[np.bool_]
) -> Iterator[NDArray[np.float64]]:
    for first in range(0, len(signals), _ROWS):
        mask = training[first : first + _ROWS]
        if mask.any():
            yield signals[first : first + _ROWS][mask].astype(np.float64)


def _fixed(channels: Sequence[Channel]) -> Normaliser:
    without = [channel.name for channel in channels if channel.limits is None]
    if without:
        raise ConfigError(
            f"no fixed limits are known for channel '{without[0]}'"
            + (f" and {len(without) - 1} others" if len(without) > 1 else ""),
            where="normalise: fixed",
            expected="a dataset whose channels have limits",
            fix="use 'normalise: z-score'",
        )
    low = np.array([channel.limits[0] for channel in channels if channel.limits])
    high = np.array([channel.limits[1] for channel in channels if channel.limits])
    scale = high - low
    return Normaliser(low, scale, np.clip(-low / scale, *CLIP), CLIP)
