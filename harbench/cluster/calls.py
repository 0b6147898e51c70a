"""What a client asks of a worker beside its tasks: what it is, and to hold plugin files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harbench.cluster.apart import environment, home
from harbench.cluster.preflight import package_sha256
from harbench.data.folders import cache_root

_PATIENCE_S = 300
"""Seconds in which a worker must have loaded its plugins; ends what hangs, and nothing else."""


async def check(files: Sequence[tuple[str, bytes]], device: str) -> dict[str, Any]:
    """What this worker is, for :func:`harbench.cluster.preflight.differences`.

    Args:
        files: Single-file plugins of the client: name and content. They are kept here.
        device: That cells are to be trained on.

    Returns:
        ``facts`` as JSON and ``files``, the paths of the plugins here; or ``error``, why not.
    """
    return await asyncio.to_thread(_check, files, device)


def _check(files: Sequence[tuple[str, bytes]], device: str) -> dict[str, Any]:
    try:
        paths = [_kept(name, content) for name, content in files]
        ended = subprocess.run(
            [sys.executable, "-m", "harbench.cluster.preflight", json.dumps([paths, device])],
            cwd=home(),
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"it did not load its plugins within {_PATIENCE_S} s"}
    except OSError as error:
        return {"error": f"{error.strerror or error}: {error.filename or cache_root()}"}
    if ended.returncode:
        lines = ended.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"exit code {ended.returncode}"}
    facts = json.loads(ended.stdout)
    if facts["harbench"] != _loaded_harbench():
        return {"error": "its harbench was changed while it ran: it must be started again"}
    return {"facts": facts, "files": paths}


@cache
def _loaded_harbench() -> str:
    """sha256 of harbench as this process has it, at the first call: that which it has loaded."""
    return package_sha256("harbench")


def _kept(name: str, content: bytes) -> str:
    # The folder is named by the content: a changed plugin is another file, and another module.
    folder = cache_root() / "plugins" / hashlib.sha256(content).hexdigest()[:32]
    path = folder / Path(name).name
    if not path.is_file() or path.read_bytes() != content:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{path.name}.{os.getpid()}"
        temporary.write_bytes(content)
        temporary.replace(path)
    return str(path)
