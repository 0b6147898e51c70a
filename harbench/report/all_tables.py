"""The tables of a results folder: one's own benchmarks, and those that only bundles hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harbench.nouns import Score
from harbench.report.rows_from_elsewhere import mark_imported, name_of
from harbench.report.table import DEFAULT_METRICS, Table, comparison_table, number_as_read
from harbench.results import Store
from harbench.results.imports import Import, imports


def all_tables(
    store: Store,
    names: Sequence[str] = (),
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    flops: bool = False,
    added: Sequence[Score] = (),
    elsewhere: bool = True,
) -> list[Table]:
    """The tables of some benchmarks, or of all.

    Args:
        store: Results folder.
        names: Of benchmarks; all that were run into the folder, then all that only imported
            bundles hold, if none is named.
        metrics, flops, added: As of :func:`~harbench.report.table.comparison_table`.
        elsewhere: With imported bundles, and what others report.

    Raises:
        ResultsError: there is no such benchmark, or a record or bundle is damaged.
        PluginError: a score of a plugin breaks.
    """
    own = store.benchmarks()
    bundles = imports(store) if elsewhere else []
    theirs = {name: None for one in bundles for name in one.manifest["benchmarks"]}
    tables = []
    for name in names or [*own, *(name for name in theirs if name not in own)]:
        if name in own or name not in theirs:
            tables.append(
                comparison_table(
                    store, name, metrics, flops=flops, added=added, elsewhere=elsewhere
                )
            )
            continue
        tables += [
            imported_table(one, name, metrics, flops=flops, added=added)
            for one in bundles
            if name in one.manifest["benchmarks"]
        ]
    return tables


def imported_table(
    one: Import,
    name: str,
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    flops: bool = False,
    added: Sequence[Score] = (),
) -> Table:
    """The table of a benchmark that only a bundle holds: each of its rows is marked.

    Args:
        one: The bundle.
        name: Of the benchmark.
        metrics, flops, added: As of :func:`~harbench.report.table.comparison_table`.

    Raises:
        ResultsError: the bundle is damaged.
    """
    manifest = one.store.benchmark(name)
    table = comparison_table(one.store, name, metrics, flops=flops, added=added)
    table.lines.insert(0, f"IMPORTED from {one.name}: nothing of this table was trained here")
    for number, row in enumerate(manifest["rows"]):
        mark_imported(table, one, manifest, row, number, data_known=True)
        value, called = table.rows[number]["row"], name_of(row, one)
        table.rows[number]["row"] = replace(value, text=f"{value.text} [{one.name}]")
        table.records[number]["row"] = called
        for scores in table.scores.values():
            if row["row"] in scores:
                scores[called] = scores.pop(row["row"])
    number_as_read(table)
    return table
