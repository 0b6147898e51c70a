"""May a row of somebody else's results stand beside one's own? Why not, where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harbench.results.records import StoredCell
from harbench.results.store import Store

# Of the protocol's settings these are in the cell's own facts, or may differ from row to row.
_ELSEWHERE = {"window", "step", "task", "channels", "split", "fill", "normalise", "null"}


@dataclass(frozen=True)
class Match:
    """A row of another results folder, held against one's own benchmark.

    Args:
        reasons: Why it cannot be compared, a few words each; none where it can.
        data_known: Whether the data could be held against each other: not where one's own
            benchmark has no finished cell.
    """

    reasons: tuple[str, ...]
    data_known: bool


def match(
    store: Store, manifest: Mapping[str, Any], theirs: Store, row: Mapping[str, Any],
    of_theirs: Mapping[str, Any],
) -> Match:  # fmt: skip
    """Compare what a row was trained and tested on with what one's own rows are.

    Models, recipes, seeds and the code of harbench may differ: those are what is compared. Data,
    task, classes, channels, split and gap filling may not, nor may the windows where one's own
    benchmark has a row of that window and step.

    Args:
        store, manifest: One's own results, and the benchmark in them.
        theirs: The other results.
        row: Of ``of_theirs``.
        of_theirs: The benchmark there.

    Raises:
        ResultsError: a record is damaged.
    """
    reasons = [
        f"another {title}: {_short(of_theirs.get(name))}, here {_short(manifest.get(name))}"
        for name, title in _PLAIN.items()
        if manifest.get(name) != of_theirs.get(name)
    ]
    if manifest["classes"] != of_theirs["classes"] or manifest["null"] != of_theirs["null"]:
        reasons.append("other classes")
    if reasons:
        return Match(tuple(reasons), data_known=False)
    own = _some_cells(store, manifest["rows"], row)
    there = _some_cells(theirs, [row], row)
    if not own or not there:
        return Match((), data_known=False)
    reasons += _other_facts(next(iter(own.values())), next(iter(there.values())))
    if not reasons:
        reasons += _other_windows(own, there)
    return Match(tuple(reasons), data_known=True)


_PLAIN = {"dataset": "dataset", "task": "task", "split": "split", "within": "way to cut windows"}


def _some_cells(
    store: Store, rows: Sequence[Mapping[str, Any]], like: Mapping[str, Any]
) -> dict[str, StoredCell]:
    """Fold -> a finished cell of it; of a row of that window and step, if there is one."""
    size = (like["length"], like["step"])
    for row in sorted(rows, key=lambda row: (row["length"], row["step"]) != size):
        found: dict[str, StoredCell] = {}
        for cell in row["cells"]:
            if cell["fold"] not in found and store.has(cell["key"]):
                found[cell["fold"]] = store.read(cell["key"])
        if found:
            return found
    return {}


def _other_facts(own: StoredCell, other: StoredCell) -> list[str]:
    a, b = own.record.get("cell", {}), other.record.get("cell", {})
    reasons = []
    if a.get("data") != b.get("data"):
        reasons.append(f"other data: sha256 {_short(b.get('data'))}, here {_short(a.get('data'))}")
    for name, title in (("channels", "channels"), ("classes", "classes")):
        if a.get(name) != b.get(name):
            reasons.append(f"other {title}")
    if a.get("protocol") != b.get("protocol"):
        reasons.append("another filling of gaps, or normalisation")
    if _settings(own) != _settings(other):
        reasons.append("another protocol")
    return reasons


def _settings(cell: StoredCell) -> tuple[Any, dict[str, Any]]:
    settings = cell.record.get("settings", {})
    protocol = settings.get("protocol", {})
    return settings.get("split"), {k: v for k, v in protocol.items() if k not in _ELSEWHERE}


def _other_windows(own: Mapping[str, StoredCell], there: Mapping[str, StoredCell]) -> list[str]:
    common = own.keys() & there.keys()
    if not common:
        return ["other folds"]
    for fold in sorted(common):
        a, b = (cells[fold].record.get("cell", {}).get("windows", {}) for cells in (own, there))
        same_size = (a.get("length"), a.get("step")) == (b.get("length"), b.get("step"))
        if same_size and a.get("sha256") != b.get("sha256"):
            return [f"other windows in fold {fold}"]
    return []


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:8]}..." if len(text) > 40 else text
