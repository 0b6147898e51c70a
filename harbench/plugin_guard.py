"""What one plugin may not do to harbench while it loads: hang, or write into its output."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from harbench.errors import ConfigError

VARIABLE = "HARBENCH_PLUGIN_TIMEOUT"
# `harbench models` has to be back within five seconds more, whatever one plugin does.
DEFAULT_SECONDS = 3.0
_TICK = 0.25
_GRACE = 8  # ticks, for a plugin that was told to stop


class StuckError(BaseException):
    """Raised inside a plugin that hangs. No Exception, so that no retry loop swallows it."""


def patience() -> float:
    """Seconds that a loading plugin may stand still, from HARBENCH_PLUGIN_TIMEOUT; 0 is no limit.

    Raises:
        ConfigError: the variable holds no number of seconds.
    """
    text = os.environ.get(VARIABLE, "").strip()
    try:
        seconds = float(text) if text else DEFAULT_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ConfigError(
            f"'{text}' is no time that a plugin may take to load",
            where=f"environment variable {VARIABLE}",
            expected="a number of seconds, 0 for no limit",
            fix=f"unset {VARIABLE}",
        )
    return seconds


@contextlib.contextmanager
def stopped_when_stuck(plugin: str, seconds: float) -> Iterator[None]:
    """Raise StuckError inside the block once it has stood still for so many seconds.

    To stand still is to import no further module. So a plugin that imports torch on a slow disk
    takes as long as it takes, and one that sleeps, waits for a network or computes is stopped:
    in the middle of ``import torch``, stopping it would break torch for everybody else.

    It works where signals do: in the main thread, on POSIX systems, on code that comes back to
    the interpreter. Elsewhere there is no limit. Code that does not stop is named on stderr. An
    alarm that somebody else has set stays set, and rings.

    Args:
        plugin: What to call it.
        seconds: 0 is no limit.
    """
    here = threading.current_thread() is threading.main_thread()
    if not seconds or not here or not hasattr(signal, "pthread_kill"):
        yield
        return
    before = signal.getsignal(signal.SIGALRM)
    if before is None:  # set by C code: it could not be put back
        yield
        return
    watch = _Watch(plugin, seconds, before)
    signal.signal(signal.SIGALRM, watch.hear)
    thread = threading.Thread(target=watch.run, name="harbench-plugin-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.over.set()
        thread.join()
        signal.signal(signal.SIGALRM, before)


class _Watch:
    """Looks, from a thread of its own, whether the main thread imports anything."""

    def __init__(self, plugin: str, seconds: float, before: Any) -> None:
        self.over = threading.Event()
        self._plugin, self._seconds, self._before = plugin, seconds, before
        self._main = threading.get_ident()
        self._told = False

    def run(self) -> None:
        """Count the ticks without a further module.

        Ticks and not a clock: while C code holds the interpreter (loading a library of 400 MB,
        say), none passes.
        """
        tick = min(_TICK, self._seconds / 4)
        limit = round(self._seconds / tick)
        most, still = len(sys.modules), 0
        while not self.over.wait(tick):
            if len(sys.modules) > most and still < limit:
                most, still = len(sys.modules), 0
                continue
            still += 1
            if still >= limit:
                self._told = True
                signal.pthread_kill(self._main, signal.SIGALRM)
            if still == limit + _GRACE:
                print(
                    f"warning: plugin {self._plugin} hangs while loading and does not stop when "
                    "told to: end this program and uninstall the plugin",
                    file=sys.stderr,
                    flush=True,
                )

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Of SIGALRM: stop the plugin, or pass the signal on to who waited for it before."""
        if self._told:
            self._told = False
            if not self.over.is_set():
                raise StuckError(self._reason(frame))
        elif callable(self._before):
            self._before(number, frame)
        elif self._before == signal.SIG_DFL:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGALRM)

    def _reason(self, frame: FrameType | None) -> str:
        at = f" at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
        return (
            f"it hangs{at}: for {self._seconds:g} s it imported nothing further "
            f"({VARIABLE}=60 waits for 60 s)"
        )


@contextlib.contextmanager
def nothing_on_stdout() -> Iterator[None]:
    """What the block prints goes to stderr: also what C code and child processes write."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ValueError):  # no stdout or no stderr: nothing to keep
            _flush()
            kept = os.dup(1)
            stack.callback(os.close, kept)
            os.dup2(2, 1)
            stack.callback(os.dup2, kept, 1)
            stack.callback(_flush)
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.__stdout__.flush()  # type: ignore[union-attr]
