"""What a fetch shows while it works: bars with time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from harbench.cli.context import error_console
from harbench.data.disk import size
from harbench.data.download import Reporter

# Seconds between two plain lines of one step.
EVERY = 10.0


@contextmanager
def fetch_progress() -> Iterator[Reporter]:
    """Bars where stderr is a terminal, else lines."""
    console = error_console()
    if not console.is_terminal:
        yield Lines()
        return
    with _bar(console) as progress:
        yield Bars(progress)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


class Bars:
    """One bar a step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def say(self, text: str) -> None:
        """Print above the bars."""
        self._progress.console.print(text)

    def bytes_done(self, what: str, done: int, total: int | None, *, kept: int = 0) -> None:
        """Move the bar of this step."""
        if what not in self._tasks:
            # What an earlier run brought does not count for the speed.
            self._tasks[what] = self._progress.add_task(what, total=total, completed=kept)
        self._progress.update(self._tasks[what], completed=done, total=total)


class Lines:
    """A line now and then, and one at the end of each step.

    Args:
        write: Takes a line.
        clock: Seconds; tests pass their own.
    """

    def __init__(
        self,
        write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write or (lambda line: print(line, file=sys.stderr, flush=True))
        self._clock = clock
        self._began: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Print the line."""
        self._write(text)

    def bytes_done(self, what: str, done: int, total: int | None, *, kept: int = 0) -> None:
        """Print how far the step is, if the last line of it is some time ago."""
        now = self._clock()
        began = self._began.setdefault(what, now)
        if done != total and now - self._last.setdefault(what, now) < EVERY:
            return
        self._last[what] = now
        if total is None:
            self._write(f"{what}: {size(done)}")
        elif done == total:
            self._write(f"{what}: {size(done)} done")
        else:
            fresh = done - kept
            left = (total - done) * (now - began) / fresh if fresh > 0 else None
            soon = f", {duration(left)} left" if left is not None else ""
            share = f"{100 * done / total:.0f} %"
            self._write(f"{what}: {share} ({size(done)} of {size(total)}){soon}")


def duration(seconds: float) -> str:
    """Seconds for people: ``40 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
