"""What a run shows: a tree in a terminal, at most ten frames a second, plain lines elsewhere."""

import io
from types import SimpleNamespace

import pytest

from harbench.cli.console import PlainConsole
from harbench.cli.progress import RunProgress, job_title
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    CostJob,
    CostResult,
    Failed,
    Finished,
    Lost,
    Remark,
    Started,
)
from harbench.execute.jobs import Progress as EpochEnd
from toys.screen import Screen
from toys.waiting import until


def cell(row, seed=0, fold="all"):
    return CellJob(
        SimpleNamespace(key=f"{row}{seed}{fold}", benchmark="toy", row=row, seed=seed, fold=fold)
    )


COST = CostJob("c", "small", {}, 3, 20, 3)
ENDED = CellResult(
    {"cell": {"recipe": {}}, "scores": {"nf": 0.5}, "curve": [{}, {}]},
    {"seconds": {"train_and_predict": 1.25}},
    None,
    b"",
)


class Terminal(io.StringIO):
    """Counts what is written at once."""

    def __init__(self):
        super().__init__()
        self.frames = []

    def isatty(self):
        return True

    def write(self, text):
        self.frames.append(text)
        return super().write(text)


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def make(columns=80, lines=24):
        return PlainConsole(
            file=Terminal(), width=columns, height=lines, force_terminal=True, markup=False,
            highlight=False, emoji=False,
        )  # fmt: skip

    return make


def piped():
    return PlainConsole(file=io.StringIO(), width=200, markup=False, highlight=False, emoji=False)


def events(closed):
    long, short = cell("long"), cell("short", 1, "s2")
    try:
        yield Started(long)
        yield Started(short)
        yield EpochEnd(long, 1, 4, 0.625)
        yield Finished(short, ENDED)
        yield Failed(long, "the loss is nan")
    finally:
        closed.append(True)


def iter_of(*events):
    yield from events


def test_titles():
    assert job_title(cell("small")) == "toy small, seed 0"
    assert job_title(cell("small", 2, "s1")) == "toy small, fold s1, seed 2"
    assert job_title(COST) == "cost of small, 3 x 20"


def test_a_lost_worker_is_told_of_in_a_line():
    to = piped()
    with RunProgress(to) as progress:
        lost = Lost(cell("long"), "w1", "died or left")
        progress.follow_cells(iter_of(Started(cell("long"), "w1"), lost), {"long0all": 1.0})
    assert to.file.getvalue().splitlines() == [
        "toy long, seed 0: worker w1 died or left; it begins anew elsewhere"
    ]


def test_plain_lines_where_there_is_no_terminal():
    to, closed = piped(), []
    with RunProgress(to) as progress:
        cost = Finished(COST, CostResult({"parameters": 1234, "macs": 5678}))
        assert progress.follow_costs(iter_of(Started(COST), cost), 1) == []
        failed = progress.follow_cells(events(closed), {"long0all": 3.0, "short1s2": 1.0})
    assert [f.reason for f in failed] == ["the loss is nan"]
    assert closed == [True]
    assert to.file.getvalue().splitlines() == [
        "cost of small, 3 x 20: 1,234 parameters, 5,678 MACs",
        "toy short, fold s2, seed 1: NF 50.0 after 2 epochs, 1.2 s",
        "toy long, seed 0: failed: the loss is nan",
    ]


