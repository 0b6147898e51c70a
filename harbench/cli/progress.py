"""What a run shows while it runs: bars with time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from harbench.execute.jobs import CellJob, CellResult, Event, Failed, Finished, Job, Started
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
        n_jobs: In all.
    """

    def __init__(self, console: Console, n_jobs: int) -> None:
        self._console = console
        self._bars: dict[str, TaskID] = {}
        self._progress: Progress | None = None
        if console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[score]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=console,
                transient=True,
                refresh_per_second=8,
            )
            self._total = self._progress.add_task("all", total=n_jobs, score="")

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

    def follow(self, events: Iterable[Event]) -> list[Failed]:
        """Show events as they come; the failures among them."""
        failures = []
        for event in events:
            if isinstance(event, Failed):
                failures.append(event)
            self._show(event)
        return failures

    def _show(self, event: Event) -> None:
        key, title = event.job.key, job_title(event.job)
        if isinstance(event, Started | EpochEnd):
            if self._progress:
                self._show_bar(key, title, event)
            return
        if isinstance(event, Failed):
            self._console.print(f"{title}: failed: {event.reason}", soft_wrap=True)
        else:
            self._console.print(_done(title, event), markup=False, highlight=False, soft_wrap=True)
        if self._progress:
            self._progress.advance(self._total)
            if key in self._bars:
                self._progress.remove_task(self._bars.pop(key))

    def _show_bar(self, key: str, title: str, event: Started | EpochEnd) -> None:
        assert self._progress is not None
        if isinstance(event, Started):
            self._bars[key] = self._progress.add_task(f"  {title}", total=None, score="")
            return
        score = "" if event.score is None else f"{100 * event.score:.1f}"
        self._progress.update(
            self._bars[key], completed=event.epoch, total=event.epochs, score=score
        )


def _done(title: str, event: Finished) -> str:
    outcome = event.outcome
    if isinstance(outcome, CellResult):
        nf = 100 * outcome.record["scores"]["nf"]
        seconds = outcome.measured["seconds"]["train_and_predict"]
        epochs = len(outcome.record["curve"])
        return f"{title}: NF {nf:.1f} after {epochs} epochs, {seconds:.1f} s"
    return f"{title}: {outcome.cost['parameters']:,} parameters, {outcome.cost['macs'] or 0:,} MACs"
