"""Reading arrays of numbers from a MATLAB v5 file, strictly.

The format is simple where only arrays are wanted: a header, then elements of a type, a length and
content, one a variable. SciPy reads them too, but ends the whole process on some damaged files.
What is read here is checked before it is used; all else is refused.

Source: MathWorks, MAT-File Format, chapter 1, "Level 5 MAT-File Format".
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER: Final = 128
_VERSION_AND_ORDER: Final = b"\x00\x01IM"  # version 1, little-endian
_LARGEST: Final = 1 << 28  # bytes that all variables together may unpack to
_MOST_DIMENSIONS: Final = 32  # of an array of NumPy, in every version of it

_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_STORED: Final = {
    1: "<i1",
    2: "<u1",
    3: "<i2",
    4: "<u2",
    5: "<i4",
    6: "<u4",
    7: "<f4",
    9: "<f8",
    12: "<i8",
    13: "<u8",
}
_CLASSES: Final = {
    6: "<f8",
    7: "<f4",
    8: "<i1",
    9: "<u1",
    10: "<i2",
    11: "<u2",
    12: "<i4",
    13: "<u4",
    14: "<i8",
    15: "<u8",
}
_COMPLEX: Final = 0x08


class MatlabFileError(Exception):
    """The bytes are no such file, or hold something else; the text says what."""


class _Element(NamedTuple):
    kind: int
    content: memoryview


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of real numbers in a file, by name; variables of other kinds are left out.

    Args:
        content: All bytes of the file.

    Returns:
        Arrays of the type and shape that they have in MATLAB.

    Raises:
        MatlabFileError: another format or version, big-endian, damaged, cut off, or of more than
            256 MB once it is unpacked.
    """
    if content[_HEADER - 4 : _HEADER] != _VERSION_AND_ORDER:
        raise MatlabFileError("it does not begin as one does")
    arrays: dict[str, NDArray[Any]] = {}
    names: set[str] = set()
    left = _LARGEST
    for element in _elements(memoryview(content)[_HEADER:], padded=False):
        if element.kind == _COMPRESSED:
            element = _unpacked(element.content, left)
        if element.kind != _MATRIX:
            raise MatlabFileError(f"an element of type {element.kind} stands for a variable")
        name, array = _variable(element.content, left)
        left -= len(element.content) if array is None else array.nbytes
        if name in names:
            raise MatlabFileError(f"variable '{name}' stands there twice")
        names.add(name)
        if array is not None:
            arrays[name] = array
    return arrays


def _elements(content: memoryview, *, padded: bool) -> Iterator[_Element]:
    """The elements that lie one behind the other; within a variable they begin at eights."""
    at = 0
    while at < len(content):
        if len(content) - at < 8:
            raise MatlabFileError("it is cut off")
        kind, size = struct.unpack_from("<II", content, at)
        start = at + 8
        if kind >> 16:  # a small element: type and length in four bytes, content in four
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise MatlabFileError(f"a small element has {size} bytes")
            at += 8
        else:
            at = start + size
            if padded:
                at = -(-at // 8) * 8
        # The padding of the last element may be missing; its content may not.
        if start + size > len(content):
            raise MatlabFileError("it is cut off")
        yield _Element(kind, content[start : start + size])


def _unpacked(content: memoryview, most: int) -> _Element:
    unpacker = zlib.decompressobj()
    try:
        # A limit of 0 would be none.
        unpacked = unpacker.decompress(content, max(most, 1))
    except zlib.error as error:
        raise MatlabFileError(f"a variable cannot be unpacked: {error}") from None
    if not unpacker.eof:
        raise MatlabFileError("a variable is cut off, or too large")
    elements = list(_elements(memoryview(unpacked), padded=False))
    if len(elements) != 1:
        raise MatlabFileError(f"a packed variable holds {len(elements)} elements")
    return elements[0]


def _variable(content: memoryview, most: int) -> tuple[str, NDArray[Any] | None]:
    """Name and array of a variable; None where it is no array of real numbers.

    Args:
        most: Bytes that the array may take.
    """
    elements = _elements(content, padded=True)
    flags = _part(elements, _UINT32, "flags")
    if len(flags) != 8:
        raise MatlabFileError(f"the flags of a variable have {len(flags)} bytes")
    dims = _part(elements, _INT32, "size")
    if len(dims) < 8 or len(dims) % 4:
        raise MatlabFileError(f"the size of a variable has {len(dims)} bytes")
    name = _printable(bytes(_part(elements, _INT8, "name")))
    word = int.from_bytes(flags[:4], "little")
    dtype = _CLASSES.get(word & 0xFF)
    if dtype is None or (word >> 8) & _COMPLEX:
        return name, None
    values = next(elements, None)
    stored = None if values is None else _STORED.get(values.kind)
    if values is None or stored is None:
        raise MatlabFileError(f"variable '{name}' has no numbers")
    # Whole numbers are stored in as few bytes as they need, whatever their type in MATLAB.
    if not np.can_cast(stored, dtype):
        raise MatlabFileError(f"variable '{name}' is stored in a type that does not fit its own")
    shape = struct.unpack(f"<{len(dims) // 4}i", dims)
    size = np.dtype(stored).itemsize * math.prod(shape)
    if min(shape) < 0 or size != len(values.content):
        raise MatlabFileError(f"variable '{name}' has not as many numbers as its size says")
    # An empty array may be of any size in its other dimensions; NumPy takes not all of them.
    if len(shape) > _MOST_DIMENSIONS or (not size and max(shape) > _LARGEST):
        raise MatlabFileError(f"variable '{name}' has a size that no array has")
    # One byte stored may stand for a number of eight.
    if math.prod(shape) * np.dtype(dtype).itemsize > most:
        raise MatlabFileError(f"variable '{name}' is too large")
    if next(elements, None) is not None:
        raise MatlabFileError(f"variable '{name}' holds more than its numbers")
    array = np.frombuffer(values.content, stored).astype(dtype)
    return name, array.reshape(shape, order="F")


def _printable(name: bytes) -> str:
    """Names stand in messages, so bytes that are no visible ASCII are written out."""
    return "".join(chr(c) if 32 <= c < 127 else f"\\x{c:02x}" for c in name)


def _part(elements: Iterator[_Element], kind: int, what: str) -> memoryview:
    element = next(elements, None)
    if element is None or element.kind != kind:
        raise MatlabFileError(f"a variable has no {what} where it should be")
    return element.content
