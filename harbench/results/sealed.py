"""JSON files that end with a seal, the hash of the rest: by it a reader tells what was edited."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harbench.errors import ResultsError
from harbench.plan.keys import key_of

# Halves of a character, as names of files that are no UTF-8 become: no file can hold them.
_SURROGATE = re.compile("[\ud800-\udfff]")


def sealed_text(content: Mapping[str, Any]) -> str:
    """What a JSON file of the store consists of, to the byte."""
    plain = json.loads(json.dumps(content, allow_nan=False))
    sealed = {**plain, "seal": key_of(plain)}
    text = json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file and its seal; not atomic by itself."""
    path.write_text(sealed_text(content), encoding="utf-8")


def sync(path: Path) -> None:
    """Make sure that a file or folder is on the disk."""
    # A rename is only atomic against a power cut once the content is on the disk.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_sealed(path: Path) -> dict[str, Any]:
    """The content of a JSON file of the store, without its seal.

    Raises:
        ResultsError: it is not there, cannot be read, or its seal is broken.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultsError(
            "not there", where=str(path), fix="harbench run benchmarks.yaml"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise _damaged(path, "not a record of harbench")
    seal = content.pop("seal", None)
    try:
        whole = seal == key_of(content)
    except (ValueError, RecursionError):  # NaN, which harbench never writes
        whole = False
    if not whole:
        raise _damaged(path, "it was changed after harbench wrote it")
    return content


def _damaged(path: Path, what: str) -> ResultsError:
    # What lies in a folder of its own belongs together.
    alone = path.name not in ("record.json", "measured.json", "result.json")
    gone = f"rm {path}" if alone else f"rm -r {path.parent}"
    return ResultsError(what, where=str(path), fix=f"delete it and run again: {gone}")
