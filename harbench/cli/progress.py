"""What a run shows while it runs: bars with time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from harbench.execute.jobs import (
    ENDS,
    CellJob,
    CellResult,
    Event,
    Failed,
    Finished,
    Job,
    Remark,
    Started,
    Waiting,
)
from harbench.execute.jobs import Progress as EpochEnd


def job_title(job: Job) -> str:
    """ "quickstart resnet-like, seed 0" or "cost of resnet-like, 6 x 50"."""
    if isinstance(job, CellJob):
        cell = job.cell
        fold = "" if cell.fold == "all" else f", fold {cell.fold}"
        return f"{cell.benchmark} {cell.row}{fold}, seed {cell.seed}"
    return f"cost of {job.model}, {job.n_channels} x {job.n_times}"


class RunProgress:
    """Shows the events of a run.

    Args:
        console: Where; bars only if it is a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: dict[str, TaskID] = {}
        self._progress: Progress | None = None
        if console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[count]}"),
                TextColumn("{task.fields[score]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=console,
                transient=True,
                refresh_per_second=8,
            )

    def __enter__(self) -> RunProgress:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress:
            self._progress.stop()

    def follow_costs(self, events: Generator[Event], total: int) -> list[Failed]:
        """Show the measuring of costs; the failures among them."""
        return self._follow(events, "costs", total, {})

    def follow_cells(self, events: Generator[Event], efforts: Mapping[str, float]) -> list[Failed]:
        """Show the training of cells; the failures among them.

        Args:
            events: As they come.
            efforts: Key of each cell -> how much work it is, for the time left.
        """
        return self._follow(events, "cells", len(efforts), efforts)

    def _follow(
        self,
        events: Generator[Event],
        what: str,
        number: int,
        efforts: Mapping[str, float],
    ) -> list[Failed]:
        failures: list[Failed] = []
        if number == 0:
            return failures
        total = None
        if self._progress:
            total = self._progress.add_task(
                what, total=sum(efforts.values()) or number, count=f"0/{number}", score=""
            )
        done = 0
        worked: dict[str, float] = {}
        try:
            for event in events:
                key = event.job.key
                effort = efforts.get(key, 1.0)
                if isinstance(event, Failed):
                    failures.append(event)
                if isinstance(event, EpochEnd):
                    worked[key] = effort * event.epoch / event.epochs
                elif isinstance(event, ENDS):
                    # What early stopping saved counts as done.
                    worked[key] = effort
                    done += 1
                self._show(event)
                if self._progress and total is not None:
                    self._progress.update(
                        total, completed=sum(worked.values()), count=f"{done}/{number}"
                    )
        finally:
            # Whatever ends us (Ctrl-C) also ends the processes behind the events.
            events.close()
        if self._progress and total is not None:
            self._progress.remove_task(total)
        return failures

    def _show(self, event: Event) -> None:
        key, title = event.job.key, job_title(event.job)
        if isinstance(event, Started | EpochEnd):
            if self._progress:
                self._show_bar(key, title, event)
            return
        self._console.print(_said(title, event), soft_wrap=True)
        if not isinstance(event, ENDS):
            return
        if self._progress and key in self._bars:
            self._progress.remove_task(self._bars.pop(key))

    def _show_bar(self, key: str, title: str, event: Started | EpochEnd) -> None:
        assert self._progress is not None
        if isinstance(event, Started):
            self._bars[key] = self._progress.add_task(f"  {title}", total=None, count="", score="")
            return
        score = "" if event.score is None else f"{100 * event.score:.1f}"
        self._progress.update(
            self._bars[key],
            completed=event.epoch,
            total=event.epochs,
            count=f"{event.epoch}/{event.epochs}",
            score=score,
        )


def _said(title: str, event: Event) -> str:
    if isinstance(event, Failed):
        return f"{title}: failed: {event.reason}"
    if isinstance(event, Remark):
        return f"{title}: {event.text}"
    if isinstance(event, Waiting):
        return f"{title}: another run has it in work; waiting for it"
    if not isinstance(event, Finished):
        done = "trained" if isinstance(event.job, CellJob) else "measured"
        return f"{title}: {done} by another run"
    outcome = event.outcome
    if isinstance(outcome, CellResult):
        nf = 100 * outcome.record["scores"]["nf"]
        seconds = outcome.measured["seconds"]["train_and_predict"]
        if outcome.record["cell"]["recipe"] is None:
            return f"{title}: NF {nf:.1f}, fitted in {outcome.measured['seconds']['fit']:.1f} s"
        epochs = len(outcome.record["curve"])
        return f"{title}: NF {nf:.1f} after {epochs} epochs, {seconds:.1f} s"
    return f"{title}: {outcome.cost['parameters']:,} parameters, {outcome.cost['macs'] or 0:,} MACs"
