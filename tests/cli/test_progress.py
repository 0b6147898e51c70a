"""What a run shows: bars in a terminal, plain lines elsewhere, and time left by the work left."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from harbench.cli.progress import RunProgress, job_title
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    CostJob,
    CostResult,
    Failed,
    Finished,
    Started,
)
from harbench.execute.jobs import Progress as EpochEnd


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


def console(terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=90, highlight=False)


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


def test_titles():
    assert job_title(cell("small")) == "toy small, seed 0"
    assert job_title(cell("small", 2, "s1")) == "toy small, fold s1, seed 2"
    assert job_title(COST) == "cost of small, 3 x 20"


def test_plain_lines_where_there_is_no_terminal():
    to, closed = console(False), []
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


def iter_of(*events):
    yield from events


def test_bars_in_a_terminal_count_work_and_not_jobs():
    to = console(True)
    progress = RunProgress(to)
    seen, scores = [], []

    def watched():
        for event in events([]):
            yield event
            bars = {t.description.strip(): t for t in progress._progress.tasks}
            seen.append((bars["cells"].completed, bars["cells"].fields["count"], sorted(bars)))
            if "toy long, seed 0" in bars:
                scores.append(bars["toy long, seed 0"].fields["score"])

    with progress:
        progress.follow_cells(watched(), {"long0all": 3.0, "short1s2": 1.0})
        assert progress._progress.tasks == []
    # A quarter of the long cell, then the short one, then the failed one counts as done.
    assert [(done, count) for done, count, _ in seen] == [
        (0, "0/2"),
        (0, "0/2"),
        (0.75, "0/2"),
        (1.75, "1/2"),
        (4.0, "2/2"),
    ]
    assert seen[2][2] == ["cells", "toy long, seed 0", "toy short, fold s2, seed 1"]
    assert seen[-1][2] == ["cells"]
    assert scores == ["", "", "62.5", "62.5"]


def test_nothing_to_do_shows_nothing():
    to = console(False)
    with RunProgress(to) as progress:
        assert progress.follow_cells(iter_of(), {}) == []
    assert to.file.getvalue() == ""


def test_an_interrupt_closes_the_events():
    closed = []

    def interrupted():
        try:
            yield Started(cell("a"))
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with RunProgress(console(False)) as progress, pytest.raises(KeyboardInterrupt):
        progress.follow_cells(interrupted(), {"a0all": 1.0})
    assert closed == [True]
