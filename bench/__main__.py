"""``python -m bench [NAME...] [--out docs/speed.csv]``; ``... profile``, ``scale``, ``cluster``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import cluster, profile_page, scale_page
from bench.kept import put_in, read_csv, write_csv
from bench.measuring import run_here
from bench.registry import ROWS
from bench.scaling import POINTS
from bench.table import FIELDS, MARK, measured, merged, text_of


def main() -> int:
    """Measure, and write the table and its page; 2 where a name is no row's."""
    if sys.argv[1:2] == ["profile"]:
        return profile_page.main(sys.argv[2:])
    if sys.argv[1:2] == ["scale"]:
        return scale_page.main(sys.argv[2:])
    if sys.argv[1:2] == ["cluster"]:
        return cluster.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--repeats", type=int, default=5, help="rounds; medians are printed")
    parser.add_argument("--out", type=Path, help="CSV to bring up to date, and the .md beside it")
    parser.add_argument("--folder", type=Path, help="keeps the generated files between runs")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of the generated OPPORTUNITY; 1 is its true size"
    )
    parser.add_argument("--one-side", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one_side:
        row = {**ROWS, **POINTS}[asked.one_side[0]]
        side = next(side for side in row.sides if side.name == asked.one_side[1])
        run_here(row, side, asked.folder, asked.scale)
        return 0
    if unknown := [name for name in asked.names if name not in ROWS]:
        print(f"no row is called {', '.join(unknown)}; there are {', '.join(ROWS)}")
        return 2
    if not asked.folder:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            return _measure(asked, Path(folder))
    asked.folder.mkdir(parents=True, exist_ok=True)
    return _measure(asked, asked.folder.resolve())


def _measure(asked: argparse.Namespace, folder: Path) -> int:
    for name in asked.names or ROWS:
        lines = measured(ROWS[name], folder, asked.scale, asked.repeats)
        print(text_of(lines), flush=True)
        if asked.out:
            # After each row: what was measured stays when the next one is interrupted.
            everything = merged(read_csv(asked.out), lines)
            write_csv(asked.out, FIELDS, everything)
            put_in(asked.out.with_suffix(".md"), MARK, text_of(everything))
    return 0


if __name__ == "__main__":
    sys.exit(main())
