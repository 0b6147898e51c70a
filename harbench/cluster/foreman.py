"""The process beside a worker that trains its cells, each in a process of its own.

A worker of Dask answers its scheduler from the process that runs its tasks: a cell that crashed or
filled the memory there would take the worker along, and Dask's nannies allow their workers no
children. So cells belong to a foreman: a plain program, started by the worker, that forks them
from a server which has torch and the plugins loaded. It ends when the worker ends, however that
ends, and takes the cells with it.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harbench.cluster.apart import QUIT, STOP
from harbench.data.folders import cache_root
from harbench.execute.children import Children
from harbench.execute.folds import FoldFiles
from harbench.execute.jobs import CellJob, Event, Failed, Finished, Progress, Remark

_IDLE_S = 60.0
"""Without a cell, after which prepared folds are given back: they take room on the disk."""


def without_job(event: Event) -> bytes:
    """An event for the way back: who asked knows the job, which is the largest part of it."""
    return pickle.dumps(replace(event, job=None))  # type: ignore[arg-type]


class Foreman:
    """Starts and stops cells as it is told, and tells what becomes of them.

    Args:
        connection: To the worker. Comes: (START, token, pickled job, environment, whether others
            share its fold), (STOP, token) or (QUIT,). Goes: token, whether it is the last, event
            as :func:`without_job` packs it.
        children: Its cells.
    """

    def __init__(self, connection: Connection, children: Children) -> None:
        self._connection = connection
        self._children = children
        self._tokens: dict[str, str] = {}
        self._folds = FoldFiles(())

    def work(self) -> None:
        """Until the worker says so, or is gone."""
        try:
            while True:
                if not len(self._children) and not self._connection.poll(_IDLE_S):
                    self._folds.forget()
                for event in self._children.heard([self._connection]):
                    self._tell(event)
                while self._connection.poll():
                    self._obey(self._connection.recv())
        except (EOFError, OSError):
            # The worker is gone, and with it who would want the cells.
            return
        finally:
            self._children.stop_all()
            self._folds.forget()

    def _obey(self, order: Sequence[Any]) -> None:
        if order[0] == QUIT:
            raise EOFError
        if order[0] == STOP:
            key = next((key for key, token in self._tokens.items() if token == order[1]), None)
            if key is not None:
                self._end(key)
            return
        _, token, packed, environment, shares = order
        job: CellJob = pickle.loads(packed)
        # One of a run that has died: both would save their training in one file.
        self._end(job.key)
        if job.checkpoints is not None:
            # The store is the client's; what a training needs to go on stays on this machine.
            job = replace(job, checkpoints=cache_root() / "checkpoints")
        try:
            if shares:
                self._folds.expect(job)
            self._children.start(job, self._folds.of(job) if shares else None, environment)
        except OSError as error:
            reason = f"its process cannot be started: {error.strerror or error}"
            self._connection.send((token, True, without_job(Failed(job, reason))))
            return
        self._tokens[job.key] = token

    def _end(self, key: str) -> None:
        if self._tokens.pop(key, None) is not None:
            self._children.stop(key)

    def _tell(self, event: Event) -> None:
        job = event.job
        last = not isinstance(event, Progress | Remark)
        token = self._tokens.pop(job.key, None) if last else self._tokens.get(job.key)
        if token is None:
            return
        if isinstance(event, Finished) and isinstance(job, CellJob) and job.checkpoints:
            (job.checkpoints / f"{job.key}.checkpoint").unlink(missing_ok=True)
        self._connection.send((token, last, without_job(event)))


def main(words: Sequence[str]) -> None:
    """Work for the worker that started this program.

    Args:
        words: Number of an open file that is the connection; then as JSON the plugin files and
            the bytes of memory that a cell may take (or null).
    """
    # Ctrl-C reaches every process of the terminal; the worker decides what becomes of the cells.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(int(words[0]))
    files, memory = json.loads(words[1])
    children = Children(estimators=True, memory=memory)
    children.prepare([Path(file) for file in files])
    Foreman(connection, children).work()


if __name__ == "__main__":
    main(sys.argv[1:])
