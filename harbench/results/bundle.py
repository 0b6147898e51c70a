"""A bundle: chosen results in one archive, with a manifest that says what they are.

A bundle unpacked is a results folder of its own, with two things more: ``manifest.json`` and the
settings of each benchmark as YAML. What would tell of the sender's disk (paths of data) is left
out, and so are weights unless they are asked for.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harbench
from harbench.config import dump, loads
from harbench.errors import ConfigError, ResultsError, did_you_mean
from harbench.nouns.names import is_name
from harbench.results.archive import sha256_of, write_archive
from harbench.results.sealed import sealed_text
from harbench.results.store import Store
from harbench.results.verifying import verify

BUNDLE_FORMAT = 1
"""Raised when what a bundle consists of changes."""
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"

_KEY = "[0-9a-f]{64}"
_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_MEMBER = re.compile(
    rf"cells/[0-9a-f]{{2}}/{_KEY}/(?:record\.json|measured\.json|predictions\.npz|{re.escape(WEIGHTS)})"
    rf"|costs/{_KEY}\.json"
    rf"|(?:benchmarks/{_NAME}\.json|settings/{_NAME}\.yaml)"
    rf"|analyses/{_NAME}/{_NAME}/(?:result\.json|[A-Za-z0-9._-]{{1,95}}\.csv)"
)


def may_be_member(name: str) -> bool:
    """Whether a bundle may hold a file of that path: no other can lead anywhere."""
    return name == MANIFEST or _MEMBER.fullmatch(name) is not None


@dataclass(frozen=True)
class Exported:
    """What a bundle holds.

    Args:
        path: Of the archive.
        sha256: Of its bytes.
        manifest: What its ``manifest.json`` says.
        left_out: What was asked for and is not in it, a sentence each.
    """

    path: Path
    sha256: str
    manifest: Mapping[str, Any]
    left_out: tuple[str, ...]


def export(
    store: Store,
    path: Path,
    *,
    only: Sequence[str] = (),
    models: Sequence[str] = (),
    weights: bool = False,
) -> Exported:
    """Write chosen results as one archive: equal results, equal bytes.

    Args:
        store: Is only read.
        path: Of the archive; replaced when the new one is whole.
        only: Names of benchmarks; all in the store if none is named.
        models: Names of rows; all if none is named.
        weights: Whether the trained networks go along.

    Raises:
        ResultsError: nothing is finished of what is asked for, what is stored is damaged, or the
            archive cannot be written.
        ConfigError: there is no such row.
    """
    names = list(dict.fromkeys(only)) or store.benchmarks()
    with tempfile.TemporaryDirectory(prefix="harbench-") as temporary:
        chosen = Store(Path(temporary))
        try:
            left_out = _stage(store, chosen, names, models, weights)
        except OSError as error:
            raise ResultsError(
                f"the results cannot be copied: {error.strerror or error}",
                where=str(error.filename or store.folder),
                expected="results that no run is writing, and room in the temporary folder",
                fix="harbench export again",
            ) from error
        damaged = [f for f in verify(chosen, weights=weights).findings if f.damage]
        if damaged:
            raise ResultsError(
                f"the results are damaged: {damaged[0].where}: {damaged[0].what}",
                where=str(store.folder),
                fix=f"harbench verify {store.folder}",
            )
        described = describe(chosen, members_in(chosen.folder))
        manifest = chosen.folder / MANIFEST
        manifest.write_text(sealed_text(described), encoding="utf-8")
        digest = _written(chosen.folder, [MANIFEST, *described["members"]], path)
    return Exported(path, digest, described, tuple(left_out))


def describe(store: Store, members: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the manifest of a bundle says of the results in a folder.

    Args:
        store: The bundle, unpacked.
        members: As of :func:`members_in`.

    Raises:
        ResultsError: a record or table is damaged.
    """
    cells = {Path(name).parent.name: name for name in members if name.endswith("/record.json")}
    plugins = {
        json.dumps(used, sort_keys=True): used
        for key in cells
        for used in _plugins(store.read(key).record["cell"])
    }
    return {
        "format": BUNDLE_FORMAT,
        "harbench": harbench.__version__,
        "benchmarks": {
            name: [row["row"] for row in store.benchmark(name)["rows"]]
            for name in sorted(store.benchmarks())
        },
        "cells": sorted(cells),
        "plugins": [plugins[text] for text in sorted(plugins)],
        "weights": any(name.endswith(f"/{WEIGHTS}") for name in members),
        "members": dict(members),
    }


def members_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Path -> ``sha256`` and ``size`` of each file but the manifest, in the archive's order."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in files)
    return {
        name: {"sha256": sha256_of(folder / name), "size": (folder / name).stat().st_size}
        for name in names
        if name != MANIFEST
    }


