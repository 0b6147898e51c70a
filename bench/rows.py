"""What a row of the table is: the same work, done by harbench and by others."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

OURS = "harbench"


@dataclass(frozen=True)
class Place:
    """Where a side works.

    Args:
        folder: Shared by all rounds: the generated files.
        scratch: Of this round alone; empty.
        scale: Of the generated OPPORTUNITY; 1 is its true size, 869,387 rows.
    """

    folder: Path
    scratch: Path
    scale: float


@dataclass(frozen=True)
class Done:
    """What the timed part did.

    Args:
        amount: Of the row's unit.
        cost: Given by those sides that measure by themselves; else it is taken by the clock.
    """

    amount: float
    cost: float | None = None


Work = Callable[[], Done]
"""The timed part."""

Prepare = Callable[[Place], Work]
"""Everything before it: imports, files, networks."""


@dataclass(frozen=True)
class Side:
    """One way to do the work.

    Args:
        name: harbench, or a peer.
        prepare: Makes the timed part.
        needs: Distributions that must be installed.
        checkout: Environment variable that names a folder with the peer's packages.
        goal: How many times harbench's cost the peer's shall be, at least; None is only told.
        why_not: Says why it cannot be measured here; "" where it can.
    """

    name: str
    prepare: Prepare
    needs: tuple[str, ...] = ()
    checkout: str | None = None
    goal: float | None = None
    why_not: Callable[[Place], str] = field(default=lambda place: "")

    def absent(self, place: Place) -> str:
        """Why it is skipped; "" where it is not."""
        for name in self.needs:
            if find_spec(name.replace("-", "_")) is None:
                return f"{name} is not installed"
        if self.checkout and not os.environ.get(self.checkout):
            return f"{self.checkout} names no checkout"
        return self.why_not(place)

    @property
    def version(self) -> str:
        """Of the distribution that it is, or needs first; none of a checkout."""
        try:
            return version(self.needs[0]) if self.needs and not self.checkout else ""
        except PackageNotFoundError:
            return ""


@dataclass(frozen=True)
class Row:
    """One line of work.

    Args:
        name: On the command line.
        title: In the table.
        unit: What is counted.
        by: "cpu" seconds (of the process and its children), "wall" seconds, "peak" bytes of
            resident memory above those when the timed part begins.
        sides: harbench's first.
        at_most: What harbench's whole cost may be, in the unit of ``by``.
        shrinks: Whether that is for OPPORTUNITY's true size, and less at a smaller scale.
        repeats: At most so many rounds, where one takes minutes.
    """

    name: str
    title: str
    unit: str
    by: Literal["cpu", "wall", "peak"]
    sides: tuple[Side, ...]
    at_most: float | None = None
    shrinks: bool = False
    repeats: int = 1_000

    def __post_init__(self) -> None:
        if self.sides[0].name != OURS:
            raise ValueError(f"the first side of '{self.name}' is not {OURS}")
