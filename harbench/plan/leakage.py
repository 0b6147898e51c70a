"""Leaky protocols are refused before anything is trained, unless the benchmark allows them."""

from __future__ import annotations

from collections.abc import Iterable

from harbench.data.audit import FoldAudit
from harbench.errors import ConfigError
from harbench.plan.cells import PlannedBenchmark


def refuse_leaks(planned: Iterable[PlannedBenchmark], file: str) -> None:
    """Refuse what shares samples between the parts of a fold and does not say that it may.

    Args:
        planned: Audited plans; of data that is not here nothing is known, and nothing is trained.
        file: What they were read from, for the command that shows more.

    Raises:
        ConfigError: for the first such benchmark, with the fold where the share is largest.
    """
    for benchmark in planned:
        settings = benchmark.settings
        audits = {
            (row.length, row.step): [fold.audit for fold in row.folds if fold.audit is not None]
            for row in benchmark.rows
        }
        leaky = [
            (audit, length, step)
            for (length, step), found in audits.items()
            for audit in found
            if audit.leaks
        ]
        if not leaky or settings.allow_leakage:
            continue
        audit, length, step = max(leaky, key=lambda found: _worst(found[0]))
        raise ConfigError(
            f"{_shares(audit)} in fold '{audit.fold}' (windows of {length} samples every {step})",
            where=f"benchmark '{settings.name}', protocol.split",
            expected=(
                "a split whose parts share no sample, such as {kind: blocks} or loso, or "
                "'allow_leakage: true' in the benchmark, which marks its rows as leaky"
            ),
            fix=f"harbench audit {file} {settings.name}",
        )


def _worst(audit: FoldAudit) -> float:
    return max(audit.test_in_validation, *(part.shared for part in audit.parts.values()))


def _shares(audit: FoldAudit) -> str:
    test, validation = audit.parts["test"].shared, audit.parts.get("validation")
    if test > 0 or (validation is not None and validation.shared > 0):
        of_validation = (
            f" and {100 * validation.shared:.1f} % of the validation windows" if validation else ""
        )
        return (
            f"{100 * test:.1f} % of the test windows{of_validation} share samples with training "
            "windows"
        )
    share = 100 * audit.test_in_validation
    return f"{share:.1f} % of the test windows share samples with validation windows"
