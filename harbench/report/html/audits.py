"""The leakage audit of a benchmark, all of it, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harbench.report.audit import RowsAudit, audit_line, audits_of
from harbench.report.audit_page import HEADS, LEGEND, cells_of, facts_of, what_follows
from harbench.report.html.tables import Cell, Head, Line, Shown, number_in


@dataclass(frozen=True)
class RowsPart:
    """What holds for the rows of one window and step.

    Args:
        title: Which rows, which window.
        table: Of the folds and their parts; None where an older harbench stored no audit.
        facts: What holds for all folds.
    """

    title: str
    table: Shown | None
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """The audit of a benchmark.

    Args:
        line: In one line; "" where nothing was audited.
        leaky: Whether something leaks.
        remarks: Whether that is allowed, and what could not be audited.
        parts: A part for each window and step.
        legend: What the heads mean.
    """

    line: str
    leaky: bool
    remarks: tuple[str, ...]
    parts: tuple[RowsPart, ...]
    legend: str = LEGEND


def audit_of(manifest: Mapping[str, Any], anchor: str) -> Audit:
    """The audit of a benchmark.

    Args:
        manifest: Of the benchmark.
        anchor: Beginning of the tables' ids.
    """
    folds = [fold for row in manifest["rows"] for fold in row["folds"]]
    line = audit_line(folds) if folds else ""
    leaky = line.startswith("LEAKY")
    remarks = [what_follows(bool(manifest.get("allow_leakage")))] if leaky else []
    if manifest["missing"]:
        remarks.append(f"not audited: {manifest['missing']['what']}")
    parts = [_part(found, f"{anchor}-{n}") for n, found in enumerate(audits_of(manifest), 1)]
    return Audit(line, leaky, tuple(remarks), tuple(parts))


def _part(found: RowsAudit, anchor: str) -> RowsPart:
    plural = "s" if len(found.rows) > 1 else ""
    title = (
        f"Row{plural} {', '.join(found.rows)}: windows of {found.length} samples every {found.step}"
    )
    if not found.folds:
        return RowsPart(title, None, (_older(found.n_folds, found.n_folds),))
    lines = []
    for audit in found.folds:
        for name, part in audit.parts.items():
            texts = (audit.fold, name, *cells_of(name, part))
            leaks = name != "train" and part.shared > 0
            badges = (("leaky", "leaky"),) if leaks else ()
            lines.append(Line(tuple(Cell(t, _sort(n, t)) for n, t in enumerate(texts)), badges))
    left = ("Fold", "Part", "Subjects", "Sessions", "Recordings")
    heads = tuple(Head(head, numeric=head not in left) for head in HEADS)
    missing = found.n_folds - len(found.folds)
    facts = (*((_older(missing, found.n_folds),) if missing else ()), *facts_of(found.folds))
    return RowsPart(title, Shown(anchor, title, heads, tuple(lines)), facts)


def _sort(place: int, text: str) -> float | None:
    return None if place < 2 else number_in(text)


def _older(missing: int, n_folds: int) -> str:
    return (
        f"{missing} of {n_folds} folds were planned by an older harbench, without an audit; run "
        "the benchmark again, which trains nothing anew"
    )
