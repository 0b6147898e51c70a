"""A fold, ready to train on: gaps filled, normalised, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.data.gaps import PARTS, Fill, fill_by_part, ranks_of
from harbench.data.normalise import Kind, Normaliser, fit
from harbench.data.splits import Fold
from harbench.data.stream import Stream, release
from harbench.data.windows import Windows, covered
from harbench.nouns import Dataset

_ROWS = 65_536
"""Rows at a time: what is read of a memory-mapped file counts as memory until it is released."""


@dataclass(frozen=True)
class PreparedFold:
    """What a training needs, and nothing else.

    Args:
        signals: float32 [n_samples, n_channels], filled and normalised; windows index its rows.
        length: Samples of a window.
        train, validation, test: Windows of each part; validation may be empty.
        n_classes: That the labels count.
        normaliser: As fitted.
    """

    signals: NDArray[np.float32]
    length: int
    train: Windows
    validation: Windows
    test: Windows
    n_classes: int
    normaliser: Normaliser


def prepare(
    stream: Stream,
    dataset: Dataset,
    fold: Fold,
    *,
    channels: Sequence[int],
    length: int,
    n_classes: int,
    fill: Fill,
    normalise: Kind,
) -> PreparedFold:
    """Fill and normalise the chosen channels of a stream for one fold.

    Each recording is filled by itself, and no training value from a sample that only validation
    or test windows hold (:func:`harbench.data.gaps.fill_by_part`). Statistics come from the
    samples that the fold's training windows hold: no validation or test sample enters them.
    """
    signals = _copied(stream.signals, channels)
    held = {part: covered(getattr(fold, part).starts, length, len(signals)) for part in PARTS}
    ranks = ranks_of(held)
    for recording in stream.recordings:
        inside = slice(recording.start, recording.stop)
        fill_by_part(signals[inside], fill, ranks[inside])
    normaliser = fit(normalise, signals, held["train"], [dataset.channels[i] for i in channels])
    normaliser.apply(signals)
    return PreparedFold(
        signals, length, fold.train, fold.validation, fold.test, n_classes, normaliser
    )


def _copied(signals: NDArray[np.float32], channels: Sequence[int]) -> NDArray[np.float32]:
    """The chosen channels, in memory of their own."""
    # A slice where they stand side by side: much faster than an index for each.
    first, n_channels = (channels[0], len(channels)) if channels else (0, 0)
    together = list(channels) == list(range(first, first + n_channels))
    chosen = slice(first, first + n_channels) if together else list(channels)
    copy = np.empty((len(signals), n_channels), np.float32)
    for begin in range(0, len(signals), _ROWS):
        copy[begin : begin + _ROWS] = signals[begin : begin + _ROWS, chosen]
        release(signals)
    return copy
