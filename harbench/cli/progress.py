"""What a run shows while it runs: the plan as a tree in a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harbench.cli.fetch_progress import duration
from harbench.cli.run_state import RunState
from harbench.cli.run_tree import TreeView
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    Event,
    Failed,
    Finished,
    Job,
    Lost,
    Remark,
    Taken,
    Waiting,
)
from harbench.report.plain_text import in_charset, one_line

if TYPE_CHECKING:
    from harbench.plan import PlannedBenchmark

FRAME_S = 0.1
"""Between two frames, at least: ten redraws a second are as many as anybody sees."""

_IDLE_S = 1.0
"""Between two frames where nothing has happened but that time has passed."""


def job_title(job: Job) -> str:
    """ "quickstart resnet-like, seed 0" or "cost of resnet-like, 6 x 50"."""
    if isinstance(job, CellJob):
        cell = job.cell
        fold = "" if cell.fold == "all" else f", fold {cell.fold}"
        return one_line(f"{cell.benchmark} {cell.row}{fold}, seed {cell.seed}")
    return one_line(f"cost of {job.model}, {job.n_channels} x {job.n_times}")


class RunProgress:
    """Shows the events of a run.

    In a terminal a tree of all cells is drawn anew, at most ten times a second, and what must not
    be lost (failures, remarks) is printed above it. Elsewhere each cell that ends is a line.

    Args:
        console: Where.
        planned: What is asked for; without it the tree grows as events come.
        cached: Keys of the cells that are there already.
        to_do: Keys of those that are to be trained.
        places: Cells that are trained side by side.
        quiet: Show failures and nothing else.
        clock: Seconds; tests pass their own.
        ticking: Whether time alone makes new frames, from a thread.
    """

    def __init__(
        self,
        console: Console,
        planned: Sequence[PlannedBenchmark] = (),
        cached: Iterable[str] = (),
        to_do: Iterable[str] = (),
        *,
        places: int = 1,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
        ticking: bool = True,
    ) -> None:
        self._console = console
        self._quiet = quiet
        self._clock = clock
        self._screen: _Screen | None = None
        # FORCE_COLOR makes rich take a pipe for a terminal: colours, yes, but no moving cursor.
        if console.is_interactive and console.is_terminal and console.file.isatty() and not quiet:
            state = RunState(planned, cached, to_do, places)
            self._screen = _Screen(console, state, clock, ticking)

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._screen:
            self._screen.stop()

    def say(self, text: str) -> None:
        """Print a line that stays, above the tree; nothing if the run is quiet."""
        if not self._quiet:
            self._print(text)

    def follow_costs(self, events: Generator[Event], total: int) -> list[Failed]:
        """Show the measuring of costs; the failures among them."""
        if self._screen:
            with self._screen.changing() as state:
                state.expect_costs(total)
        return self._follow(events, total)

    def follow_cells(self, events: Generator[Event], efforts: Mapping[str, float]) -> list[Failed]:
        """Show the training of cells; the failures among them.

        Args:
            events: As they come.
            efforts: Key of each cell -> how much work it is, for the time left.
        """
        if self._screen:
            with self._screen.changing() as state:
                state.expect_cells(efforts)
        return self._follow(events, len(efforts))

    def _follow(self, events: Generator[Event], number: int) -> list[Failed]:
        failures: list[Failed] = []
        if number == 0:
            return failures
        if self._screen:
            self._screen.start()
        try:
            for event in events:
                if isinstance(event, Failed):
                    failures.append(event)
                self._show(event)
        finally:
            # Whatever ends us (Ctrl-C) also ends the processes behind the events.
            events.close()
        return failures

    def _show(self, event: Event) -> None:
        title = job_title(event.job)
        # What the tree does not keep is printed above it.
        shown = (Remark, Lost) if self._screen else (Remark, Lost, Finished, Taken, Waiting)
        if isinstance(event, Failed):
            self._print(_said(title, event))
        elif isinstance(event, shown):
            self.say(_said(title, event))
        if self._screen:
            with self._screen.changing() as state:
                state.apply(event, self._clock())

    def _print(self, text: str) -> None:
        text = in_charset(one_line(text), ascii_only=self._console.options.ascii_only)
        if self._screen:
            self._screen.print(text)
        else:
            self._console.print(text, soft_wrap=True)


class _Screen:
    """The tree in a terminal. Its frames are bounded, whatever comes: it draws when one is due."""

    def __init__(
        self, console: Console, state: RunState, clock: Callable[[], float], ticking: bool
    ) -> None:
        self._console = console
        self._state = state
        self._clock = clock
        self._view = TreeView(state, clock())
        self._began = clock()
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._lock = threading.RLock()
        self._lines: list[str] = []
        self._changed = True
        self._drawn = float("-inf")
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True) if ticking else None

    def start(self) -> None:
        if self._live.is_started:
            return
        self._live.start()
        self._draw_if_due()
        if self._ticker:
            self._ticker.start()

    def stop(self) -> None:
        """The tree goes; what was said and a line that sums up stay."""
        self._ended.set()
        if not self._live.is_started:
            return
        if self._ticker and self._ticker.is_alive():
            self._ticker.join()
        with self._lock:
            self._live.update(Text(""))
            self._live.stop()
            self._print_lines()
            if summary := self._summary():
                self._console.print(summary)

    def print(self, text: str) -> None:
        """A line for above the tree."""
        with self._lock:
            self._lines.append(text)
            self._changed = True
            if not self._live.is_started:
                self._print_lines()

    def changing(self) -> _Changing:
        """The state, to be changed; afterwards a frame is drawn if one is due."""
        return _Changing(self._lock, self._state, self._note_change)

    def _note_change(self) -> None:
        self._changed = True
        self._draw_if_due()

    def _tick(self) -> None:
        while not self._ended.wait(FRAME_S):
            with self._lock:
                self._draw_if_due()

    def _draw_if_due(self) -> None:
        now = self._clock()
        since = now - self._drawn
        if not self._live.is_started or since < (FRAME_S if self._changed else _IDLE_S):
            return
        self._drawn, self._changed = now, False
        width, height = self._console.size
        plain = self._console.options.ascii_only
        # A line is left free: a frame as high as the screen would scroll it.
        lines = self._view.lines(width - 1, height - 1, now, ascii_only=plain)
        with self._console:  # one write
            self._print_lines()
            self._live.update(Group(*lines), refresh=True)

    def _print_lines(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._console.print(Text("\n".join(lines)))

    def _summary(self) -> str:
        state = self._state
        if not state.cells_ended:
            return ""
        failed = f", {state.failed} failed" if state.failed else ""
        seconds = duration(self._clock() - self._began)
        return f"{state.cells_ended} of {state.cells_total} cells ended{failed}, {seconds}"


class _Changing:
    """Holds the lock of a screen while its state is changed."""

    def __init__(self, lock: threading.RLock, state: RunState, then: Callable[[], None]) -> None:
        self._lock, self._state, self._then = lock, state, then

    def __enter__(self) -> RunState:
        self._lock.acquire()
        return self._state

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._then()
        finally:
            self._lock.release()


def _said(title: str, event: Event) -> str:
    if isinstance(event, Failed):
        return f"{title}: failed: {event.reason}"
    if isinstance(event, Remark):
        return f"{title}: {event.text}"
    if isinstance(event, Lost):
        return f"{title}: worker {event.where} {event.reason}; it begins anew elsewhere"
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
