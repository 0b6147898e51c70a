"""The tree of a settings file before it is checked: each value with the place it was written at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harbench.config.settings import Scalar
from harbench.errors import ConfigError

MOST_SHOWN = 10
LONGEST = 300


@dataclass(frozen=True)
class Place:
    """Where something was written.

    Args:
        source: The file as the user named it, or ``--set KEY=VALUE``.
        line: From 1; 0 where the source has no lines.
        column: From 1.
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Node:
    """A value and its places.

    Args:
        value: A scalar, or nodes by key, or a list of nodes.
        at: Where the value begins.
        key_at: Where its key stands; of list items the same as ``at``.
    """

    value: Scalar | dict[str, Node] | list[Node]
    at: Place
    key_at: Place

    @property
    def children(self) -> dict[str, Node]:
        """The nodes by key; none where the value is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    def with_value(self, value: Scalar | dict[str, Node] | list[Node]) -> Node:
        """The same places with another value."""
        return Node(value, self.at, self.key_at)

    def plain(self) -> Any:
        """The value without places: dictionaries, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def __str__(self) -> str:
        """What was found, for a sentence: ``'loso'``, ``3``, ``a list`` ..."""
        if isinstance(self.value, dict):
            return "a mapping" if self.value else "an empty mapping"
        if isinstance(self.value, list):
            return "a list" if self.value else "an empty list"
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if self.value is None:
            return "empty"
        if isinstance(self.value, str):
            return f"'{self.value}'" if len(self.value) <= 60 else f"'{self.value[:57]}...'"
        return str(self.value)


def printable(text: str) -> str:
    """The text with control characters written out: in a message they could move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: a place, a sentence, and what would be right."""

    at: Place
    what: str
    expected: str | None

    def __str__(self) -> str:
        return f"{self.what} (expected {self.expected})" if self.expected else self.what


class Problems:
    """All that is wrong with one file, reported together."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str], Problem] = {}

    @property
    def places(self) -> frozenset[Place]:
        """The places of which something is known to be wrong."""
        return frozenset(at for at, _ in self._found)

    def add(self, at: Place, what: str, expected: str | None = None) -> None:
        """Note a problem; what is said of the same place twice is noted once."""
        said = printable(what if len(what) <= LONGEST else what[:LONGEST] + " ...")
        wanted = None if expected is None else printable(expected)
        self._found.setdefault((at, what), Problem(at, said, wanted))

    def raise_if_any(self) -> None:
        """Report all of them.

        Raises:
            ConfigError: the first in the order of lines; the others follow in its text.
        """
        if not self._found:
            return
        found = sorted(
            self._found.values(), key=lambda problem: (problem.at.line, problem.at.column)
        )
        first, others = found[0], found[1:]
        if not others:
            raise ConfigError(first.what, where=str(first.at), expected=first.expected)
        lines = [
            str(first),
            *(f"  {problem.at}: {problem}" for problem in others[: MOST_SHOWN - 1]),
        ]
        if len(found) > MOST_SHOWN:
            lines.append(f"  and {len(found) - MOST_SHOWN} more")
        raise ConfigError("\n".join(lines), where=str(first.at))
