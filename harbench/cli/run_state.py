"""How far a run is: the state of every cell of the plan, counted as events come, and time left.

Rows keep counts, so that a frame of a plan of 100,000 cells looks at its rows and not at them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harbench.execute.jobs import (
    CellJob,
    CellResult,
    Event,
    Failed,
    Finished,
    Lost,
    Progress,
    Started,
    Taken,
    Waiting,
)

if TYPE_CHECKING:
    from harbench.plan import PlannedBenchmark

ENDED = ("done", "cached", "failed")


@dataclass
class CellState:
    """One cell.

    Args:
        label: "fold s1, seed 0".
        owned: False where it stands for a cell that an earlier row counts already.
        effort: How much work it is, beside others.
        status: "queued", "running", "waiting" (another run has it), "done", "cached", "failed".
        epoch, epochs, score: Of the last epoch; the score is that of the validation, 0 .. 1.
        began, told: On the clock: when it was started, when its last epoch ended.
        said: What came of it.
        nf: Of the test windows, 0 .. 1.
        where: The worker that has it, on a cluster.
    """

    label: str
    owned: bool = True
    effort: float = 1.0
    status: str = "queued"
    epoch: int = 0
    epochs: int = 0
    score: float | None = None
    began: float = 0.0
    told: float = 0.0
    said: str = ""
    nf: float | None = None
    where: str = ""

    @property
    def share(self) -> float:
        """How much of it is done."""
        return self.epoch / self.epochs if self.epochs else 0.0

    @property
    def foreseen(self) -> float | None:
        """Seconds that it will take in all, from its own epochs; None before the first."""
        if not self.epoch:
            return None
        return (self.told - self.began) * self.epochs / self.epoch


@dataclass
class RowState:
    """A row of a benchmark: one model.

    Args:
        name: Of the row.
        cells: By key, in order.
        counts: Status -> cells.
        running: Keys of the cells that are in work.
        measuring: Whether its cost is being measured.
        network: Whether its cells are trained in epochs; else they are fitted.
        seconds: That each of its cells took which this run trained.
        efforts: Of these.
        nfs: Of these.
        queued_effort: Of its own queued cells, all together.
        queued_cells: How many these are.
    """

    name: str
    network: bool = True
    cells: dict[str, CellState] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    running: dict[str, CellState] = field(default_factory=dict)
    measuring: bool = False
    seconds: list[float] = field(default_factory=list)
    efforts: list[float] = field(default_factory=list)
    nfs: list[float] = field(default_factory=list)
    queued_effort: float = 0.0
    queued_cells: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left to do."""
        return sum(self.counts[status] for status in ENDED) == len(self.cells)

    @property
    def untouched(self) -> bool:
        """Whether all of it is queued."""
        return self.counts["queued"] == len(self.cells) and not self.measuring

    def add(self, key: str, cell: CellState) -> None:
        """One more cell, queued."""
        self.cells[key] = cell
        self.counts["queued"] += 1
        self._queue(cell, 1)

    def weigh(self, key: str, effort: float) -> None:
        """So much work is one of its cells."""
        cell = self.cells[key]
        self._queue(cell, -1)
        cell.effort = effort
        self._queue(cell, 1)

    def _queue(self, cell: CellState, sign: int) -> None:
        if cell.owned and cell.status == "queued":
            self.queued_effort += sign * cell.effort
            self.queued_cells += sign

    def set(self, key: str, status: str) -> CellState:
        """A cell has another status."""
        cell = self.cells[key]
        self._queue(cell, -1)
        self.counts[cell.status] -= 1
        self.counts[status] += 1
        cell.status = status
        self._queue(cell, 1)
        if status == "running":
            self.running[key] = cell
        else:
            self.running.pop(key, None)
        return cell


@dataclass
class BenchmarkState:
    """A benchmark: its name, what it is about, its rows by name."""

    name: str
    about: str
    rows: dict[str, RowState] = field(default_factory=dict)


