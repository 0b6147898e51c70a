"""Jobs and what is heard of them: all that crosses between who asks and who works."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harbench.plan import Cell
from harbench.training.curve import Epoch

if TYPE_CHECKING:
    from harbench.execute.folds import FoldFiles


@dataclass(frozen=True)
class CellJob:
    """Train one cell.

    Args:
        cell: Which.
        device: "cpu", "cuda", "cuda:1" or "auto"; of networks: estimators are fitted on the CPU.
        plugin_files: Single-file plugins that the worker must load as well.
        checkpoints: Folder in which the training is saved now and then; None never saves.
        time_limit: Seconds that it may take; None is no limit.
        by_content: Whether the dataset is found in the cache by its content, which somebody has
            brought there; else it is read from its files.
    """

    cell: Cell
    device: str = "cpu"
    plugin_files: tuple[Path, ...] = ()
    checkpoints: Path | None = None
    time_limit: float | None = None
    by_content: bool = False

    @property
    def key(self) -> str:
        """Of the cell."""
        return self.cell.key


@dataclass(frozen=True)
class CostJob:
    """Count and time one network.

    Args:
        key: Under which its cost is stored.
        model: Registered name.
        options: Of its builder.
        n_channels, n_times, n_classes: What it is built for.
        plugin_files: As of :class:`CellJob`.
    """

    key: str
    model: str
    options: dict[str, Any]
    n_channels: int
    n_times: int
    n_classes: int
    plugin_files: tuple[Path, ...] = ()


Job = CellJob | CostJob


@dataclass(frozen=True)
class CellResult:
    """A finished cell, as :meth:`harbench.results.Store.write` takes it."""

    record: dict[str, Any]
    measured: dict[str, Any]
    predictions: bytes
    weights: bytes


@dataclass(frozen=True)
class CostResult:
    """A measured cost, as JSON."""

    cost: dict[str, Any]


Outcome = CellResult | CostResult


@dataclass(frozen=True)
class Started:
    """A job has begun; ``where`` names the worker, and is empty on this machine."""

    job: Job
    where: str = ""


@dataclass(frozen=True)
class Lost:
    """A job's worker has died, hangs or was cut off: the job is to begin anew elsewhere.

    A further :class:`Started` or its last event follows.

    Args:
        job: Which.
        where: Name of the worker.
        reason: What became of it, in a few words.
    """

    job: Job
    where: str
    reason: str


@dataclass(frozen=True)
class Progress:
    """A cell has ended an epoch: its number, of how many, and the validation score (or None).

    ``line`` is the whole of the learning curve's line, where there is one.
    """

    job: Job
    epoch: int
    epochs: int
    score: float | None
    line: Epoch | None = None


@dataclass(frozen=True)
class Finished:
    """A job has ended well."""

    job: Job
    outcome: Outcome


@dataclass(frozen=True)
class Failed:
    """A job has ended badly; the others go on.

    Args:
        job: Which.
        reason: One sentence.
        detail: The traceback, for ``--debug`` and the stored failure.
    """

    job: Job
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Remark:
    """Something that the user should know of a job that goes on all the same: one sentence."""

    job: Job
    text: str


@dataclass(frozen=True)
class Waiting:
    """Another run on the same results folder has the cell or cost in work."""

    job: Job


@dataclass(frozen=True)
class Taken:
    """Another run on the same results folder has finished the cell or cost meanwhile."""

    job: Job


Event = Started | Progress | Remark | Lost | Finished | Failed | Waiting | Taken

ENDS = (Finished, Failed, Taken)
"""The last event of a job is one of these."""


class Executor(Protocol):
    """Where jobs run. Everything else of a run is the same wherever that is."""

    def run(self, jobs: Iterable[Job], folds: FoldFiles | None = None) -> Generator[Event | None]:
        """Do the jobs, in this order, and tell what happens.

        A job is only asked for when there is a place for it. Closing the iterator stops what is
        running.

        None means that nothing is known just now, and that it will wait half a second at most. Of
        an executor that says so results are stored while it works on; of others, before they are
        asked for more.

        Args:
            jobs: To be done.
            folds: Where cells of one fold share what is prepared; None: each prepares its own.
        """
        ...
