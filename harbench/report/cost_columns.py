"""Columns of a comparison table that say what a model costs: counts, latency, bytes, time."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harbench.cost.fitted import PICKLE_PROTOCOL, FittedCost
from harbench.cost.record import Cost
from harbench.errors import ResultsError
from harbench.report.tabular import ABSENT, Column, Table, Value
from harbench.results import Store

UNDEFINED = "n/a"
"""What stands where an estimator has nothing of the kind."""

_OTHER_VERSION = "stored by another version of harbench; run again"


def cost_columns(table: Table, manifest: Mapping[str, Any], flops: bool) -> list[Column]:
    """The columns, with the footnotes of their heads.

    What a fit takes and holds has columns where a row is an estimator: of networks alone, counts
    say more.

    Args:
        table: Gets the footnotes.
        manifest: Of the benchmark.
        flops: FLOPs (2 MACs) instead of MACs.
    """
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
    columns = [
        Column("parameters", "Parameters", 0, (parameters_note,)),
        Column("macs", "FLOPs" if flops else "MACs", 0, (macs_note,)),
    ]
    if not any(_is_estimator(row) for row in manifest["rows"]):
        return [*columns, Column("latency", "Latency", 4)]
    latency_note = table.note(
        "of one window on one thread; of an estimator the median over its cells, where other "
        "cells may have been trained beside it"
    )
    fit_note = table.note("of the training or the fit alone, median over the cells")
    size_note = table.note(
        f"of a network its weights, of an estimator its pickle (protocol {PICKLE_PROTOCOL}); "
        f"{UNDEFINED}: it has no parameters or multiply-accumulates that could be counted"
    )
    return [
        *columns,
        Column("latency", "Latency", 4, (latency_note,)),
        Column("size", "Size", 6, (size_note,)),
        Column("fit", "Fit time", 7, (fit_note,)),
    ]


def add_efforts(
    values: dict[str, Value], record: dict[str, Any], measured: Sequence[Mapping[str, Any]]
) -> None:
    """What the trainings took: memory and time.

    Args:
        values, record: Of the row; get what is found.
        measured: Of its cells.
    """
    record["peak_memory_bytes"] = max((m["peak_memory_bytes"] for m in measured), default=None)
    total = [m["seconds"]["train_and_predict"] for m in measured]
    record["training_seconds_mean"] = sum(total) / len(total) if total else None
    # Of a training that was resumed only the last process is known.
    whole = [m for m in measured if not m.get("resumed_after_epoch")]
    seconds = [m["seconds"].get("fit", m["seconds"]["train_and_predict"]) for m in whole]
    record["fit_seconds_median"] = statistics.median(seconds) if seconds else None
    values["fit"] = Value(_time(record["fit_seconds_median"]))


def add_costs(
    table: Table,
    store: Store,
    row: Mapping[str, Any],
    values: dict[str, Value],
    record: dict[str, Any],
    measured: Sequence[Mapping[str, Any]],
    *,
    flops: bool,
) -> None:
    """What the model of a row costs: of a network as it was built, of an estimator as fitted.

    Args:
        table: Gets the footnotes.
        store: Where the cost of a network is.
        row: Of the manifest.
        values, record: Of the row; get what is found.
        measured: Of its cells.
        flops: FLOPs (2 MACs) instead of MACs.
    """
    values |= dict.fromkeys(("parameters", "macs", "latency", "size"), Value(ABSENT))
    if _is_estimator(row):
        _add_fitted(table, row, values, record, measured, flops)
        return
    cost, why = _stored_cost(store, row["cost"])
    if cost is None:
        notes = (table.note(f"cost not measured: {why}"),) if why else ()
        values["parameters"] = Value(ABSENT, notes)
        return
    record |= {**cost.to_json(), "size_bytes": cost.weight_bytes}
    parameters = f"{cost.parameters:,}"
    if cost.parameters_with_buffers != cost.parameters:
        parameters += f" / {cost.parameters_with_buffers:,}"
    values["parameters"] = Value(parameters)
    odd = not cost.counters_agree
    notes = (table.note(f"{row['row']}: {cost.counters_note}"),) if odd else ()
    values["macs"] = Value(f"{cost.flops if flops else cost.macs:,}", notes)
    values["latency"] = Value(_latency(cost.latency_median_ms))
    values["size"] = Value(_size(cost.weight_bytes))


def _add_fitted(
    table: Table,
    row: Mapping[str, Any],
    values: dict[str, Value],
    record: dict[str, Any],
    measured: Sequence[Mapping[str, Any]],
    flops: bool,
) -> None:
    try:
        costs = [FittedCost.from_json(m["cost"]) for m in measured if m.get("cost")]
    except ResultsError:
        notes = (table.note(f"cost not measured: {_OTHER_VERSION}"),)
        values["parameters"] = Value(ABSENT, notes)
        return
    if not costs:
        return
    parameters = _whole_median(cost.parameters for cost in costs)
    macs = _whole_median(cost.macs for cost in costs)
    size = _whole_median(cost.size_bytes for cost in costs)
    latency = statistics.median(cost.latency_median_ms for cost in costs)
    note = costs[0].note
    record |= {
        "parameters": parameters,
        "macs": macs,
        "counters_note": note,
        "size_bytes": size,
        "latency_median_ms": latency,
        "latency_p95_ms": statistics.median(cost.latency_p95_ms for cost in costs),
    }
    shown = macs if macs is None or not flops else 2 * macs
    counted = (table.note(f"{row['row']}: {note}"),) if note else ()
    values["parameters"] = Value(_count(parameters), counted)
    values["macs"] = Value(_count(shown))
    values["latency"] = Value(_latency(latency))
    values["size"] = Value(UNDEFINED if size is None else _size(size))


def _is_estimator(row: Mapping[str, Any]) -> bool:
    return bool(row.get("kind") == "estimator")


def _stored_cost(store: Store, key: str) -> tuple[Cost | None, str]:
    """The cost, or None and why there is none."""
    stored = store.cost(key)
    if stored is None:
        failure = store.failure(key)
        return None, failure["reason"] if failure else ""
    try:
        return Cost.from_json(stored), ""
    except ResultsError:
        return None, _OTHER_VERSION


def _whole_median(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known)) if known else None


def _count(number: int | None) -> str:
    return UNDEFINED if number is None else f"{number:,}"


def _latency(milliseconds: float | None) -> str:
    return ABSENT if milliseconds is None else f"{milliseconds:.2f} ms"


def _size(n_bytes: int) -> str:
    """ "812 B", "98.4 kB", "12.3 MB": a kB is 1,000 bytes."""
    if n_bytes < 1000:
        return f"{n_bytes} B"
    for unit, scale in (("kB", 1e3), ("MB", 1e6)):
        # Not 1000 kB, which 999.95 would be rounded to.
        if n_bytes < 999.95 * scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{n_bytes / 1e9:.1f} GB"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ABSENT
    digits = 2 if seconds < 9.995 else 1 if seconds < 99.95 else 0
    return f"{seconds:.{digits}f} s"
