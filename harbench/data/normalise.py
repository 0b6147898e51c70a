"""Normalisation, fitted on what the training windows hold and on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ConfigError
from harbench.nouns import Channel

Kind = Literal["z-score", "min-max", "fixed", "none"]

_ROWS = 65_536
"""Rows that are summed up before they are added to the total; another number, other last bits."""

_AT_ONCE = 512
"""Rows at a time: their float64 copy stays in the processor's cache, whatever the dataset's size.
The sums do not depend on it."""

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
        scaled = np.empty((_AT_ONCE, signals.shape[1]))
        for first in range(0, len(signals), _AT_ONCE):
            rows = signals[first : first + _AT_ONCE]
            scaled = scaled[: len(rows)]
            np.subtract(rows, self.offset, out=scaled)
            np.divide(scaled, self.scale, out=scaled)
            if self.clip is not None:
                scaled[scaled < 0] = self.clip[0]
                scaled[scaled > 1] = self.clip[1]
            missing = np.isnan(scaled)
            if missing.any():
                np.copyto(scaled, self.missing, where=missing)
            rows[:] = scaled


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
    count = np.zeros(n_channels)
    for rows in _pieces(signals, training, _AT_ONCE):
        count += len(rows) - np.count_nonzero(np.isnan(rows), axis=0)
    seen = count > 0
    total = _sum(signals, training, lambda rows: None)
    mean = np.divide(total, count, out=np.zeros(n_channels), where=seen)
    if kind == "min-max":
        low, high = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
        for rows in _pieces(signals, training, _AT_ONCE):
            low = np.fmin(low, np.fmin.reduce(rows, axis=0))
            high = np.fmax(high, np.fmax.reduce(rows, axis=0))
        low, high = np.where(seen, low, 0.0), np.where(seen, high, 0.0)
        scale = np.where(high > low, high - low, 1.0)
        return Normaliser(low, scale, (mean - low) / scale)

    def squared(rows: NDArray[np.float64]) -> None:
        rows -= mean
        np.square(rows, out=rows)

    squares = _sum(signals, training, squared)
    std = np.sqrt(np.divide(squares, count, out=np.zeros(n_channels), where=seen))
    return Normaliser(mean, np.where(std > 1e-8, std, 1.0), zeros)


def _sum(
    signals: NDArray[np.float32],
    training: NDArray[np.bool_],
    change: Callable[[NDArray[np.float64]], None],
) -> NDArray[np.float64]:
    """Sum over the training rows of each channel, without what is missing.

    Args:
        signals, training: As of :func:`fit`.
        change: Is given some rows, and may change them.
    """
    n_channels = signals.shape[1]
    total = np.zeros(n_channels)
    # The sum so far is the first row: so all rows are added in order, however many at a time.
    buffer = np.empty((1 + _AT_ONCE, n_channels))
    for first in range(0, len(signals), _ROWS):
        buffer[0] = 0
        inside = slice(first, first + _ROWS)
        for rows in _pieces(signals[inside], training[inside], _AT_ONCE):
            values = buffer[1 : 1 + len(rows)]
            values[:] = rows
            change(values)
            missing = np.isnan(values)
            if missing.any():
                values[missing] = 0
            buffer[0] = np.add.reduce(buffer[: 1 + len(rows)], axis=0)
        total += buffer[0]
    return total


def _pieces(
    signals: NDArray[np.float32], training: NDArray[np.bool_], n_rows: int
) -> Iterator[NDArray[np.float32]]:
    """The training rows in order, up to ``n_rows`` at a time."""
    for first in range(0, len(signals), n_rows):
        mask = training[first : first + n_rows]
        if mask.all():
            yield signals[first : first + n_rows]
        elif mask.any():
            yield signals[first : first + n_rows][mask]


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
