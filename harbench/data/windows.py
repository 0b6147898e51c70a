"""Windows: start indices into the stream, and the class of each.

A window never crosses the end of a recording, nor the border between two parts of a split; cut
within segments, nor the border between two labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harbench.nouns.protocol import MostOf

LabelRule = Literal["last", "majority"] | MostOf


@dataclass(frozen=True)
class Windows:
    """Some windows of one length.

    Args:
        starts: int64 [n_windows], index of the first sample in the stream.
        labels: int64 [n_windows], class of each.
    """

    starts: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, which: NDArray[np.generic]) -> Windows:
        return Windows(self.starts[which], self.labels[which])


def cut(spans: Iterable[tuple[int, int]], length: int, step: int) -> NDArray[np.int64]:
    """Starts of all windows that fit whole into each span [start, stop).

    A span of n samples gives ``(n - length) // step + 1`` windows, none where it is shorter.
    """
    pieces = [np.arange(start, stop - length + 1, step, dtype=np.int64) for start, stop in spans]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


def segments(labels: NDArray[np.int16], spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The runs of one label inside each span [start, stop), in order; unlabelled ones are left out.

    Two segments of one label that touch are one run: the labels do not tell them apart.

    Args:
        labels: int16 [n_samples] of the stream, -1 = not labelled.
        spans: Stretches of the stream.
    """
    labels = np.asarray(labels)
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    found: list[tuple[int, int]] = []
    for start, stop in spans:
        if start >= stop:
            continue
        # Changes at the very ends of the span lie outside of it.
        first, last = np.searchsorted(changes, [start + 1, stop])
        edges = np.concatenate([[start], changes[first:last], [stop]])
        labelled = labels[edges[:-1]] >= 0
        starts, stops = edges[:-1][labelled], edges[1:][labelled]
        found += zip(starts.tolist(), stops.tolist(), strict=True)
    return found


def label(
    labels: NDArray[np.int16],
    starts: NDArray[np.int64],
    length: int,
    rule: LabelRule,
    n_classes: int,
) -> NDArray[np.int64]:
    """The class of each window, -1 where it has none.

    Args:
        labels: int16 [n_samples] of the stream, -1 = not labelled.
        starts: int64 [n_windows].
        length: Samples of a window.
        rule: ``last`` sample; ``majority`` (lowest class on a tie; unlabelled samples count as
            a class of their own); or ``MostOf``, the majority where it holds that share.
        n_classes: Of the task.
    """
    if len(starts) == 0:
        return np.empty(0, np.int64)
    if rule == "last":
        return np.asarray(labels[starts + length - 1], np.int64)
    # Most windows hold one label only; the others are counted, on the samples that they hold.
    labels = np.asarray(labels)
    changes = np.zeros(len(labels), np.int32)
    np.cumsum(labels[1:] != labels[:-1], out=changes[1:])
    found = labels[starts].astype(np.int64)
    mixed = np.flatnonzero(changes[starts + length - 1] != changes[starts])
    if len(mixed):
        held = covered(starts[mixed], length, len(labels))
        place = np.cumsum(held) - 1
        begin = place[starts[mixed]]
        found[mixed] = _majority(labels[held], begin, length, rule, n_classes)
    return found


def _majority(
    labels: NDArray[np.int16],
    starts: NDArray[np.int64],
    length: int,
    rule: LabelRule,
    n_classes: int,
) -> NDArray[np.int64]:
    counts = np.empty((n_classes + 1, len(starts)), np.int32)
    running = np.zeros(len(labels) + 1, np.int32)
    # Row n_classes counts the unlabelled, so that argmax prefers a class to it on a tie.
    for row, value in enumerate([*range(n_classes), -1]):
        np.cumsum(labels == value, dtype=np.int32, out=running[1:])
        counts[row] = running[starts + length] - running[starts]
    winner: NDArray[np.int64] = counts.argmax(axis=0).astype(np.int64)
    winner[winner == n_classes] = -1
    if isinstance(rule, MostOf):
        # Whole samples, so that 0.6 of 15 asks for 9 and not for 9.000000000000001.
        needed = int(np.ceil(rule.most_of * length - 1e-9))
        winner[counts.max(axis=0) < needed] = -1
    return winner


def covered(starts: NDArray[np.int64], length: int, n_samples: int) -> NDArray[np.bool_]:
    """bool [n_samples]: whether any of the windows holds the sample."""
    edges = np.bincount(starts, minlength=n_samples + 1)
    edges -= np.bincount(starts + length, minlength=n_samples + 1)
    inside: NDArray[np.bool_] = np.cumsum(edges[:-1]) > 0
    return inside


def overlap_share(
    windows: NDArray[np.int64], training: NDArray[np.int64], length: int, n_samples: int
) -> float:
    """Share of ``windows`` that hold at least one sample that a training window holds, exactly."""
    if len(windows) == 0:
        return 0.0
    running = np.concatenate([[0], np.cumsum(covered(training, length, n_samples))])
    shared = running[windows + length] - running[windows] > 0
    return float(shared.mean())
