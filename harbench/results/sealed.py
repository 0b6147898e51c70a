"""JSON files that end with a seal, the hash of the rest: by it a reader tells what was edited."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harbench.errors import ResultsError
from harbench.plan.keys import key_of

# Halves of a character, as names of files that are no UTF-8 become: no file can hold them.
_SURROGATE = re.compile("[\ud800-\udfff]")


def sealed_text(content: Mapping[str, Any]) -> str:
    """What a JSON file of the store consists of, to the byte."""
    return plain_and_text(content)[1]


def plain_and_text(content: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A content as :func:`read_sealed` gives it, and the file's text."""
    # Tuples become lists, and all keys text.
    plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
    sealed = {**plain, "seal": key_of(plain)}
    text = json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return plain, _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files whose content is on the disk when this is back; not atomic by itself.

    Args:
        folder: Of them, which is there.
        files: Name -> content.
    """
    descriptors = []
    try:
        for name, content in files.items():
            descriptors.append(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
            left = memoryview(content)
            while left:
                left = left[os.write(descriptors[-1], left) :]
            # This has the system begin to write, and does not wait: all of them are waited for
            # together, which takes half as long. That they leave its memory does no harm.
            with suppress(OSError, AttributeError):
                os.posix_fadvise(descriptors[-1], 0, 0, os.POSIX_FADV_DONTNEED)
        # A rename is only atomic against a power cut once the content is on the disk.
        for descriptor in descriptors:
            os.fsync(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def sync(path: Path) -> None:
    """Make sure that a file, or which files a folder has, is on the disk."""
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
