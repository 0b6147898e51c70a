"""A real Dask cluster on loopback: scheduler and workers as processes, each worker with a cache
and a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT_S = 300
"""Ends a test that hangs; nothing is expected to take nearly as long."""


def until(true: Callable[[], object], what: str, limit: float = LIMIT_S) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline, f"waited {limit} s for: {what}"
        time.sleep(0.05)


class DaskCluster:
    """Starts and ends the processes of a cluster.

    Args:
        folder: For all that they write.
        environment: Of the processes, in which harbench can be imported.
        inside: Words in front of a command, such as those that enter a network namespace.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment
        self._file = folder / "scheduler.json"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start_scheduler()

    def start_scheduler(self, *inside: str, host: str = "127.0.0.1") -> None:
        self._file.unlink(missing_ok=True)
        words = ["--scheduler-file", str(self._file), "--host", host, "--port", "0"]
        self._start("scheduler", inside, "dask_scheduler", [*words, "--no-dashboard"])
        until(self._is_written, "the scheduler")
        self.address = json.loads(self._file.read_text())["address"]

    def _is_written(self) -> bool:
        try:
            return bool(json.loads(self._file.read_text())["address"])
        except (OSError, ValueError):
            assert self._processes["scheduler"].poll() is None, self.log("scheduler")
            return False

    def start_worker(
        self,
        name: str,
        *words: str,
        inside: tuple[str, ...] = (),
        host: str = "127.0.0.1",
        threads: int = 1,
        nanny: bool = False,
        **variables: str,
    ) -> None:
        """Start a worker; it is not waited for."""
        mine = self.folder / name
        mine.mkdir(exist_ok=True)
        command = [self.address, "--name", name, "--nthreads", str(threads), "--host", host]
        command += ["--no-dashboard", "--nanny" if nanny else "--no-nanny", *words]
        command += ["--local-directory", str(mine / "dask"), "--memory-limit", "0"]
        own = {
            "HARBENCH_CACHE": str(mine / "cache"),
            "HARBENCH_DATA": str(mine / "data"),
            "HARBENCH_TOY_WORKER": name,
        }
        self._start(name, inside, "dask_worker", command, {**own, **variables})

    def _start(
        self,
        name: str,
        inside: tuple[str, ...],
        program: str,
        words: list[str],
        variables: dict[str, str] | None = None,
    ) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*inside, sys.executable, "-m", f"distributed.cli.{program}", *words],
                cwd=self.folder,
                env={**self._environment, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def signal(self, name: str, number: int) -> None:
        """To the one process (a worker without a nanny), not to its foreman."""
        os.kill(self._processes[name].pid, number)

    def kill(self, name: str) -> None:
        """SIGKILL to the one process; back when it is gone."""
        self.signal(name, signal.SIGKILL)
        self._processes[name].wait()

    def left_over(self) -> list[str]:
        """Command lines of processes that any worker has left behind."""
        found = []
        groups = {process.pid for process in self._processes.values()}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                group = os.getpgid(int(entry.name))
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if group in groups and words:
                found.append(words)
        return found

    def close(self) -> None:
        for process in self._processes.values():
            for number in (signal.SIGCONT, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    pass
        for process in self._processes.values():
            process.wait()


@contextmanager
def dask_cluster(folder: Path, environment: dict[str, str]) -> Iterator[DaskCluster]:
    """A cluster with a scheduler and no worker."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, environment)
    try:
        yield cluster
    finally:
        cluster.close()
