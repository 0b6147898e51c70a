"""Statistics of each channel of a window: the features of the classical baselines.

For a pipeline of one's own::

    from harbench_models.window_statistics import statistics_step

    make_pipeline(statistics_step(), StandardScaler(), SVC(probability=True))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import harbench
from harbench_models.checks import check_choice

if TYPE_CHECKING:
    from sklearn.preprocessing import FunctionTransformer

STATISTICS = (
    "mean",
    "std",
    "min",
    "max",
    "median",
    "iqr",
    "rms",
    "mean_absolute_difference",
    "zero_crossings",
    "mean_crossings",
    "skewness",
    "kurtosis",
    "dominant_frequency",
    "spectral_entropy",
)
"""All statistics, in their order; :func:`window_statistics` says what each one is."""

_ELEMENTS = 1 << 20  # of a chunk: 8 MiB in float64, and a few arrays of that size
_LARGEST = float(np.finfo(np.float32).max)


def window_statistics(
    x: NDArray[np.floating], which: Sequence[str] = STATISTICS
) -> NDArray[np.float32]:
    """Statistics of each channel of each window: float32 [n_windows, n_channels * n_statistics].

    Columns go channel by channel; :func:`statistic_names` names them. Of a channel with the
    samples x_1 ... x_n:

    - ``mean``; ``std`` (divided by n); ``min``; ``max``; ``median``;
    - ``iqr``: from the first quartile to the third, interpolated linearly;
    - ``rms``: root of the mean square;
    - ``mean_absolute_difference``: of neighbouring samples; 0 of a single sample;
    - ``zero_crossings``, ``mean_crossings``: share of neighbouring samples between which the
      sign changes, of x and of x - mean (0 counts as positive);
    - ``skewness`` and ``kurtosis``: m3 / m2^1.5 and m4 / m2^2 - 3, of central moments m;
    - ``dominant_frequency``: of the largest power |FFT(x - mean)|^2, in cycles a sample, above 0
      and at most 0.5; the lowest of equals;
    - ``spectral_entropy``: of the same powers as shares of their sum, divided by the logarithm of
      their number: 0 is one frequency, 1 is all alike. (Their sum would say what ``std`` does.)

    A constant channel has the last four at 0. Whatever finite numbers come in, finite ones come
    out. Windows are taken in chunks: apart from the result, memory does not grow with them.

    Args:
        x: [n_windows, n_channels, n_times], finite.
        which: Some of :data:`STATISTICS`, in the order wanted.

    Raises:
        ModelError: no statistic is called so, or ``x`` has another shape.
    """
    for name in which:
        check_choice("window_statistics", "which", name, STATISTICS)
    if x.ndim != 3 or x.shape[2] < 1:
        raise harbench.ModelError(
            f"windows of the shape {list(x.shape)} have no statistics",
            where="window_statistics",
            expected="[n_windows, n_channels, n_times] with at least one sample",
        )
    n_windows, n_channels, n_times = x.shape
    found = np.empty((n_windows, n_channels, len(which)), np.float32)
    size = max(1, _ELEMENTS // max(1, n_channels * n_times))
    for first in range(0, n_windows, size):
        chunk = np.asarray(x[first : first + size], np.float64)
        values = _all_of(chunk)
        for column, name in enumerate(which):
            # Sums and differences of the largest float32 do not fit into a float32.
            found[first : first + size, :, column] = np.clip(values[name], -_LARGEST, _LARGEST)
    return found.reshape(n_windows, n_channels * len(which))


def statistic_names(channels: Sequence[str], which: Sequence[str] = STATISTICS) -> list[str]:
    """Name of each column of :func:`window_statistics`: "ACC x mean", "ACC x std" ..."""
    return [f"{channel} {name}" for channel in channels for name in which]


def statistics_step(which: Sequence[str] = STATISTICS) -> FunctionTransformer:
    """:func:`window_statistics` as a step of a scikit-learn pipeline."""
    from sklearn.preprocessing import FunctionTransformer

    options: dict[str, Any] = {} if tuple(which) == STATISTICS else {"which": tuple(which)}
    return FunctionTransformer(window_statistics, kw_args=options)


def _all_of(x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Statistic -> [n_windows, n_channels]."""
    n = x.shape[2]
    ordered = np.sort(x, axis=2)
    mean = x.mean(axis=2)
    centred = x - mean[..., None]
    squares = centred**2
    m2 = squares.mean(axis=2)
    m3, m4 = (squares * centred).mean(axis=2), (squares**2).mean(axis=2)
    # The mean of n equal numbers is off by a rounding or two; nothing may be divided by that.
    constant = ordered[..., 0] == ordered[..., -1]
    safe = np.where(constant | (m2 == 0), 1.0, m2)
    frequency, entropy = _spectrum(centred)
    steps = np.abs(np.diff(x, axis=2))
    return {
        "mean": mean,
        "std": np.sqrt(m2),
        "min": ordered[..., 0],
        "max": ordered[..., -1],
        "median": _quantile(ordered, 0.5),
        "iqr": _quantile(ordered, 0.75) - _quantile(ordered, 0.25),
        "rms": np.sqrt((x**2).mean(axis=2)),
        "mean_absolute_difference": steps.mean(axis=2) if n > 1 else np.zeros_like(mean),
        "zero_crossings": _crossings(x),
        "mean_crossings": np.where(constant, 0.0, _crossings(centred)),
        "skewness": np.where(constant, 0.0, m3 / safe**1.5),
        "kurtosis": np.where(constant, 0.0, m4 / safe**2 - 3.0),
        "dominant_frequency": np.where(constant, 0.0, frequency),
        "spectral_entropy": np.where(constant, 0.0, entropy),
    }


def _quantile(ordered: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Interpolated linearly between the two samples next to it, as NumPy does."""
    place = share * (ordered.shape[2] - 1)
    below = int(place)
    above = min(below + 1, ordered.shape[2] - 1)
    low, high = ordered[..., below], ordered[..., above]
    return np.asarray(low + (place - below) * (high - low))


def _crossings(x: NDArray[np.float64]) -> NDArray[np.float64]:
    if x.shape[2] < 2:
        return np.zeros(x.shape[:2])
    positive = x >= 0
    return np.asarray((positive[..., 1:] != positive[..., :-1]).mean(axis=2))


def _spectrum(centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dominant frequency and spectral entropy; what a constant channel has does not count."""
    n = centred.shape[2]
    if n < 2:
        nothing = np.zeros(centred.shape[:2])
        return nothing, nothing
    power = np.abs(np.fft.rfft(centred, axis=2)[..., 1:]) ** 2
    frequency = (1 + power.argmax(axis=2)) / n
    total = power.sum(axis=2, keepdims=True)
    share = power / np.where(total > 0, total, 1.0)
    terms = share * np.log(np.where(share > 0, share, 1.0))
    n_frequencies = power.shape[2]
    entropy = -terms.sum(axis=2) / np.log(n_frequencies) if n_frequencies > 1 else 0 * frequency
    return frequency, entropy
