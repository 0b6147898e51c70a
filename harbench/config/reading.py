"""YAML text -> nodes with places.

Plain scalars mean what YAML 1.2's core schema says (as editors do), not what YAML 1.1 says: only
``true`` and ``false`` are booleans (``no`` and ``on`` are texts), ``1e-3`` is a number, ``1:30``
and ``1_000`` are texts, ``010`` is ten. Keys are always texts. No tag builds an object.
"""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from harbench.config.nodes import Node, Place, Problems
from harbench.config.settings import Scalar
from harbench.errors import ConfigError, did_you_mean

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MOST_BYTES = 1_000_000
MOST_NODES = 10_000
DEEPEST = 40

_EXAMPLE = r"benchmarks:\n  quickstart:\n    dataset: spar\n    models: [resnet-like]\n"
_TAG = "tag:yaml.org,2002:"


class _CoreLoader(_SafeLoader):
    """Resolves plain scalars by YAML 1.2's core schema; used to compose, never to construct."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML keeps it on the class


CORE_SCHEMA: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), "~nN"),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), "-+0123456789"),
    (
        "float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        "-+.0123456789",
    ),
)
for _name, _pattern, _first in CORE_SCHEMA:
    _starts = [*_first, ""] if _name == "null" else list(_first)
    _CoreLoader.add_implicit_resolver(_TAG + _name, _pattern, _starts)


def read(path: Path, problems: Problems) -> Node:
    """The tree of a file.

    Args:
        path: The file; places name it as given.
        problems: Gets what is wrong but leaves the rest readable: duplicate keys, odd tags.

    Raises:
        ConfigError: where the file is missing, no UTF-8, empty, too large or no YAML.
    """
    try:
        if path.is_dir():
            raise ConfigError(
                "this is a folder", where=str(path), expected="a YAML file of benchmarks"
            )
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"the file cannot be read: {reason}", where=str(path)) from None
    if len(data) > MOST_BYTES:
        raise ConfigError(
            "the file is too large", where=str(path), expected=f"at most {MOST_BYTES:,} bytes"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # error.object: without the byte order mark, if there was one.
        before = error.object[: error.start].decode("utf-8")
        raise ConfigError(
            f"byte 0x{error.object[error.start]:02x} is not UTF-8",
            where=str(_place_after(before, str(path))),
            expected="a file saved as UTF-8",
        ) from None
    node = read_text(text, str(path), problems)
    if node is None:
        raise ConfigError(
            "the file is empty", where=str(path), expected="a mapping with the key 'benchmarks'"
        )
    return node


def read_text(text: str, source: str, problems: Problems, at: Place | None = None) -> Node | None:
    """The tree of a YAML text, or None where it holds no document.

    Args:
        text: One YAML document.
        source: What places call the text.
        problems: As for :func:`read`.
        at: One place for all nodes, where the text has no lines of its own.

    Raises:
        ConfigError: where the text is no YAML, or too deep or too large.
    """
    try:
        _check_size(text, source, at)
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = at or _place(mark, source)
        raise ConfigError(_said(error, text), where=str(place)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # ReaderError has no mark; UnicodeEncodeError and chr() of the pure-Python scanner are
        # ValueErrors.
        reason = str(getattr(error, "reason", error)).splitlines()[0]
        position = getattr(error, "position", None)
        place = at or Place(source)
        if at is None and isinstance(position, int):
            place = _place_at_byte(text, position, source)
        raise ConfigError(f"this is not YAML: {reason}", where=str(place)) from None
    return None if root is None else _Conversion(source, problems, at).node(root)


def _check_size(text: str, source: str, at: Place | None) -> None:
    # Before composing: libyaml's composer recurses in C and overflows the stack of the process.
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST or nodes > MOST_NODES:
            raise _too_much(at or _place(event.start_mark, source), deep=depth > DEEPEST)


def _too_much(place: Place, *, deep: bool) -> ConfigError:
    if deep:
        return ConfigError(
            "the nesting is too deep", where=str(place), expected=f"at most {DEEPEST} levels"
        )
    return ConfigError(
        "the file holds too much, once its aliases are written out",
        where=str(place),
        expected=f"at most {MOST_NODES:,} values",
    )


class _Conversion:
    """From PyYAML's nodes to ours, with a limit on what aliases may unfold to."""

    def __init__(self, source: str, problems: Problems, at: Place | None) -> None:
        self.source = source
        self.problems = problems
        self.at = at
        self.count = 0

    def place(self, node: yaml.Node) -> Place:
        return self.at or _place(node.start_mark, self.source)

    def node(self, node: yaml.Node, key_at: Place | None = None, depth: int = 0) -> Node:
        at = self.place(node)
        self.count += 1
        if depth > DEEPEST or self.count > MOST_NODES:
            raise _too_much(at, deep=depth > DEEPEST)
        value: Scalar | dict[str, Node] | list[Node]
        if isinstance(node, yaml.MappingNode):
            self._allow(node, ("map",))
            value = self._mapping(node, depth)
        elif isinstance(node, yaml.SequenceNode):
            self._allow(node, ("seq",))
            value = [self.node(item, depth=depth + 1) for item in node.value]
        else:
            value = self._scalar(node)
        return Node(value, at, key_at or at)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key_at = self.place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.add(key_at, "a key is a mapping or a list", "a text")
                continue
            key = key_node.value
            if key == "<<":
                self.problems.add(
                    key_at, "merge keys ('<<') are not read", "shared settings under 'defaults'"
                )
            elif key in found:
                first = found[key].key_at
                self.problems.add(key_at, f"key '{key}' is given twice, first at {first}")
            else:
                found[key] = self.node(value_node, key_at, depth + 1)
        return found

    def _scalar(self, node: yaml.Node) -> Scalar:
        text = str(node.value)
        self._allow(node, ("str", "null", "bool", "int", "float"))
        kind = node.tag.removeprefix(_TAG)
        pattern = {name: pattern for name, pattern, _ in CORE_SCHEMA}.get(kind)
        if pattern is None:
            return text
        if not pattern.match(text):  # only by a tag: !!int abc
            self.problems.add(self.place(node), f"'{text}' is no {kind}", f"a value of type {kind}")
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        return self._number(node, text, kind)

    def _number(self, node: yaml.Node, text: str, kind: str) -> int | float:
        number: int | float
        if kind == "int":
            # Python refuses to read thousands of digits; 64 bits are what JSON readers share.
            number = int(text, 0 if text[:2] in ("0x", "0o") else 10) if len(text) < 40 else 2**63
            good = -(2**63) <= number < 2**63
        else:
            number = float(text) if text[-1] not in "fFnN" else math.inf
            good = math.isfinite(number)
        if not good:
            what = f"{text[:40]} is no number that can be used"
            self.problems.add(self.place(node), what, "a finite number of at most 64 bits")
            return 1
        return number

    def _allow(self, node: yaml.Node, kinds: tuple[str, ...]) -> None:
        if node.tag not in {_TAG + kind for kind in kinds}:
            tag = node.tag.replace(_TAG, "!!")
            self.problems.add(self.place(node), f"tag '{tag}' is not read", "a value without a tag")


def _said(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    if mark is not None and mark.index is not None and "\t" in text[mark.index : mark.index + 1]:
        return "this is not YAML: a tab; indent with spaces"
    what = (error.problem or "unreadable").removeprefix("but ")
    return f"this is not YAML: {what}" + (f" ({error.context})" if error.context else "")


def _missing(path: Path) -> ConfigError:
    folder = path.parent
    near = sorted(p.name for p in folder.glob("*.y*ml")) if folder.is_dir() else []
    found = did_you_mean(path.name, near)
    # Where no file is near that could be meant: the smallest one that runs.
    write = f"printf '{_EXAMPLE}' > {shlex.quote(str(path))}"
    return ConfigError(
        f"there is no such file{found}",
        where=str(path),
        expected="a YAML file of benchmarks",
        fix=write if folder.is_dir() and not found else None,
    )


def _place(mark: Any, source: str) -> Place:
    return Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)


def _place_after(text: str, source: str) -> Place:
    return Place(source, text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


def _place_at_byte(text: str, position: int, source: str) -> Place:
    return _place_after(text.encode("utf-8")[:position].decode("utf-8", "ignore"), source)
