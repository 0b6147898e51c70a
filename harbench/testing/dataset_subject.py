"""A dataset under check: its files read once or twice, with all that the checks ask remembered."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench.data.folders import data_root
from harbench.data.stream import RecordingSpan, folder_of
from harbench.errors import DataMissingError
from harbench.nouns import Dataset, Recording, Source
from harbench.plugins import Origin
from harbench.testing.checks import NotCheckedError, said_of
from harbench.testing.footprint import outside, tree, writing_heard
from harbench.testing.subject import Subject, elsewhere

SIMULATED_SCALE = 0.004
ALL_TWICE = 3_000_000
"""Values up to which a dataset is read twice from end to end; of a larger one, three sources."""


@dataclass(frozen=True)
class Facts:
    """What the checks ask of a recording; the recording itself is not kept.

    Args:
        source: That it was read from.
        name, subject, session: As read.
        dtype, shape: Of the signals.
        infinite: How many values are infinite.
        labels: Task -> labels as read.
        digest: sha256 of signals and labels.
    """

    source: str
    name: Any
    subject: Any
    session: Any
    dtype: str
    shape: tuple[int, ...]
    infinite: int
    labels: dict[str, NDArray[Any]] = field(repr=False)
    digest: str

    @property
    def n_samples(self) -> int:
        """Of the signals."""
        return self.shape[0] if self.shape else 0


class DatasetSubject(Subject[Dataset]):
    """A dataset.

    Args:
        thing, origin, files: See :class:`Subject`.
        path: Folder of its files; None is the usual one.
    """

    def __init__(
        self,
        thing: Dataset,
        origin: Origin | None,
        files: tuple[Path, ...] = (),
        path: Path | None = None,
    ) -> None:
        super().__init__(thing, origin, files)
        self._path = path
        self.written: list[Path] = []
        self.generated = False

    @cached_property
    def data_folder(self) -> Path:
        """Of its files; of a simulation that is not here, one that is made now."""
        folder = folder_of(self.thing, self._path)
        if self._path is None and self.thing.simulates and self.thing.simulate:
            try:
                self.thing.sources(folder)
            except DataMissingError:
                folder = self.folder / "simulated"
                self.thing.simulate(folder, SIMULATED_SCALE, 0)
                self.generated = True
        return folder

    def sources(self) -> Sequence[Source]:
        """The files to read.

        Raises:
            NotCheckedError: they are not here, or ``sources`` fails.
        """
        try:
            return list(self.thing.sources(self.data_folder))
        except DataMissingError as error:
            raise NotCheckedError(
                "its files are not here", fix=error.fix or "fetch them"
            ) from error
        except Exception as error:
            raise NotCheckedError(f"sources raises {said_of(error)}; see missing-data") from error

    def recordings(self) -> list[Facts]:
        """All recordings, read once.

        Raises:
            NotCheckedError: the files are not here, or they cannot be read; see ``reads``.
        """
        self.sources()
        if isinstance(self._read, Exception):
            raise NotCheckedError("its files cannot be read; see reads")
        return self._read

    @cached_property
    def _read(self) -> list[Facts] | Exception:
        try:
            return self.read(self.sources())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the check reads says what
            return error if isinstance(error, Exception) else RuntimeError(said_of(error))

    @property
    def error(self) -> Exception | None:
        """What reading raised."""
        self.sources()
        return self._read if isinstance(self._read, Exception) else None

    def read(self, sources: Sequence[Source]) -> list[Facts]:
        """Read sources in an empty home and working folder, and note what is written outside."""
        home, work = self.folder / "home", self.folder / "work"
        cache = self.folder / "cache"
        watched = [folder for folder in {self.data_folder, data_root()} if folder.is_dir()]
        before = {folder: tree(folder) for folder in watched}
        with self.at_work(), elsewhere(home, work), writing_heard() as heard:
            found = [
                facts_of(source.name, recording)
                for source in sources
                for recording in self.thing.read(source)
            ]
        # A temporary file is nobody's, as long as it is not among the data.
        allowed = (cache, Path(tempfile.gettempdir()))
        written = set(outside(heard, allowed, never=(self.data_folder, home, work)))
        for folder in watched:
            after = tree(folder)
            written |= {
                folder / name
                for name in {*before[folder], *after}
                if before[folder].get(name) != after.get(name)
            }
        for folder in (home, work):
            written |= {folder / name for name in tree(folder)}
        self.written += sorted(written - set(self.written))
        return found

    def again(self) -> list[tuple[Facts, Facts]]:
        """Recordings of the first reading, each beside that of a second.

        Raises:
            NotCheckedError: there is no first.
            ValueError: the second has another number of recordings.
        """
        first, sources = self.recordings(), self.sources()
        values = sum(facts.n_samples for facts in first) * max(1, len(self.thing.channels))
        if values > ALL_TWICE and len(sources) > 3:
            sources = [sources[0], sources[len(sources) // 2], sources[-1]]
        chosen = {source.name for source in sources}
        second = self.read(sources)
        return list(zip([f for f in first if f.source in chosen], second, strict=True))

    def spans(self) -> list[RecordingSpan]:
        """The recordings as one stream."""
        spans, position = [], 0
        for facts in self.recordings():
            end = position + facts.n_samples
            spans.append(RecordingSpan(facts.name, facts.subject, facts.session, position, end))
            position = end
        return spans


def facts_of(source: str, recording: Recording) -> Facts:
    """All that the checks ask of a recording."""
    signals = np.asarray(recording.signals)
    labels = {task: np.asarray(values) for task, values in recording.labels.items()}
    digest = hashlib.sha256(np.ascontiguousarray(signals).tobytes())
    for task, values in sorted(labels.items()):
        digest.update(task.encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    number = np.issubdtype(signals.dtype, np.floating)
    return Facts(
        source=source,
        name=recording.name,
        subject=recording.subject,
        session=recording.session,
        dtype=str(signals.dtype),
        shape=signals.shape,
        infinite=int(np.isinf(signals).sum()) if number else 0,
        labels=labels,
        digest=digest.hexdigest(),
    )
