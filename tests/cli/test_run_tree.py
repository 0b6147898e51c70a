"""The tree of a run: what it says, how it folds to the screen, and how long is left."""

from types import SimpleNamespace

import pytest

from harbench.cli.run_state import RunState
from harbench.cli.run_tree import TreeView
from harbench.cli.time_left import time_left
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    CostJob,
    CostResult,
    Failed,
    Finished,
    Lost,
    Progress,
    Started,
    Taken,
    Waiting,
)


def planned(**benchmarks):
    """``toy={"small": ["all/0", "all/1"]}``: rows and their cells, whose keys are their places."""
    return [
        SimpleNamespace(
            settings=SimpleNamespace(name=name),
            dataset=SimpleNamespace(name="toys"),
            split="fixed",
            rows=[
                SimpleNamespace(
                    name=row,
                    model=SimpleNamespace(kind="estimator" if row == "forest" else "network"),
                    cost_key=f"cost {row}",
                    cells=[
                        SimpleNamespace(
                            key=f"{row} {cell}", fold=cell.split("/")[0], seed=int(cell[-1])
                        )
                        for cell in cells
                    ],
                )
                for row, cells in rows.items()
            ],
        )
        for name, rows in benchmarks.items()
    ]


def keys(plan):
    return [cell.key for b in plan for row in b.rows for cell in row.cells]


def job(key):
    row, place = key.split(" ")
    fold, seed = place.split("/")
    return CellJob(SimpleNamespace(key=key, benchmark="toy", row=row, fold=fold, seed=int(seed)))


def ended(key, nf=0.5, epochs=2):
    record = {"cell": {"recipe": {}}, "scores": {"nf": nf}, "curve": [{}] * epochs}
    return Finished(
        job(key), CellResult(record, {"seconds": {"train_and_predict": 1.25}}, None, b"")
    )


def state_of(plan, *, cached=(), places=1, efforts=None):
    to_do = [key for key in dict.fromkeys(keys(plan)) if key not in cached]
    state = RunState(plan, cached, to_do, places)
    state.expect_cells(efforts or dict.fromkeys(to_do, 1.0))
    return state


def lines(state, width=80, height=24, now=0.0, view=None, **more):
    view = view or TreeView(state)
    return [line.plain for line in view.lines(width, height, now, **more)]


SMALL = {"toy": {"small": ["all/0", "all/1"], "wide": ["s1/0", "s2/0"], "alone": ["all/7"]}}


def test_every_state_is_told_of_a_cell():
    state = state_of(planned(**SMALL), cached=["wide s1/0"])
    state.apply(Started(job("small all/0")), 0.0)
    state.apply(Progress(job("small all/0"), 3, 4, 0.625), 3.0)
    state.apply(Failed(job("small all/1"), "the loss is nan"), 4.0)
    state.apply(Waiting(job("wide s2/0")), 4.0)
    state.apply(Started(job("alone all/7")), 4.0)
    state.apply(ended("alone all/7", 0.815), 5.0)
    assert lines(state, now=5.0)[:-1] == [
        "toy (toys, split fixed)",
        "├── small: 1 running, 1 failed",
        "│   ├── seed 0: running ██████░░ epoch 3 of 4, validation 62.5",
        "│   └── seed 1: failed, the loss is nan",
        "├── wide: 1 cached, 1 waiting",
        "│   ├── fold s1, seed 0: cached",
        "│   └── fold s2, seed 0: waiting for another run that has it in work",
        "└── alone, seed 7: done, NF 81.5 after 2 epochs, 1.2 s",
    ]
    state.apply(Taken(job("wide s2/0")), 6.0)
    assert "│   └── fold s2, seed 0: done by another run" in lines(state)


