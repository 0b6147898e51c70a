"""A table of numbers as text, the way OPPORTUNITY stores it: read exactly, and written.

What a table may hold is defined by :func:`_read_slowly`: lines of one length, fields parted by
blanks, and each field a decimal number or ``NaN``. Nearly every table holds only whole numbers
parted by single spaces, and :func:`_read_quickly` reads that many lines at a time with array
operations. It gives up, and the slow reader takes the block, where the text is anything else;
so speed never decides what is accepted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harbench import DataError

# Enough lines to hide the cost of a call, few enough that a block's arrays stay in the cache.
_BLOCK: Final = 1 << 19
_LONGEST_LINE: Final = 1 << 16
_WHITE: Final = b" \t\r\n"
_LARGEST: Final = float(np.finfo(np.float32).max)
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NUMERIC: Final = re.compile(rb"[-+.0-9eENa]+")

# Eight characters in a little-endian word, and the arithmetic on all eight at once.
_WORD: Final = np.dtype("<u8")
_ZEROS: Final = np.uint64(0x3030303030303030)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_TO_HIGH_BIT: Final = np.uint64(0x7676767676767676)
_NAN: Final = np.uint64(int.from_bytes(b"NaN", "little") << 40) ^ (
    _ZEROS >> np.uint64(40) << np.uint64(40)
)

MISSING: Final = np.iinfo(np.int32).min
"""Stands for ``NaN`` in a table of int32."""


def read_table(
    path: Path, names: Sequence[str], kept: Sequence[int], *, fix: str, codes: Sequence[int] = ()
) -> NDArray[np.float32]:
    """The kept columns of a table of numbers.

    Lines end in LF or CRLF; blanks (spaces and tabs) before the end of a line, and white space
    at the end of the file, mean nothing. ``NaN`` in exactly this spelling is a missing value.
    Of the columns that are not kept only the characters are checked: each field must be made of
    those that numbers and NaN are made of.

    Args:
        path: The file.
        names: Of all columns, for messages; every line must have as many fields.
        kept: 0-based columns to read, ascending.
        fix: The command that gets the file anew, for messages.
        codes: Of the kept columns those whose numbers are codes: one that float32 would round is
            refused, as it would become another code.

    Returns:
        float32 [n_lines, len(kept)].

    Raises:
        DataError: naming file, line and column (both from 1): a line of another length, a field
            that is no number, a line that is no text, an empty file, a file that cannot be read.
    """
    columns = np.asarray(kept, dtype=np.intp)
    tables: list[NDArray[np.float32]] = []
    line = 1
    try:
        for block in _blocks(path, fix):
            table = _read_quickly(block, len(names), columns)
            if table is None:
                text = _plain(block)
                table = _read_quickly(text, len(names), columns)
                if table is None:
                    table = _read_slowly(text, names, kept, path, line, fix, codes)
            tables.append(table)
            line += len(table)
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    if not tables:
        raise DataError(
            "the file is empty", where=str(path), expected=f"lines of {len(names)} numbers", fix=fix
        )
    return np.concatenate(tables)


def _blocks(path: Path, fix: str) -> Iterator[bytes]:
    """Whole lines, a few hundred at a time; no white space stands after the last line."""
    lines = tail = b""
    white: list[bytes] = []
    n_read = 0
    with path.open("rb") as file:
        while piece := file.read(_BLOCK):
            n_read += len(piece)
            text = tail + piece
            if text.isspace():  # perhaps the end of the file
                white.append(text)
                tail = b""
                continue
            if white:
                lines += b"".join(white)
                white.clear()
            if lines:
                yield lines
            cut = text.rfind(b"\n") + 1
            lines, tail = text[:cut], text[cut:]
            if len(tail) > _LONGEST_LINE:
                file.seek(0)
                line = file.read(n_read - len(tail)).count(b"\n") + 1
                raise DataError(
                    f"the line is longer than {_LONGEST_LINE:,} bytes: this is no table of numbers",
                    where=f"{path}:{line}",
                    fix=fix,
                )
    if last := (lines + b"".join(white) + tail).rstrip(_WHITE):
        yield last + b"\n"


def _plain(text: bytes) -> bytes:
    """The same lines with single spaces and LF, and no blanks at their ends."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    text = text.replace(b" \r\n", b"\n").replace(b"\r\n", b"\n").replace(b" \n", b"\n")
    return text.replace(b"\n ", b"\n").removeprefix(b" ")


