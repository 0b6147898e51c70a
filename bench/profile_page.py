"""``python -m bench profile``: the profile of :mod:`bench.profiling` as CSV, and in its page."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.kept import Line, put_in, read_csv, write_csv
from bench.opportunity import files_in
from bench.profiling import BEFORE, LAYERS, PARTS, ROOT, measured, parts_of
from bench.rows import Place

FIELDS = (
    "network", "state", "part", "cpu_s", "percent", "epochs", "train_windows", "test_windows",
    "scale", "machine", "torch",
)  # fmt: skip
"""Columns of the CSV: a line for each part of each network, "before" and "now"."""

MARK = "profile"
"""Of the table in its page."""

_STATES = ("before", "now")


def main(words: Sequence[str]) -> int:
    """Profile the networks of ``table1``, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench profile", description=main.__doc__)
    parser.add_argument("names", metavar="NETWORK", nargs="*", help="of table1; all, if none")
    parser.add_argument("--scale", type=float, default=0.05, help="of the generated OPPORTUNITY")
    parser.add_argument("--folder", type=Path, help="keeps the generated files between runs")
    parser.add_argument("--out", type=Path, help="CSV to bring up to date, and speed.md beside it")
    asked = parser.parse_args(words)
    networks = table1()
    if unknown := [name for name in asked.names if name not in networks]:
        print(f"no network of table1 is called {', '.join(unknown)}; it has {', '.join(networks)}")
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        files = files_in(Place(folder, Path(scratch), asked.scale))
        for name in asked.names or networks:
            for state, checkout in _checkouts().items():
                print(f"{name}: {state}", file=sys.stderr, flush=True)
                lines = lines_of(name, state, measured(name, files, checkout), asked.scale)
                print(text_of(lines), flush=True)
                if asked.out:
                    everything = merged(read_csv(asked.out), lines)
                    write_csv(asked.out, FIELDS, everything)
                    put_in(asked.out.with_name("speed.md"), MARK, text_of(everything))
    return 0


def table1() -> list[str]:
    """Its networks, by name."""
    from harbench.config import load

    (found,) = [b for b in load(ROOT / "benchmarks.yaml").benchmarks if b.name == "table1"]
    return [entry.row for entry in found.models]


def _checkouts() -> dict[str, Path]:
    before = os.environ.get(BEFORE)
    return {**({"before": Path(before).resolve()} if before else {}), "now": ROOT}


def lines_of(network: str, state: str, found: Mapping[str, Any], scale: float) -> list[Line]:
    """A line for each part."""
    from harbench.cost.processor import processor

    seconds = parts_of(found)
    every = sum(seconds.values())
    return [
        {
            "network": network,
            "state": state,
            "part": part,
            "cpu_s": f"{value:.4g}",
            "percent": f"{100 * value / every:.1f}",
            "epochs": str(found["epochs"]),
            "train_windows": str(found["windows"]["train"]),
            "test_windows": str(found["windows"]["test"]),
            "scale": f"{scale:g}",
            "machine": processor(),
            "torch": version("torch"),
        }
        for part, value in seconds.items()
    ]


def merged(before: Sequence[Line], lines: Sequence[Line]) -> list[Line]:
    """The new lines in the place of the old ones of their network and state, in table1's order."""
    new = {(line["network"], line["state"]) for line in lines}
    rows = [line for line in before if (line["network"], line["state"]) not in new] + list(lines)
    networks = table1()
    rows = [line for line in rows if line["network"] in networks]
    return sorted(
        rows, key=lambda line: (networks.index(line["network"]), _STATES.index(line["state"]))
    )


def text_of(lines: Sequence[Line]) -> str:
    """Percent of each network's processor time, before and now; a row a part."""
    networks = list(dict.fromkeys(line["network"] for line in lines))
    values = {(line["network"], line["state"], line["part"]): line for line in lines}
    names = [n for part in PARTS for n in (part, *(f"{part}: {layer}" for layer in LAYERS))]
    parts = [name for name in names if any(line["part"] == name for line in lines)]

    def cell(network: str, number: Any) -> str:
        found = [number(network, state) for state in _STATES]
        return " → ".join(value for value in found if value is not None)

    def total(network: str, state: str) -> str | None:
        own = [x for x in lines if (x["network"], x["state"]) == (network, state)]
        return f"{sum(float(line['cpu_s']) for line in own):.3g}" if own else None

    text = [f"| percent of CPU time | {' | '.join(networks)} |", f"|---|{'---|' * len(networks)}"]
    epochs = {line["network"]: line["epochs"] for line in lines}
    text.append(f"| epochs | {' | '.join(epochs[n] for n in networks)} |")
    text.append(f"| **CPU s in all** | {' | '.join(cell(n, total) for n in networks)} |")
    for part in parts:

        def share(network: str, state: str, part: str = part) -> str | None:
            line = values.get((network, state, part))
            return line["percent"] if line else None

        text.append(f"| {part} | {' | '.join(cell(n, share) for n in networks)} |")
    return "\n".join(text) + "\n"