def test_on_a_cluster_the_worker_of_each_cell_is_shown():
    state = state_of(planned(toy={"small": ["all/0", "all/1"]}))
    state.apply(Started(job("small all/0"), "gpu-box"), 0.0)
    state.apply(Started(job("small all/1"), "10.0.0.7:4242"), 0.0)
    state.apply(Progress(job("small all/0"), 3, 4, 0.625), 3.0)
    found = lines(state, now=3.0)
    assert found[1:-1] == [
        "└── small: 2 running",
        "    ├── seed 0: running ██████░░ epoch 3 of 4, validation 62.5 on worker gpu-box",
        "    └── seed 1: running on worker 10.0.0.7:4242",
    ]
    assert ", 2 workers, " in found[-1]
    assert state.places == 2
    # Its worker dies: what it had learnt is gone.
    state.apply(Lost(job("small all/0"), "gpu-box", "died"), 4.0)
    found = lines(state, now=4.0)
    assert found[1:3] == ["└── small: 1 running, 1 queued", "    ├── seed 0: queued"]
    assert ", 1 worker, " in found[-1]
    state.apply(Started(job("small all/0"), "10.0.0.7:4242"), 5.0)
    found = lines(state, now=5.0)
    assert found[2] == "    ├── seed 0: running ░░░░░░░░ epoch 0 of 4 on worker 10.0.0.7:4242"
    assert ", 1 worker, " in found[-1]
    state.apply(ended("small all/0"), 6.0)
    state.apply(ended("small all/1"), 6.0)
    assert "worker" not in lines(state, now=6.0)[-1]


def test_ascii_draws_the_same_tree():
    state = state_of(planned(toy={"small": ["all/0", "fé/1"]}))
    state.apply(Started(job("small all/0")), 0.0)
    state.apply(Progress(job("small all/0"), 1, 2, None), 3.0)
    found = lines(state, ascii_only=True)
    assert found[:-1] == [
        "toy (toys, split fixed)",
        "`-- small: 1 running, 1 queued",
        "    |-- seed 0: running ####.... epoch 1 of 2",
        "    `-- fold f\\xe9, seed 1: queued",
    ]
    assert all(line.isascii() for line in found)


def test_costs_are_shown_where_they_are_measured():
    state = RunState(planned(**SMALL), (), keys(planned(**SMALL)))
    state.expect_costs(3)
    cost = CostJob("cost small", "small", {}, 3, 20, 3)
    state.apply(Started(cost), 0.0)
    found = lines(state)
    assert found[1] == "├── small: measuring its cost"
    assert found[-1].endswith("0 of 3 costs measured, 0 s")
    state.apply(Finished(cost, CostResult({})), 1.0)
    found = lines(state)
    assert found[1] == "├── small: 2 queued"
    assert found[-1].endswith("1 of 3 costs measured, 0 s")


def big(n_rows=30, n_cells=4):
    return planned(toy={f"m{i}": [f"all/{s}" for s in range(n_cells)] for i in range(n_rows)})


def test_a_tree_that_is_too_tall_folds_in_steps():
    state = state_of(big(3))
    assert len(lines(state, height=17)) == 17  # 1 + 3 x 5 + the progress: just fits
    for seed in range(4):
        state.apply(Started(job(f"m0 all/{seed}")), 0.0)
        state.apply(ended(f"m0 all/{seed}", 0.5 + 0.1 * seed), 1.0)
    state.apply(Started(job("m1 all/0")), 1.0)
    # Finished rows go first, then queued ones, then cells of a row in work that do not run.
    assert lines(state, height=16)[1:3] == [
        "├── m0: 4 done; NF 65.0",
        "├── m1: 1 running, 3 queued",
    ]
    assert "    ├── seed 0: queued" in lines(state, height=16)
    assert lines(state, height=12)[1:-1] == [
        "├── m0: 4 done; NF 65.0",
        "├── m1: 1 running, 3 queued",
        "│   ├── seed 0: running",
        "│   ├── seed 1: queued",
        "│   ├── seed 2: queued",
        "│   └── seed 3: queued",
        "└── m2: 4 queued",
    ]
    assert lines(state, height=7)[1:-1] == [
        "├── m0: 4 done; NF 65.0",
        "├── m1: 1 running, 3 queued",
        "│   └── seed 0: running",
        "└── m2: 4 queued",
    ]
    assert lines(state, height=5)[:-1] == [
        "toy (toys, split fixed)",
        "├── m1: 1 running, 3 queued",
        "│   └── seed 0: running",
        "└── 2 other models: 1 done, 1 queued",
    ]
    assert lines(state, height=3)[:-1] == ["toy m1, seed 0: running"]


