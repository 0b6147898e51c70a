"""The toy dataset with readers that do what a reader should not; importable by other processes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import harbench
from toys.toy_plugin import TOY, read
from toys.waiting import until

SLOW = replace(TOY, name="slow")


def refuse(source):
    path = source.files[0].path
    content = path.read_bytes()
    if content.startswith(b"refused"):
        if content == b"refused":
            time.sleep(0.3)
        raise harbench.DataError("refused", where=f"{path}:1:2", fix="harbench fetch")
    if content == b"fault":
        raise ZeroDivisionError
    return read(source)


def die_elsewhere(source):
    if os.environ.get("HARBENCH_TEST_HERE") != str(os.getpid()):
        os.kill(os.getpid(), signal.SIGKILL)
    return read(source)


def shout(source):
    print("shouted", flush=True)
    return read(source)


def meet(source):
    """Two processes wait for each other with their first sources."""
    marks = _mark()
    until(lambda: len(list(marks.iterdir())) >= 2, "the other reader")
    return read(source)


def sleep(source):
    _mark()
    time.sleep(600)
    return read(source)


def _mark():
    marks = Path(os.environ["HARBENCH_TEST_MARKS"])
    (marks / str(os.getpid())).touch()
    return marks
