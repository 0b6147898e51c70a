"""What a leak is worth, as the tables and notes of an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harbench.execute.inflation import SAME, Inflation, Measure

_WORTH = ("row", "score", "leaky", "honest", "inflation", "low", "high")
_COMPARED = (
    "row", "shared", "mix apart", "train leaky", "train honest", "test leaky", "test honest",
    "draws", "seeds",
)  # fmt: skip
_ALIKE = 0.05  # class mixes no further apart than this


def inflation_content(
    benchmark: str, simulates: str | None, found: Sequence[Inflation], blocks: int
) -> dict[str, Any]:
    """As :func:`harbench.report.analyses.print_analysis` and ``json_of`` take it.

    Args:
        benchmark: Its name.
        simulates: What its recordings imitate; None where they are real.
        found: One a row.
        blocks: Of each recording in the honest split.
    """
    worth = [
        [one.row, measure.name, *_points(measure)] for one in found for measure in one.measures
    ]
    compared = [
        [
            one.row,
            100 * one.shared,
            100 * one.apart,
            *(round(n) for n in (*one.train_windows, *one.test_windows)),
            one.draws,
            one.seeds,
        ]
        for one in found
    ]
    return {
        "benchmark": benchmark,
        "analysis": "inflation",
        "options": {"draws": found[0].draws, "blocks": blocks},
        "simulates": simulates,
        "tables": {
            "what the leak is worth": {"columns": list(_WORTH), "rows": worth},
            "what was compared": {"columns": list(_COMPARED), "rows": compared},
        },
        "notes": list(_notes(found, blocks)),
    }


def _points(measure: Measure) -> list[float | None]:
    of = measure.inflation
    values = (measure.leaky, measure.honest, of.mean, of.low, of.high)
    return [None if value is None else 100 * value for value in values]


def _notes(found: Sequence[Inflation], blocks: int) -> Iterator[str]:
    for one in found:
        yield _worth(one)
    yield (
        f"inflation: leaky less honest, in points; low and high are its 95 % interval. {SAME}: "
        "both test sides weighted to the class shares of the leaky one. shared: percent of the "
        "leaky test windows that hold a training sample. Windows are means over draws."
    )
    first = found[0]
    yield (
        "Leaky: windows drawn at random; honest: the same ratio in contiguous blocks, "
        f"{blocks} a recording, which share no sample. Same models, recipes and seeds; leaky less "
        "honest is taken draw by draw and seed by seed."
    )
    if first.unit == "draw":
        yield (
            f"The interval is 95 % Student-t over {first.draws} draws of both splits, each the "
            "mean of its seeds: a draw of blocks may hold easier classes or minutes than one of "
            "windows, and only several draws tell that from the leak."
        )
    else:
        yield (
            "One draw of each split: the interval, if any, knows of the seeds only, and the "
            "difference may be the draw's. Take more (--draws)."
        )
    if any(one.apart > _ALIKE for one in found):
        yield (
            f"mix apart: the class shares of the two test sides, all draws together. Over "
            f"{100 * _ALIKE:.0f} % the inflation of NF is partly a difference of classes: read "
            f"'{SAME}', or take more --draws or --blocks."
        )
    for one in found:
        leaky, honest = one.train_windows
        if abs(leaky - honest) > 0.05 * leaky:
            yield (
                f"{one.row}: the honest split trains on {honest:,.0f} windows, the leaky one on "
                f"{leaky:,.0f}: no window crosses the border of a block, and blocks are dealt "
                "whole."
            )
    yield "Both train on every subject: neither says how a new person would fare."


def _worth(one: Inflation) -> str:
    of = one.measures[0].inflation
    points = f"{one.row}: the leak is worth {100 * of.mean:+.1f} points of NF"
    if of.low is None or of.high is None:
        return f"{points}; one draw and one seed give no interval."
    interval = f"95 % interval {100 * of.low:+.1f} to {100 * of.high:+.1f} over {of.n} {one.unit}s"
    if of.low <= 0 <= of.high:
        return f"{points}, {interval}: it holds 0, so no leak is shown."
    return f"{points}, {interval}."
