"""Datasets: recordings, channels, tasks, and where their files come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harbench.nouns.protocol import Split


@dataclass(frozen=True)
class Citation:
    """Where something was published.

    Args:
        text: The reference as a paper would print it.
        doi: Digital object identifier, without ``https://doi.org/``.
        url: A page to read it at.
    """

    text: str
    doi: str = ""
    url: str = ""


@dataclass(frozen=True)
class Channel:
    """One axis of one sensor.

    Args:
        name: Unique within the dataset, as its own documents write it.
        sensor: The device that the axis belongs to; ablation by sensor groups by it.
        position: Where on the body: "right lower arm", "back", "left shoe" ...
        modality: "accelerometer", "gyroscope", "magnetometer", "orientation" ...
        axis: "x", "y", "z", "w", or "" for a scalar.
        unit: Unit of the stored values: "mg", "deg", "unknown" ...
        number: 1-based number in the dataset's own documents.
        limits: Smallest and largest value for ``normalise: fixed``, in ``unit``; None where the
            literature fixes none.
    """

    name: str
    sensor: str
    position: str
    modality: str
    axis: str
    unit: str
    number: int
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Task:
    """One question asked of a dataset: its classes, in the order of the label integers.

    Args:
        name: "gestures", "locomotion" ...
        classes: Class names; label ``k`` means ``classes[k]``, label -1 means not labelled.
        null: Index of the NULL class, or None where the task has none.
    """

    name: str
    classes: tuple[str, ...]
    null: int | None = None


@dataclass(frozen=True)
class Recording:
    """One continuous stream of one subject in one session.

    Args:
        name: Unique within the dataset, stable between reads: "S1-ADL1".
        subject: Who wore the sensors.
        session: Which sitting it was; recordings of one session share the day's sensor placement.
        signals: float32 [n_samples, n_channels], NaN where a value is missing.
        labels: task name -> int16 [n_samples], index into the task's classes, -1 = not labelled.
    """

    name: str
    subject: str
    session: str
    signals: NDArray[np.float32]
    labels: Mapping[str, NDArray[np.int16]]


@dataclass(frozen=True)
class SourceFile:
    """A file that a dataset is read from.

    Args:
        path: Where it lies.
        sha256: What its bytes must hash to; None where the dataset fixes no bytes (simulated or
            user-recorded files). The core refuses a file that does not match, before reading it.
    """

    path: Path
    sha256: str | None = None


@dataclass(frozen=True)
class Source:
    """The files that are read together (a signal file and its labels, say): the unit of reading."""

    name: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class Member:
    """One file of an archive that a dataset needs.

    Args:
        path: Its path inside the archive, with ``/``.
        size: Bytes.
        sha256: Of its content.
        target: Where it goes below the dataset's folder, with ``/``; empty is the last part of
            ``path``. For archives that hold several files of one name.

    Raises:
        ValueError: ``target``, or the last part of ``path``, is no relative path that stays in
            the folder.
    """

    path: str
    size: int
    sha256: str
    target: str = ""

    def __post_init__(self) -> None:
        if {"", ".", ".."}.intersection(self.name.split("/")) or any(
            c in self.name for c in "\\:\0"
        ):
            raise ValueError(f"target {self.name!r} is no path below a dataset's folder")

    @property
    def name(self) -> str:
        """Path below the dataset's folder, with ``/``: mostly just a file name."""
        return self.target or self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Archive:
    """A zip file on the web, and the members of it that a dataset reads.

    Members are checked, not the zip: a host may pack the same files differently.
    """

    urls: tuple[str, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Dataset:
    """A named source of recordings.

    Args:
        name: What benchmarks.yaml calls it.
        title: Full name.
        rate_hz: Samples per second.
        channels: In the order of the columns of ``Recording.signals``.
        tasks: By name; the first is the default.
        splits: The dataset's own named splits; the first is the default.
        citation: To be cited by who uses it.
        licence: Of the data.
        url: Its home.
        sources: Folder -> the files to read, in a fixed order, without reading them. Raises
            DataMissingError, whose ``fix`` is the one command that gets the data. The folder is
            the user's ``path:`` or else the dataset's folder in harbench's data directory.
        read: Reads one source into recordings. Raises DataError naming file, line and column.
        reader_version: Raise it when ``read`` changes what it returns; it is part of cache keys.
        archive: What ``harbench datasets fetch`` downloads; None where there is nothing to fetch.
        simulate: ``(folder, scale, seed) -> None``: writes files in the dataset's own format
            with known answers, for ``harbench datasets simulate``. It may replace an earlier
            simulation of its own, and must refuse a folder that holds anything else.
        simulates: Name of the dataset that this one imitates; set, everything made from it is
            marked *simulated*.
        notes: What a user should know, a sentence each (shown by ``datasets show``).
    """

    name: str
    title: str
    rate_hz: float
    channels: tuple[Channel, ...]
    tasks: tuple[Task, ...]
    splits: Mapping[str, Split]
    citation: Citation
    licence: str
    sources: Callable[[Path], Sequence[Source]]
    read: Callable[[Source], Iterable[Recording]]
    url: str = ""
    reader_version: int = 1
    archive: Archive | None = None
    simulate: Callable[[Path, float, int], None] | None = None
    simulates: str | None = None
    notes: tuple[str, ...] = field(default=())

    def task(self, name: str | None) -> Task:
        """The task of that name, or the default; KeyError where there is none."""
        if name is None:
            return self.tasks[0]
        return {task.name: task for task in self.tasks}[name]
