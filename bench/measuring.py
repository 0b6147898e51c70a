"""One side, one round, in a process of its own: prepared, then timed."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.rows import Place, Row, Side

ROOT = Path(__file__).parents[1]
_MARK = "bench-result "


@dataclass(frozen=True)
class Cost:
    """What one round took.

    Args:
        amount: Of the row's unit.
        cpu, wall: Seconds.
        peak: Bytes of resident memory above those at the beginning.
        own: As the side measured it; None where it did not.
    """

    amount: float
    cpu: float
    wall: float
    peak: float
    own: float | None

    def of(self, row: Row) -> float:
        """In the row's terms."""
        if self.own is not None:
            return self.own
        return {"cpu": self.cpu, "wall": self.wall, "peak": self.peak}[row.by]


class SideFailedError(Exception):
    """A side ended in an error: its last line."""


def measure(row: Row, side: Side, folder: Path, scale: float) -> Cost:
    """Run a side once, in a fresh process on one thread a pool.

    Raises:
        SideFailedError: it did not end well.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "bench", "--one-side", row.name, side.name]
    command += ["--folder", str(folder), "--scale", str(scale)]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    for line in reversed(ended.stdout.splitlines()):
        if line.startswith(_MARK):
            return Cost(**json.loads(line.removeprefix(_MARK)))
    lines = (ended.stderr.strip() or "no result").splitlines()
    raise SideFailedError(lines[-1])


def run_here(row: Row, side: Side, folder: Path, scale: float) -> None:
    """What that process does; prints the cost for the one that asked."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as scratch:
        work = side.prepare(Place(folder, Path(scratch), scale))
        before, begin, memory = _processor(), time.perf_counter(), _Peak()
        with memory:
            done = work()
        wall, cpu = time.perf_counter() - begin, _processor() - before
    cost = {"amount": done.amount, "cpu": cpu, "wall": wall, "peak": memory.above, "own": done.cost}
    print(f"{_MARK}{json.dumps(cost)}", flush=True)


def _processor() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


class _Peak:
    """Resident memory at its highest, 200 times a second. Files that are mapped count as well."""

    def __enter__(self) -> None:
        self._begin = self._highest = self._resident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._look()
        self._stop.set()
        self._thread.join()

    @property
    def above(self) -> int:
        return self._highest - self._begin

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self._look()

    def _look(self) -> None:
        self._highest = max(self._highest, self._resident())

    @staticmethod
    def _resident() -> int:
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
        except OSError:  # no Linux: the highest so far is all that is told
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return pages * os.sysconf("SC_PAGE_SIZE")
