"""The comparison table: measured beside published, never mixed.

Built from the store alone, so that it can be printed again anywhere without training.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from harbench.metrics import METRICS, SAMPLE_METRICS, Summary, summarise
from harbench.nouns import Score
from harbench.report.audit import audit_line, compared_rows, is_leaky
from harbench.report.chance_row import add_chance_row
from harbench.report.cost_columns import add_costs, add_efforts, cost_columns
from harbench.report.exported_columns import add_exported
from harbench.report.older_cells import note_older
from harbench.report.recipe_notes import note_recipe
from harbench.report.rows_from_elsewhere import (
    add_imported_rows,
    add_reported_rows,
    printed_columns,
)
from harbench.report.tabular import ABSENT, Column, Table, Value
from harbench.report.tie_marks import mark_ties
from harbench.results import Store
from harbench.results.added import added_scores
from harbench.results.sampled import scores_of

__all__ = ["ABSENT", "DEFAULT_METRICS", "Column", "Table", "Value", "comparison_table"]

DEFAULT_METRICS = ("nf", "macro_f1")
_SPREAD = (
    "each sample has the class of most of the test windows that cover it, in truth and prediction; "
    "all samples or segments of a cell together"
)


def comparison_table(
    store: Store,
    name: str,
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    flops: bool = False,
    added: Sequence[Score] = (),
    elsewhere: bool = True,
) -> Table:
    """The table of one benchmark, from the store.

    Args:
        store: Results folder.
        name: Of the benchmark.
        metrics: Names of :data:`harbench.metrics.METRICS`,
            :data:`~harbench.metrics.SAMPLE_METRICS` and of ``added``, a column each.
        flops: Print FLOPs (2 MACs) instead of MACs.
        added: Scores of plugins that ``metrics`` names.
        elsewhere: Add the rows that were not trained here: of imported bundles, and what others
            report.

    Raises:
        PluginError: a score of a plugin breaks.
        ResultsError: the benchmark was never run into this store, or a record is damaged.
    """
    manifest = store.benchmark(name)
    table = Table(name, manifest["title"], _lines(manifest), [], [], [])
    if manifest["missing"]:
        table.missing = f"{manifest['missing']['what']}\n  try: {manifest['missing']['fix']}"
    if not elsewhere:
        manifest.pop("references", None)
    table.columns = _columns(table, manifest, metrics, flops, added)
    add_row = partial(_add_row, metrics=metrics, flops=flops, added=added)
    for row in manifest["rows"]:
        add_row(table, store, manifest, row)
    _mark_best(table, metrics, compared_rows(manifest))
    if elsewhere:
        add_imported_rows(table, store, manifest, add_row)
        add_reported_rows(table, manifest)
    add_chance_row(table, store, manifest, metrics, added)
    add_exported(table, store, manifest)
    _note_intervals(table, metrics)
    mark_ties(table, manifest, metrics)
    number_as_read(table)
    return table


def _lines(manifest: dict[str, Any]) -> list[str]:
    simulated = (
        f"SIMULATED data in the format of {manifest['simulates']}; "
        if (manifest["simulates"])
        else ""
    )
    null = "" if manifest["null"] is None else f", NULL = {manifest['classes'][manifest['null']]}"
    lines = [
        f"{simulated}{manifest['dataset']}, task {manifest['task']} "
        f"({len(manifest['classes'])} classes{null}), split {manifest['split']}"
    ]
    if manifest.get("within") == "segment":
        lines.append(
            "windows lie within segments of one label, so where an activity begins is taken from "
            "the labels: easier than a stream"
        )
    folds = [fold for row in manifest["rows"] for fold in row["folds"]]
    if folds:
        lines.append(audit_line(folds))
    return lines


def _columns(
    table: Table,
    manifest: dict[str, Any],
    metrics: Sequence[str],
    flops: bool,
    added: Sequence[Score],
) -> list[Column]:
    # Where it is the same in all rows, it is the first to go.
    windows = {(row["length"], row["step"]) for row in manifest["rows"]}
    rank = 5 if len(windows) > 1 else 8
    columns = [Column("row", "Model"), Column("window", "Window\n/ step", rank)]
    titles = {metric.name: metric.title for metric in (*METRICS.values(), *SAMPLE_METRICS.values())}
    titles |= {score.name: score.title for score in added}
    said = dict.fromkeys(SAMPLE_METRICS, _SPREAD)
    said |= {score.name: f"score of a plugin: {score.summary}" for score in added}
    for rank, metric in enumerate(metrics):
        notes = (table.note(said[metric]),) if metric in said else ()
        columns.append(Column(metric, titles[metric], 0 if rank == 0 else 3, notes))
    columns += cost_columns(table, manifest, flops)
    return columns + printed_columns(manifest)


def _add_row(
    table: Table,
    store: Store,
    manifest: dict[str, Any],
    row: dict[str, Any],
    metrics: Sequence[str],
    flops: bool,
    added: Sequence[Score],
) -> None:
    record: dict[str, Any] = {
        "benchmark": table.name,
        "row": row["row"],
        "model": row["model"],
        "kind": row.get("kind", "network"),
        "window": row["length"],
        "step": row["step"],
        "n_channels": row["n_channels"],
        "n_classes": row["n_classes"],
        "origin": "here",
        "simulated": bool(manifest["simulates"]),
        "leaky": is_leaky(row["folds"]),
        "test_overlap": max((fold["test_overlap"] for fold in row["folds"]), default=None),
    }
    name_notes = []
    if row["stand_in"]:
        name_notes.append(table.note(f"stand-in: {row['stand_in']}"))
    if record["leaky"]:
        part = "test" if record["test_overlap"] else "validation"
        name_notes.append(table.note(f"leaky: {part} windows share samples with training windows"))
    done = {cell["key"] for cell in row["cells"] if store.has(cell["key"])}
    name_notes += _state_notes(table, store, row, record, done)
    name_notes += note_older(table, store, manifest, row, record)
    name_notes += note_recipe(table, row, record)
    values = {
        # A row is copied without the lines above it: the mark goes with it.
        "row": Value(row["row"] + " (leaky)" * record["leaky"], tuple(name_notes)),
        "window": Value(f"{row['length']} / {row['step']}"),
    }
    cells = {
        (cell["fold"], cell["seed"]): store.read(cell["key"])
        for cell in row["cells"]
        if cell["key"] in done
    }
    own = [metric for metric in metrics if metric not in {score.name for score in added}]
    scores = {
        place: {**scores_of(cell, own), **added_scores(cell, added)}
        for place, cell in cells.items()
    }
    for metric in metrics:
        of_metric = {place: s[metric] for place, s in scores.items()}
        found = {place: value for place, value in of_metric.items() if value is not None}
        table.scores.setdefault(metric, {})[row["row"]] = found
        summary = summarise(found) if found else None
        values[metric] = Value(_percent(summary))
        record |= _summary_record(metric, summary)
    measured = [cell.measured for cell in cells.values()]
    add_efforts(values, record, measured)
    add_costs(table, store, row, values, record, measured, flops=flops)
    _add_published(table, row, values, record)
    table.rows.append(values)
    table.records.append(record)


def _state_notes(
    table: Table, store: Store, row: dict[str, Any], record: dict[str, Any], done: set[str]
) -> list[int]:
    """Footnotes for cells that failed or are not there yet."""
    notes = []
    keys = [cell["key"] for cell in row["cells"]]
    record["cells"], record["cells_done"] = len(keys), len(done)
    failures = {f["reason"] for key in keys if key not in done and (f := store.failure(key))}
    for reason in sorted(failures):
        notes.append(table.note(f"failed: {reason}"))
    if len(done) < len(keys):
        notes.append(table.note(f"{len(done)} of {len(keys)} cells done"))
    return notes


def _percent(summary: Summary | None) -> str:
    if summary is None:
        return ABSENT
    if summary.high is None:
        return f"{100 * summary.mean:.1f}"
    return f"{100 * summary.mean:.1f} ± {100 * (summary.high - summary.mean):.1f}"


def _summary_record(metric: str, summary: Summary | None) -> dict[str, Any]:
    fields = ("mean", "std", "low", "high", "n", "unit")
    return {
        f"{metric}_{name}": getattr(summary, name) if summary is not None else None
        for name in fields
    }


def _add_published(
    table: Table, row: dict[str, Any], values: dict[str, Value], record: dict[str, Any]
) -> None:
    for column in (c for c in table.columns if c.key.startswith("printed ")):
        values[column.key] = Value(ABSENT)
    record["published"] = row["published"]
    if not row["published"]:
        return
    first, *others = row["published"]
    for column, text in first["printed"].items():
        notes = []
        if column == "NF":
            notes.append(table.note(f"printed by {first['source']}"))
        if column in first["defects"]:
            notes.append(table.note(f"{first['row']}, {column}: {first['defects'][column]}"))
        if f"printed {column}" in values:
            values[f"printed {column}"] = Value(text, tuple(notes))
    for other in others:
        printed = ", ".join(f"{column} {text}" for column, text in other["printed"].items())
        defects = "".join(f"; {c}: {t}" for c, t in other["defects"].items())
        number = table.note(
            f"also printed by {other['source']} ({other['row']}): {printed}{defects}"
        )
        old = values["row"]
        values["row"] = Value(old.text, (*old.notes, number))


def _mark_best(table: Table, metrics: Sequence[str], compared: Container[str]) -> None:
    for metric in metrics:
        means = [
            record[f"{metric}_mean"] if record["row"] in compared else None
            for record in table.records
        ]
        known = [mean for mean in means if mean is not None]
        if len(known) < 2:
            continue
        for values, mean in zip(table.rows, means, strict=True):
            if mean == max(known):
                values[metric] = Value(values[metric].text, values[metric].notes, best=True)


def _note_intervals(table: Table, metrics: Sequence[str]) -> None:
    """Say in the head of each score what stands behind the ±."""
    for metric in metrics:
        repeats = {
            (record[f"{metric}_n"], record[f"{metric}_unit"])
            for record in table.records
            if (record[f"{metric}_n"] or 0) > 1
        }
        if not repeats:
            continue
        over = " or ".join(f"{n} {unit}s" for n, unit in sorted(repeats))
        number = table.note(f"percent; mean ± half of the 95 % Student-t interval over {over}")
        table.columns = [
            replace(column, notes=(*column.notes, number)) if column.key == metric else column
            for column in table.columns
        ]


def number_as_read(table: Table) -> None:
    """Number the footnotes in the order in which a reader meets them."""
    met = [note for column in table.columns for note in column.notes]
    for row in table.rows:
        met += [note for column in table.columns for note in row[column.key].notes]
    new = {old: number for number, old in enumerate(dict.fromkeys(met), 1)}
    table.footnotes = [table.footnotes[old - 1] for old in new]

    def renumbered(notes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(new[note] for note in notes))

    table.columns = [replace(c, notes=renumbered(c.notes)) for c in table.columns]
    table.rows = [
        {key: replace(value, notes=renumbered(value.notes)) for key, value in row.items()}
        for row in table.rows
    ]