class RunState:
    """All of a run.

    Args:
        planned: What is asked for.
        cached: Keys of the cells that are there already.
        to_do: Keys of those that are to be trained.
        places: Cells that are trained side by side; on a cluster as many as there were at once.
    """

    def __init__(
        self,
        planned: Sequence[PlannedBenchmark] = (),
        cached: Iterable[str] = (),
        to_do: Iterable[str] = (),
        places: int = 1,
    ) -> None:
        self.benchmarks: dict[str, BenchmarkState] = {}
        self.places = max(places, 1)
        self.workers: Counter[str] = Counter()
        self.failed = 0
        self.cells_total = 0
        self.cells_ended = 0
        self.costs_total = 0
        self.costs_ended = 0
        self._rows: dict[str, list[RowState]] = {}
        self._of_cost: dict[str, list[RowState]] = {}
        self._efforts: Mapping[str, float] = {}
        self._ended_effort = 0.0
        self._total_effort = 0.0
        done, wanted = frozenset(cached), frozenset(to_do)
        for benchmark in planned:
            name = benchmark.settings.name
            about = f"{benchmark.dataset.name}, split {benchmark.split}"
            found = self.benchmarks.setdefault(name, BenchmarkState(name, about))
            for row in benchmark.rows:
                network = row.model.kind == "network"
                state = found.rows.setdefault(row.name, RowState(row.name, network))
                self._of_cost.setdefault(row.cost_key, []).append(state)
                for cell in row.cells:
                    if cell.key in done or cell.key in wanted:
                        self._add(state, cell.key, cell.fold, cell.seed)
                        if cell.key in done:
                            state.set(cell.key, "cached")

    def expect_costs(self, total: int) -> None:
        """So many costs are to be measured."""
        self.costs_total, self.costs_ended = total, 0

    def expect_cells(self, efforts: Mapping[str, float]) -> None:
        """These cells are to be trained, with so much effort."""
        self.cells_total, self.cells_ended = len(efforts), 0
        self._total_effort = sum(efforts.values())
        self._efforts = efforts
        for key, effort in efforts.items():
            for row in self._rows.get(key, ()):
                row.weigh(key, effort)

    def apply(self, event: Event, now: float) -> None:
        """An event has come, at this time of the clock."""
        if isinstance(event.job, CellJob):
            self._apply_cell(event, event.job, now)
        else:
            self._apply_cost(event)

    def _apply_cost(self, event: Event) -> None:
        for row in self._of_cost.get(event.job.key, ()):
            row.measuring = isinstance(event, Started)
        if isinstance(event, Finished | Failed | Taken):
            self.costs_ended += 1
            self.failed += isinstance(event, Failed)

    def _apply_cell(self, event: Event, job: CellJob, now: float) -> None:
        rows = self._known(job)
        key = job.key
        cell = rows[0].cells[key]
        if isinstance(event, Progress):
            for row in rows:
                # A cell of two tables is two states, with one course.
                state = row.cells[key]
                state.epoch, state.epochs, state.score = event.epoch, event.epochs, event.score
                state.told = now
            return
        status = _STATUS.get(type(event))
        if status is None:
            return
        seconds = now - cell.began if cell.status == "running" else None
        self._move(cell, event.where if isinstance(event, Started) else "")
        for row in rows:
            state = row.set(key, status)
            if status == "running":
                # For the second time where its first worker was lost.
                state.began = state.told = now
                state.epoch, state.score, state.where = 0, None, cell.where
            if isinstance(event, Failed):
                state.said = event.reason
            elif isinstance(event, Finished) and isinstance(event.outcome, CellResult):
                state.nf = float(event.outcome.record["scores"]["nf"])
                state.said = _course(event.outcome)
                row.nfs.append(state.nf)
                if seconds is not None:
                    row.seconds.append(seconds)
                    row.efforts.append(state.effort)
            elif isinstance(event, Taken):
                state.said = "by another run"
        if status in ENDED:
            self.cells_ended += 1
            self.failed += status == "failed"
            self._ended_effort += cell.effort

    def _move(self, cell: CellState, where: str) -> None:
        """A cell is at another worker, or at none."""
        if cell.where:
            self.workers[cell.where] -= 1
            self.workers += Counter()  # without those that have none
        if where:
            self.workers[where] += 1
            self.places = max(self.places, self.workers.total())
        cell.where = where

    def _known(self, job: CellJob) -> list[RowState]:
        """The rows of a cell; one that no plan named gets its place."""
        if job.key not in self._rows:
            cell = job.cell
            found = self.benchmarks.setdefault(cell.benchmark, BenchmarkState(cell.benchmark, ""))
            row = found.rows.setdefault(cell.row, RowState(cell.row))
            self._add(row, job.key, cell.fold, cell.seed)
        return self._rows[job.key]

    def _add(self, row: RowState, key: str, fold: str, seed: int) -> None:
        label = f"seed {seed}" if fold == "all" else f"fold {fold}, seed {seed}"
        if key not in row.cells:
            effort = self._efforts.get(key, 1.0)
            row.add(key, CellState(label, key not in self._rows, effort))
            self._rows.setdefault(key, []).append(row)

    @property
    def share(self) -> float:
        """How much of the work is done, 0 .. 1, by effort; what early stopping saves is done."""
        if not self.cells_total:
            return self.costs_ended / self.costs_total if self.costs_total else 0.0
        running = [cell for row in self.rows() for cell in row.running.values() if cell.owned]
        worked = self._ended_effort + sum(cell.effort * cell.share for cell in running)
        total = self._total_effort
        return min(worked / total, 1.0) if total > 0 else self.cells_ended / self.cells_total

    def rows(self) -> Iterable[RowState]:
        """Of all benchmarks."""
        return (row for found in self.benchmarks.values() for row in found.rows.values())


def _course(outcome: CellResult) -> str:
    seconds = outcome.measured["seconds"]
    if outcome.record["cell"]["recipe"] is None:
        return f"fitted in {seconds['fit']:.1f} s"
    epochs = len(outcome.record["curve"])
    return f"after {epochs} epoch{'s' * (epochs != 1)}, {seconds['train_and_predict']:.1f} s"


_STATUS: dict[type, str] = {
    Started: "running",
    Lost: "queued",
    Waiting: "waiting",
    Finished: "done",
    Taken: "done",
    Failed: "failed",
}

__all__ = ["ENDED", "BenchmarkState", "CellState", "RowState", "RunState"]