def _plugins(cell: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The sources that a cell's key holds."""
    yield {"kind": "dataset", "name": cell.get("dataset"), "data": cell.get("data")}
    model = {name: cell.get(name) for name in ("source", "distribution")}
    yield {"kind": "model", "name": cell.get("model"), **model}
    methods = cell.get("methods", {})
    for kind, used in (
        ("loss", [methods.get("loss")]),
        ("augmentation", methods.get("augment", ())),
    ):
        for one in filter(None, used):
            yield {"kind": kind, "name": one["name"], "source": one["source"]}


def _stage(
    store: Store, chosen: Store, names: Sequence[str], models: Sequence[str], weights: bool
) -> list[str]:
    """Copy what is asked for; returns what of it there is not."""
    left_out: list[str] = []
    manifests = {name: store.benchmark(name) for name in names}
    rows = {row["row"]: None for manifest in manifests.values() for row in manifest["rows"]}
    for word in models:
        if word not in rows:
            raise ConfigError(
                f"no row is called '{word}'{did_you_mean(word, rows)}",
                where="--models",
                expected=f"one of {', '.join(rows)}",
            )
    for name, manifest in manifests.items():
        found = _narrowed(manifest, store, models)
        keys = [cell["key"] for row in found["rows"] for cell in row["cells"]]
        finished = [key for key in dict.fromkeys(keys) if store.has(key)]
        if not finished:
            left_out.append(f"benchmark '{name}': no finished cell")
            continue
        if len(finished) < len(keys):
            left_out.append(
                f"benchmark '{name}': {len(keys) - len(finished)} of {len(keys)} cells, which are "
                "not trained"
            )
        for key in finished:
            _copy_cell(store, chosen, key, weights)
        for row in found["rows"]:
            cost = store.cost(row["cost"]) if re.fullmatch(_KEY, row["cost"]) else None
            if cost is not None:
                chosen.write_cost(row["cost"], cost)
        chosen.write_benchmark(name, found)
        settings = chosen.folder / "settings" / f"{name}.yaml"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(found["settings"], encoding="utf-8")
        left_out += _copy_analyses(store, chosen, name, set(finished))
    shutil.rmtree(chosen.folder / "tmp", ignore_errors=True)
    if not chosen.benchmarks():
        raise ResultsError(
            "there are no finished results to export",
            where=str(store.folder),
            fix="harbench run benchmarks.yaml",
        )
    return left_out


def _narrowed(manifest: Mapping[str, Any], store: Store, models: Sequence[str]) -> dict[str, Any]:
    """A benchmark with those wanted rows that have a finished cell, without the sender's paths."""
    wanted = [row for row in manifest["rows"] if not models or row["row"] in models]
    rows = [row for row in wanted if any(store.has(cell["key"]) for cell in row["cells"])]
    kept = {row["row"] for row in rows}
    settings = loads(manifest["settings"], f"{manifest['name']}.json").benchmarks[0]
    update: dict[str, Any] = {"path": None, "references": ()}
    if kept and len(kept) < len(settings.models):
        # An analysis may name a row that is not here.
        entries = tuple(entry for entry in settings.models if entry.row in kept)
        update |= {"models": entries, "analyses": ()}
    settings = settings.model_copy(update=update)
    said = {name: value for name, value in manifest.items() if name != "earlier"}
    return {**said, "settings": dump(settings), "rows": rows}


def _copy_cell(store: Store, chosen: Store, key: str, weights: bool) -> None:
    here, there = store.cell_folder(key), chosen.cell_folder(key)
    there.mkdir(parents=True, exist_ok=True)
    for name in ("record.json", "predictions.npz", *([WEIGHTS] if weights else [])):
        shutil.copyfile(here / name, there / name)
    measured = store.read(key).measured
    asked = {**measured.get("asked_for_by", {}), "path": None}
    text = sealed_text({**measured, "asked_for_by": asked})
    (there / "measured.json").write_text(text, encoding="utf-8")


def _copy_analyses(store: Store, chosen: Store, name: str, keys: set[str]) -> list[str]:
    """Copy the tables of analyses whose cells are all there; figures can be drawn again."""
    left_out = []
    folders = sorted((store.folder / "analyses" / name).glob("*/result.json"))
    for entry in (path.parent.name for path in folders):
        content = store.analysis(name, entry)
        if content is None or not is_name(entry):
            continue
        if not keys.issuperset(content["cells"]):
            left_out.append(f"benchmark '{name}': analysis '{entry}' is of other cells as well")
            continue
        tables = sorted(store.analysis_folder(name, entry).glob("*.csv"))
        files = {path.name: path.read_bytes() for path in tables}
        chosen.write_analysis(name, entry, {**content, "figures": []}, files)
    return left_out


def _written(folder: Path, names: Sequence[str], path: Path) -> str:
    """Write the archive beside its place and then into it; its sha256."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            write_archive(file, folder, names)
            file.flush()
            os.fsync(file.fileno())
        digest = sha256_of(temporary)
        temporary.replace(path)
    except OSError as error:
        raise ResultsError(
            f"the bundle cannot be written: {error.strerror or error}",
            where=str(path),
            expected="a file in a writable folder with room",
            fix="harbench export --out ANOTHER_FILE",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return digest
