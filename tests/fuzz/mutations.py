"""Damage: a few random changes to the bytes of a good file, each from a seed of its own."""

from __future__ import annotations

import copy
import json
import random
import re
import struct
from collections.abc import Sequence

NUMBER = re.compile(rb"[-+]?[0-9][0-9.eE+-]*")
NUMBERS = [
    b"1e999", b"-1e999", b"1e-999", b"nan", b"NaN", b"Infinity", b"-Infinity", b"inf", b"-0",
    b"-0.0",
    b"1" + b"0" * 30, b"9" * 5000, b"0." + b"3" * 400, b"3.4028236e38", b"16777217", b"406516.01",
    b"1_0", b"0x10", b"1,5", b"+5", b".5", b"5.", b"--1", b"1e", b"e1", b"1.5.2", b"0010",
    b"2147483648", b"-2147483649", b"9223372036854775808", b"true", b"null", b'""', b"[]", b"{}",
    "９".encode(), "٣".encode(), "²".encode(), "1\u00a02".encode(), b"1\x002", b"",
]  # fmt: skip
PIECES = [
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc2\x85", "\u2028".encode(), b"\r",
    b"\n", b"\r\n", b"\t", b" ", b"  ", b"\x0b", b"\x0c", b"\x1a", b"\x1b[2J", b"\x7f", b"#", b",",
    b"\\", b'"',
    b"'", b"[", b"]", b"{", b"}", b":", b": ", b"- ", b"&a ", b"*a", b"<<: *a", b"!!int ",
    b"---\n",
    b"!!python/object/apply:os.system ", b'"\\ud800"', b'"a": 1, "a": 2', b"../../x",
    b"/etc/passwd",
    b"[" * 3000, b'{"a":' * 3000, b"-" * 300, b"x" * 300, b"\n" * 300, b" " * 300, b"NaN",
    b"N", b"a",
]  # fmt: skip
WORDS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 14, 15, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1]
LONG_WORDS = [*WORDS, 2**40, 2**53, 2**63 - 1, 2**63, 2**64 - 1]


def damaged(content: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """One to three changes; ``others`` are files to splice with."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(_WAYS)(content, chance, others)
    return content


def _stretch(content: bytes, chance: random.Random, most: int = 40) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, min(len(content), start + chance.randrange(1, most))


def _flip(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(content or b"\0")
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _byte(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(content or b"\0")
    changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(PIECES) + content[at:]


def _delete(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _stretch(content, chance)
    return content[:start] + content[end:]


def _double(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _stretch(content, chance, 200)
    return content[:end] + content[start:]


def _move(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _stretch(content, chance)
    at = chance.randrange(len(content) + 1)
    rest = content[:start] + content[end:]
    return rest[:at] + content[start:end] + rest[at:]


def _cut(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] if chance.random() < 0.8 else content[at:]


def _splice(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others) if others else content
    return content[: _stretch(content, chance)[0]] + other[_stretch(other, chance)[0] :]


def _number(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    found = NUMBER.search(content, chance.randrange(len(content) + 1)) or NUMBER.search(content)
    if found is None:
        return _byte(content, chance, others)
    return content[: found.start()] + chance.choice(NUMBERS) + content[found.end() :]


def _word(content: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """A whole number of a binary format, four or eight bytes wide."""
    size = chance.choice((4, 8))
    if len(content) < size:
        return _byte(content, chance, others)
    at = chance.randrange(len(content) - size + 1)
    at -= at % 4 if chance.random() < 0.7 else 0
    word = struct.pack("<Q", chance.choice(LONG_WORDS))[:size]
    return content[:at] + word + content[at + size :]


_WAYS = (_flip, _byte, _insert, _delete, _double, _move, _cut, _splice, _number, _number, _word)

# What a JSON file may hold that no record does.
VALUES = [
    None, True, False, 0, -1, 1, 2**70, 1e308, 0.5, "", "x", "../../x", "\ud800", "a\0b",
    "x" * 3000,
    [], {}, [[]], [1, "a"], {"a": 1}, {"key": "x"}, [{}], [None],
]  # fmt: skip


def damaged_tree(text: bytes, chance: random.Random) -> object:
    """The content of a JSON file with one to three values replaced, removed or added."""
    tree = json.loads(text)
    for _ in range(chance.choice((1, 1, 2, 3))):
        node: object = tree
        while True:
            inner = [n for n in _inside(node) if isinstance(n, dict | list) and n]
            if not inner or chance.random() < 0.3:
                break
            node = chance.choice(inner)
        _change(node, chance)
    return tree


def _inside(node: object) -> list[object]:
    return list(node.values()) if isinstance(node, dict) else list(node)  # type: ignore[call-overload]


def _change(node: object, chance: random.Random) -> None:
    value = copy.deepcopy(chance.choice(VALUES))
    way = chance.random()
    if isinstance(node, dict) and node:
        key = chance.choice(list(node))
        if way < 0.25:
            del node[key]
        else:
            node[key if way < 0.9 else "more"] = value
    elif isinstance(node, list) and node:
        at = chance.randrange(len(node))
        if way < 0.25:
            del node[at]
        elif way < 0.9:
            node[at] = value
        else:
            node.append(value)
