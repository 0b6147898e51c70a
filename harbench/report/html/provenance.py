"""Where a row comes from: settings, seeds, versions, hashes, and what makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harbench.results.records import StoredCell

_KEY_LETTERS = 16  # of a key, which name it among all

_FASTEST = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

DETAILED_AT_MOST = 1000
"""Cells of a benchmark up to which all is told of each; above, what names it, and one command."""


@dataclass(frozen=True)
class Provenance:
    """Of one row.

    Args:
        anchor: Its id on the page.
        row: What the table calls it.
        text: All that is known, as YAML.
        command: Trains the row again, from the settings of the benchmark; "" for a row of a
            bundle, whose settings are others.
        reproduce: Trains each stored cell again and holds it against what was stored.
    """

    anchor: str
    row: str
    text: str
    command: str
    reproduce: tuple[str, ...]


def provenance_of(
    folder: Path,
    manifest: Mapping[str, Any],
    row: Mapping[str, Any],
    called: str,
    anchor: str,
    cells: Mapping[str, StoredCell],
    origin: str = "",
) -> Provenance:
    """The provenance of a row.

    Args:
        folder: Of the results, whose name the commands have.
        manifest: Of the benchmark.
        row: Of the manifest.
        called: What the table calls it.
        anchor: Id on the page.
        cells: Key -> finished cell.
        origin: The bundle that it comes from; "" where it was trained here.
    """
    done = [cells[cell["key"]] for cell in row["cells"] if cell["key"] in cells]
    detailed = sum(len(r["cells"]) for r in manifest["rows"]) <= DETAILED_AT_MOST
    facts = {
        "imported from": origin,
        "benchmark": manifest["name"],
        "row": row["row"],
        "model": _model(row, done),
        "dataset": _dataset(manifest, done),
        "windows": _windows(manifest, row),
        "protocol": _common(cell.record.get("settings", {}).get("protocol") for cell in done),
        "recipe": row["recipe"],
        "harbench code": _common(cell.record.get("cell", {}).get("harbench") for cell in done),
        "seeds": sorted({cell["seed"] for cell in row["cells"]}),
        "cells": (
            [_cell(cell, cells.get(cell["key"])) for cell in row["cells"]]
            if detailed
            else {_place(cell): _state(cell, cells) for cell in row["cells"]}
        ),
        "cost": row.get("cost"),
        "made with": _environments(done),
        "published": [dict(result) for result in row["published"]],
    }
    known = {key: value for key, value in facts.items() if value not in (None, [], {}, "")}
    run, again = _commands(folder, manifest, row, done if detailed else done[:1])
    return Provenance(anchor, called, yaml_of(known), "" if origin else run, again)


def yaml_of(content: Any) -> str:
    """As YAML that can be read back; what a terminal could take for a command is escaped."""
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 1000}
    text: str
    try:
        text = yaml.dump(content, Dumper=_FASTEST, **options)
    except UnicodeEncodeError:
        # The C library has no way to write half of a character.
        text = yaml.dump(content, Dumper=yaml.SafeDumper, **options)
    return text


def _model(row: Mapping[str, Any], done: Iterable[StoredCell]) -> dict[str, Any]:
    contents = [cell.record.get("cell", {}) for cell in done]
    facts = {
        "name": row["model"],
        "kind": row.get("kind", "network"),
        "stand-in": row["stand_in"],
        "options": row["options"],
        "package": _common(" ".join(map(str, c["distribution"])) for c in contents
                           if c.get("distribution")),
        "source sha256": _common(content.get("source") for content in contents),
        "citation": row["citation"],
    }  # fmt: skip
    return {key: value for key, value in facts.items() if value not in (None, {}, "")}


def _dataset(manifest: Mapping[str, Any], done: Iterable[StoredCell]) -> dict[str, Any]:
    contents = [cell.record.get("cell", {}) for cell in done]
    facts = {
        "name": manifest["dataset"],
        "simulates": manifest["simulates"],
        "task": manifest["task"],
        "classes": len(manifest["classes"]),
        "rate": manifest["rate_hz"] and f"{manifest['rate_hz']:g} Hz",
        "data sha256": _common(content.get("data") for content in contents),
        "channels": _common(content.get("channels") for content in contents),
    }
    return {key: value for key, value in facts.items() if value is not None}


def _windows(manifest: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    folds = {fold["name"]: dict(fold["windows"]) for fold in row["folds"]}
    return {"length": row["length"], "step": row["step"], "split": manifest["split"],
            "folds": folds}  # fmt: skip


def _cell(cell: Mapping[str, Any], stored: StoredCell | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"fold": cell["fold"], "seed": cell["seed"], "key": cell["key"]}
    if stored is None:
        return {**facts, "state": "not finished"}
    windows = stored.record.get("cell", {}).get("windows", {}).get("sha256")
    files = sorted(stored.record.get("sha256", {}).items())
    facts |= {
        "started": stored.measured.get("started"),
        "device": stored.measured.get("device"),
        "windows sha256": windows,
        **{f"{name} sha256": digest for name, digest in files},
    }
    return {key: value for key, value in facts.items() if value is not None}


def _place(cell: Mapping[str, Any]) -> str:
    return f"{cell['fold']}, seed {cell['seed']}"


def _state(cell: Mapping[str, Any], cells: Mapping[str, StoredCell]) -> str:
    key: str = cell["key"]
    return key[:_KEY_LETTERS] if key in cells else "not finished"


def _environments(done: Iterable[StoredCell]) -> list[Any]:
    """The machines and versions, each once."""
    found = []
    for cell in done:
        environment = cell.measured.get("environment")
        if environment and environment not in found:
            found.append(environment)
    return found


def _common(values: Iterable[Any]) -> Any:
    """The value that all share, or a list of the different ones; None where there is none."""
    found: list[Any] = []
    for value in values:
        if value is not None and value not in found:
            found.append(value)
    return found[0] if len(found) == 1 else found or None


def _commands(
    home: Path, manifest: Mapping[str, Any], row: Mapping[str, Any], done: list[StoredCell]
) -> tuple[str, tuple[str, ...]]:
    # The folder's name, not its path: the same results, moved, give the same page.
    folder = home.resolve().name or "results"
    # The seeds are among the benchmark's settings, which the page holds.
    run = ["harbench", "run", "benchmarks.yaml", manifest["name"]]
    if "," not in row["row"]:
        run += ["--models", row["row"]]
    keys = [cell.record.get("key", cell.folder.name)[:_KEY_LETTERS] for cell in done]
    again = tuple(shlex.join(["harbench", "reproduce", key, "--out", folder]) for key in keys)
    return shlex.join(run), again
