"""What rows cost, and which of them are on the Pareto front of a score and a cost.

A row is on the front where no other one is at once as good and as cheap. Rows that leak are not on
it while others do not leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harbench.report.figures.rows import Row, Subject, listed


@dataclass(frozen=True)
class Cost:
    """What is on the horizontal axis: key of the table's record, words, unit, file name."""

    key: str
    title: str
    unit: str
    slug: str

    def of(self, row: Row) -> float | None:
        """The cost of a row; None where it has none, or 0, which a logarithm cannot show."""
        value = row.record.get(self.key)
        return float(value) if value else None

    def said(self, value: float) -> str:
        """ "240,656 MACs", "0.89 ms"."""
        if self.unit == "ms":
            return f"{value:.3g} ms"
        return f"{value:,.0f} {self.unit}"


COSTS = (
    Cost("macs", "MACs of one window", "MACs", "macs"),
    Cost("parameters", "Trainable parameters", "parameters", "parameters"),
    Cost("latency_median_ms", "Latency of one window (ms)", "ms", "latency"),
)


def front(rows: Sequence[Row], cost: Cost) -> list[Row]:
    """The rows of the Pareto front, the cheapest first; of equal ones all."""
    honest = [row for row in rows if not row.leaky] or list(rows)
    priced = [(cost.of(row) or 0.0, row) for row in honest if cost.of(row) is not None]
    return [
        row
        for price, row in sorted(priced, key=lambda one: (one[0], one[1].mean))
        if not any(
            other_price <= price
            and other.mean >= row.mean
            and (other_price < price or other.mean > row.mean)
            for other_price, other in priced
        )
    ]


def learnt(subject: Subject) -> tuple[list[Row], list[str]]:
    """The rows that are drawn, and the names of those that are no better than a constant guess.

    Such a row costs next to nothing and would be on every front, and it would press all others
    into the upper end of the axis.
    """
    chance = subject.chance
    # To the digit that the table prints: the means of the two are added up in another order.
    better = [
        row for row in subject.rows if chance is None or round(row.mean, 1) > round(chance, 1)
    ]
    if len(better) < 2:
        return subject.rows, []
    return better, [row.name for row in subject.rows if row not in better]


def guessing_text(names: Sequence[str]) -> str:
    """What is said of those."""
    return f"No better than always guessing the commonest class, and not shown: {listed(names, 6)}."
