"""Predictions of windows, spread over the samples of each recording.

Every sample takes the majority vote of the windows that cover it (Yang et al. 2015 score so, in
``getypre.m``). On a tie, the tied class wins whose window has its centre nearest to the sample,
and of two as near the earlier window's. So where each sample lies in two windows, as at a step of
half a window, every window decides on its middle half. Under a rule by class number (MATLAB's
``mode`` takes the lowest) NULL, which is class 0, would win all those ties and a gesture that is
found in one window only would vanish.

Samples that no window covers are left out: the test part of a recording need not be all of it,
and windows without a class are dropped. What is left out cuts a recording into stretches, and no
event reaches across a cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST_SAMPLES = 1 << 28

LEFT_OUT = -1
"""Stands where a sample has no class."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive samples of a recording that all have a true and a predicted class.

    Args:
        recording: Its name.
        start: First sample of the stretch within the recording.
        true: int64 [n_samples].
        predicted: int64 [n_samples].
    """

    recording: str
    start: int
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.true)


def spread(
    recording: ArrayLike,
    start: ArrayLike,
    true: ArrayLike,
    predicted: ArrayLike,
    length: int,
    labels: Mapping[str, NDArray[np.integer]] | None = None,
) -> list[Stretch]:
    """The stretches of samples that the windows cover, recording by recording.

    Args:
        recording: Name of each window's recording, str [n_windows].
        start: First sample of each window within its recording, int [n_windows].
        true, predicted: Classes of the windows, int [n_windows], each from 0 on.
        length: Samples of a window.
        labels: Recording -> true class of each of its samples, int [n_samples]; -1 = left out.
            Where None, the true classes of the windows are spread as the predicted ones are.

    Raises:
        ValueError: the arrays differ in length, a window starts before its recording or ends
            behind it, a class is negative, a recording has no labels, or would be of more samples
            than any has (2**28: a month at 100 Hz).
    """
    names, begins = np.asarray(recording), _whole(start, "starts")
    truth, said = _whole(true, "true classes"), _whole(predicted, "predicted classes")
    if not names.shape == begins.shape == truth.shape == said.shape:
        raise ValueError(
            f"{names.size} recordings, {begins.size} starts, {truth.size} true and {said.size} "
            "predicted classes"
        )
    found: list[Stretch] = []
    for name in dict.fromkeys(names.tolist()):
        of_it = names == name
        if labels is None:
            n_samples = int(begins[of_it].max()) + length
            if n_samples > _MOST_SAMPLES:
                raise ValueError(f"recording '{name}' would be of {n_samples} samples")
            samples = vote(begins[of_it], truth[of_it], length, n_samples)
        elif name in labels:
            samples = _whole(labels[name], "labels")
            n_samples = len(samples)
        else:
            raise ValueError(f"recording '{name}' has no labels")
        votes = vote(begins[of_it], said[of_it], length, n_samples)
        for first, stop in intervals((samples >= 0) & (votes >= 0)).tolist():
            found.append(Stretch(str(name), first, samples[first:stop], votes[first:stop]))
    return found


def vote(
    starts: NDArray[np.int64], classes: NDArray[np.int64], length: int, n_samples: int
) -> NDArray[np.int64]:
    """The class of each sample of one recording, by the windows that cover it.

    Args:
        starts: int64 [n_windows], in any order.
        classes: int64 [n_windows], each from 0 on.
        length: Samples of a window.
        n_samples: Of the recording.

    Returns:
        int64 [n_samples]; -1 where no window covers the sample.

    Raises:
        ValueError: a window is not inside of the recording, or a class is negative.
    """
    if length < 1:
        raise ValueError(f"windows of {length} samples")
    if len(starts) and (starts.min() < 0 or starts.max() + length > n_samples):
        raise ValueError(f"a window reaches out of a recording of {n_samples} samples")
    if classes.min(initial=0) < 0:
        raise ValueError(f"class {classes.min()} is negative")
    if len(starts) == 0:
        return np.full(n_samples, LEFT_OUT, np.int64)
    present = np.unique(classes)
    counts = np.zeros((len(present), n_samples + 1), np.int32)
    for row, number in zip(counts, present, strict=True):
        np.add.at(row, starts[classes == number], 1)
        np.add.at(row, starts[classes == number] + length, -1)
    counts = counts.cumsum(axis=1, dtype=np.int32)[:, :-1]
    most = counts.max(axis=0)
    votes: NDArray[np.int64] = present[counts.argmax(axis=0)]
    votes[most == 0] = LEFT_OUT
    tied = np.flatnonzero(((counts == most).sum(axis=0) > 1) & (most > 0))
    distances = np.stack([_distance(tied, starts[classes == n], length) for n in present])
    distances[counts[:, tied] < most[tied]] = np.iinfo(np.int64).max
    votes[tied] = present[distances.argmin(axis=0)]
    return votes


def _distance(
    samples: NDArray[np.int64], starts: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """From each sample to the nearest centre; in quarters of a sample, so that of two centres as
    far on either side the earlier is the nearer by one."""
    centres = np.sort(2 * starts + length - 1)
    after = np.searchsorted(centres, 2 * samples)
    far = np.iinfo(np.int64).max // 4
    edged = np.concatenate([[-far], centres, [far]])
    # Since all windows are as long, the nearest of a class covers the sample if any of it does.
    earlier, later = 2 * samples - edged[after], edged[after + 1] - 2 * samples
    nearer: NDArray[np.int64] = np.minimum(2 * earlier, 2 * later + 1)
    return nearer


def intervals(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """int64 [n_runs, 2]: first and, exclusive, last index of each run of True, in order."""
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return edges.reshape(-1, 2).astype(np.int64, copy=False)


def _whole(values: ArrayLike, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{what} have shape {array.shape}, expected one dimension")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{what} are of type {array.dtype}, expected integers")
    return array.astype(np.int64)
