"""The record of a network's cost, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from harbench.errors import ResultsError


@dataclass(frozen=True)
class Cost:
    """What one network costs for one window.

    Args:
        parameters: Trainable ones.
        parameters_with_buffers: All of them and the running statistics (Keras's total).
        macs: Multiply-accumulates of matrix products and convolutions; element-wise operations
            are not among them. Tables print this one.
        macs_second: What the second, independent counter says; None where it could not run.
        counters_agree: Whether element-wise operations explain all that the two differ by.
        counters_note: The same in a sentence, with what the second says.
        weight_bytes: Of all that ``parameters_with_buffers`` counts.
        latency_median_ms: Of one window on one CPU thread; None where it was not timed.
        latency_p95_ms: The 95th percentile of the same runs.
    """

    parameters: int
    parameters_with_buffers: int
    macs: int
    macs_second: int | None
    counters_agree: bool
    counters_note: str
    weight_bytes: int
    latency_median_ms: float | None = None
    latency_p95_ms: float | None = None

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each multiply-accumulate."""
        return 2 * self.macs

    def to_json(self) -> dict[str, Any]:
        """A mapping that ``json.dumps`` can write."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Cost:
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