@pytest.mark.parametrize("height", [0, 1, 2, 3, 5, 8, 12, 24, 60, 500])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_frame_is_larger_than_the_screen_and_what_runs_stays_visible(width, height):
    state = state_of(big(), places=6)
    view = TreeView(state)
    running = []
    for number, key in enumerate(keys(big())):
        state.apply(Started(job(key)), float(number))
        running.append(key)
        if len(running) > 6:
            first = running.pop(0)
            state.apply(
                Failed(job(first), "x" * 500) if number % 5 == 0 else ended(first), number + 0.5
            )
        found = lines(state, width, height, float(number), view)
        assert len(found) <= max(height, 1)
        assert all(len(line) <= width for line in found)
        shown = sum(": running" in line or "more that run" in line for line in found)
        assert shown >= min(len(running), height - 1)


def test_what_was_folded_stays_folded_until_the_screen_changes():
    state = state_of(big(3))
    view = TreeView(state)
    assert len(lines(state, height=10, view=view)) == 5
    for key in keys(big(3))[:8]:
        state.apply(Failed(job(key), "no"), 1.0)
    # There is room for the four cells of the last row now, and still they stay away.
    assert len(lines(state, height=10, view=view)) == 5
    assert len(lines(state, height=11, view=view)) == 9


def test_a_frame_of_a_large_plan_looks_at_rows_and_not_at_cells(monkeypatch):
    state = state_of(big(200, 100))
    looked = []

    class Watched(dict):
        def values(self):
            looked.append(1)
            return super().values()

    for row in state.rows():
        row.cells = Watched(row.cells)
    state.apply(Started(job("m7 all/3")), 0.0)
    assert "1 running, 99 queued" in "\n".join(lines(state))
    assert looked == []


def test_rows_of_several_plans_of_one_benchmark_are_one_tree():
    # What analyses have trained comes as a plan a variant.
    both = [*planned(toy={"a": ["all/0"]}), *planned(toy={"b": ["all/0"]})]
    assert lines(state_of(both))[:-1] == [
        "toy (toys, split fixed)",
        "├── a, seed 0: queued",
        "└── b, seed 0: queued",
    ]


def test_a_cell_of_two_tables_is_one_piece_of_work():
    plan = planned(one={"a": ["all/0"]}, two={"a": ["all/0"]})
    state = state_of(plan)
    state.apply(Started(job("a all/0")), 0.0)
    assert [line for line in lines(state) if "running" in line] == ["└── a, seed 0: running"] * 2
    state.apply(Progress(job("a all/0"), 1, 4, None), 10.0)
    assert state.share == 0.25
    assert time_left(state, 10.0).seconds == pytest.approx(30.0)
    state.apply(ended("a all/0"), 40.0)
    assert (state.share, state.cells_ended, state.cells_total) == (1.0, 1, 1)
    assert time_left(state, 40.0) is None


def left(state, now):
    found = time_left(state, now)
    return None if found is None else (found.seconds, found.whole)


def test_nothing_is_known_before_anything_was_heard():
    state = state_of(planned(toy={"a": ["all/0", "all/1"]}))
    assert left(state, 0.0) is None
    state.apply(Started(job("a all/0")), 0.0)
    assert left(state, 100.0) is None
    assert lines(state, now=1.0)[-1].endswith("time left unknown")


def test_time_left_is_the_mean_of_the_rows_done_cells():
    plan = planned(toy={"a": ["all/0", "all/1", "all/2", "all/3"]})
    state = state_of(plan)
    for seed, (begin, end) in enumerate([(0.0, 10.0), (10.0, 30.0)]):
        state.apply(Started(job(f"a all/{seed}")), begin)
        state.apply(ended(f"a all/{seed}"), end)
    # Mean 15 s; two are left, of which one has run for 5 s.
    state.apply(Started(job("a all/2")), 30.0)
    assert left(state, 35.0) == (pytest.approx(10.0 + 15.0), True)
    assert lines(state, now=35.0)[-1].endswith("2 of 4 cells, 35 s, about 25 s left")
    # Of one that takes longer than was foreseen nothing is known any more.
    assert left(state, 99.0) == (pytest.approx(15.0), False)


