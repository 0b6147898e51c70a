"""Unpacking a bundle: every file, hash, seal, key and score is checked before any of it is used."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from harbench.errors import HarbenchError, ResultsError
from harbench.nouns.names import is_name
from harbench.plan.keys import key_of
from harbench.results.archive import ArchiveReader, sha256_of
from harbench.results.bundle import BUNDLE_FORMAT, MANIFEST, describe, may_be_member
from harbench.results.sealed import sealed_text
from harbench.results.store import Store
from harbench.results.verifying import Verified, verify

MOST_TEXT = 64 * 2**20
"""Bytes of a JSON, YAML or CSV file of a bundle."""
MOST_PREDICTIONS = 2**30
"""Bytes of a cell's predictions, uncompressed."""

# They move the cursor of a terminal, or turn the text around that stands behind them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def unpack_checked(
    file: BinaryIO, where: str, folder: Path, check: Callable[[Store], None]
) -> Verified:
    """Unpack an archive into a new folder, and make sure that all in it is right.

    Args:
        file: The archive, open at its start.
        where: What errors call it.
        folder: Made here; of no use to anybody where this raises.
        check: As of :func:`harbench.results.imports.import_archive`.

    Raises:
        ResultsError: with the name of the file that is not right.
    """
    reader = ArchiveReader(file, where, may_be_member)
    manifest = _unpack(reader, folder)
    for name in manifest["members"]:
        if name.endswith(".npz"):
            _refuse_bomb(reader, folder / name, name)
        elif name.endswith(".json"):
            _refuse_unseen(reader, folder / name, name)
    unpacked = Store(folder)
    try:
        verified = verify(unpacked, weights=bool(manifest["weights"]))
        if damage := next((f for f in verified.findings if f.damage), None):
            raise reader.refused(damage.what, damage.where)
        _refuse_other(reader, unpacked, manifest)
        check(unpacked)
    except HarbenchError as error:
        if error.where == where:
            raise
        raise reader.refused(error.what, _inside(error.where, folder)) from error
    # All seals are right, so what breaks here was forged by somebody who can make seals.
    except Exception as error:
        what = f"it holds what harbench does not write ({type(error).__name__}: {error})"
        raise reader.refused(what) from error
    return verified


def _unpack(reader: ArchiveReader, folder: Path) -> dict[str, Any]:
    """Write the members out; returns the manifest, which says what each must be."""
    members = reader.members()
    manifest: dict[str, Any] | None = None
    wanted: dict[str, Any] = {}
    for member, content in members:
        if manifest is None:
            if member.name != MANIFEST or member.size > MOST_TEXT:
                raise reader.refused(f"its first file is not {MANIFEST}", member.name)
            (folder / MANIFEST).parent.mkdir(parents=True)
            (folder / MANIFEST).write_bytes(b"".join(content))
            manifest = _manifest(reader, folder / MANIFEST)
            wanted = dict(manifest["members"])
            continue
        expected = wanted.pop(member.name, None)
        if expected is None:
            raise reader.refused("the manifest knows nothing of this file", member.name)
        if member.size != expected["size"]:
            raise reader.refused("it has another size than the manifest says", member.name)
        if member.size > MOST_TEXT and not member.name.endswith((".npz", ".safetensors")):
            raise reader.refused(f"it is larger than {MOST_TEXT:,} bytes", member.name)
        path = folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            out.writelines(content)
        if sha256_of(path) != expected["sha256"]:
            raise reader.refused("it is not the file that the manifest names", member.name)
    if wanted:
        raise reader.refused("it is missing", next(iter(wanted)))
    if manifest is None:
        raise reader.refused("there is nothing in it")
    return manifest


def _manifest(reader: ArchiveReader, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        seal = found.pop("seal", None)
        sealed = seal == key_of(found) and sealed_text(found).encode() == path.read_bytes()
    except (ValueError, RecursionError, AttributeError) as error:
        raise reader.refused("it is not what harbench writes", MANIFEST) from error
    number = found.get("format")
    if number != BUNDLE_FORMAT or isinstance(number, bool):
        raise ResultsError(
            f"a bundle of format {json.dumps(number)[:40]}; nothing was imported",
            where=str(reader.where),
            expected=f"format {BUNDLE_FORMAT}, the one that this harbench reads",
            fix="pip install --upgrade harbench",
        )
    if not sealed:
        raise reader.refused("it was changed", MANIFEST)
    members = found.get("members")
    good = isinstance(members, dict) and all(
        isinstance(m, dict) and m.keys() == {"sha256", "size"} for m in members.values()
    )
    if not good:
        raise reader.refused("it does not list the files", MANIFEST)
    return dict(found)


def _refuse_bomb(reader: ArchiveReader, path: Path, name: str) -> None:
    """Predictions are compressed: look at what they say that they unfold to."""
    try:
        with zipfile.ZipFile(path) as inner:
            size = sum(one.file_size for one in inner.infolist())
    except Exception as error:
        raise reader.refused("it is not what harbench writes", name) from error
    if size > MOST_PREDICTIONS:
        raise reader.refused(f"it unfolds to more than {MOST_PREDICTIONS:,} bytes", name)


def _refuse_unseen(reader: ArchiveReader, path: Path, name: str) -> None:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise reader.refused("it is no JSON", name) from error
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and _UNSEEN.search(one):
            raise reader.refused("it holds control characters", name)


def _refuse_other(reader: ArchiveReader, unpacked: Store, manifest: Mapping[str, Any]) -> None:
    """The manifest follows from the files, and the settings from the tables."""
    said = dict(manifest)
    again = {**describe(unpacked, manifest["members"]), "harbench": said.get("harbench")}
    if again != said or not isinstance(said["harbench"], str) or len(said["harbench"]) > 100:
        wrong = sorted(n for n in again.keys() | said.keys() if again.get(n) != said.get(n))
        raise reader.refused(f"it does not say what is there: {', '.join(wrong)}", MANIFEST)
    names = unpacked.benchmarks()
    cells = set()
    for name in names:
        content = unpacked.benchmark(name)
        rows = [row["row"] for row in content["rows"]]
        if content["name"] != name or not all(map(is_name, rows)) or len(set(rows)) < len(rows):
            raise reader.refused("its rows have no names of rows", f"benchmarks/{name}.json")
        text = (unpacked.folder / "settings" / f"{name}.yaml").read_text(encoding="utf-8")
        if text != content["settings"]:
            raise reader.refused("these are not the table's settings", f"settings/{name}.yaml")
        cells |= {cell["key"] for row in content["rows"] for cell in row["cells"]}
    settings = {path.stem for path in (unpacked.folder / "settings").glob("*")}
    if not names or settings != set(names) or not cells.issuperset(manifest["cells"]):
        raise reader.refused("its tables do not hold what is there", MANIFEST)


def _inside(where: str | None, folder: Path) -> str | None:
    if where is None or not Path(where).is_relative_to(folder):
        return where
    return Path(where).relative_to(folder).as_posix()
