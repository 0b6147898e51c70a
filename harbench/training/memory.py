"""Memory: what is free, and what does not fit is refused before it is asked for."""

from __future__ import annotations

from pathlib import Path

from harbench.errors import ModelError

SHARE = 0.8
"""Of the free memory that windows may take: what is fitted to them needs some too."""

_GIB = 2**30
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Bytes that this process can still take, a container's limit included; None if unknown."""
    found = [_of_machine(), _of_container()]
    known = [value for value in found if value is not None]
    return min(known) if known else None


def _of_machine() -> int | None:
    try:
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _of_container() -> int | None:
    # Version 2 of control groups; "max" is no limit.
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        # Files that were read stay in memory only as long as nobody needs the room.
        facts = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(facts.get("inactive_file", 0)))
    except (OSError, ValueError):
        return None


def refuse_too_much(n_bytes: int, shape: tuple[int, ...]) -> None:
    """Refuse an array that takes more than :data:`SHARE` of the free memory.

    Args:
        n_bytes: Of the array.
        shape: Its windows, channels and samples.

    Raises:
        ModelError: it does; with the GiB that it needs and those that are free.
    """
    free = free_memory()
    if free is None or n_bytes <= SHARE * free:
        return
    n_windows, n_channels, n_times = shape
    raise ModelError(
        f"{n_windows:,} windows of {n_channels} channels and {n_times} samples take "
        f"{n_bytes / _GIB:.1f} GiB, and {free / _GIB:.1f} GiB are free",
        expected=(
            f"at most {100 * SHARE:.0f} % of the free memory: an estimator is given all its "
            "windows at once"
        ),
        fix="a longer protocol.step, fewer channels, or fewer --jobs side by side",
    )
