"""The plan that --dry-run prints, line by line."""

import io

import pytest
from rich.console import Console

from harbench.cli.plan_tree import print_plan
from harbench.execute.run import work_of
from harbench.plan import plan

YAML = """
    benchmarks:
      toy:
        title: Toys
        dataset: toy
        path: files
        protocol: {split: fixed, window: 20, step: 10}
        models: [small, {other: {model: small}}]
        seeds: 2
        analyses: [per-class]
"""


@pytest.fixture
def printed(workplace):
    planned = [plan(workplace.benchmarks(YAML)[0], workplace.registry)]
    work = work_of(planned, workplace.store)
    workplace.store.write_failure(
        planned[0].rows[0].cells[1].key, {"reason": "its [bold] is no markup", "detail": ""}
    )

    def at(width: int) -> list[str]:
        console = Console(file=io.StringIO(), width=width, color_system=None)
        print_plan(console, planned, work, workplace.store)
        return console.file.getvalue().splitlines()

    return at


def test_every_cell_has_a_line_and_what_failed_says_why(printed):
    folds = (
        "fold all: 236 train, 118 validation, 118 test windows, none across the end of a "
        "recording (as one stream, as some papers cut: 239 train, 119 validation, 119 test)"
    )
    assert printed(200) == [
        "toy: toy, split fixed",
        "├── small: window 20, step 10; 0 of 2 cells cached",
        f"│   ├── {folds}",
        "│   ├── fold all, seed 0: to train",
        "│   └── fold all, seed 1: to train again; failed: its [bold] is no markup",
        "├── other: window 20, step 10; 0 of 2 cells cached",
        f"│   ├── {folds}",
        "│   ├── fold all, seed 0: to train",
        "│   └── fold all, seed 1: to train again; failed: its [bold] is no markup",
        "└── then analysis per-class",
        "2 cells to train, 0 cached; 1 costs to measure",
    ]


def test_long_lines_are_broken_behind_their_guides(printed):
    lines = printed(60)
    assert max(map(len, lines)) <= 60
    assert lines[2:6] == [
        "│   ├── fold all: 236 train, 118 validation, 118 test",
        "│   │   windows, none across the end of a recording (as one",
        "│   │   stream, as some papers cut: 239 train, 119",
        "│   │   validation, 119 test)",
    ]
