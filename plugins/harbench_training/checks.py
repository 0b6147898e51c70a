"""What the builders of this package refuse, in one voice."""

from __future__ import annotations

import math


def check_number(
    name: str, value: object, *, above: float | None = None, least: float = 0.0, most: float
) -> None:
    """Refuse an option that is not a number between bounds.

    Args:
        name: Of the option.
        value: As given.
        above: It must be larger than this; in place of ``least``.
        least: The smallest that it may be.
        most: The largest that it may be; infinity is none.

    Raises:
        ValueError: naming the option, the value and the bounds.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    low = f"above {above:g}" if above is not None else f"of at least {least:g}"
    if (
        not number
        or not math.isfinite(value)  # type: ignore[arg-type]
        or not (value > above if above is not None else value >= least)  # type: ignore[operator]
        or value > most  # type: ignore[operator]
    ):
        high = "" if math.isinf(most) else f", at most {most:g}"
        raise ValueError(f"option {name} is {value!r} (expected a number {low}{high})")


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse an option that is not a whole number of at least ``least``.

    Raises:
        ValueError: naming the option and the value.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"option {name} is {value!r} (expected a whole number from {least} on)")
