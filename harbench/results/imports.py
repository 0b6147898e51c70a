"""Bundles of others in a results folder: checked whole, then put beside one's own results.

    results/imported/NAME-HASH/    a bundle, unpacked: a results folder of its own, which no run
                                   writes into, and import.json, which says where it came from

Nothing of a bundle is written into the results folder before all of it was found to be right: the
archive to the byte, each file's sha256, each seal, key and score.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harbench.errors import ResultsError, did_you_mean
from harbench.nouns.names import NAME_RULE, is_name
from harbench.results.archive import MOST_BYTES, sha256_of
from harbench.results.bundle import MANIFEST, members_in
from harbench.results.sealed import read_sealed, sealed_text, sync
from harbench.results.store import Store
from harbench.results.unpacking import unpack_checked
from harbench.results.verifying import Finding, Verified, verify

_ORIGIN = "import.json"
_HASH_LETTERS = 8


@dataclass(frozen=True)
class Import:
    """A bundle that was imported.

    Args:
        store: Its results folder; only read.
        name: Of the folder: what tables call it.
        sha256: Of the archive.
        manifest: As :func:`harbench.results.bundle.describe` made it.
    """

    store: Store
    name: str
    sha256: str
    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class Imported:
    """What became of an archive.

    Args:
        found: Where it is.
        new: False where it had been imported before, and nothing was changed.
        verified: What was checked; None where it had been before.
    """

    found: Import
    new: bool
    verified: Verified | None


def imports(store: Store) -> list[Import]:
    """The bundles in a results folder, by name.

    Raises:
        ResultsError: one is damaged.
    """
    return [_opened(path) for path in _folders(store)]


def import_archive(
    archive: Path, store: Store, check: Callable[[Store], None], name: str | None = None
) -> Imported:
    """Verify a bundle and put it beside one's own results.

    Args:
        archive: The file.
        store: Where to.
        check: Raises where what is shown of results cannot be made from those of the bundle.
        name: What tables call it; made from the archive's name if not given.

    Raises:
        ResultsError: the archive, or anything in it, is not what harbench writes; then nothing
            was written. Or the results folder cannot be written.
    """
    called = _name_of(archive, name)
    try:
        with archive.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                raise ResultsError(
                    "this is too large to be a bundle", where=str(archive), expected="under 4 GiB"
                )
        digest = sha256_of(archive)
        if there := _with_hash(store, digest):
            return Imported(there, new=False, verified=None)
        with tempfile.TemporaryDirectory(prefix="harbench-") as temporary, archive.open("rb") as f:
            unpacked = Path(temporary) / "bundle"
            verified = unpack_checked(f, str(archive), unpacked, check)
            origin = {"name": called, "sha256": digest, "archive": archive.name}
            (unpacked / _ORIGIN).write_text(sealed_text(origin), encoding="utf-8")
            found, new = _placed(unpacked, store, f"{called}-{digest[:_HASH_LETTERS]}", digest)
            return Imported(found, new, verified if new else None)
    except OSError as error:
        raise ResultsError(
            f"the bundle cannot be read: {error.strerror or error}",
            where=str(error.filename or archive),
            expected="an archive of harbench export, and room in the temporary folder",
        ) from error


def remove_import(store: Store, name: str) -> None:
    """Remove a bundle: it is gone at once, and from then on its disk is freed.

    Raises:
        ResultsError: there is none of that name, or it cannot be removed.
    """
    known = [path.name for path in _folders(store)]
    if name not in known:
        raise ResultsError(
            f"no bundle '{name}' was imported{did_you_mean(name, known)}",
            where=str(store.folder),
            expected=f"one of {', '.join(known)}" if known else None,
            fix="harbench import --list",
        )
    gone = store.temporary(name)
    try:
        gone.parent.mkdir(parents=True, exist_ok=True)
        (store.folder / "imported" / name).replace(gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise store.unwritable(error) from error


def verify_imports(store: Store) -> Verified:
    """Check all bundles again, as :func:`harbench.results.verifying.verify` does a folder.

    That they were made by other code of harbench, or lack cells, is theirs to know.
    """
    found = Verified()
    for path in _folders(store):
        place = path.relative_to(store.folder).as_posix()
        try:
            one = _opened(path)
            of_one = verify(one.store, weights=bool(one.manifest["weights"]))
            members = {n: m for n, m in members_in(path).items() if n != _ORIGIN}
            if members != one.manifest["members"]:
                wrong = sorted(
                    name
                    for name in members.keys() | one.manifest["members"].keys()
                    if members.get(name) != one.manifest["members"].get(name)
                )
                what = f"not as it was imported: {', '.join(wrong[:3])}"
                found.findings.append(Finding("edited", place, what))
        except (ResultsError, OSError) as error:
            what = error.what if isinstance(error, ResultsError) else str(error)
            found.findings.append(Finding("torn", place, what))
            continue
        found.cells += of_one.cells
        found.windows += of_one.windows
        found.files += of_one.files
        found.findings += [
            Finding(f.kind, f"{place}/{f.where}", f.what) for f in of_one.findings if f.damage
        ]
    return found


def _folders(store: Store) -> list[Path]:
    return sorted(p for p in (store.folder / "imported").glob("*") if (p / _ORIGIN).is_file())


def _opened(path: Path) -> Import:
    try:
        origin, manifest = read_sealed(path / _ORIGIN), read_sealed(path / MANIFEST)
    except ResultsError as error:
        raise ResultsError(
            f"an imported bundle is damaged: {error.what}",
            where=error.where,
            fix=f"harbench import --remove {path.name}, and import it again",
        ) from error
    return Import(Store(path), path.name, str(origin.get("sha256")), manifest)


def _with_hash(store: Store, digest: str) -> Import | None:
    return next((one for one in imports(store) if one.sha256 == digest), None)


def _name_of(archive: Path, name: str | None) -> str:
    if name is not None and (not is_name(name) or len(name) > 40):
        raise ResultsError(
            f"'{name}' is no name of a bundle", where="--name", expected=f"{NAME_RULE[:-15]} 40"
        )
    if name is not None:
        return name
    stem = re.sub(r"(\.harbench)?\.zip$", "", archive.name)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:40].strip("-._")
    return plain if is_name(plain) else "bundle"


def _placed(unpacked: Path, store: Store, name: str, digest: str) -> tuple[Import, bool]:
    """Copy what was checked into the results folder: all of it appears at once, or none of it."""
    home = store.folder / "imported" / name
    locks = store.locks()
    temporary = store.temporary(name)
    try:
        if not locks.take(f"import-{digest}"):
            raise ResultsError(
                "another process is importing this bundle", where=str(store.folder),
                fix="harbench import --list",
            )  # fmt: skip
        if there := _with_hash(store, digest):
            return there, False
        temporary.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(unpacked, temporary)
        for path in [*temporary.rglob("*"), temporary]:
            sync(path)
        home.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(home)
        sync(home.parent)
    except OSError as error:
        raise store.unwritable(error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):
            locks.release_all()
    return _opened(home), True
