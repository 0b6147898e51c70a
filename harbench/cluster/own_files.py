"""A stream made on a worker of the dataset's own files: those that lie there, or fetched by it.

Run as a program it is the process in which a worker reads them.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from harbench.cluster.fetching import StreamFacts, is_whole
from harbench.data.stream import digest_of, open_stream
from harbench.errors import HarbenchError

_REACH_S = 5.0
"""In which a dataset's address must take a connection: nodes of clusters often have no internet."""


async def read_own(facts: StreamFacts, plugin_files: Sequence[str]) -> str | None:
    """Make the stream of the dataset's own files: those on this worker, or fetched by it.

    Reading is a plugin's code, so it is done in a process of its own, which ends with this one.

    Returns:
        "own files" or "source", or None where that is not possible, or not the same stream.
    """
    how = await asyncio.to_thread(_in_a_process, facts, plugin_files)
    whole = how is not None and await asyncio.to_thread(is_whole, facts, facts.home)
    return how if whole else None


def _in_a_process(facts: StreamFacts, plugin_files: Sequence[str]) -> str | None:
    asked = {"dataset": facts.dataset, "digest": facts.digest, "files": list(plugin_files)}
    with subprocess.Popen(
        [sys.executable, "-m", "harbench.cluster.own_files"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
        said = process.stdout.read()
    with suppress(ValueError, KeyError, TypeError):
        how = json.loads(said.strip().splitlines()[-1] if said.strip() else "null")["how"]
        return how if isinstance(how, str) else None
    return None


def _own(dataset_name: str, digest: str, plugin_files: Sequence[str]) -> str | None:
    """In the process of its own: read the files that are here, or fetch them and read those."""
    from harbench.data.fetch import fetch
    from harbench.data.folders import dataset_folder
    from harbench.plugins import load_plugins

    dataset = load_plugins([Path(file) for file in plugin_files]).datasets.get(dataset_name)
    folder = dataset_folder(dataset_name)

    def read() -> bool:
        try:
            same = digest_of(dataset, dataset.sources(folder)) == digest
        except (HarbenchError, OSError):
            return False
        return same and open_stream(dataset).digest == digest

    if read():
        return "own files"
    if dataset.archive is None or not any(map(_reachable, dataset.archive.urls)):
        return None
    fetch(dataset, folder)
    return "source" if read() else None


def _reachable(url: str) -> bool:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), _REACH_S):
            return True
    except (OSError, ValueError):
        return False


def main() -> None:
    """Answer one question on standard input, and end when who asked is gone."""
    asked = json.loads(sys.stdin.readline())

    def watch() -> None:
        # Not sys.stdin, whose lock would be held while this process ends.
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    # What plugins print is no answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    how, why = None, ""
    try:
        how = _own(asked["dataset"], asked["digest"], asked["files"])
    except Exception as error:  # noqa: BLE001 - whatever a reader does, the data comes another way
        why = f"{type(error).__name__}: {error}"
    print(json.dumps({"how": how, "why": why}), file=answer, flush=True)


if __name__ == "__main__":
    main()
