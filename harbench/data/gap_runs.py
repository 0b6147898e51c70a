"""Gaps of a stream, run by run: what a filled value was taken from.

:func:`harbench.data.gaps.fill_gaps` fills a run of missing values from the value before it and,
``linear``, from the one behind it. So a few numbers a run say exactly which values looked ahead.
Only where parts of a split share a recording are its samples looked at one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.data.gaps import Fill, levels_of, ranks_of
from harbench.data.stream import Stream, release


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
            another part does. None of training's do.
    """

    values: int
    filled: int
    ahead: int
    across: int

    def plus(self, filled: int, ahead: int, across: int) -> GapUse:
        """With so many more filled values."""
        return GapUse(self.values, self.filled + filled, self.ahead + ahead, self.across + across)


def gap_runs(stream: Stream) -> GapRuns:
    """The gaps of a stream that fill_gaps fills, of all its channels; reads the signals once."""
    found: list[tuple[NDArray[np.int64], ...]] = []
    for recording in stream.recordings:
        missing = np.isnan(stream.signals[recording.start : recording.stop])
        release(stream.signals)
        affected = np.flatnonzero(missing.any(axis=0))
        if len(affected) == 0:
            continue
        n = len(missing)
        framed = np.zeros((len(affected), n + 2), np.bool_)
        framed[:, 1:-1] = missing[:, affected].T
        # Channel by channel, in order of time; each start is followed by its end.
        edges = np.flatnonzero(framed[:, 1:] != framed[:, :-1])
        which, start = np.divmod(edges[::2], n + 1)
        stop = edges[1::2] - which * (n + 1)
        kept = start > 0
        start, stop = start[kept], stop[kept]
        found.append(
            (affected[which[kept]], start + recording.start, stop + recording.start, stop < n)
        )
    if not found:
        none = np.empty(0, np.int64)
        return GapRuns(none, none, none, none.astype(np.bool_))
    channel, start, stop, after = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return GapRuns(channel, start, stop, after.astype(np.bool_))


def gap_use(
    runs: GapRuns,
    stream: Stream,
    how: Fill,
    held: Mapping[str, NDArray[np.bool_]],
    channels: Sequence[int],
) -> dict[str, GapUse]:
    """What filling did to each part of a fold.

    Args:
        runs: Of the stream.
        stream: Its signals are read once more where parts share a recording.
        how: ``forward`` or ``linear``.
        held: Part -> bool [n_samples], the samples that its windows hold.
        channels: That are trained on.
    """
    ranks = ranks_of(held)
    mixed = np.zeros(len(ranks), np.bool_)
    found = {part: GapUse(int(own.sum()) * len(channels), 0, 0, 0) for part, own in held.items()}
    for recording in stream.recordings:
        inside = slice(recording.start, recording.stop)
        # Not the ranks: training may hold every sample, and test some of them as well.
        if sum(bool(own[inside].any()) for own in held.values()) < 2:
            continue
        mixed[inside] = True
        missing = np.isnan(stream.signals[inside][:, list(channels)])
        here = {part: own[inside] for part, own in held.items()}
        for part, counts in _across(missing, how, here, ranks[inside]).items():
            found[part] = found[part].plus(*counts)
    chosen = np.isin(runs.channel, channels) & ~mixed[runs.start]
    start, stop = runs.start[chosen], runs.stop[chosen]
    ahead = runs.after[chosen] & (how == "linear")
    for part, own in held.items():
        running = np.concatenate([[0], np.cumsum(own, dtype=np.int64)])
        filled = running[stop] - running[start]
        found[part] = found[part].plus(int(filled.sum()), int(filled[ahead].sum()), 0)
    return found


def _across(
    missing: NDArray[np.bool_],
    how: Fill,
    held: Mapping[str, NDArray[np.bool_]],
    ranks: NDArray[np.int8],
) -> dict[str, tuple[int, int, int]]:
    """Part -> values filled, ahead, across, of one recording that parts share.

    What :func:`harbench.data.gaps.fill_by_part` makes each value of, level by level.

    Args:
        missing: bool [n_samples, n_channels].
        how: ``forward`` or ``linear``.
        held, ranks: Of these samples.
    """
    counts: dict[str, tuple[int, int, int]] = dict.fromkeys(held, (0, 0, 0))
    n = len(missing)
    rows = np.arange(n)[:, None]
    ranks, levels = levels_of(ranks)
    others = {
        part: np.any([more for name, more in held.items() if name != part], axis=0) & ~own
        for part, own in held.items()
    }
    for level in levels:
        present = ~missing & (ranks <= level)[:, None]
        # The nearest sample before and behind that this level may know; -1 and n where none.
        before = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
        behind = np.minimum.accumulate(np.where(present, rows, n)[::-1], axis=0)[::-1]
        filled = missing & (before >= 0) & (ranks == level)[:, None]
        ahead = filled & (behind < n) & (how == "linear")
        for part, own in held.items():
            foreign = np.append(others[part], False)
            mine = filled & own[:, None]
            across = mine & (foreign[before] | (ahead & foreign[behind]))
            seen = counts[part]
            counts[part] = (
                seen[0] + int(mine.sum()),
                seen[1] + int((ahead & mine).sum()),
                seen[2] + int(across.sum()),
            )
    return counts
