"""Telling observers what happens in a run: they hear everything and change nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from harbench.execute.jobs import CellJob, CellResult, Event, Failed, Finished, Progress
from harbench.execute.run import Work
from harbench.nouns import CellEnd, CellFacts, EpochEnd, RunEnd
from harbench.plan import Cell
from harbench.plugins import Observer, reason_of
from harbench.results import Store


class Observers:
    """The observers of one run.

    Args:
        observers: Of the loaded plugins, in their order.
        store: Where cells are kept.
        warn: Told in one sentence, once for each observer that breaks; it hears no more then.
    """

    def __init__(
        self, observers: Sequence[Observer], store: Store, warn: Callable[[str], None]
    ) -> None:
        self._listening = list(observers)
        self._store = store
        self._warn = warn
        self._trained = 0
        self._failed = 0

    def watched(self, events: Generator[Event]) -> Generator[Event]:
        """The same events; each is told before it is passed on, when the store has it already."""
        with closing(events):
            for event in events:
                self._tell(event)
                yield event

    def end(self, work: Work, *, stopped: bool = False) -> None:
        """Tell that the run is over; nothing, where no cell was asked for."""
        if work.cells or work.cached:
            folder, cached = self._store.folder, len(work.cached)
            run = RunEnd(folder, self._trained, cached, self._failed, stopped)
            self._call("after_run", run=run)

    def _tell(self, event: Event) -> None:
        job = event.job
        if not isinstance(job, CellJob):
            return
        if isinstance(event, Progress) and (line := event.line) is not None:
            epoch = EpochEnd(
                facts_of(job.cell),
                line.number,
                event.epochs,
                line.learning_rate,
                line.train_loss,
                dict(line.validation),
            )
            self._call("after_epoch", epoch=epoch)
        elif isinstance(event, Failed):
            self._failed += 1
            self._call("after_cell", cell=CellEnd(facts_of(job.cell), failure=event.reason))
        elif isinstance(event, Finished) and isinstance(event.outcome, CellResult):
            self._trained += 1
            result = event.outcome
            cell = CellEnd(
                facts_of(job.cell),
                dict(result.record["scores"]),
                float(result.measured["seconds"]["train_and_predict"]),
                self._store.cell_folder(job.key),
            )
            self._call("after_cell", cell=cell)

    def _call(self, hook: str, **told: object) -> None:
        for observer in tuple(self._listening):
            if hook not in observer.hooks:
                continue
            try:
                # What an observer prints must not end up in a table or in JSON.
                with contextlib.redirect_stdout(sys.stderr):
                    observer.hooks[hook](**told)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the run goes on
                self._listening.remove(observer)
                self._warn(
                    f"warning: plugin {observer.origin} fails in {hook} and hears no more of "
                    f"this run: {reason_of(error)}"
                )


def facts_of(cell: Cell) -> CellFacts:
    """What observers are told of a cell."""
    return CellFacts(
        key=cell.key,
        benchmark=cell.benchmark,
        row=cell.row,
        dataset=cell.dataset,
        fold=cell.fold,
        seed=cell.seed,
        model=cell.model,
        options=dict(cell.options),
        recipe=None if cell.recipe is None else cell.recipe.model_dump(mode="json"),
    )
