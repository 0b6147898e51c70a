"""What the leakage audit says of a benchmark, from its manifest: one line, or all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harbench.data.audit import FoldAudit, cautions_of

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class RowsAudit:
    """Rows of one window and step: they have the same folds.

    Args:
        rows: Their names.
        length, step: In samples.
        folds: Audits; a fold that an older harbench stored without one is left out.
        n_folds: All folds.
    """

    rows: tuple[str, ...]
    length: int
    step: int
    folds: tuple[FoldAudit, ...]
    n_folds: int


def audits_of(manifest: Manifest) -> list[RowsAudit]:
    """The audits of a benchmark, one of each window and step; empty where its data was missing."""
    by_size: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in manifest["rows"]:
        if row["folds"]:
            by_size.setdefault((row["length"], row["step"]), []).append(row)
    return [
        RowsAudit(
            tuple(row["row"] for row in rows),
            length,
            step,
            tuple(_audits(rows[0]["folds"])),
            len(rows[0]["folds"]),
        )
        for (length, step), rows in by_size.items()
    ]


def is_leaky(folds: Sequence[Mapping[str, Any]]) -> bool:
    """Whether in one of a row's folds a test or validation window shares samples with training,
    or a test window with validation."""
    return any(fold["test_overlap"] > 0 or fold["validation_overlap"] > 0 for fold in folds) or any(
        audit.leaks for audit in _audits(folds)
    )


@dataclass(frozen=True)
class Leaks:
    """What a page about a leaky benchmark must say.

    Args:
        line: The audit in one line.
        rows: Names of the rows that leak.
        honest: Of those that do not.
    """

    line: str
    rows: frozenset[str]
    honest: frozenset[str] = frozenset()


def leaks_of(manifest: Manifest) -> Leaks | None:
    """The leaks of a benchmark; None where none of its rows leaks."""
    rows = frozenset(row["row"] for row in manifest["rows"] if is_leaky(row["folds"]))
    if not rows:
        return None
    line = audit_line([fold for row in manifest["rows"] for fold in row["folds"]])
    return Leaks(line, rows, frozenset(row["row"] for row in manifest["rows"]) - rows)


def compared_rows(manifest: Manifest) -> frozenset[str]:
    """Names of the rows among which a best one may be looked for.

    Rows of one benchmark share a protocol, but each may have a window and step of its own: under
    random windows those that overlap leak, and others do not. Then no leaky row is compared with
    an honest one. Where all leak, all are compared.
    """
    leaks = leaks_of(manifest)
    if leaks is not None and leaks.honest:
        return leaks.honest
    return frozenset(row["row"] for row in manifest["rows"])


def audit_line(folds: Sequence[Mapping[str, Any]]) -> str:
    """The audit in one line, for under a table.

    Args:
        folds: Of all rows, as the manifest has them.
    """
    test = max(fold["test_overlap"] for fold in folds)
    validation = max(fold["validation_overlap"] for fold in folds)
    audits = _audits(folds)
    seen = max((audit.test_in_validation for audit in audits), default=0.0)
    if test == validation == seen == 0:
        line = "audit: no test or validation window shares a sample with a training window"
    elif test == validation == 0:
        line = f"LEAKY: up to {100 * seen:.1f} % of the test windows share samples with validation"
    else:
        line = (
            f"LEAKY: up to {100 * test:.1f} % of the test windows and {100 * validation:.1f} % of "
            "the validation windows share samples with training windows"
        )
    cautions = cautions_of(audits)
    return f"{line}; caution: {'; '.join(cautions)}" if cautions else line


def audit_json(manifests: Sequence[Manifest]) -> str:
    """The whole audit of some benchmarks, for programs."""
    content = []
    for manifest in manifests:
        found = audits_of(manifest)
        every = [fold for of_rows in found for fold in of_rows.folds]
        content.append(
            {
                "benchmark": manifest["name"],
                "dataset": manifest["dataset"],
                "split": manifest["split"],
                "missing": manifest["missing"],
                "leaks": any(is_leaky(row["folds"]) for row in manifest["rows"]),
                "allow_leakage": bool(manifest.get("allow_leakage")),
                "cautions": list(cautions_of(every)),
                "audits": [
                    {
                        "rows": list(of_rows.rows),
                        "length": of_rows.length,
                        "step": of_rows.step,
                        "folds": [fold.to_json() for fold in of_rows.folds],
                    }
                    for of_rows in found
                ],
            }
        )
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _audits(folds: Sequence[Mapping[str, Any]]) -> list[FoldAudit]:
    # A fold that an older harbench planned has none.
    return [FoldAudit.from_json(fold["audit"]) for fold in folds if fold.get("audit")]
