"""The founding paper's four tables on the page: measured beside printed where the store has their
benchmarks, as printed where it does not; and what in the paper does not add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harbench.nouns import Channel
from harbench.report.html.tables import Shown, comparison
from harbench.report.paper import BENCHMARKS, PaperTable, Sources
from harbench.report.paper.inconsistencies import inconsistencies, numbers
from harbench.report.paper.inconsistency import Inconsistency
from harbench.report.paper.printed import (
    SOURCE,
    TABLE_1,
    TABLE_2,
    TABLE_3_BOTTOM,
    TABLE_3_CLASS,
    TABLE_3_TOP,
    TABLE_4,
)
from harbench.report.paper.saliency import table_3
from harbench.report.paper.scores import table_2, table_4
from harbench.report.paper.tables import table_1
from harbench.report.tabular import Column, Table, Value
from harbench.results import Store

_BUILDERS: tuple[Callable[[Sources], PaperTable], ...] = (table_1, table_2, table_3, table_4)


@dataclass(frozen=True)
class PaperPart:
    """One of the tables.

    Args:
        title: Of the table.
        lines: What a reader must know first.
        shown: The table.
        simulated: Whether the measured numbers are of simulated data.
    """

    title: str
    lines: tuple[str, ...]
    shown: Shown
    simulated: bool


@dataclass(frozen=True)
class Paper:
    """What the page says of the paper.

    Args:
        parts: Its four tables.
        inconsistencies: Number n is the n-th.
        measured: Whether anything stands beside the printed numbers.
    """

    parts: tuple[PaperPart, ...]
    inconsistencies: tuple[Inconsistency, ...]
    measured: bool


def paper_of(store: Store, channels: Sequence[Channel], anchor: str) -> Paper:
    """The paper's tables. Nothing is measured: counts that the store lacks are left out.

    Args:
        store: Results folder.
        channels: The 113 of OPPORTUNITY in the order of its files; empty where not known.
        anchor: Beginning of the tables' ids.

    Raises:
        ResultsError: a record is damaged.
    """
    found = inconsistencies(channels)
    sources = Sources(store, channels, {}, numbers(found), "benchmarks.yaml")
    known = store.benchmarks()
    parts = []
    for number, (name, build) in enumerate(zip(BENCHMARKS, _BUILDERS, strict=True), 1):
        there = name in known
        table: Table = build(sources) if there else _printed(number)
        shown = comparison(table, f"{anchor}-{number}", (), {})
        simulated = isinstance(table, PaperTable) and table.simulates is not None
        title = f"Table {number}: {table.title}"
        parts.append(PaperPart(title, tuple(table.lines), shown, simulated))
    return Paper(tuple(parts), found, any(name in known for name in BENCHMARKS))


def _printed(number: int) -> Table:
    title, columns, rows = _PRINTED[number - 1]()
    lines = [f"as printed by {SOURCE}; the results folder has no benchmark "
             f"'{BENCHMARKS[number - 1]}' to stand beside it"]  # fmt: skip
    named = [Column("row", columns[0]), *(Column(f"printed {c}", c) for c in columns[1:])]
    values = [
        {column.key: Value(text) for column, text in zip(named, row, strict=True)} for row in rows
    ]
    records = [{"row": row[0]} for row in rows]
    return Table(f"Table {number}", title, lines, named, values, [], records)


_Printed = tuple[str, Sequence[str], list[Sequence[str]]]


def _table_1() -> _Printed:
    rows = [(row.row, row.nf, row.parameters, row.flops) for row in TABLE_1]
    return "networks on OPPORTUNITY gestures", ("Network", "NF", "Parameters", "FLOPs"), [*rows]


def _table_2() -> _Printed:
    rows = [(data, TABLE_2[data, "with"], TABLE_2[data, "without"]) for data in ("part", "full")]
    return "part and all of the data", ("Data", "NF with NULL", "NF without NULL"), [*rows]


def _table_3() -> _Printed:
    rows = [
        (f"{end} {rank}", str(entry.index), entry.sensor)
        for end, entries in (("top", TABLE_3_TOP), ("bottom", TABLE_3_BOTTOM))
        for rank, entry in enumerate(entries, 1)
    ]
    return f"channels that matter for {TABLE_3_CLASS}", ("Place", "No.", "Sensor"), [*rows]


def _table_4() -> _Printed:
    rows = [(row.row, row.nf, row.parameters) for row in TABLE_4]
    return "fewer channels", ("Channels", "NF", "Parameters"), [*rows]


_PRINTED = (_table_1, _table_2, _table_3, _table_4)