def test_cached_cells_take_no_time_and_failed_ones_teach_nothing():
    plan = planned(toy={"a": ["all/0", "all/1", "all/2", "all/3"]})
    state = state_of(plan, cached=["a all/0"])
    assert (state.cells_total, state.share) == (3, 0.0)
    state.apply(Started(job("a all/1")), 0.0)
    state.apply(Failed(job("a all/1"), "at once"), 0.1)
    assert left(state, 0.1) is None
    state.apply(Started(job("a all/2")), 1.0)
    state.apply(ended("a all/2"), 5.0)
    assert left(state, 5.0) == (pytest.approx(4.0), True)


def test_a_row_without_done_cells_is_foreseen_from_epochs_then_from_work():
    plan = planned(toy={"a": ["all/0", "all/1"], "b": ["all/0"], "forest": ["all/0"]})
    efforts = {"a all/0": 2.0, "a all/1": 2.0, "b all/0": 6.0, "forest all/0": 0.001}
    state = state_of(plan, efforts=efforts)
    state.apply(Started(job("a all/0")), 0.0)
    state.apply(Progress(job("a all/0"), 2, 8, 0.5), 5.0)
    # 8 epochs take 20 s, 15 are left; the other cell of the row 20 s; three times the work 60 s.
    # Of the estimator nothing is known: networks say nothing of it.
    assert left(state, 5.0) == (pytest.approx(15 + 20 + 60), False)
    assert "more than 1 min 35 s left" in lines(state, now=5.0)[-1]
    state.apply(ended("a all/0"), 10.0)  # stopped early
    assert left(state, 10.0) == (pytest.approx(10 + 30), False)


def test_one_estimator_says_nothing_of_another():
    state = state_of(planned(one={"forest": ["all/0"]}, two={"forest": ["all/1"]}))
    state.apply(Started(job("forest all/0")), 0.0)
    state.apply(ended("forest all/0"), 1.0)
    assert left(state, 1.0) is None


def test_places_share_the_work_and_the_longest_is_waited_for():
    plan = planned(toy={"a": [f"all/{s}" for s in range(5)], "b": ["all/0"]})
    efforts = dict.fromkeys(keys(plan), 1.0) | {"b all/0": 30.0}
    state = state_of(plan, places=4, efforts=efforts)
    state.apply(Started(job("a all/0")), 0.0)
    state.apply(ended("a all/0"), 2.0)
    # Four of 2 s and one of 60 s: not 68 / 4.
    assert left(state, 2.0) == (pytest.approx(60.0), True)
    efforts["b all/0"] = 1.0
    state.expect_cells(efforts)
    assert left(state, 2.0) == (pytest.approx(10.0 / 4), True)


HOSTILE = "<script>[bold]\x1b[2J\r\u202e👩‍👩‍👧שלום\x07" + "x" * 500


def test_hostile_names_break_no_line():
    plan = planned(toy={"a": ["all/0", "all/1"]})
    plan[0].dataset.name = HOSTILE
    for cell in plan[0].rows[0].cells:
        cell.fold = HOSTILE
    plan[0].rows[0].name = HOSTILE
    state = state_of(plan)
    made = SimpleNamespace(key="a all/0", benchmark="toy", row=HOSTILE, fold=HOSTILE, seed=0)
    state.apply(Started(CellJob(made)), 0.0)
    state.apply(Progress(CellJob(made), 1, 2, 0.5), 0.0)
    from rich.cells import cell_len

    for width in (80, 120):
        found = lines(state, width)
        assert len(found) == 5
        for line in found:
            assert line.isprintable()
            assert cell_len(line) <= width
        # What matters is not pushed off the line by a long name.
        assert found[1].endswith("1 running, 1 queued")
        assert found[2].endswith("running ████░░░░ epoch 1 of 2, validation 50.0")
