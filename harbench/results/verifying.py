"""Is the store what harbench wrote? Every hash, key and score, recomputed.

Every JSON file ends with the hash of the rest (its seal) and is written in one way only, so that
one changed byte is found. A cell's key is the hash of what was trained; its record holds the
hashes of predictions and weights; its scores follow from its predictions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from harbench.errors import ResultsError
from harbench.metrics import confusion, score
from harbench.plan.keys import harbench_digest, key_of
from harbench.results.records import FORMAT, Predictions
from harbench.results.sealed import sealed_text
from harbench.results.store import Store

Kind = Literal["torn", "edited", "stale", "unfinished"]

_HASHED = ("predictions.npz", "weights.safetensors")
_FILES = {"record.json", "measured.json", *_HASHED}

# What a content ends in that has not the shape of what harbench writes; OSError: names too long.
_FORGED = (KeyError, TypeError, ValueError, AttributeError, OSError)


@dataclass(frozen=True)
class Finding:
    """Something that is not as harbench leaves it.

    Args:
        kind: ``torn``: a file is missing or cannot be read. ``edited``: it was changed after
            harbench wrote it. Those two are damage. ``stale``: whole, but made by other code of
            harbench than this, or in no table. ``unfinished``: a table lacks cells.
        where: Path within the results folder.
        what: One sentence.
    """

    kind: Kind
    where: str
    what: str

    @property
    def damage(self) -> bool:
        """Whether a number cannot be trusted because of it."""
        return self.kind in ("torn", "edited")


@dataclass
class Verified:
    """What was looked at, and what was found."""

    cells: int = 0
    windows: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def damaged(self) -> bool:
        """Whether anything is torn or edited."""
        return any(finding.damage for finding in self.findings)


class _DamageError(Exception):
    """Ends the checks of one thing."""

    def __init__(self, kind: Kind, what: str) -> None:
        super().__init__(what)
        self.kind: Kind = kind


def verify(store: Store, *, weights: bool = True) -> Verified:
    """Check a results folder. Nothing is written, no data is read, no plugin is needed.

    Args:
        store: The folder.
        weights: False where cells lie without their networks, as in a bundle.

    Raises:
        ResultsError: the folder is not there, or cannot be read.
    """
    if not store.folder.is_dir():
        raise store.nothing_yet()
    found = Verified()
    cells: dict[str, dict[str, Any]] = {}
    for folder in _folders(store.folder / "cells"):
        found.cells += 1
        found.files += len(_FILES) - (not weights)
        try:
            record, n_windows = _cell(folder, weights=weights)
            cells[folder.name] = record
            found.windows += n_windows
        except _DamageError as error:
            found.findings.append(Finding(error.kind, _place(store, folder), str(error)))
        except OSError as error:
            what = f"it cannot be read: {error.strerror or error}"
            found.findings.append(Finding("torn", _place(store, folder), what))
    referred = set(_tables(store, found, cells))
    referred |= set(_analyses(store, found))
    for kind in ("costs", "failures", "exported"):
        for path in sorted((store.folder / kind).glob("*")):
            _whole(store, path, found)
    _stale(store, found, cells, referred)
    return found


def _folders(cells: Path) -> list[Path]:
    return sorted(path for two in sorted(cells.glob("*")) for path in _inside(two))


def _inside(two: Path) -> list[Path]:
    # A file where a folder belongs is judged as a cell that is torn.
    return sorted(two.iterdir()) if two.is_dir() else [two]


def _place(store: Store, path: Path) -> str:
    return path.relative_to(store.folder).as_posix()


def _cell(folder: Path, *, weights: bool) -> tuple[dict[str, Any], int]:
    """The record of a cell that is whole, and the number of its test windows."""
    files = _FILES if weights else _FILES - {"weights.safetensors"}
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if missing := sorted(files - names):
        raise _DamageError("torn", f"{', '.join(missing)} is not there")
    if strange := sorted(names - files):
        raise _DamageError("edited", f"{', '.join(strange)} is none of harbench's files")
    record = _sealed(folder / "record.json")
    _sealed(folder / "measured.json")
    try:
        return record, _consistent(folder, record)
    except (_DamageError, OSError):
        raise
    # The seal is right, so only a forger gets here; whatever breaks is what was forged.
    except Exception as error:
        what = f"record.json is not what harbench writes: {type(error).__name__}: {error}"
        raise _DamageError("edited", what) from error


def _consistent(folder: Path, record: Mapping[str, Any]) -> int:
    if record["format"] != FORMAT:
        raise _DamageError("edited", f"record.json has the format {record['format']}, not {FORMAT}")
    if not record["key"] == folder.name == key_of(record["cell"]):
        raise _DamageError("edited", "its key is not the hash of what the record says was trained")
    if folder.parent.name != folder.name[:2]:
        raise _DamageError("edited", "it lies in another folder than its key says")
    if sorted(record["sha256"]) != sorted(_HASHED):
        raise _DamageError("edited", "record.json does not hold the hashes of its files")
    for name in _HASHED:
        if not (folder / name).exists():  # weights that were left out: see _cell
            continue
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != record["sha256"][name]:
                raise _DamageError("edited", f"{name} is not the file that the record names")
    if not isinstance(record["cell"], dict):
        raise _DamageError("edited", "its cell is no mapping")
    try:
        predictions = Predictions.load(folder / "predictions.npz")
    except ResultsError as error:
        raise _DamageError("edited", f"predictions.npz: {error.what}") from error
    n_classes = len(record["classes"])
    n_windows = len(predictions.true)
    if predictions.probabilities.shape != (n_windows, n_classes):
        raise _DamageError("edited", "predictions.npz does not fit the classes of the record")
    if not np.array_equal(predictions.probabilities.argmax(axis=1), predictions.predicted):
        raise _DamageError("edited", "a predicted class is not the most probable one")
    if n_windows != record["windows"]["test"]:
        raise _DamageError("edited", f"{n_windows} windows are predicted, not those of the record")
    matrix = confusion(predictions.true, predictions.predicted, n_classes)
    if matrix.tolist() != record["confusion"]:
        raise _DamageError("edited", "the confusion matrix is not that of the predictions")
    again = score(matrix, record["classes"], record["null"]).to_json()
    if wrong := [name for name in again if again[name] != record["scores"].get(name)]:
        what = "the scores are not those of the predictions: "
        raise _DamageError("edited", what + ", ".join(wrong))
    if again.keys() != record["scores"].keys():
        raise _DamageError("edited", "there are scores that harbench does not know")
    return n_windows


def _sealed(path: Path) -> dict[str, Any]:
    """The content of a JSON file that is to the byte what harbench wrote, without its seal."""
    raw = path.read_bytes()
    try:
        content = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _DamageError("torn", f"{path.name} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise _DamageError("torn", f"{path.name} is not what harbench writes")
    if "seal" not in content:
        raise _DamageError("edited", f"{path.name} has no seal")
    seal = content.pop("seal")
    try:
        text = sealed_text(content)
    except (ValueError, RecursionError) as error:
        raise _DamageError("edited", f"{path.name} is not what harbench writes: {error}") from error
    if text.encode() != raw:
        changed = "" if seal == key_of(content) else "; its seal is that of another content"
        raise _DamageError("edited", f"{path.name} was changed{changed}")
    return content


def _whole(store: Store, path: Path, found: Verified) -> dict[str, Any] | None:
    """A JSON file's content, or None and a finding."""
    found.files += 1
    try:
        return _sealed(path)
    except _DamageError as error:
        found.findings.append(Finding(error.kind, _place(store, path), str(error)))
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}"
        found.findings.append(Finding("torn", _place(store, path), what))
    return None


