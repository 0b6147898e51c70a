"""What a fitted estimator costs: bytes, latency, and what of it can be counted.

It depends on what the estimator was fitted to: a nearest-neighbour classifier holds its training
set, a forest grows with it. So it is measured in each cell, and not once for all of them.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench.cost.timing import latency_of
from harbench.errors import ModelError, ResultsError
from harbench.nouns import Counts, Estimator

PICKLE_PROTOCOL = 5
"""Sizes are of this one, whatever Python's default is."""

RUNS = 50
SECONDS = 0.2
"""A latency is of so many runs at least, and of so long."""


@dataclass(frozen=True)
class FittedCost:
    """What one fitted estimator costs for one window.

    Args:
        size_bytes: Of its pickle; None where it has none.
        latency_median_ms: Of one window on one CPU thread.
        latency_p95_ms: The 95th percentile of the same runs.
        parameters, macs: As the model counts them; None where that is not defined.
        note: What the two leave out.
    """

    size_bytes: int | None
    latency_median_ms: float
    latency_p95_ms: float
    parameters: int | None = None
    macs: int | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """A mapping that ``json.dumps`` can write."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FittedCost:
        """The cost that :meth:`to_json` wrote.

        Raises:
            ResultsError: a field is missing or unknown.
        """
        known = {field.name for field in fields(cls)}
        if set(stored) != known:
            odd = ", ".join(sorted(set(stored) ^ known))
            raise ResultsError(
                f"a stored cost has missing or unknown fields: {odd}",
                expected=", ".join(sorted(known)),
            )
        return cls(**stored)


def measure_fitted(
    estimator: Estimator,
    window: NDArray[np.float32],
    counts: Callable[[Any], Counts] | None = None,
    *,
    runs: int = RUNS,
    seconds: float = SECONDS,
) -> FittedCost:
    """Measure a fitted estimator, on one thread.

    Args:
        estimator: As fitted; stays as it is, but for random numbers that it draws.
        window: float32 [1, n_channels, n_times], the one that is timed.
        counts: Of its model.
        runs, seconds: As of :func:`harbench.cost.timing.latency_of`.

    Raises:
        ModelError: ``counts`` fails on this estimator.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        timed = latency_of(lambda: estimator.predict_proba(window), runs=runs, seconds=seconds)
    try:
        counted = Counts() if counts is None else counts(estimator)
    except Exception as error:
        raise ModelError(
            f"what it holds cannot be counted: {type(error).__name__}: {error}",
            where="counts",
            expected="a harbench.Counts of the fitted estimator",
        ) from error
    return FittedCost(
        _pickled_bytes(estimator),
        timed.median_ms,
        timed.p95_ms,
        counted.parameters,
        counted.macs,
        counted.note,
    )


def _pickled_bytes(estimator: Estimator) -> int | None:
    length = _Length()
    try:
        pickle.Pickler(length, PICKLE_PROTOCOL).dump(estimator)
    except Exception:  # noqa: BLE001 - a lambda in a pipeline has no pickle, and predicts all the same
        return None
    return length.written


class _Length:
    """A file that only counts: a forest's pickle may be as large as the forest."""

    def __init__(self) -> None:
        self.written = 0

    def write(self, content: Any) -> int:
        self.written += memoryview(content).nbytes
        return memoryview(content).nbytes
