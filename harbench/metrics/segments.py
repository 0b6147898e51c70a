"""Segment F1 at an overlap, as in temporal action segmentation.

C. Lea, M. D. Flynn, R. Vidal, A. Reiter and G. D. Hager, Temporal convolutional networks for
action segmentation and detection, CVPR 2017, section 4. A predicted segment counts as right where
its intersection over union (IoU) with a true segment of its class is at least a threshold; of
several for one true segment only the first counts. Each predicted segment is held against the one
true segment that it overlaps best, as in the published code of that field (Farha and Gall, MS-TCN,
CVPR 2019). Counts are summed over all recordings before F1 is computed, as there. NULL is the
background: it has no segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.metrics.events import overlapped

OVERLAPS = (10, 25, 50)
"""Percent: the thresholds that the field reports."""


@dataclass(frozen=True)
class SegmentCounts:
    """Segments that are right, wrongly predicted, and missed."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: SegmentCounts) -> SegmentCounts:
        return SegmentCounts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )

    @property
    def f1(self) -> float | None:
        """0 .. 1; None where there is neither a true nor a predicted segment."""
        both = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / both if both else None


def match_segments(
    true: NDArray[np.int64], predicted: NDArray[np.int64], percent: int
) -> SegmentCounts:
    """Right, wrong and missed segments of one class in one stretch.

    Args:
        true: int64 [n_true, 2], start and stop (exclusive) of each, in order, without overlap.
        predicted: int64 [n_predicted, 2], likewise.
        percent: The least IoU of a right segment, 1 to 100.

    Raises:
        ValueError: no such percentage.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"an overlap of {percent} percent, expected 1 to 100")
    taken = np.zeros(len(true), np.bool_)
    firsts, stops = overlapped(predicted, true)
    for (begin, end), first, stop in zip(predicted, firsts, stops, strict=True):
        if first == stop:
            continue
        starts, ends = true[first:stop].T
        shared = np.minimum(end, ends) - np.maximum(begin, starts)
        union = np.maximum(end, ends) - np.minimum(begin, starts)
        best = int((shared / union).argmax())
        # In whole numbers: 3 of 30 samples are 10 percent, whatever 0.1 is in binary.
        if 100 * shared[best] >= percent * union[best]:
            taken[first + best] = True
    right = int(taken.sum())
    return SegmentCounts(right, len(predicted) - right, len(true) - right)
