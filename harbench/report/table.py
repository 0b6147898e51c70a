"""The comparison table: measured beside published, never mixed.

Built from the store alone, so that it can be printed again anywhere without training.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harbench.cost.record import Cost
from harbench.errors import ResultsError
from harbench.metrics import METRICS, SAMPLE_METRICS, Summary, always_commonest, summarise
from harbench.report.audit import audit_line, compared_rows, is_leaky
from harbench.report.older_cells import note_older
from harbench.report.tie_marks import mark_ties
from harbench.results import Store
from harbench.results.sampled import sampled_scores, scores_of

ABSENT = "–"
DEFAULT_METRICS = ("nf", "macro_f1")
_SPREAD = (
    "each sample has the class of most of the test windows that cover it, in truth and prediction; "
    "all samples or segments of a cell together"
)


@dataclass(frozen=True)
class Value:
    """What stands in one place of a table.

    Args:
        text: As printed.
        notes: Numbers of the footnotes that it carries.
        best: Whether it is the best of its column.
    """

    text: str
    notes: tuple[int, ...] = ()
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A column of the comparison table.

    Args:
        key: "nf", "parameters", "macs" ...
        title: Head.
        width_rank: Order in which columns go where the page is too narrow: the highest goes
            first, 0 never goes.
        notes: Footnotes of the head.
    """

    key: str
    title: str
    width_rank: int = 0
    notes: tuple[int, ...] = ()


@dataclass
class Table:
    """One benchmark's table.

    Args:
        name, title: Of the benchmark.
        lines: What a reader must know before the rows: data, split, audit, simulated or not.
        columns: In order; the first names the row.
        rows: Column key -> value.
        footnotes: Note n is ``footnotes[n - 1]``.
        records: The same rows as plain numbers, for CSV and JSON.
        missing: What is not here and the command that gets it.
        scores: Metric -> row -> (fold, seed) -> score, 0 .. 1: what the means are made of.
    """

    name: str
    title: str
    lines: list[str]
    columns: list[Column]
    rows: list[dict[str, Value]]
    footnotes: list[str]
    records: list[dict[str, Any]] = field(default_factory=list)
    missing: str = ""
    scores: dict[str, dict[str, dict[tuple[str, int], float]]] = field(default_factory=dict)

    def note(self, text: str) -> int:
        """Number of a footnote; equal texts share one."""
        if text not in self.footnotes:
            self.footnotes.append(text)
        return self.footnotes.index(text) + 1


def comparison_table(
    store: Store, name: str, metrics: Sequence[str] = DEFAULT_METRICS, *, flops: bool = False
) -> Table:
    """The table of one benchmark, from the store.

    Args:
        store: Results folder.
        name: Of the benchmark.
        metrics: Names of :data:`harbench.metrics.METRICS` and
            :data:`~harbench.metrics.SAMPLE_METRICS`, a column each.
        flops: Print FLOPs (2 MACs) instead of MACs.

    Raises:
        ResultsError: the benchmark was never run into this store, or a record is damaged.
    """
    manifest = store.benchmark(name)
    table = Table(name, manifest["title"], _lines(manifest), [], [], [])
    if manifest["missing"]:
        table.missing = f"{manifest['missing']['what']}\n  try: {manifest['missing']['fix']}"
    published = any(row["published"] for row in manifest["rows"])
    table.columns = _columns(table, manifest, metrics, flops, published)
    for row in manifest["rows"]:
        _add_row(table, store, manifest, row, metrics, flops)
    _mark_best(table, metrics, compared_rows(manifest))
    _add_baseline(table, store, manifest, metrics)
    _note_intervals(table, metrics)
    mark_ties(table, manifest, metrics)
    _number_as_read(table)
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
    table: Table, manifest: dict[str, Any], metrics: Sequence[str], flops: bool, published: bool
) -> list[Column]:
    macs_note = table.note(
        "operations on one window, 2 x MACs; papers' columns of that name often count MACs; two "
        "counters agree on every row without a note"
        if flops
        else "multiply-accumulates of one window: the column that papers often head FLOPs; true "
        "FLOPs = 2 x MACs (--flops); two counters agree on every row without a note"
    )
    parameters_note = table.note(
        "trainable, then with batch-norm's running statistics where there are any (as Keras counts)"
    )
    columns = [Column("row", "Model"), Column("window", "Window\n/ step", 5)]
    known = {**METRICS, **SAMPLE_METRICS}
    for rank, metric in enumerate(metrics):
        notes = (table.note(_SPREAD),) if metric in SAMPLE_METRICS else ()
        columns.append(Column(metric, known[metric].title, 0 if rank == 0 else 3, notes))
    columns += [
        Column("parameters", "Parameters", 0, (parameters_note,)),
        Column("macs", "FLOPs" if flops else "MACs", 0, (macs_note,)),
        Column("latency", "Latency", 4),
    ]
    if published:
        columns += [
            Column(f"printed {key}", f"printed\n{key}", 1) for key in ("NF", "parameters", "FLOPs")
        ]
    return columns