def _tables(store: Store, found: Verified, cells: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Keys that the tables refer to."""
    for path in sorted((store.folder / "benchmarks").glob("*")):
        manifest = _whole(store, path, found)
        if manifest is None:
            continue
        here = _place(store, path)
        try:
            findings, keys = _table(store, here, manifest, cells)
        except _FORGED as error:
            findings, keys = [_forged(here, error)], []
        found.findings += findings
        yield from keys


def _table(
    store: Store, here: str, manifest: Mapping[str, Any], cells: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Finding], list[str]]:
    """What is wrong with a table, and the keys that it refers to."""
    wanted = [(row, cell) for row in manifest.get("rows", ()) for cell in row.get("cells", ())]
    keys = _texts(cell["key"] for _, cell in wanted)
    findings = []
    for row, cell in wanted:
        facts = cells.get(cell["key"], {}).get("cell")
        said = (row["model"], cell["fold"], cell["seed"])
        if facts and said != (facts["model"], facts["fold"], facts["seed"]):
            what = f"row '{row['row']}' names a cell of another model, fold or seed"
            findings.append(Finding("edited", here, what))
    missing = [key for key in keys if not store.has(key)]
    if missing:
        failed = sum(store.stamp(key)[1] > 0 for key in missing)
        what = f"{len(missing)} of {len(wanted)} cells are not trained ({failed} failed)"
        findings.append(Finding("unfinished", here, what))
    return findings, keys


def _texts(keys: Iterable[Any]) -> list[str]:
    found = list(keys)
    if not all(isinstance(key, str) for key in found):
        raise TypeError("a key of a cell is no text")
    return found


def _forged(here: str, error: Exception) -> Finding:
    # Its seal is right, as that of nothing that harbench wrote can be.
    what = f"it is not what harbench writes: {type(error).__name__}: {error}"
    return Finding("edited", here, what)


def _analyses(store: Store, found: Verified) -> Iterator[str]:
    """Keys that analyses read or had trained."""
    for path in sorted((store.folder / "analyses").glob("*/*/result.json")):
        content = _whole(store, path, found)
        if content is None:
            continue
        try:
            keys = _texts([*content.get("cells", ()), *content.get("trained", ())])
            hashes = dict(content.get("sha256", {}))
        except _FORGED as error:
            found.findings.append(_forged(_place(store, path), error))
            continue
        yield from keys
        there = {file.name: file for file in path.parent.iterdir() if file != path}
        found.files += len(there)
        for name in sorted(hashes.keys() | there.keys()):
            where = _place(store, path.parent / name)
            if name not in there:
                found.findings.append(Finding("torn", where, "it is not there"))
            elif name not in hashes:
                found.findings.append(Finding("edited", where, "it is none of harbench's files"))
            elif not there[name].is_file():
                found.findings.append(Finding("torn", where, "it is no file"))
            elif hashlib.sha256(there[name].read_bytes()).hexdigest() != hashes[name]:
                found.findings.append(Finding("edited", where, "it was changed"))


def _stale(
    store: Store, found: Verified, cells: Mapping[str, Mapping[str, Any]], referred: set[str]
) -> None:
    here = harbench_digest()
    for key, record in cells.items():
        reasons = []
        if record["cell"].get("harbench") != here:
            reasons.append("made by other code of harbench than this")
        if key not in referred:
            reasons.append("in no table and no analysis")
        if reasons:
            where = _place(store, store.cell_folder(key))
            found.findings.append(Finding("stale", where, " and ".join(reasons)))
