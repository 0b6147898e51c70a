"""What the server that worker processes are forked from has loaded, so that no worker has to.

Importing this loads the plugins, where :func:`asked` told it so: the server imports it when it
starts. A plugin that leaves a thread, an open file or a GPU context behind cannot be forked; then
the server starts again without plugins, and each worker loads them itself.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harbench.plugins import LOCAL_FOLDER, Registry, load_plugins

_VARIABLE = "HARBENCH_WORKERS_LOAD"

_GOING_S = 0.5
"""Seconds for threads to be gone: one that was joined is still listed for a moment."""

_loaded: tuple[object, Registry] | None = None


@contextmanager
def asked(files: Sequence[Path]) -> Iterator[None]:
    """A server that is started inside loads the installed plugins and these files."""
    os.environ[_VARIABLE] = json.dumps([list(map(str, files)), _search_path()])
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)


def registry(files: tuple[Path, ...]) -> Registry | None:
    """The plugins as the server loaded them; None where they may be others by now."""
    if _loaded is None or _loaded[0] != _place(files):
        return None
    return _loaded[1]


def _search_path() -> list[str]:
    return [path or str(Path.cwd()) for path in sys.path]


def _place(files: Sequence[Path]) -> object:
    """What the plugins depend on: where they are looked for, and what is in the single files."""
    local = Path(LOCAL_FOLDER)
    paths = [*(sorted(local.glob("*.py")) if local.is_dir() else ()), *files]
    try:
        contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    except OSError:
        contents = None
    return str(Path.cwd()), _search_path(), list(map(str, paths)), contents


def _held() -> tuple[object, ...]:
    """What a fork would not take along, or share: threads, open files, a GPU context."""
    torch = sys.modules.get("torch")
    return (
        sum(1 for _ in Path("/proc/self/task").iterdir()),
        {path.name: _target(path) for path in Path("/proc/self/fd").iterdir()},
        torch is not None and torch.cuda.is_initialized(),
    )


def _target(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:  # of the listing itself
        return None


def _load() -> None:
    global _loaded
    told = os.environ.pop(_VARIABLE, None)
    if told is None:
        return
    names, sys.path[:] = json.loads(told)
    files = tuple(map(Path, names))
    place, before = _place(files), _held()
    try:
        found = load_plugins(files)
    except BaseException:  # noqa: BLE001 - each worker says what is wrong, as part of its cell
        found = None
    end = time.monotonic() + _GOING_S
    while (held := _held()) != before and time.monotonic() < end:
        time.sleep(0.002)
    if held != before:
        # Without the variable now. Open files of Python's close, threads end.
        os.execv(sys.executable, sys.orig_argv)
    if found is not None and not found.broken:
        _loaded = place, found
    # Workers neither look through nor copy what is there already.
    gc.collect()
    gc.freeze()


_load()
