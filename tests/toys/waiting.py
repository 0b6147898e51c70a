"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_S = 300
"""Ends a test that hangs; nothing is expected to take nearly as long."""


def until(true: Callable[[], object], what: str, limit: float = LIMIT_S) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline, f"waited {limit} s for: {what}"
        time.sleep(0.05)