def test_a_pipe_gets_no_moving_cursor_though_colours_are_forced(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    to = piped()
    with RunProgress(to) as progress:
        progress.follow_cells(events([]), {"long0all": 3.0, "short1s2": 1.0})
    assert "\x1b" not in to.file.getvalue()
    assert len(to.file.getvalue().splitlines()) == 2


def test_a_dumb_terminal_gets_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    to = terminal()
    with RunProgress(to) as progress:
        progress.follow_cells(events([]), {"long0all": 3.0, "short1s2": 1.0})
    assert "\x1b[1A" not in to.file.getvalue()
    assert "toy short, fold s2, seed 1: NF 50.0" in to.file.getvalue()


def test_quiet_says_what_failed_and_nothing_else(terminal):
    for to in (piped(), terminal()):
        with RunProgress(to, quiet=True) as progress:
            remark = Remark(cell("long"), "no file locks")
            progress.follow_cells(iter_of(remark, *events([])), {"long0all": 1.0, "short1s2": 1.0})
            progress.say("an observer fails")
        assert to.file.getvalue() == "toy long, seed 0: failed: the loss is nan\n"


class Clock:
    """Goes on by so many seconds each time that it is looked at."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def followed(to, clock, *, seen=None):
    screen = Screen(to.width, to.height)
    fed = 0

    def watched():
        nonlocal fed
        for event in events([]):
            yield event
            screen.feed("".join(to.file.frames[fed:]))
            fed = len(to.file.frames)
            if seen is not None:
                seen.append([line for line in screen.shown if line])

    with RunProgress(to, clock=clock, ticking=False) as progress:
        progress.follow_cells(watched(), {"long0all": 3.0, "short1s2": 1.0})
    screen.feed("".join(to.file.frames[fed:]))
    return screen


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_the_tree_and_keeps_what_matters(terminal, columns):
    seen = []
    screen = followed(terminal(columns), Clock(1.0), seen=seen)
    bar = "░" * 24
    assert seen[1][:-1] == [
        "toy",
        "├── long, seed 0: running",
        "└── short, fold s2, seed 1: running",
    ]
    assert seen[1][-1].startswith(f"{bar} 0 of 2 cells, ")
    assert seen[1][-1].endswith("time left unknown")
    assert seen[2][1] == "├── long, seed 0: running ██░░░░░░ epoch 1 of 4, validation 62.5"
    # A quarter of the long one, which is three quarters of the work.
    assert seen[2][-1].startswith("█" * round(24 * 0.75 / 4) + "░")
    assert seen[3][2] == "└── short, fold s2, seed 1: done, NF 50.0 after 2 epochs, 1.2 s"
    assert seen[3][-1].startswith("█" * round(24 * 1.75 / 4) + "░")
    # The tree is gone; what failed stays, and a line that sums up.
    left = [line for line in screen.shown if line]
    assert left[0] == "toy long, seed 0: failed: the loss is nan"
    assert left[1].startswith("2 of 2 cells ended, 1 failed, ")
    assert len(left) == 2
    assert screen.strange == []
    assert screen.cursor_shown


def test_ten_frames_a_second_are_the_most(terminal):
    to, clock = terminal(), Clock(0.001)
    many = [EpochEnd(cell("long"), n, 5000, n / 5000) for n in range(1, 5001)]
    failures = [Failed(cell("bad", n), "no") for n in range(500)]
    with RunProgress(to, clock=clock, ticking=False) as progress:
        progress.follow_cells(iter_of(Started(cell("long")), *many, *failures), {"long0all": 1.0})
    frames = [text for text in to.file.frames if "epoch" in text]
    assert 20 < len(frames) <= 10 * clock.now + 1
    # Five hundred lines that stay are no five hundred frames either.
    assert len([text for text in to.file.frames if "bad" in text]) <= 10 * clock.now + 2
    assert sum(text.count(": failed: no") for text in to.file.frames) == 500


def test_nothing_is_drawn_again_where_nothing_changes(terminal):
    to = terminal()
    clock = SimpleNamespace(now=0.0)
    progress = RunProgress(to, clock=lambda: clock.now, ticking=False)

    def waiting():
        yield Started(cell("long"))
        for tick in range(1, 101):  # ten seconds, looked at every tenth of one
            clock.now = tick / 10
            progress._screen._draw_if_due()

    with progress:
        progress.follow_cells(waiting(), {"long0all": 1.0})
    # One for the start, one for the event, then the time that has passed, second by second.
    assert len([text for text in to.file.frames if "cells, " in text]) <= 12


def test_time_goes_on_without_events(terminal):
    to, clock = terminal(), SimpleNamespace(now=0.0)

    def seen(text):
        return any(text in frame for frame in list(to.file.frames))

    def slow():
        yield Started(cell("long"))
        clock.now = 1.2
        until(lambda: seen("cells, 1 s"), "a frame, drawn by the passing of time alone")

    with RunProgress(to, clock=lambda: clock.now) as progress:
        progress.follow_cells(slow(), {"long0all": 1.0})


def test_a_small_screen_is_never_scrolled(terminal):
    to, closed = terminal(40, 6), []

    def many():
        for n in range(60):
            yield Started(cell(f"m{n}"))
        closed.append([line for line in screen() if line])

    def screen():
        found = Screen(40, 6)
        found.feed("".join(to.file.frames))
        assert len(found.rows) <= 6
        return found.shown

    with RunProgress(to, clock=Clock(1.0), ticking=False) as progress:
        progress.follow_cells(many(), {f"m{n}0all": 1.0 for n in range(60)})
    [shown] = closed
    assert len(shown) <= 5
    assert shown[0] == "toy m0, seed 0: running"
    assert "more that run" in shown[-2]


def test_nothing_to_do_shows_nothing(terminal):
    for to in (piped(), terminal()):
        with RunProgress(to) as progress:
            assert progress.follow_cells(iter_of(), {}) == []
        assert to.file.getvalue() == ""


@pytest.mark.parametrize("in_terminal", [False, True])
def test_an_interrupt_closes_the_events_and_the_tree(terminal, in_terminal):
    closed = []
    to = terminal() if in_terminal else piped()

    def interrupted():
        try:
            yield Started(cell("a"))
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with RunProgress(to) as progress, pytest.raises(KeyboardInterrupt):
        progress.follow_cells(interrupted(), {"a0all": 1.0})
    assert closed == [True]
    screen = Screen()
    screen.feed(to.file.getvalue())
    assert [line for line in screen.shown if line] == []
    assert screen.cursor_shown


def test_hostile_text_moves_no_cursor(terminal):
    bad = "<script>[bold red]\x1b[2J\x1b]0;title\x07\r\n\u202e\x9b31m" + "x" * 500
    for to in (piped(), terminal()):
        job = cell("small", 0, bad)
        some = iter_of(Started(job), Remark(job, bad), Failed(job, bad))
        with RunProgress(to, clock=Clock(1.0), ticking=False) as progress:
            progress.follow_cells(some, {job.key: 1.0})
            progress.say(bad)
        screen = Screen(to.width, 1000)
        screen.feed(to.file.getvalue())
        assert screen.strange == []
        text = "".join(screen.shown).replace(" ", "")  # lines are broken at blanks
        assert r"<script>[boldred]\x1b[2J\x1b]0;title\x07\u202e\x9b31mxxx" in text
        assert text.count("x" * 400) >= 3
