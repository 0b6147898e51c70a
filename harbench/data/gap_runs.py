"""Gaps of a stream, run by run: what a filled value was taken from.

:func:`harbench.data.gaps.fill_gaps` fills a run of missing values from the value before it and,
``linear``, from the one behind it. So a few numbers a run say exactly which values looked ahead,
and which were taken from another part of a split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.data.gaps import Fill
from harbench.data.stream import Stream


@dataclass(frozen=True)
class GapRuns:
    """Missing values of all channels, as runs; leading ones, which nothing fills, are left out.

    Args:
        channel: int64 [n_runs].
        start, stop: int64 [n_runs], samples [start, stop) of the stream; sample ``start - 1`` has
            a value.
        after: bool [n_runs], whether sample ``stop`` is of the same recording, so has a value.
    """

    channel: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    after: NDArray[np.bool_]


@dataclass(frozen=True)
class GapUse:
    """Values of one part's windows, each sample counted once, and how many of them were filled.

    Args:
        values: Samples that the part's windows hold, times channels.
        filled: Values that were missing and have been filled.
        ahead: Of these, how many used a value from later in the recording.
        across: Of these, how many used a value that no window of this part holds, but a window of
            another part does.
    """

    values: int
    filled: int
    ahead: int
    across: int


def gap_runs(stream: Stream) -> GapRuns:
    """The gaps of a stream that fill_gaps fills, of all its channels; reads the signals once."""
    found: list[tuple[NDArray[np.int64], ...]] = []
    for recording in stream.recordings:
        missing = np.isnan(stream.signals[recording.start : recording.stop]).T
        if not missing.any():
            continue
        edges = np.diff(np.pad(missing, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        # Channel by channel, in order of time: the n-th end belongs to the n-th start.
        channel, start = np.nonzero(edges == 1)
        _, stop = np.nonzero(edges == -1)
        kept = start > 0
        after = stop < missing.shape[1]
        run = (channel, start + recording.start, stop + recording.start, after)
        found.append(tuple(column[kept] for column in run))
    if not found:
        none = np.empty(0, np.int64)
        return GapRuns(none, none, none, none.astype(np.bool_))
    channel, start, stop, after = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return GapRuns(channel, start, stop, after.astype(np.bool_))


def gap_use(
    runs: GapRuns, how: Fill, held: Mapping[str, NDArray[np.bool_]], channels: tuple[int, ...]
) -> dict[str, GapUse]:
    """What filling did to each part of a fold.

    Args:
        runs: Of the stream.
        how: ``forward`` or ``linear``.
        held: Part -> bool [n_samples], the samples that its windows hold.
        channels: That are trained on.
    """
    chosen = np.isin(runs.channel, channels)
    start, stop = runs.start[chosen], runs.stop[chosen]
    looks_ahead = runs.after[chosen] & (how == "linear")
    # Of runs that reach the very end there is no sample behind: any will do, it is masked.
    behind = np.where(looks_ahead, stop, start - 1)
    found = {}
    for part, own in held.items():
        others = np.zeros_like(own)
        for other, samples in held.items():
            if other != part:
                others |= samples
        foreign = others & ~own
        running = np.concatenate([[0], np.cumsum(own, dtype=np.int64)])
        inside = running[stop] - running[start]
        from_others = foreign[start - 1] | foreign[behind]
        found[part] = GapUse(
            values=int(running[-1]) * len(channels),
            filled=int(inside.sum()),
            ahead=int(inside[looks_ahead].sum()),
            across=int(inside[from_others].sum()),
        )
    return found
