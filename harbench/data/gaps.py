"""Filling of gaps: what a missing value becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Fill = Literal["none", "forward", "linear"]

PARTS = ("train", "validation", "test")


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
    missing = np.isnan(signals)
    affected = np.flatnonzero(missing.any(axis=0))
    for channel, absent in zip(affected, np.ascontiguousarray(missing[:, affected].T), strict=True):
        beside = np.zeros(len(absent), np.bool_)
        beside[1:] |= absent[:-1]
        beside[:-1] |= absent[1:]
        # Values at the edges of gaps; no others are looked at.
        edges = np.flatnonzero(beside & ~absent)
        if len(edges) == 0:
            continue
        wanted = np.flatnonzero(absent)
        wanted = wanted[np.searchsorted(wanted, absent.argmin()) :]
        column = signals[:, channel]
        if how == "linear":
            column[wanted] = np.interp(wanted, edges, column[edges])
        else:
            column[wanted] = column[edges[np.searchsorted(edges, wanted) - 1]]


def ranks_of(held: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.int8]:
    """int8 [n_samples]: 0 where a training window holds the sample, else 1 where a validation
    window does, else 2 where a test window does; -1 where no window holds it.

    Args:
        held: Part -> bool [n_samples], the samples that its windows hold.
    """
    n_samples = len(next(iter(held.values())))
    ranks = np.full(n_samples, -1, np.int8)
    for rank, part in reversed(list(enumerate(PARTS))):
        if part in held:
            ranks[held[part]] = rank
    return ranks


def levels_of(ranks: NDArray[np.int8]) -> tuple[NDArray[np.int8], tuple[int, ...]]:
    """The ranks of one recording, and those that its windows have, lowest first.

    Samples that no window holds get the lowest of them: any part may be filled from these.
    """
    levels = tuple(int(rank) for rank in np.unique(ranks) if rank >= 0)
    return np.maximum(ranks, levels[0] if levels else 0), levels


def fill_by_part(signals: NDArray[np.float32], how: Fill, ranks: NDArray[np.int8]) -> None:
    """Fill one recording that several parts of a split share, in place.

    As :func:`fill_gaps`, but a training value is never made of one that only validation or test
    windows hold, nor a validation value of one that only test windows hold: to the part that must
    not know them such samples are missing. So no test sample can reach the weights by way of a
    gap. The other way round is allowed, as history is in use.

    Args:
        signals: float32 [n_samples, n_channels] of one recording, NaN where missing.
        how: As in :func:`fill_gaps`.
        ranks: int8 [n_samples] of these samples, from :func:`ranks_of`.
    """
    ranks, levels = levels_of(ranks)
    if len(levels) < 2 or how == "none" or not np.isnan(signals).any():
        fill_gaps(signals, how)
        return
    for level in reversed(levels):
        # Highest first: lower levels are filled from what is still as it was recorded.
        seen = signals.copy()
        seen[ranks > level] = np.nan
        fill_gaps(seen, how)
        signals[ranks == level] = seen[ranks == level]
