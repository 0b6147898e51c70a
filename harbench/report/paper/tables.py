"""The four tables of the paper, measured beside printed, from the store."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harbench.config import loads
from harbench.nouns import Channel
from harbench.report.paper.printed import DATASET
from harbench.report.table import ABSENT, Table, comparison_table
from harbench.results import Store

BENCHMARKS = ("table1", "table2", "table3", "table4")
"""Names of the benchmarks that the tables are of."""


@dataclass(frozen=True)
class Sources:
    """What the tables are made of.

    Args:
        store: With the manifests of BENCHMARKS.
        channels: The 113 of OPPORTUNITY in the order of its files; empty where not known.
        narrow: Number of channels -> key of the cost of table4's network with so many.
        numbers: Key of an inconsistency -> its number in the list below the tables.
        file: The benchmarks file, for commands that are told.
    """

    store: Store
    channels: Sequence[Channel]
    narrow: Mapping[int, str]
    numbers: Mapping[str, int]
    file: str

    def see(self, key: str) -> str:
        """ "no. 7 below"."""
        return f"no. {self.numbers[key]} below" if key in self.numbers else "see below"


@dataclass
class PaperTable(Table):
    """A table of the paper.

    Args:
        number: Of the paper's table.
        simulates: The dataset that the measured data imitate; None where they are real, or where
            nothing was measured.
        left: Keys of columns of text, which stand to the left.
    """

    number: int = 0
    simulates: str | None = None
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What the store holds for one table.

    Args:
        manifest: Of the benchmark.
        base: Its comparison table.
        found: The result of the analysis; None where it was not run.
    """

    manifest: Mapping[str, Any]
    base: Table
    found: Mapping[str, Any] | None = None

    @property
    def simulates(self) -> str | None:
        """What the data imitate, be they the benchmark's or an earlier analysis's."""
        of_analysis: str | None = self.found["simulates"] if self.found else None
        of_benchmark: str | None = self.manifest["simulates"]
        return of_analysis or of_benchmark

    def rows(self, title: str) -> list[dict[str, Any]]:
        """The rows of the first of the analysis's tables whose title begins so; none if none."""
        for name, table in (self.found["tables"] if self.found else {}).items():
            if name.startswith(title):
                return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        return []


def measured(sources: Sources, benchmark: str, entry: str | None = None) -> Measured:
    """What there is of a benchmark.

    Args:
        sources: The store.
        benchmark: One of BENCHMARKS.
        entry: Name of the analysis whose result the table shows.

    Raises:
        ResultsError: the benchmark has no manifest, or a record is damaged.
    """
    store = sources.store
    return Measured(
        store.benchmark(benchmark),
        comparison_table(store, benchmark, elsewhere=False),
        store.analysis(benchmark, entry) if entry else None,
    )


def new_table(number: int, of: Measured, sources: Sources, *, complete: bool) -> PaperTable:
    """A table with title and lines, and no rows yet.

    Args:
        number: Of the paper's table.
        of: What there is.
        sources: Its commands are told.
        complete: Whether all that the table shows was measured.
    """
    base, data = of.base, of.manifest["dataset"]
    title = base.title
    mark = f"SIMULATED data in the format of {of.simulates}"
    lines = [line.removeprefix(f"{mark}; ") for line in base.lines]
    if of.simulates:
        title = f"SIMULATED DATA - {title}"
        lines.insert(
            0,
            f"{mark}: the scores say that the software works, and nothing about the paper",
        )
    elif data != DATASET:
        title = f"ANOTHER DATASET, {data} - {title}"
    if of.found and not _is_current(of):
        lines.append("measured by an earlier run: the networks of the benchmark are others now")
    missing = ""
    if not complete:
        missing = _to_do(of.manifest, sources.file)
        lines.append(f"not measured: {missing}")
    return PaperTable(
        base.name, title, lines, [], [], [], missing=missing, number=number, simulates=of.simulates
    )


def _is_current(of: Measured) -> bool:
    """Whether the analysis read cells that the benchmark's table has."""
    assert of.found is not None
    keys = {cell["key"] for row in of.manifest["rows"] for cell in row["cells"]}
    return set(of.found.get("cells", ())) <= keys


def _to_do(manifest: Mapping[str, Any], file: str) -> str:
    """The commands that measure what is missing, as the store's benchmark was planned."""
    settings = loads(manifest["settings"], f"{manifest['name']}.json").benchmarks[0]
    run = ["harbench", "run", file, settings.name]
    if settings.dataset != DATASET:
        run += ["--set", f"dataset={settings.dataset}"]
    if settings.path is not None:
        run += ["--set", f"path={settings.path}"]
    if manifest["missing"] is None or not manifest["missing"]["fix"]:
        return shlex.join(run)
    return f"{manifest['missing']['fix']}, then {shlex.join(run)}"


def table_1(sources: Sources) -> PaperTable:
    """The comparison table as it is; the printed columns are those of the models."""
    of = measured(sources, BENCHMARKS[0])
    done = sum(record["cells_done"] for record in of.base.records)
    table = new_table(1, of, sources, complete=done > 0)
    table.columns, table.rows, table.footnotes = of.base.columns, of.base.rows, of.base.footnotes
    table.records = of.base.records
    return table


def with_half(value: float | None, half: float | None, *, sign: bool = False) -> str:
    """(89.24, 0.5) -> "89.2 ± 0.5"; the sign for absent where there is no value."""
    if value is None:
        return ABSENT
    text = f"{value:+.1f}" if sign else f"{value:.1f}"
    return text if half is None else f"{text} ± {half:.1f}"


def one_digit(value: float | None) -> str:
    """89.24 -> "89.2"."""
    return with_half(value, None)


def add_commonest(table: Table, base: Table, keys: Mapping[str, str]) -> None:
    """Add the row of a predictor that has learnt nothing, where the comparison table has it.

    Args:
        table: Gets it.
        base: The comparison table of the same benchmark.
        keys: Column of ``table`` -> column of ``base``.
    """
    last = base.rows[-1] if base.rows else {}
    name = last.get("row")
    if name is None or not name.text.startswith("("):
        return
    notes = tuple(table.note(base.footnotes[note - 1]) for note in name.notes)
    row = {column.key: replace(name, text="", notes=()) for column in table.columns}
    row["row"] = replace(name, text="(commonest)", notes=notes)
    for key, of_base in keys.items():
        row[key] = last[of_base]
    table.rows.append(row)