def _add_row(
    table: Table,
    store: Store,
    manifest: dict[str, Any],
    row: dict[str, Any],
    metrics: Sequence[str],
    flops: bool,
) -> None:
    record: dict[str, Any] = {
        "benchmark": table.name,
        "row": row["row"],
        "model": row["model"],
        "window": row["length"],
        "step": row["step"],
        "n_channels": row["n_channels"],
        "n_classes": row["n_classes"],
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
    name_notes += _state_notes(table, store, row, record)
    name_notes += note_older(table, store, manifest, row, record)
    values = {
        # A row is copied without the lines above it: the mark goes with it.
        "row": Value(row["row"] + " (leaky)" * record["leaky"], tuple(name_notes)),
        "window": Value(f"{row['length']} / {row['step']}"),
    }
    cells = {
        (cell["fold"], cell["seed"]): store.read(cell["key"])
        for cell in row["cells"]
        if store.has(cell["key"])
    }
    scores = {place: scores_of(cell, metrics) for place, cell in cells.items()}
    for metric in metrics:
        of_metric = {place: s[metric] for place, s in scores.items()}
        found = {place: value for place, value in of_metric.items() if value is not None}
        table.scores.setdefault(metric, {})[row["row"]] = found
        summary = summarise(found) if found else None
        values[metric] = Value(_percent(summary))
        record |= _summary_record(metric, summary)
    measured = [cell.measured for cell in cells.values()]
    record["peak_memory_bytes"] = max((m["peak_memory_bytes"] for m in measured), default=None)
    record["training_seconds_mean"] = (
        sum(m["seconds"]["train_and_predict"] for m in measured) / len(measured)
        if measured
        else None
    )
    _add_cost(table, store, row, values, record, flops)
    _add_published(table, row, values, record)
    table.rows.append(values)
    table.records.append(record)


def _state_notes(
    table: Table, store: Store, row: dict[str, Any], record: dict[str, Any]
) -> list[int]:
    """Footnotes for cells that failed or are not there yet."""
    notes = []
    keys = [cell["key"] for cell in row["cells"]]
    done = [key for key in keys if store.has(key)]
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


def _add_cost(
    table: Table,
    store: Store,
    row: dict[str, Any],
    values: dict[str, Value],
    record: dict[str, Any],
    flops: bool,
) -> None:
    cost, why = _stored_cost(store, row["cost"])
    if cost is None:
        values |= {
            "parameters": Value(ABSENT, (table.note(f"cost not measured: {why}"),) if why else ()),
            "macs": Value(ABSENT),
            "latency": Value(ABSENT),
        }
        return
    record |= cost.to_json()
    parameters = f"{cost.parameters:,}"
    if cost.parameters_with_buffers != cost.parameters:
        parameters += f" / {cost.parameters_with_buffers:,}"
    values["parameters"] = Value(parameters)
    odd = not cost.counters_agree
    notes = (table.note(f"{row['row']}: {cost.counters_note}"),) if odd else ()
    values["macs"] = Value(f"{cost.flops if flops else cost.macs:,}", notes)
    latency = ABSENT if cost.latency_median_ms is None else f"{cost.latency_median_ms:.2f} ms"
    values["latency"] = Value(latency)


def _stored_cost(store: Store, key: str) -> tuple[Cost | None, str]:
    """The cost, or None and why there is none."""
    stored = store.cost(key)
    if stored is None:
        failure = store.failure(key)
        return None, failure["reason"] if failure else ""
    try:
        return Cost.from_json(stored), ""
    except ResultsError:
        return None, "stored by another version of harbench; run again"


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


def _number_as_read(table: Table) -> None:
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


def _add_baseline(
    table: Table, store: Store, manifest: dict[str, Any], metrics: Sequence[str]
) -> None:
    """The scores of a predictor that has learnt nothing, for scale."""
    row = next((row for row in manifest["rows"] if row["folds"]), None)
    if row is None:
        return
    values = {column.key: Value("") for column in table.columns}
    values["row"] = Value(
        "(commonest class)",
        (
            table.note(
                "always guessing the commonest class of the test windows "
                f"({row['length']} / {row['step']})"
            ),
        ),
    )
    scores = [_of_commonest(store, manifest, row, fold, metrics) for fold in row["folds"]]
    for metric in metrics:
        found = [s[metric] for s in scores if s.get(metric) is not None]
        if found:
            values[metric] = Value(f"{100 * sum(found) / len(found):.1f}")
    table.rows.append(values)


def _of_commonest(
    store: Store,
    manifest: dict[str, Any],
    row: dict[str, Any],
    fold: dict[str, Any],
    metrics: Sequence[str],
) -> dict[str, Any]:
    """Its scores in one fold; those of samples where any cell of the fold is finished."""
    support = fold["support"]
    found = always_commonest(support, manifest["classes"], manifest["null"]).to_json()
    keys = [cell["key"] for cell in row["cells"] if cell["fold"] == fold["name"]]
    done = next((key for key in keys if store.has(key)), None)
    if done is not None:
        commonest = support.index(max(support))
        found |= sampled_scores(store.read(done), metrics, always=commonest)
    return found
