"""``python -m bench scale``: the growth of :mod:`bench.scaling` as CSV, and as a page beside it."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.kept import Line, put_in, read_csv, write_csv
from bench.measuring import measure
from bench.scaling import SERIES, Series

FIELDS = (
    "series", "work", "unit", "amount", "rounds", "cpu_s", "peak_mb", "machine", "torch",
)  # fmt: skip
"""Columns of the CSV: a line a size; medians of the rounds."""

MARK = "grown"
"""Of the table in its page."""

_LEAST_MB = 64
"""Where the largest size takes less, memory is what the allocator happens to hold: no exponent."""


def main(words: Sequence[str]) -> int:
    """Measure each kind of work at growing sizes, and write the table."""
    names = [series.name for series in SERIES]
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=main.__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(names)}")
    parser.add_argument("--repeats", type=int, default=3, help="rounds; medians are printed")
    parser.add_argument("--folder", type=Path, help="keeps the generated files between runs")
    parser.add_argument("--out", type=Path, help="CSV to bring up to date, and the .md beside it")
    asked = parser.parse_args(words)
    if unknown := [name for name in asked.names if name not in names]:
        print(f"nothing that grows is called {', '.join(unknown)}; there are {', '.join(names)}")
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for series in SERIES:
            if asked.names and series.name not in asked.names:
                continue
            lines = measured(series, folder, asked.repeats)
            print(text_of(lines), flush=True)
            if asked.out:
                everything = merged(read_csv(asked.out), lines)
                write_csv(asked.out, FIELDS, everything)
                put_in(asked.out.with_suffix(".md"), MARK, text_of(everything))
    return 0


def measured(series: Series, folder: Path, repeats: int) -> list[Line]:
    """A line for each size; rounds go through all sizes by turns."""
    from harbench.cost.processor import processor

    found = []
    for _ in range(repeats):
        for row, scale in series.points:
            print(row.name, file=sys.stderr, flush=True)
            found.append((row.name, measure(row, row.sides[0], folder, scale)))
    lines = []
    for row, _ in series.points:
        costs = [cost for name, cost in found if name == row.name]
        lines.append(
            {
                "series": series.name,
                "work": series.title,
                "unit": series.unit,
                "amount": f"{costs[0].amount:.0f}",
                "rounds": str(len(costs)),
                "cpu_s": f"{statistics.median(cost.cpu for cost in costs):.4g}",
                "peak_mb": f"{statistics.median(cost.peak for cost in costs) / 1e6:.4g}",
                "machine": processor(),
                "torch": version("torch"),
            }
        )
    return lines


def exponent(amounts: Sequence[float], values: Sequence[float]) -> float:
    """Slope of the least-squares line through the logarithms: 1 is linear, 0 does not grow.

    NaN of fewer than two sizes, or where a value is not above 0.
    """
    if len(amounts) < 2 or min(*amounts, *values) <= 0:
        return math.nan
    across, up = ([math.log(value) for value in each] for each in (amounts, values))
    return statistics.linear_regression(across, up).slope


def merged(before: Sequence[Line], lines: Sequence[Line]) -> list[Line]:
    """The new lines in the place of the old ones of their series."""
    new = {line["series"] for line in lines}
    names = [series.name for series in SERIES]
    rows = [line for line in before if line["series"] not in new] + list(lines)
    rows = [line for line in rows if line["series"] in names]
    return sorted(rows, key=lambda line: names.index(line["series"]))


def text_of(lines: Sequence[Line]) -> str:
    """The exponents of each series, and what was measured at each size."""
    explained = {series.name: series.explained for series in SERIES}
    by_series: dict[str, list[Line]] = {}
    for line in lines:
        by_series.setdefault(line["series"], []).append(line)
    heads = ("work", "grows with", "time", "at the end", "memory", "sizes", "")
    text = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, points in by_series.items():
        amounts = [float(point["amount"]) for point in points]
        times = [float(point["cpu_s"]) for point in points]
        peaks = [float(point["peak_mb"]) for point in points]
        sizes = "<br>".join(
            f"{amount:,.0f}: {cpu:.3g} CPU s, {peak:.3g} MB"
            for amount, cpu, peak in zip(amounts, times, peaks, strict=True)
        )
        memory = f"at most {max(peaks):.0f} MB"
        if max(peaks) >= _LEAST_MB:
            memory = f"{exponent(amounts, peaks):.2f}"
        cells = (
            points[0]["work"],
            points[0]["unit"],
            f"{exponent(amounts, times):.2f}",
            f"{exponent(amounts[-2:], times[-2:]):.2f}",
            memory,
            sizes,
            explained[name],
        )
        text.append(f"| {' | '.join(cells)} |")
    return "\n".join(text) + "\n"
