"""Where a result was made: versions, machine, and the commit of the folder it was run in."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import harbench
from harbench.cost.processor import processor

_PACKAGES = ("torch", "numpy", "pandas", "scipy", "scikit-learn")


@cache
def environment() -> dict[str, Any]:
    """Versions, processor and git commit, as stored beside each result."""
    versions = {"python": platform.python_version(), "harbench": harbench.__version__}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "git": _git(),
    }


def _git() -> dict[str, Any] | None:
    """Commit of the working folder and whether files differ from it; None outside git."""
    try:
        commit = _ask("rev-parse", "HEAD")
        changed = bool(_ask("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": changed}


def _ask(*words: str) -> str:
    answer = subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=10)
    return answer.stdout.strip()
