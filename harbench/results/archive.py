"""The archive of a bundle: a zip file that can be written in one way only.

Members are stored, not deflated (predictions are compressed already), under sorted names with one
date and one mode. So equal members are equal bytes whatever library wrote them, any zip program
opens them, and every byte that is another is found: a header has one right content, and what lies
in a member has its CRC here and its sha256 in the bundle's manifest.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harbench.config.nodes import printable
from harbench.errors import ResultsError

MOST_BYTES = 2**32 - 1
"""Of an archive: beyond that, zip files have another layout."""
MOST_MEMBERS = 65_534

_CHUNK = 1 << 20
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION = 20
_UNIX = 3 << 8 | _VERSION
_1980 = 1 << 5 | 1  # 1 January, the first date that a zip file can hold
_PLAIN_FILE = 0o100644 << 16
_LONGEST_NAME = 400
_LINK = 0o120000


@dataclass(frozen=True)
class Member:
    """A file of an archive.

    Args:
        name: Its path in the archive.
        size: In bytes.
        crc: CRC-32.
        offset: Of its header in the archive.
    """

    name: str
    size: int
    crc: int
    offset: int

    def local(self) -> bytes:
        """The header before its content."""
        name = self.name.encode()
        fields = (_VERSION, 0, 0, 0, _1980, self.crc, self.size, self.size, len(name), 0)
        return _LOCAL + struct.pack("<5H3L2H", *fields) + name

    def central(self) -> bytes:
        """Its entry in the directory at the end."""
        name = self.name.encode()
        times = (_UNIX, _VERSION, 0, 0, 0, _1980, self.crc, self.size, self.size)
        rest = (len(name), 0, 0, 0, 0, _PLAIN_FILE, self.offset)
        return _CENTRAL + struct.pack("<6H3L", *times) + struct.pack("<5H2L", *rest) + name


def _end(members: list[Member], offset: int) -> bytes:
    size = sum(len(member.central()) for member in members)
    n = len(members)
    return _END + struct.pack("<4H2LH", 0, 0, n, n, size, offset, 0)


def write_archive(file: BinaryIO, folder: Path, names: Iterable[str]) -> None:
    """Write files of a folder as an archive.

    Args:
        file: Written from where it stands, which is its start.
        folder: Whose files.
        names: Their paths in the folder, in the order of the archive.

    Raises:
        ResultsError: they are too many or too large for one archive.
    """
    members: list[Member] = []
    offset = 0
    for name in names:
        path = folder / name
        crc, size = 0, 0
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        members.append(Member(name, size, crc, offset))
        offset += len(members[-1].local()) + size
        if offset > MOST_BYTES or len(members) > MOST_MEMBERS:
            raise _too_large()
        file.write(members[-1].local())
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                file.write(chunk)
    directory = b"".join(member.central() for member in members)
    if offset + len(directory) > MOST_BYTES:
        raise _too_large()
    file.write(directory + _end(members, offset))


def _too_large() -> ResultsError:
    return ResultsError(
        "these results are too large for one bundle",
        expected=f"at most {MOST_MEMBERS:,} files and 4 GiB",
        fix="harbench export --only BENCHMARK, or --models ROW,ROW",
    )


class ArchiveReader:
    """Reads an archive from its first byte to its last, and refuses what is not to the byte what
    :func:`write_archive` writes.

    Args:
        file: Open for reading, at its start.
        where: What errors call it.
        allowed: Whether a member may have this name.
    """

    def __init__(self, file: BinaryIO, where: str, allowed: Callable[[str], bool]) -> None:
        self._file = file
        self.where = where
        self._allowed = allowed
        self._members: list[Member] = []
        self._seen: set[str] = set()
        self._offset = 0

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Each member with its content in pieces, which must be taken before the next member.

        Raises:
            ResultsError: with the member's name: where it is torn, changed, a second one of its
                name, has a name that no member may have, or was written by another program.
        """
        while (signature := self._read(4, "its next file")) == _LOCAL:
            member = self._header()
            yield member, self._content(member)
        self._directory(signature)

    def refused(self, what: str, name: str | None = None) -> ResultsError:
        """The error for a thing that is wrong with a member, or with the whole."""
        about = f"{printable(name)}: " if name else ""
        return ResultsError(
            f"{about}{what}; nothing was imported",
            where=self.where,
            expected="an archive as harbench export writes it",
            fix="get it again from where it comes from",
        )

    def _header(self) -> Member:
        raw = self._read(26, "its next file")
        _, flags, method, _, _, crc, packed, size, n_name, _ = struct.unpack("<5H3L2H", raw)
        if n_name > _LONGEST_NAME:
            raise self.refused(f"a file's name has {n_name:,} letters")
        try:
            name = self._read(n_name, "the name of its next file").decode("ascii")
        except UnicodeDecodeError:
            raise self.refused("a file's name holds what no name of harbench's holds") from None
        if not self._allowed(name):
            raise self.refused("this is no name of a file of a bundle", name or "''")
        # Some file systems take no notice of case: the second would take the first one's place.
        if name.casefold() in self._seen:
            raise self.refused("it is there twice", name)
        self._seen.add(name.casefold())
        if len(self._members) >= MOST_MEMBERS:
            raise self.refused(f"there are more than {MOST_MEMBERS:,} files")
        if flags & 1 or method:
            raise self.refused("it is compressed or encrypted", name)
        member = Member(name, size, crc, self._offset)
        if packed != size or member.local() != _LOCAL + raw + name.encode():
            raise self.refused("its header was changed, or another program wrote it", name)
        self._members.append(member)
        self._offset += 30 + n_name + size
        return member

    def _content(self, member: Member) -> Iterator[bytes]:
        crc, left = 0, member.size
        while left:
            chunk = self._read(min(left, _CHUNK), member.name)
            crc, left = zlib.crc32(chunk, crc), left - len(chunk)
            yield chunk
        if crc != member.crc:
            raise self.refused("it was changed", member.name)

    def _directory(self, signature: bytes) -> None:
        expected = [member.central() for member in self._members]
        for member, entry in zip(self._members, expected, strict=True):
            found = signature + self._read(len(entry) - len(signature), member.name)
            signature = b""
            if found != entry:
                mode = int.from_bytes(found[38:42], "little") >> 16
                linked = mode & 0o170000 == _LINK
                what = "it is a link" if linked else "its entry in the directory was changed"
                raise self.refused(what, member.name)
        end = _end(self._members, self._offset)
        if signature + self._read(len(end) - len(signature), "its end") != end:
            raise self.refused("its end was changed")
        if self._file.read(1):
            raise self.refused("something follows its end")

    def _read(self, n_bytes: int, what: str) -> bytes:
        found = self._file.read(n_bytes)
        if len(found) < n_bytes:
            raise self.refused(f"the archive ends within {printable(what)}")
        return found


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
