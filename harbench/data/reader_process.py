"""A process that reads sources of a dataset for another: see :mod:`harbench.data.side_by_side`.

It is told what to read on its standard input and answers on its standard output, in pickles. A
process of its own, and not one of :mod:`multiprocessing`: that would run the user's script anew
for each, and its fork server can only be set up once, which is for the training of cells.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import BinaryIO

from harbench.data.recordings import Written, file_names, opened, write_source
from harbench.errors import HarbenchError
from harbench.nouns import Dataset, Source
from harbench.plugin_files import spec_of

Answer = tuple[int, list[Written] | HarbenchError | None]
"""Number of a source and its recordings, or why it was refused; None: read it yourself."""

READY = b"ready\n"


def part(folder: Path, number: int, name: str) -> Path:
    """The file that a source's samples are written to, until their turn comes."""
    return folder / f"part-{number}-{name}"


def serve(single_files: Mapping[str, str]) -> None:
    """Read what is asked for until the input ends.

    Args:
        single_files: Modules of plugins that are single files: name -> path.
    """
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What a reader prints must not come between the answers, and it has no input.
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.meta_path.append(_SingleFiles(single_files))
    dataset, sources, folder = pickle.load(orders)
    answers.write(READY)
    answers.flush()
    numbers: SimpleQueue[int] = SimpleQueue()
    # Where the other process ends, however it does, this one must not go on writing.
    threading.Thread(target=_listen, args=(orders, numbers), daemon=True).start()
    while True:
        number = numbers.get()
        answer = read_part(dataset, sources, folder, number)
        try:
            answers.write(_pickled(answer))
            answers.flush()
        except BrokenPipeError:
            os._exit(1)


def _listen(orders: BinaryIO, numbers: SimpleQueue[int]) -> None:
    try:
        while True:
            numbers.put(pickle.load(orders))
    finally:
        os._exit(0)


def read_part(dataset: Dataset, sources: Sequence[Source], folder: Path, number: int) -> Answer:
    """Read a source into the files of :func:`part`."""
    try:
        with opened([part(folder, number, name) for name in file_names(dataset)], "wb") as files:
            found: list[Written] | HarbenchError = write_source(dataset, sources[number], files)
    except HarbenchError as error:
        found = error
    except Exception:  # noqa: BLE001 - a reader's own fault, or a full disk: who asked reads it itself
        return number, None
    return number, found


def _pickled(answer: Answer) -> bytes:
    number, found = answer
    try:
        text = pickle.dumps(answer)
        if isinstance(found, HarbenchError):
            pickle.loads(text)  # a plugin's own error may not come through
    except Exception:  # noqa: BLE001 - whatever an error of a plugin says to being pickled
        return pickle.dumps((number, None))
    return text


class _SingleFiles:
    """Finds the modules of plugins that are single files, when unpickling asks for one."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = paths

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._paths:
            return None
        return spec_of(name, self._paths[name])
