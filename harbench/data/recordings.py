"""What a dataset reads, held against its own description and written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from harbench.errors import DataError
from harbench.nouns import Dataset, Recording, Source


@dataclass(frozen=True)
class Written:
    """A recording whose samples stand in a file."""

    name: str
    subject: str
    session: str
    n_samples: int


def file_names(dataset: Dataset) -> list[str]:
    """The files of a stream: the signals, and the labels of each task."""
    return ["signals.f32", *(f"labels-{i}.i16" for i in range(len(dataset.tasks)))]


@contextmanager
def opened(paths: Iterable[Path], mode: str) -> Iterator[list[BinaryIO]]:
    """The files, all closed in the end."""
    with ExitStack() as stack:
        yield [stack.enter_context(path.open(mode)) for path in paths]  # type: ignore[misc]


def write_source(dataset: Dataset, source: Source, files: Sequence[BinaryIO]) -> list[Written]:
    """Read a source, and append its recordings to the files of :func:`file_names`.

    Raises:
        DataError: a recording is not what the dataset says that it is.
        OSError: a file cannot be written.
    """
    signals, *labels = files
    found = []
    for recording in checked(dataset, dataset.read(source)):
        # Not tofile: of a full disk it only says how many values were not written.
        signals.write(np.ascontiguousarray(recording.signals).data)
        for task, file in zip(dataset.tasks, labels, strict=True):
            file.write(np.ascontiguousarray(recording.labels[task.name]).data)
        found.append(
            Written(recording.name, recording.subject, recording.session, len(recording.signals))
        )
    return found


def checked(dataset: Dataset, recordings: Iterable[Recording]) -> Iterable[Recording]:
    """The recordings, each held against the dataset's own description.

    Raises:
        DataError: naming the recording and what is wrong with it.
    """
    for recording in recordings:
        for what in ("name", "subject", "session"):
            # They stand in files and on the terminal, and NumPy would cut NULs off.
            text = getattr(recording, what)
            if not isinstance(text, str) or not text or not text.isprintable() or len(text) > 200:
                # Only here: it would take a sixth of what a reading process needs to start.
                from harbench.config.nodes import printable

                raise DataError(
                    f"the {what} of a recording is {printable(repr(text))[:100]}",
                    where=f"dataset '{dataset.name}'",
                    expected="a text of 1 to 200 visible characters",
                )
        where = f"dataset '{dataset.name}', recording '{recording.name}'"
        n_samples = len(recording.signals)
        shape = (n_samples, len(dataset.channels))
        if recording.signals.shape != shape or recording.signals.dtype != np.float32:
            raise DataError(
                f"signals are {recording.signals.dtype} {list(recording.signals.shape)}",
                where=where,
                expected=f"float32 {list(shape)}",
            )
        for task in dataset.tasks:
            labels = recording.labels.get(task.name)
            if labels is None or labels.shape != (n_samples,) or labels.dtype != np.int16:
                raise DataError(
                    f"labels of task '{task.name}' are missing or of another shape or type",
                    where=where,
                    expected=f"int16 [{n_samples}]",
                )
            if n_samples and not -1 <= labels.min() <= labels.max() < len(task.classes):
                raise DataError(
                    f"labels of task '{task.name}' reach from {labels.min()} to {labels.max()}",
                    where=where,
                    expected=f"-1 to {len(task.classes) - 1}",
                )
        yield recording
