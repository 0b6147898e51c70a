"""Scores of samples and events: what stretches of spread predictions are worth, by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harbench.metrics.confusion import confusion
from harbench.metrics.events import (
    EventCounts,
    FrameCounts,
    count_events,
    count_frames,
    delays,
    events_of,
)
from harbench.metrics.scores import score
from harbench.metrics.segments import OVERLAPS, SegmentCounts, match_segments
from harbench.metrics.spreading import Stretch


@dataclass(frozen=True)
class ClassEvents:
    """What became of the events of one class, or of several classes together.

    Args:
        frames: Samples by Ward's categories.
        events: Events by Ward's categories.
        segments: IoU in percent -> segments that are right, wrong and missed.
        delays: Samples from the start of each event that was found to its first right sample.
        missed: True events without a right sample; equals ``events.deleted``.
    """

    frames: FrameCounts = field(default_factory=FrameCounts)
    events: EventCounts = field(default_factory=EventCounts)
    segments: Mapping[int, SegmentCounts] = field(
        default_factory=lambda: dict.fromkeys(OVERLAPS, SegmentCounts())
    )
    delays: tuple[int, ...] = ()
    missed: int = 0

    def __add__(self, other: ClassEvents) -> ClassEvents:
        return ClassEvents(
            self.frames + other.frames,
            self.events + other.events,
            {percent: self.segments[percent] + other.segments[percent] for percent in OVERLAPS},
            self.delays + other.delays,
            self.missed + other.missed,
        )


def score_events(stretches: Iterable[Stretch], n_classes: int) -> list[ClassEvents]:
    """What became of the events of each class, summed over all stretches.

    Args:
        stretches: As :func:`harbench.metrics.spreading.spread` finds them.
        n_classes: Of the task.

    Returns:
        One for each class, in order; NULL too, where it is one.

    Raises:
        ValueError: a stretch holds something that is no class.
    """
    found = [ClassEvents() for _ in range(n_classes)]
    for stretch in stretches:
        present = np.union1d(stretch.true, stretch.predicted)
        if len(present) and not 0 <= present[0] <= present[-1] < n_classes:
            raise ValueError(
                f"classes {present[0]} to {present[-1]}, expected 0 .. {n_classes - 1}"
            )
        absent = ClassEvents(FrameCounts(true_negative=len(stretch)))
        for number in range(n_classes):
            here = _score_class(stretch, number) if number in present else absent
            found[number] = found[number] + here
    return found


def together(by_class: Sequence[ClassEvents], null: int | None) -> ClassEvents:
    """The sum over all classes other than NULL."""
    kept = (found for number, found in enumerate(by_class) if number != null)
    return sum(kept, start=ClassEvents())


def sample_scores(
    stretches: Sequence[Stretch], classes: Sequence[str], null: int | None
) -> dict[str, float | None]:
    """Every score of :data:`harbench.metrics.SAMPLE_METRICS`, 0 .. 1.

    None where a segment F1 has neither a true nor a predicted segment to go by.

    Args:
        stretches: At least one.
        classes: Names [n_classes].
        null: Index of the NULL class, or None.

    Raises:
        ValueError: there is no sample, or one holds something that is no class.
    """
    n_classes = len(classes)
    matrix = np.zeros((n_classes, n_classes), np.int64)
    for stretch in stretches:
        matrix += confusion(stretch.true, stretch.predicted, n_classes)
    every = together(score_events(stretches, n_classes), null)
    return {
        "sample_nf": score(matrix, classes, null).nf,
        **{f"segment_f1_{percent}": every.segments[percent].f1 for percent in OVERLAPS},
    }


def _score_class(stretch: Stretch, number: int) -> ClassEvents:
    true, predicted = events_of(stretch.true, number), events_of(stretch.predicted, number)
    late = delays(true, predicted)
    return ClassEvents(
        count_frames(stretch.true == number, stretch.predicted == number),
        count_events(true, predicted),
        {percent: match_segments(true, predicted, percent) for percent in OVERLAPS},
        tuple(late[late >= 0].tolist()),
        int((late < 0).sum()),
    )
