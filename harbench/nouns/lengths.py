"""Lengths of windows and steps: samples, times, and shares of the window."""

from __future__ import annotations

import re

_TIME = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s)\s*$")
_SHARE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


def check_length(value: int | str, field: str) -> int | str:
    """The value, where it can be a window or a step.

    Raises:
        ValueError: with what was expected.
    """
    if isinstance(value, int):
        if value < 1:
            raise ValueError(f"{value} samples is no {field}: it needs at least 1")
        return value
    if _TIME.match(value):
        return value
    if field == "step" and _SHARE.match(value):
        return value
    if field == "window" and value == "paper":
        return value
    extra = "'50%' of the window" if field == "step" else "'paper'"
    raise ValueError(
        f"'{value}' is no {field}: give samples (24), a time ('800 ms', '1.5 s') or {extra}"
    )


def in_samples(length: int | str, rate_hz: float, window: int | None = None) -> int:
    """Whole samples of a length at a sampling rate; a share is of ``window``, rounded down.

    A time is rounded to the nearest sample: 500 ms at 30 Hz is 15, 800 ms is 24.

    Raises:
        ValueError: where the length comes to less than one sample.
    """
    if isinstance(length, int):
        return length
    if share := _SHARE.match(length):
        if window is None:
            raise ValueError(f"'{length}' is a share of a window that is not known")
        samples = int(window * float(share[1]) / 100)
    elif time := _TIME.match(length):
        seconds = float(time[1]) / (1000 if time[2] == "ms" else 1)
        samples = round(seconds * rate_hz)
    else:
        raise ValueError(f"'{length}' is no length in samples or time")
    if samples < 1:
        raise ValueError(f"'{length}' at {rate_hz:g} Hz is less than one sample")
    return samples