def _read_quickly(
    text: bytes, n_columns: int, kept: NDArray[np.intp]
) -> NDArray[np.float32] | None:
    """The kept columns of lines of whole numbers of up to 8 digits; None where other text stands.

    Every field ends at a separator, so the eight bytes before that hold all of its digits. They
    are fetched as one word for each field; shifts clear what stands before the field; and three
    multiplications join the eight digits: to pairs, to fours, to the number.
    """
    # Eight bytes in front, so that the word before the first separator exists.
    padded = np.zeros((8 + len(text)) // 8 * 8 + 8, np.uint8)
    characters = padded[8 : 8 + len(text)]
    characters[:] = np.frombuffer(text, np.uint8)
    is_separator = characters <= ord(" ")
    separators = np.flatnonzero(is_separator)
    n_lines = len(separators) // n_columns
    # Where each field ends; one further in front, where the first begins.
    ends = np.empty(len(separators) + 1, np.intp)
    ends[0] = 7
    np.add(separators, 8, out=ends[1:])
    if (
        n_lines * n_columns != len(separators)
        or is_separator[0]
        or (is_separator[1:] & is_separator[:-1]).any()  # an empty field
        or not _is_plain(characters, separators.reshape(n_lines, n_columns))
    ):
        return None

    end = ends[1:].reshape(n_lines, n_columns).take(kept, axis=1).ravel()
    begin = ends[:-1].reshape(n_lines, n_columns).take(kept, axis=1).ravel()
    begin += 1
    # Positions are right by construction; mode="clip" skips the slow test for that.
    first = padded.take(begin, mode="clip")
    negative = first == ord("-")
    n_digits = np.subtract(end, begin, out=begin)
    n_digits -= negative
    if n_digits.min() < 1 or n_digits.max() > 8:
        return None

    word = _eight_before(end, padded)
    word ^= _ZEROS  # digits become 0 ... 9
    shift = np.uint64(64) - (n_digits.view(np.uint64) << np.uint64(3))
    word >>= shift
    word <<= shift
    missing = np.flatnonzero(first == ord("N"))
    if (word[missing] != _NAN).any() or (n_digits[missing] != 3).any():
        return None
    word[missing] = 0
    # A byte of 10 or more gets its high bit by the sum, one of 128 or more has it already.
    if np.bitwise_or.reduce((word + _TO_HIGH_BIT) | word) & _HIGH_BITS:
        return None
    # 2561 = 10 * 2**8 + 1, and so on; the first character is the lowest byte.
    word = ((word * np.uint64(2561)) >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    word = ((word * np.uint64(6553601)) >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    word = (word * np.uint64(42949672960001)) >> np.uint64(32)
    values = word.view(np.int64).astype(np.float32)
    values.view(np.uint32)[:] |= negative.astype(np.uint32) << np.uint32(31)
    values[missing] = np.nan
    return values.reshape(n_lines, len(kept))


def _is_plain(characters: NDArray[np.uint8], separators: NDArray[np.intp]) -> bool:
    """Whether there are only digits, ``-``, ``N``, ``a``, spaces, and LF at the ends of lines."""
    if not (characters.take(separators[:, -1]) == ord("\n")).all():
        return False
    n_lines, n_columns = separators.shape
    if np.count_nonzero(characters == ord(" ")) != n_lines * (n_columns - 1):
        return False
    n_good = np.count_nonzero((characters - np.uint8(ord("0"))) <= 9)
    n_good += sum(np.count_nonzero(characters == ord(sign)) for sign in "-Na")
    return bool(n_good + separators.size == characters.size)


def _eight_before(end: NDArray[np.intp], padded: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The eight bytes before each position, from the two aligned words that they lie in."""
    words = padded.view(_WORD)
    at = end >> 3
    after = words.take(at, mode="clip")
    at -= 1
    before = words.take(at, mode="clip")
    bits = ((end & 7) << 3).view(np.uint64)
    before >>= bits
    bits ^= np.uint64(63)
    after <<= np.uint64(1)  # in two steps: a shift by 64 places is undefined
    after <<= bits
    before |= after
    return before


def _read_slowly(
    text: bytes,
    names: Sequence[str],
    kept: Sequence[int],
    path: Path,
    line: int,
    fix: str,
    codes: Sequence[int] = (),
) -> NDArray[np.float32]:
    """The same, field by field: the definition of what is right, and the place of what is not.

    Args:
        line: Number of the first line of ``text``.
    """
    rows = []
    for number, content in enumerate(text.removesuffix(b"\n").split(b"\n"), start=line):
        fields = content.split(b" ")
        if not content or len(fields) != len(names):
            found = f"the line has {len(fields)} columns" if content else "the line is empty"
            raise DataError(
                found, where=f"{path}:{number}", expected=f"{len(names)} columns", fix=fix
            )
        for column, field in enumerate(fields):
            if not _NUMERIC.fullmatch(field):
                _refuse(field, path, number, column, names, fix)
        rows.append([_value(fields[k], path, number, k, names, fix) for k in kept])
        for column in codes:
            value = float(fields[column])
            # As Python's numbers: NumPy would compare in float32.
            if not math.isnan(value) and float(np.float32(value)) != value:
                _refuse(fields[column], path, number, column, names, fix, "code")
    return np.array(rows, dtype=np.float32)


def _value(
    field: bytes, path: Path, line: int, column: int, names: Sequence[str], fix: str
) -> float:
    if field == b"NaN":
        return math.nan
    # Beyond float32 a number would become infinite.
    if not _NUMBER.fullmatch(field) or abs(float(field)) > _LARGEST:
        _refuse(field, path, line, column, names, fix)
    return float(field)


def _refuse(
    field: bytes,
    path: Path,
    line: int,
    column: int,
    names: Sequence[str],
    fix: str,
    what: str = "number",
) -> None:
    # As Python writes bytes: control characters would move the cursor of who reads the message.
    shown = repr(field[:20])[2:-1] + ("..." if len(field) > 20 else "")
    raise DataError(
        f"'{shown}' in column {names[column]} is no {what}",
        where=f"{path}:{line}:{column + 1}",
        expected="a decimal number or NaN" if what == "number" else "a whole number",
        fix=fix,
    )


class TableWriter:
    """Writes int32 tables as text. Texts are looked up, not formatted: a value is a table row.

    Args:
        lowest: Values from here ...
        highest: ... to here are looked up; others, which should be few, are formatted one by one.
    """

    def __init__(self, lowest: int = -30000, highest: int = 30000) -> None:
        self._lowest, self._highest = lowest, highest
        self._texts = np.array([b"%d " % value for value in range(lowest, highest + 1)], "S8")
        self._missing = np.array(b"NaN ", "S8")

    def text(self, table: NDArray[np.int32]) -> bytes:
        """Lines of single-spaced numbers that end in LF.

        Args:
            table: int32 [n_lines, n_columns]; :data:`MISSING` becomes ``NaN``.

        Raises:
            ValueError: a number of more than 7 characters.
        """
        missing = table == MISSING
        other = ((table < self._lowest) | (table > self._highest)) & ~missing
        cells = self._texts[np.where(missing | other, 0, table - self._lowest)]
        cells[missing] = self._missing
        texts = [b"%d " % value for value in table[other].tolist()]
        if any(len(text) > 8 for text in texts):
            raise ValueError("a number of more than 7 characters does not fit into a cell")
        cells[other] = texts
        # Each cell is eight bytes, filled up with NUL; the separator of the last is a newline.
        last = np.ascontiguousarray(cells[:, -1]).view(np.uint8)
        last[last == ord(" ")] = ord("\n")
        cells[:, -1] = last.view("S8")
        return cells.tobytes().translate(None, b"\0")
