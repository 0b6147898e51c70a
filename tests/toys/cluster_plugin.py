"""A plugin in one file for clusters: cells that take their time, wait for each other, or kill."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import harbench

RECIPE = harbench.Recipe(optimizer="adam", learning_rate=0.02, batch_size=32, epochs=6)


def slow(n_channels: int, n_times: int, n_classes: int, *, seconds: float = 0.05):
    """A small net that sleeps in every forward pass of a training batch."""
    from torch import nn

    class Slow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(n_channels * n_times, n_classes)

        def forward(self, x):
            if self.training:
                time.sleep(seconds)
            return self.out(x.flatten(1))

    return Slow()


def held(n_channels: int, n_times: int, n_classes: int, *, until: str = "go"):
    """After its first epoch it waits for a file: what happens until then finds a running cell."""
    from torch import nn

    class Held(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(n_channels * n_times, n_classes)
            self.told = False

        def forward(self, x):
            if not self.training:
                self.told = True
            elif self.told and "HARBENCH_TOY_WORKER" in os.environ:
                await_(Path(until).exists, f"nobody wrote {until}")
            return self.out(x.flatten(1))

    return Held()


def meeting(
    n_channels: int, n_times: int, n_classes: int, *, folder: str = "met", workers: int = 3
):
    """Its first training batch waits until cells of so many workers have come to a folder."""
    from torch import nn

    class Meets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(n_channels * n_times, n_classes)

        def forward(self, x):
            # Not where the client measures the cell, or trains it alone.
            if self.training and "HARBENCH_TOY_WORKER" in os.environ:
                await_others(Path(folder), workers)
            return self.out(x.flatten(1))

    return Meets()


def await_others(folder: Path, workers: int) -> None:
    """Until so many workers were here."""
    folder.mkdir(exist_ok=True)
    (folder / os.environ["HARBENCH_TOY_WORKER"]).touch()
    await_(lambda: len(list(folder.iterdir())) >= workers, f"fewer than {workers} workers came")


def await_(what: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 200
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.02)


def killer(n_channels: int, n_times: int, n_classes: int, *, upwards: int = 3):
    """Its training kills processes above its own: forkserver (1), foreman (2), worker (3)."""
    from torch import nn

    class Kills(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(n_channels * n_times, n_classes)

        def forward(self, x):
            # Only on a worker's machine: the cell is measured on the client's.
            if self.training and "HARBENCH_TOY_WORKER" in os.environ:
                for pid in ancestors(upwards)[::-1]:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(300)
            return self.out(x.flatten(1))

    return Kills()


def ancestors(number: int) -> list[int]:
    """Process ids of parent, grandparent ..."""
    found: list[int] = []
    pid = os.getpid()
    for _ in range(number):
        # Behind the name, which may hold anything, in parentheses: state, parent.
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        found.append(pid)
    return found


@harbench.hookimpl
def register_models(register) -> None:
    cite = harbench.Citation("Nobody, 2026")
    register(harbench.Model("slow", "takes its time", slow, RECIPE, cite, window=10))
    register(harbench.Model("held", "waits for a file", held, RECIPE, cite, window=10))
    register(harbench.Model("meeting", "waits for the others", meeting, RECIPE, cite, window=10))
    register(harbench.Model("killer", "kills its worker", killer, RECIPE, cite, window=10))
