"""A worker's side of its foreman: starting it, handing it cells, hearing of them, stopping them."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from harbench.data.folders import cache_root
from harbench.execute.children import death

START, STOP, QUIT = "start", "stop", "quit"
"""What a foreman is told."""

_LOOK_S = 0.2
"""Between two looks at whether a cell is to be stopped."""

_TELL_S = 0.5
"""Between two reports of a cell, at least: an epoch of a small network takes milliseconds."""


class ForemanLostError(Exception):
    """The foreman has died, and its cells with it; the text says how."""


@dataclass(frozen=True)
class ForemanKind:
    """What a foreman is started with; cells that need another kind get another foreman.

    Args:
        files: Single-file plugins, as they lie on this machine.
        memory: Bytes that a cell may take; None is no limit.
        sources: sha256 over all sources that it loads: one that has loaded older ones is replaced.
    """

    files: tuple[str, ...] = ()
    memory: int | None = None
    sources: str = ""


class ForemanHandle:
    """A running foreman.

    Args:
        kind: What it is started with.
    """

    def __init__(self, kind: ForemanKind) -> None:
        ours, theirs = socket.socketpair()
        words = [str(theirs.fileno()), json.dumps([kind.files, kind.memory])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harbench.cluster.foreman", *words],
            cwd=home(),
            env=environment(),
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._connection = Connection(ours.detach())
        self._sending = threading.Lock()
        self._hearing = threading.Lock()
        self._ears: dict[str, queue.SimpleQueue[tuple[bool, bytes] | None]] = {}
        self._reason: str | None = None
        threading.Thread(target=self._listen, name="harbench-foreman", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take cells."""
        return self._reason is None

    @property
    def idle(self) -> bool:
        """Whether it has no cell."""
        return not self._ears

    def train(
        self,
        token: str,
        job: bytes,
        variables: Mapping[str, str],
        shares: bool,
        tell: Callable[[int, list[bytes]], None],
        stopped: Callable[[], bool],
    ) -> list[bytes] | None:
        """Have a cell trained, and wait for it.

        Args:
            token: Names this training.
            job: Pickled.
            variables: Of the environment of its process.
            shares: Whether others of the run have the same prepared fold.
            tell: Told now and then what was said: the number of the first event, and the events.
            stopped: Asked now and then whether nobody wants the cell any more.

        Returns:
            All that was said, the outcome last; None where it was stopped.

        Raises:
            ForemanLostError: the foreman died.
        """
        ear: queue.SimpleQueue[tuple[bool, bytes] | None] = queue.SimpleQueue()
        with self._hearing:
            if self._reason is not None:
                raise ForemanLostError(self._reason)
            self._ears[token] = ear
        said: list[bytes] = []
        told, last_told = 0, time.monotonic()
        try:
            self._send((START, token, job, dict(variables), shares))
            while True:
                if stopped():
                    self._send((STOP, token))
                    return None
                try:
                    news = ear.get(timeout=_LOOK_S)
                except queue.Empty:
                    news = (False, b"")
                if news is None:
                    raise ForemanLostError(self._reason)
                last, event = news
                if event:
                    said.append(event)
                if last:
                    return said
                if told < len(said) and time.monotonic() - last_told >= _TELL_S:
                    tell(told, said[told:])
                    told, last_told = len(said), time.monotonic()
        finally:
            with self._hearing:
                self._ears.pop(token, None)

    def close(self) -> None:
        """End it and its cells; it is not waited for."""
        with suppress(ForemanLostError):
            self._send((QUIT,))

    def _send(self, message: tuple[object, ...]) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except OSError as error:
            raise ForemanLostError(self._reason or str(error)) from error

    def _listen(self) -> None:
        try:
            while True:
                token, last, event = self._connection.recv()
                with self._hearing:
                    ear = self._ears.get(token)
                if ear is not None:
                    ear.put((last, event))
        except (EOFError, OSError, TypeError):  # TypeError: closed while it was read
            pass
        code = self._process.wait()
        with self._hearing:
            self._reason = death(code).replace("its process", "the process of its cells", 1)
            ears = list(self._ears.values())
        for ear in ears:
            ear.put(None)


_foremen: dict[ForemanKind, ForemanHandle] = {}
_choosing = threading.Lock()


def foreman(kind: ForemanKind) -> ForemanHandle:
    """The foreman of this worker of that kind; started where there is none, or it has died.

    Others that have nothing to do are ended: each holds torch and the plugins in memory.
    """
    with _choosing:
        found = _foremen.get(kind)
        if found is None or not found.alive:
            found = _foremen[kind] = ForemanHandle(kind)
        for other in [k for k, handle in _foremen.items() if k != kind and handle.idle]:
            _foremen.pop(other).close()
        return found


def home() -> Path:
    """An empty folder for programs to start in: what lies about where the worker was started is
    neither a plugin nor a module."""
    folder = cache_root() / "worker"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment() -> dict[str, str]:
    """Variables for a program that is to import what this process can, started elsewhere."""
    path = [str(Path(entry or Path.cwd()).absolute()) for entry in sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path))}
