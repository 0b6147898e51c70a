"""A real Dask cluster on loopback: scheduler and workers as processes, each worker with a cache
and a data folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from toys.waiting import LIMIT_S, until


class DaskCluster:
    """Starts and ends the processes of a cluster.

    Args:
        folder: For all that they write.
        environment: Of the processes, in which harbench can be imported.
        inside: Words in front of the scheduler's command, which enter a network namespace.
        host: Address of the scheduler.
    """

    def __init__(
        self, folder: Path, environment: dict[str, str], *inside: str, host: str = "127.0.0.1"
    ) -> None:
        self.folder = folder
        self.environment = environment
        self._file = folder / "scheduler.json"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._clients: list[subprocess.Popen[str]] = []
        self.start_scheduler(*inside, host=host)

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
            # Each epoch is saved.
            "HARBENCH_CHECKPOINT_SECONDS": "0",
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
                env={**self.environment, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_client(
        self, words: list[str], folder: Path, err: Path | None = None
    ) -> subprocess.Popen[str]:
        """A client as a process of its own; ended with the cluster. Its stderr can be a file."""
        with ExitStack() as stack:
            to = subprocess.PIPE if err is None else stack.enter_context(err.open("w"))
            return self._start_client(words, folder, to)

    def _start_client(self, words: list[str], folder: Path, err: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={
                **self.environment,
                "HARBENCH_CACHE": os.environ["HARBENCH_CACHE"],
                "HARBENCH_DATA": os.environ["HARBENCH_DATA"],
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            start_new_session=True,
        )
        self._clients.append(process)
        return process

    def await_workers(self, number: int) -> None:
        """Until so many are there: a run begins with those that it finds."""
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=LIMIT_S) as client:
            client.wait_for_workers(number, timeout=LIMIT_S)

    def worker_pids(self) -> list[int]:
        """Process ids of the workers that the scheduler knows; a nanny's is another."""
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=LIMIT_S) as client:
            return list(client.run(os.getpid).values())

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

    def processes(self, name: str) -> list[int]:
        """Process ids of a worker, its foreman and all that they have started."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                # What has ended and was not asked about yet has no words.
                alive = bool((entry / "cmdline").read_bytes())
                if alive and os.getpgid(int(entry.name)) == self._processes[name].pid:
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def close(self) -> None:
        for process in [*self._processes.values(), *self._clients]:
            for number in (signal.SIGCONT, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
        for process in self._processes.values():
            process.wait()
        for client in self._clients:
            client.communicate()


@contextmanager
def dask_cluster(folder: Path, environment: dict[str, str]) -> Iterator[DaskCluster]:
    """A cluster with a scheduler and no worker."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, environment)
    try:
        yield cluster
    finally:
        cluster.close()
