"""Ward's categories of errors: what happened to each event of a class, and to each sample.

J. A. Ward, P. Lukowicz and H. W. Gellersen, Performance metrics for activity recognition, ACM
Transactions on Intelligent Systems and Technology 2(1), 2011, article 6. One class is held
against all others; an event is a longest run of samples of the class. Truth and prediction cut a
stretch into segments in which neither changes. A segment where the class is missed, or wrongly
predicted, is told by its two neighbours: which of them is a right one (true positive)?

                        missed (false negative)    wrongly predicted (false positive)
    neither             deletion                   insertion
    both                fragmentation              merge
    only the later      underfill at the start     overfill at the start
    only the earlier    underfill at the end       overfill at the end

Beyond the ends of a stretch nothing is right. Drawings stand in docs/events.md.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.metrics.spreading import intervals

FRAME_CATEGORIES = ("TN", "TP", "D", "F", "Ua", "Uo", "I", "M", "Oa", "Oo")
"""What a sample is: the paper's letters, in the order of the fields of :class:`FrameCounts`;
a and o are its alpha and omega, at the start and at the end."""

# Of a segment, by 2 * (right before) + (right after).
_MISSED = np.array([2, 4, 5, 3])
_WRONG = np.array([6, 8, 9, 7])


@dataclass(frozen=True)
class FrameCounts:
    """Samples by category, of one class against all others, or summed over classes.

    Samples of the class add up to true_positive + deletion + fragmentation + underfill; all
    others to true_negative + insertion + merge + overfill. The paper's table of two classes
    (2SET) holds the shares of these two sums.
    """

    true_negative: int = 0
    true_positive: int = 0
    deletion: int = 0
    fragmentation: int = 0
    underfill_start: int = 0
    underfill_end: int = 0
    insertion: int = 0
    merge: int = 0
    overfill_start: int = 0
    overfill_end: int = 0

    def __add__(self, other: FrameCounts) -> FrameCounts:
        return FrameCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def positives(self) -> int:
        """Samples of the class."""
        missed = self.deletion + self.fragmentation + self.underfill_start + self.underfill_end
        return self.true_positive + missed

    @property
    def negatives(self) -> int:
        """Samples of other classes."""
        wrong = self.insertion + self.merge + self.overfill_start + self.overfill_end
        return self.true_negative + wrong


@dataclass(frozen=True)
class EventCounts:
    """Events by category, of one class or summed over classes.

    A true event is ``deleted`` where no predicted event of its class overlaps it; ``fragmented``
    where several do; ``merged`` where the one that does overlaps another true event too;
    ``fragmented_and_merged`` where several do and one of them overlaps another too; else
    ``correct``. A predicted event likewise: ``inserted``, ``merging`` (it overlaps several true
    ones), ``fragmenting`` (one of several in a true event), ``fragmenting_and_merging``, or
    correct, and correct ones are as many on either side. Correct says nothing of the borders:
    underfill and overfill are counted in samples.
    """

    deleted: int = 0
    fragmented: int = 0
    fragmented_and_merged: int = 0
    merged: int = 0
    correct: int = 0
    merging: int = 0
    fragmenting_and_merging: int = 0
    fragmenting: int = 0
    inserted: int = 0

    def __add__(self, other: EventCounts) -> EventCounts:
        return EventCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def true(self) -> int:
        """True events."""
        return sum(astuple(self)[:5])

    @property
    def predicted(self) -> int:
        """Predicted events."""
        return sum(astuple(self)[4:])


def frame_categories(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The category of each sample of a stretch.

    Args:
        true: bool [n_samples], whether the sample is of the class.
        predicted: bool [n_samples], whether it is taken for it.

    Returns:
        int64 [n_samples], places in :data:`FRAME_CATEGORIES`.
    """
    kinds = 2 * true.astype(np.int64) + predicted
    starts = np.flatnonzero(np.diff(kinds, prepend=-1))
    kind = kinds[starts]
    right = np.concatenate([[False], kind == 3, [False]])
    neighbours = 2 * right[:-2] + right[2:]
    found = np.select(
        [kind == 3, kind == 2, kind == 1], [1, _MISSED[neighbours], _WRONG[neighbours]], 0
    )
    return np.repeat(found, np.diff(starts, append=len(kinds)))


def count_frames(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> FrameCounts:
    """How many samples of a stretch are of each category; see :func:`frame_categories`."""
    found = frame_categories(true, predicted)
    return FrameCounts(*np.bincount(found, minlength=len(FRAME_CATEGORIES)).tolist())


def count_events(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> EventCounts:
    """How many events of a stretch are of each category.

    Args:
        true: int64 [n_true, 2], start and stop (exclusive) of each true event of a class, in
            order, none touching another.
        predicted: int64 [n_predicted, 2], likewise.
    """
    fates, counterparts = _fates(true, predicted), _fates(predicted, true)
    alone, correct, several, shared, both = fates
    return EventCounts(
        deleted=alone,
        fragmented=several,
        fragmented_and_merged=both,
        merged=shared,
        correct=correct,
        merging=counterparts[2],
        fragmenting_and_merging=counterparts[4],
        fragmenting=counterparts[3],
        inserted=counterparts[0],
    )


def overlapped(
    events: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of the others each event shares a sample with: from the first, to before the last.

    Returns:
        Two int64 [n_events].
    """
    first = np.searchsorted(others[:, 1], events[:, 0], side="right")
    return first.astype(np.int64), np.searchsorted(others[:, 0], events[:, 1]).astype(np.int64)


def _fates(events: NDArray[np.int64], others: NDArray[np.int64]) -> list[int]:
    """How many events overlap: none; one that overlaps no further; several that overlap no
    further; one that overlaps further ones; several of which one does."""
    first, stop = overlapped(events, others)
    back, back_stop = overlapped(others, events)
    wide = np.concatenate([[0], np.cumsum(back_stop - back > 1)])
    several, shared = stop - first > 1, wide[stop] - wide[first] > 0
    some = stop > first
    return [
        int(which.sum())
        for which in (
            ~some,
            some & ~several & ~shared,
            several & ~shared,
            some & ~several & shared,
            several & shared,
        )
    ]


def events_of(labels: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """int64 [n_events, 2], start and stop (exclusive) of each event of a class in a stretch."""
    return intervals(labels == number)


def delays(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Samples from the start of each true event to its first sample that is predicted right.

    Args:
        true, predicted: Events of a class in a stretch, as for :func:`count_events`.

    Returns:
        int64 [n_true]; 0 where the prediction is there at the start already, -1 where no sample
        of the event is right.
    """
    if len(predicted) == 0:
        return np.full(len(true), -1, np.int64)
    first, stop = overlapped(true, predicted)
    begun = predicted[np.minimum(first, len(predicted) - 1), 0]
    return np.where(stop > first, np.maximum(begun - true[:, 0], 0), -1)
