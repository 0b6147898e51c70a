"""From an archive or a folder to verified files: no file gets its name before its sha256 is right.

Members are matched by path, checked by size and sha256, written to a temporary name and renamed.
Nothing that an archive says about itself is trusted: not its sizes, not its names.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from harbench.data.disk import write_all, writing
from harbench.data.download import CHUNK, Reporter
from harbench.nouns import Member

# What zipfile and its decompressors raise on damaged or hostile bytes.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # an unknown compression
    RuntimeError,  # encrypted
    ValueError,
    OverflowError,
    OSError,  # bz2, and offsets before the start of the file
)
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|\\|(^|/)\.\.(/|$)|\x00")


class BadArchiveError(Exception):
    """The archive is damaged or hostile; the text says how."""


@dataclass(frozen=True)
class Problem:
    """Why one member is not there.

    Args:
        member: The file.
        found: What was found instead: "is not there", "has 12 bytes" ...
        expected: What should have been found.
    """

    member: Member
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.member.name} {self.found} (expected {self.expected})"


@dataclass(frozen=True)
class _Candidate:
    """A file that may be a member: its path parts, its size, and how to open it."""

    parts: Sequence[str]
    size: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def is_verified(path: Path, member: Member) -> bool:
    """Whether the file is there, and is the member byte for byte."""
    if not path.is_file() or path.stat().st_size != member.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == member.sha256


def unpack_zip(
    archive: Path, members: Sequence[Member], folder: Path, work: Path, reporter: Reporter
) -> list[Problem]:
    """Write the members of a zip file into ``folder``; what cannot be verified is returned.

    Args:
        archive: The zip file.
        members: What to take from it; all else in it is left alone.
        folder: Where the files go.
        work: A folder on the same disk for what is not verified yet.
        reporter: Is told of progress.

    Raises:
        BadArchiveError: no zip file, damaged, encrypted, or with an entry that leads outside.
        DataError: ``folder`` cannot be written.
    """
    with _damage(archive), zipfile.ZipFile(archive) as zipped:
        entries = zipped.infolist()
        for entry in entries:
            if _OUTSIDE.search(entry.orig_filename) or _OUTSIDE.search(entry.filename):
                raise BadArchiveError(
                    f"it has an entry that leads out of the folder ({entry.orig_filename!r})"
                )
        candidates = [
            _Candidate(
                tuple(entry.filename.split("/")), entry.file_size, partial(zipped.open, entry)
            )
            for entry in entries
            # Not is_dir(), which some versions of Python break on where the name is empty.
            if not entry.filename.endswith("/") and _is_regular(entry)
        ]
        return _place_all(candidates, members, folder, work, reporter)


def copy_folder(
    source: Path, members: Sequence[Member], folder: Path, work: Path, reporter: Reporter
) -> list[Problem]:
    """Copy the members found anywhere under ``source``; what cannot be verified is returned.

    Raises:
        DataError: ``folder`` cannot be written.
    """
    names = {_file_name(member) for member in members}
    targets = {(folder / member.name).resolve() for member in members}
    candidates = []
    for parent, _, files in sorted(os.walk(source)):
        for name in sorted(names.intersection(files)):
            path = Path(parent, name)
            if not path.is_file() or path.resolve() in targets:
                continue
            parts = path.relative_to(source).parts
            # The folder's own name may be the first part of a member's path.
            parts = (*source.resolve().parts[1:], *parts)
            candidates.append(_Candidate(parts, path.stat().st_size, partial(_open, path)))
    return _place_all(candidates, members, folder, work, reporter)


def _place_all(
    candidates: Iterable[_Candidate],
    members: Sequence[Member],
    folder: Path,
    work: Path,
    reporter: Reporter,
) -> list[Problem]:
    by_name: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        by_name.setdefault(candidate.parts[-1], []).append(candidate)
    total, done, problems = sum(member.size for member in members), 0, []
    for member in members:
        problem = _place_best(by_name.get(_file_name(member), []), member, folder, work)
        if problem:
            problems.append(problem)
            continue
        done += member.size
        reporter.bytes_done("unpack and verify", done, total)
    return problems


def _place_best(
    candidates: list[_Candidate], member: Member, folder: Path, work: Path
) -> Problem | None:
    """The first candidate that verifies, those with the longest common end of path first."""
    wanted = member.path.split("/")
    ranked = sorted(candidates, key=lambda c: -_common_end(c.parts, wanted))
    problem = Problem(member, "is not there", f"{member.size:,} bytes at {member.path}")
    for rank, candidate in enumerate(ranked):
        found = _place(candidate, member, folder, work)
        if found is None:
            return None
        # A file of the same name that belongs elsewhere is not this one gone wrong.
        if rank == 0 and _common_end(candidate.parts, wanted) > member.name.count("/"):
            problem = found
    return problem


def _file_name(member: Member) -> str:
    """The member's file name in the archive; its name on disk may be another."""
    return member.path.rsplit("/", 1)[-1]


def _common_end(parts: Sequence[str], wanted: Sequence[str]) -> int:
    pairs = zip(reversed(parts), reversed(wanted), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(parts), len(wanted)))


def _place(candidate: _Candidate, member: Member, folder: Path, work: Path) -> Problem | None:
    """Write one file under its name, if it is the member byte for byte."""
    if candidate.size != member.size:
        return _wrong_size(member, f"{candidate.size:,}")
    temporary = work / f"{_file_name(member)}.part"
    digest, count = hashlib.sha256(), 0
    try:
        with candidate.open() as stream:
            with writing(temporary):
                file = temporary.open("wb", buffering=0)
            with file:
                # One byte too many is enough to know; a bomb's other bytes are never made.
                while count <= member.size and (
                    chunk := stream.read(min(CHUNK, member.size + 1 - count))
                ):
                    count += len(chunk)
                    digest.update(chunk)
                    with writing(folder / member.name):
                        write_all(file, chunk)
        if count != member.size:
            more = f"more than {member.size:,}"
            return _wrong_size(member, more if count > member.size else f"{count:,}")
        if digest.hexdigest() != member.sha256:
            return Problem(member, f"has sha256 {digest.hexdigest()}", f"sha256 {member.sha256}")
        with writing(folder / member.name):
            # Nothing that an archive says can lead elsewhere: the target is the dataset's own.
            (folder / member.name).parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(folder / member.name)
    except _DAMAGE as error:
        return Problem(member, f"cannot be read ({_text(error)})", f"sha256 {member.sha256}")
    finally:
        temporary.unlink(missing_ok=True)
    return None


def _wrong_size(member: Member, found: str) -> Problem:
    return Problem(member, f"has {found} bytes", f"{member.size:,} bytes")


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _is_regular(entry: zipfile.ZipInfo) -> bool:
    # Archives made on Unix keep the file type; others leave it 0.
    return stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        if not zipfile.is_zipfile(archive):
            raise BadArchiveError("it is not a zip file, or its end is missing") from error
        raise BadArchiveError(f"it is damaged: {_text(error)}") from error


def _text(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    elif "password" in text:
        text = "encrypted"
    return text or type(error).__name__
