"""Marks in the comparison table for rows that cannot be told apart from the best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harbench.metrics.ties import Standing, standing
from harbench.report.audit import compared_rows
from harbench.report.repeats import repeats_of, repeats_text, tests_text

if TYPE_CHECKING:
    from harbench.report.table import Table


def mark_ties(table: Table, manifest: Mapping[str, Any], metrics: Sequence[str]) -> None:
    """Give the scores that are tied with the best of their column a footnote that says so.

    The rule is that of :mod:`harbench.metrics.ties`. Where there are too few repeats to tell models
    apart, the head of the column says that instead. Each record gets METRIC_standing: "best",
    "tied", "apart", "unknown", or None where the row has no score, no other row has one, or it
    leaks and others do not.

    Args:
        table: With its rows, their records and its ``scores``.
        manifest: Of the benchmark.
        metrics: Columns to mark.
    """
    compared = compared_rows(manifest)
    for metric in metrics:
        scores = table.scores.get(metric, {})
        rows = [
            repeats_of(row, scores[row["row"]])
            for row in manifest["rows"]
            if row["row"] in compared and scores.get(row["row"])
        ]
        found = standing(rows) if len(rows) > 1 else None
        for record in table.records:
            record[f"{metric}_standing"] = None if found is None else _word(found, record["row"])
        if found is None:
            continue
        if not found.tied and not found.apart:
            # In the head, where it makes no column wider.
            _note_head(table, metric, too_few(found))
            continue
        others = "other row" if compared.issuperset(table.scores[metric]) else "row without a leak"
        texts = _texts(found, others)
        # The last row, of a predictor that has learnt nothing, has no record.
        for record, values in zip(table.records, table.rows, strict=False):
            text = texts.get(record["row"])
            if text is not None:
                old = values[metric]
                values[metric] = replace(old, notes=(*old.notes, table.note(text)))


def _note_head(table: Table, metric: str, text: str) -> None:
    number = table.note(text)
    table.columns = [
        replace(column, notes=(*column.notes, number)) if column.key == metric else column
        for column in table.columns
    ]


def _word(found: Standing, row: str) -> str | None:
    for word, names in (
        ("best", (found.best,)),
        ("tied", found.tied),
        ("apart", found.apart),
        ("unknown", found.unknown),
    ):
        if row in names:
            return word
    return None


def _texts(found: Standing, others: str) -> dict[str, str]:
    """Row -> its footnote."""
    by = tests_text(found)
    texts = dict.fromkeys(
        found.unknown,
        "too few repeats in common with the best row to tell the two apart "
        f"({found.wanted} are needed)",
    )
    texts |= dict.fromkeys(found.tied, f"cannot be told apart from the best ({by}, at 5 %)")
    if not found.tied and not found.unknown:
        texts[found.best] = f"told apart from every {others} ({by}, at 5 %)"
    return texts


def too_few(found: Standing) -> str:
    """ "2 seeds are too few to say which of 6 rows is the best (5 are needed)"."""
    with_best = [pair for pair in found.pairs if found.best in (pair.a, pair.b)]
    n_rows = 1 + len(found.tied) + len(found.apart) + len(found.unknown)
    repeats = repeats_text(with_best)
    verb = "is" if repeats.startswith("1 ") and repeats.endswith(("seed", "fold")) else "are"
    return (
        f"{repeats} {verb} too few to say which of {n_rows} rows is the best "
        f"({found.wanted} are needed)"
    )
