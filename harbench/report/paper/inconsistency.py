"""What an inconsistency is, and how its arithmetic is written.

The numbers in the texts are computed, where they are written, from what the paper prints and from
the sizes of layers: a text cannot say another number than the arithmetic gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Inconsistency:
    """Something in the paper that does not add up.

    Args:
        key: Short name, for references to it.
        about: "Table 1" ... or a section.
        title: One line.
        where: Where in the paper it is printed.
        printed: What is printed.
        arithmetic: Why that cannot be, a line each.
        harbench: What harbench does about it.
    """

    key: str
    about: str
    title: str
    where: str
    printed: str
    arithmetic: tuple[str, ...]
    harbench: str


def whole(value: int) -> str:
    """12086900 -> "12,086,900"."""
    return f"{value:,}"


def addition(terms: Iterable[int]) -> str:
    """(1, 2000) -> "1 + 2,000 = 2,001"."""
    known = list(terms)
    return f"{' + '.join(map(whole, known))} = {whole(sum(known))}"


def millions(value: float, digits: int) -> str:
    """(912238, 3) -> "0.912M"."""
    return f"{value / 1e6:.{digits}f}M"


def percent(share: float, digits: int = 0) -> str:
    """(0.424) -> "42 %"."""
    return f"{100 * share:.{digits}f} %"


def always_null(share: float) -> float:
    """NF, in percent, of always saying NULL: its precision is its share, its recall 1, and every
    other class has an F1 of 0; so 2 p^2 / (1 + p)."""
    return 100 * 2 * share * share / (1 + share)
