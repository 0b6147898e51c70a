"""Filling of gaps: what a missing value becomes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Fill = Literal["none", "forward", "linear"]


def fill_gaps(signals: NDArray[np.float32], how: Fill) -> None:
    """Fill the missing values of one recording, in place.

    Leading gaps stay missing in every case: no value came before them.

    Args:
        signals: float32 [n_samples, n_channels] of one recording, NaN where missing.
        how: ``none``; ``forward``: the last value seen, which is all that a live system has;
            ``linear``: a line to the next value, as Ordóñez & Roggen 2016 and most of the
            literature do, which looks into the future of the recording. A gap at the end takes
            the last value, as pandas' ``interpolate`` does.
    """
    if how == "none":
        return
    rows = np.arange(len(signals))
    for channel in np.flatnonzero(np.isnan(signals).any(axis=0)):
        column = signals[:, channel]
        present = np.flatnonzero(~np.isnan(column))
        if len(present) == 0:
            continue
        first = present[0]
        if how == "linear":
            column[first:] = np.interp(rows[first:], present, column[present])
        else:
            last_seen = np.zeros(len(column), np.int64)
            last_seen[present] = present
            column[first:] = column[np.maximum.accumulate(last_seen)][first:]
