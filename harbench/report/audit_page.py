"""The leakage audit of a benchmark in a terminal: a table of its folds, and what holds for all."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harbench.data.audit import Common, FoldAudit, PartAudit
from harbench.report.audit import Manifest, RowsAudit, audit_line, audits_of
from harbench.report.terminal import print_page

_NAMES = 3  # that are listed of what parts have in common

HEADS = (
    "Fold", "Part", "Windows", "Shared", "Subjects", "Sessions", "Recordings", "Filled", "Ahead",
    "Across",
)  # fmt: skip
LEGEND = (
    "Shared: windows that hold a sample of a training window. Subjects, Sessions, Recordings: how "
    "many of the part's train too. Filled: values that were missing; Ahead: of all values, those "
    "filled from later ones; Across: those filled from another part's."
)


def print_audit(console: Console, manifest: Manifest) -> None:
    """Print the audit of one benchmark.

    Args:
        console: Where.
        manifest: As :func:`harbench.results.manifest.manifest_of` makes it.
    """
    parts: list[RenderableType] = [
        Text(f"{manifest['name']}: {manifest['title']}", style="bold"),
        Text(f"{manifest['dataset']}, task {manifest['task']}, split {manifest['split']}"),
    ]
    folds = [fold for row in manifest["rows"] for fold in row["folds"]]
    if folds:
        line = audit_line(folds)
        leaky = line.startswith("LEAKY")
        parts.append(Text(line, style="bold red" if leaky else "dim"))
        if leaky:
            parts.append(Text(what_follows(bool(manifest.get("allow_leakage")))))
    if manifest["missing"]:
        missing = manifest["missing"]
        parts.append(Text(f"not audited: {missing['what']}\n  try: {missing['fix']}"))
    for found in audits_of(manifest):
        parts += [Text(""), *_of_rows(found)]
    parts.append(Text(""))
    print_page(console, Group(*parts))


def what_follows(allowed: bool) -> str:
    """What follows of a leak: whether the benchmark says that it may."""
    if allowed:
        return "the benchmark says allow_leakage: true, so it runs, and its rows are marked"
    return "harbench run refuses it: the benchmark does not say allow_leakage: true"


def _of_rows(found: RowsAudit) -> Iterator[RenderableType]:
    plural = "s" if len(found.rows) > 1 else ""
    yield Text(
        f"row{plural} {', '.join(found.rows)}: windows of {found.length} samples every {found.step}"
    )
    if len(found.folds) < found.n_folds:
        yield Text(
            f"{found.n_folds - len(found.folds)} of {found.n_folds} folds were planned by an older "
            "harbench, without an audit; run the benchmark again, which trains nothing anew"
        )
    if not found.folds:
        return
    body = Table(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    for number, head in enumerate(HEADS):
        left = number < 2 or head in ("Subjects", "Sessions", "Recordings")
        body.add_column(head, justify="left" if left else "right", overflow="fold")
    for audit in found.folds:
        for name, part in audit.parts.items():
            body.add_row(audit.fold, name, *cells_of(name, part))
    yield body
    yield Text(LEGEND, style="dim")
    for fact in facts_of(found.folds):
        yield Text(fact)


def cells_of(name: str, part: PartAudit) -> Iterator[str]:
    """What stands in a part's row behind fold and part, a text for each of the other HEADS."""
    yield f"{part.windows:,}"
    yield "" if name == "train" else f"{100 * part.shared:.1f} %"
    for common in (part.subjects, part.sessions, part.recordings):
        yield str(common.n) if name == "train" else _common(common)
    if part.gaps is None:
        yield from ("–", "0", "0")
    else:
        for n in (part.gaps.filled, part.gaps.ahead, part.gaps.across):
            yield f"{100 * n / part.gaps.values:.2f} %" if n else "0"


def _common(common: Common) -> str:
    if not common.names:
        return f"0 of {common.n}"
    more = len(common.names) - _NAMES
    return (
        f"{len(common.names)} of {common.n}: {', '.join(common.names[:_NAMES])}"
        f"{f' + {more}' if more > 0 else ''}"
    )


def facts_of(folds: tuple[FoldAudit, ...]) -> Iterator[str]:
    """What holds for all folds of some rows, a line each."""
    first = folds[0]
    kept, every = first.channels
    fitted = {
        "training windows": "fitted on the samples of the training windows, nothing else",
        "fixed limits": "the channels' fixed limits; nothing is fitted",
        "none": "none",
    }
    yield f"normalisation: {fitted[first.normaliser]}"
    fill = {
        "none": "none",
        "forward": "forward, from earlier samples of the recording only",
        "linear": "linear, between the samples before and behind the gap: it looks ahead",
    }
    yield f"gap filling: {fill[first.fill]}"
    yield f"labels: {first.label}{''.join(f'; {way}' for way in first.chosen_by_labels)}"
    yield (
        f"channels: all {every}"
        if kept == every
        else f"channels: {kept} of {every}, as the protocol names them; whether test data had a "
        "part in that choice cannot be seen from here"
    )
    seen = max(audit.test_in_validation for audit in folds)
    if seen > 0:
        yield f"validation: {100 * seen:.1f} % of the test windows share samples with it"
