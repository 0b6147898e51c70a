"""The table: medians and ratios of a row's rounds, as CSV and as a page."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.kept import Line
from bench.measuring import Cost, SideFailedError, measure
from bench.rows import OURS, Place, Row, Side

FIELDS = (
    "row", "work", "side", "version", "by", "unit", "amount", "rounds", "cpu_s", "wall_s",
    "peak_mb", "cost", "ratio", "lowest", "highest", "goal", "reached", "note", "scale",
    "machine", "cores", "python", "torch", "load",
)  # fmt: skip
"""Columns of the CSV. ``cost`` is that of the whole amount, in the row's terms; ``ratio`` is the
peer's cost over harbench's for the same amount, the median of the rounds, each round by itself."""

MARK = "measured"
"""Of the table in its page."""

_SUFFIX = {"cpu": "CPU s", "wall": "s", "peak": "MB"}


def measured(row: Row, folder: Path, scale: float, repeats: int) -> list[Line]:
    """Measure a row: harbench and its peers by turns."""
    place = Place(folder, folder, scale)
    notes = {side.name: side.absent(place) for side in row.sides}
    found: dict[str, list[Cost]] = {side.name: [] for side in row.sides}
    load = os.getloadavg()[0]
    for _ in range(min(repeats, row.repeats)):
        for side in row.sides:
            if notes[side.name]:
                continue
            print(f"{row.name}: {side.name}", file=sys.stderr, flush=True)
            try:
                found[side.name].append(measure(row, side, folder, scale))
            except SideFailedError as error:
                notes[side.name] = f"failed: {error}"
                found[side.name] = []
    here = {
        "row": row.name,
        "work": row.title,
        "by": row.by,
        "unit": row.unit,
        "scale": f"{scale:g}",
        "machine": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "python": sys.version.split()[0],
        "torch": version("torch"),
        "load": f"{load:.1f}",
    }
    ours = found[OURS]
    return [
        {**here, **_line(row, side, found[side.name], ours, notes[side.name], scale)}
        for side in row.sides
    ]


def _line(
    row: Row, side: Side, costs: Sequence[Cost], ours: Sequence[Cost], note: str, scale: float
) -> Line:
    line = dict.fromkeys(FIELDS, "")
    line |= {"side": side.name, "version": side.version, "note": note}
    line["goal"] = _number(side.goal) if side.goal else ""
    at_most = row.at_most and row.at_most * (scale if row.shrinks else 1)
    if side.name == OURS and at_most:
        line["goal"] = f"at most {at_most / 1e6 if row.by == 'peak' else at_most:g}"
    if not costs:
        return {key: line[key] for key in line if line[key] or key in ("ratio", "cost")}
    cost = statistics.median(one.of(row) for one in costs)
    line |= {
        "amount": f"{statistics.median(one.amount for one in costs):.0f}",
        "rounds": str(len(costs)),
        "cpu_s": f"{statistics.median(one.cpu for one in costs):.4g}",
        "wall_s": f"{statistics.median(one.wall for one in costs):.4g}",
        "peak_mb": f"{statistics.median(one.peak for one in costs) / 1e6:.4g}",
        "cost": f"{cost / 1e6 if row.by == 'peak' else cost:.4g}",
    }
    if side.name == OURS:
        if at_most:
            line["reached"] = "yes" if cost <= at_most else "no"
    elif ours:
        ratios = [
            (peer.of(row) / peer.amount) / max(own.of(row) / own.amount, 1e-12)
            for peer, own in zip(costs, ours, strict=False)
        ]
        ratio = statistics.median(ratios)
        line |= {
            "ratio": _number(ratio),
            "lowest": _number(min(ratios)),
            "highest": _number(max(ratios)),
        }
        if side.goal:
            line["reached"] = "yes" if ratio >= side.goal else "no"
    return {key: value for key, value in line.items() if value}


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _processor() -> str:
    from harbench.cost.processor import processor

    return processor()


def merged(before: Sequence[Line], lines: Sequence[Line]) -> list[Line]:
    """The old table with the rows of the new one in their place, in the registry's order."""
    from bench.registry import ROWS

    new = {line["row"] for line in lines}
    rows = [line for line in before if line["row"] not in new] + list(lines)
    names = list(ROWS)
    return sorted(
        (line for line in rows if line["row"] in ROWS), key=lambda line: names.index(line["row"])
    )


def text_of(lines: Sequence[Line]) -> str:
    """The table in Markdown."""
    heads = ("work", "by", "cost", "peer's cost / harbench's", "goal", "reached")
    text = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    before = None
    for line in lines:
        get = line.get
        work = f"**{get('work', '')}**" if get("row") != before else ""
        before = get("row")
        name = " ".join(word for word in (get("side", ""), get("version", "")) if word)
        cost = ""
        if get("cost"):
            amount = f"{float(get('amount') or 0):,.0f} {get('unit', '')}"
            cost = f"{get('cost')} {_SUFFIX[get('by') or 'cpu']} for {amount}"
        ratio = ""
        if get("ratio"):
            ratio = f"{get('ratio')} ({get('lowest')} .. {get('highest')})"
        goal = get("goal") or ""
        cells = (
            f"{work}{'<br>' if work else ''}{name}",
            get("by") or "",
            cost or get("note") or "",
            ratio,
            goal if goal.startswith("at most") or not goal else f">= {goal}",
            get("reached") or "",
        )
        text.append(f"| {' | '.join(cells)} |")
    return "\n".join(text) + "\n"
