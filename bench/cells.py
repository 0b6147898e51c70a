"""What stands around a training: planning, the store, worker processes, the command itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.opportunity import cached_stream, files_in
from bench.rows import OURS, Done, Place, Row, Side, Work

_MANY = 1_000
_TOY = Path("harbench/testing/toy_plugin.py")
"""A dataset of 4 small files and a network of 75 parameters."""


def _harbench(*words: object, plugin: Path | None = None) -> None:
    options = ["--plugin", str(plugin)] if plugin else []
    command = [sys.executable, "-m", "harbench", *options, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip().splitlines()[-1])


def _yaml(place: Place, **settings: Any) -> Path:
    path = place.scratch / "benchmarks.yaml"
    # JSON is YAML.
    path.write_text(json.dumps({"benchmarks": {"bench": settings}}))
    return path


def _toys(place: Place, window: int = 20, step: int = 10, **more: Any) -> Path:
    from harbench.testing import toy_plugin

    toy_plugin.write(place.scratch / "toys", 40)
    return _yaml(
        place, title="toys", dataset=toy_plugin.DATASET, path="toys",
        protocol={"split": "subjects", "window": window, "step": step}, **more,
    )  # fmt: skip


def _help(place: Place) -> Work:
    def work() -> Done:
        _harbench("--help")
        return Done(1)

    return work


def _planning(n_cells: int) -> Any:
    def prepare(place: Place) -> Work:
        from harbench.testing.toy_plugin import NETWORK

        file = _toys(place, models=[NETWORK], seeds=1)
        words = ("run", file, "--dry-run", "--out", place.scratch / "results")

        def work() -> Done:
            _harbench(*words, "--seeds", n_cells, plugin=_TOY)
            return Done(n_cells)

        _harbench(*words, plugin=_TOY)  # reads the files into the cache
        return work

    return prepare


def _cached(place: Place) -> Work:
    """A thousand finished cells of resnet-like on a small generated OPPORTUNITY, copies of one."""
    from harbench.config import load
    from harbench.plan import plan
    from harbench.plugins import load_plugins
    from harbench.results import Store
    from harbench.results.sealed import sealed_text

    small = Place(place.folder, place.scratch, 0.02)
    settings = {"recipe": {"epochs": 30}, "models": ["resnet-like"], "seeds": _MANY}
    file = _yaml(
        place, title="cached", dataset="opportunity-sim", path=str(files_in(small)),
        protocol={"split": "paper", "window": 15, "step": 7}, **settings,
    )  # fmt: skip
    benchmark = load(file).benchmarks[0]
    cells = plan(benchmark, load_plugins()).cells
    home = place.folder / f"cached-{cells[0].key[:16]}"
    if not Store(home).has(cells[-1].key):
        _harbench("run", file, "--seeds", 1, "--out", home)
        store = Store(home)
        one = store.cell_folder(cells[0].key)
        record = store.read(cells[0].key).record
        for cell in cells[1:]:
            folder = shutil.copytree(one, store.cell_folder(cell.key))
            changed = {**record, "key": cell.key, "cell": cell.content}
            (folder / "record.json").write_text(sealed_text(changed))

    def work() -> Done:
        _harbench("run", file, "--out", home)
        return Done(_MANY)

    return work


_BENCHOPT = {
    "objective.py": """
from benchopt import BaseObjective
class Objective(BaseObjective):
    name = "nothing"
    sampling_strategy = "run_once"
    def set_data(self, x): self.x = x
    def evaluate_result(self, value): return dict(value=value)
    def get_one_result(self): return dict(value=0.0)
    def get_objective(self): return dict(x=self.x)
""",
    "datasets/one.py": """
from benchopt import BaseDataset
class Dataset(BaseDataset):
    name = "one"
    def get_data(self): return dict(x=1)
""",
    "solvers/one.py": f"""
from benchopt import BaseSolver
class Solver(BaseSolver):
    name = "one"
    sampling_strategy = "run_once"
    parameters = {{"seed": list(range({_MANY}))}}
    def set_objective(self, x): self.x = x
    def run(self, _): self.value = float(self.x + self.seed)
    def get_result(self): return dict(value=self.value)
""",
}


def _benchopt(place: Place) -> Work:
    home = place.folder / "benchopt"
    command = [str(Path(sys.executable).with_name("benchopt")), "run", str(home)]
    command += ["--no-plot", "--no-html"]

    def run() -> None:
        subprocess.run(command, check=True, capture_output=True)

    if not home.is_dir():
        for name, text in _BENCHOPT.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text)
        run()

    def work() -> Done:
        run()
        return Done(_MANY)

    return work


def _jobs(places: int) -> Any:
    """Cells of some ten seconds each: in shorter ones, what a run does once is most of it."""

    def prepare(place: Place) -> Work:
        settings: dict[str, Any] = {"step": 1, "models": ["resnet-like"], "seeds": 12}
        words = ("--out", place.scratch / "results", "--jobs", places)
        # The cost of the network, once, is no part of it.
        file = _toys(place, **settings, recipe={"epochs": 1, "patience": None})
        _harbench("run", file, *words, "--seeds", "98,99", plugin=_TOY)
        file = _toys(place, **settings, recipe={"epochs": 120, "patience": None})

        def work() -> Done:
            _harbench("run", file, *words, plugin=_TOY)
            return Done(12)

        return work

    return prepare


def _around(what: str) -> Any:
    """Processor seconds of cells that are not their training, by the clock of the process alone.

    In this process, as a worker is after the fork server has loaded what all need: a first run is
    not counted.

    Args:
        what: "cell" for all but training and preparing, "fold" for preparing: the first of the
            cells does it, and writes it for the others.
    """

    def prepare(place: Place) -> Work:
        import time

        from harbench.config import load
        from harbench.execute import work as worker
        from harbench.execute.local import InProcessExecutor
        from harbench.execute.run import efforts_of, train_cells, work_of
        from harbench.plan import plan
        from harbench.plugins import load_plugins
        from harbench.results import Store
        from harbench.training import cell as training

        cached_stream(place)
        file = _yaml(
            place, title="around", dataset="opportunity-sim", path=str(files_in(place)),
            protocol={"split": "paper", "window": 15, "step": 7},
            recipe={"epochs": 1, "patience": None}, models=["resnet-like"], seeds=3,
        )  # fmt: skip
        planned = [plan(load(file).benchmarks[0], load_plugins())]
        spent = {"training": 0.0, "preparing": 0.0}

        def timed(function: Any, name: str) -> Any:
            def call(*given: Any, **named: Any) -> Any:
                begin = time.process_time()
                found = function(*given, **named)
                spent[name] += time.process_time() - begin
                return found

            return call

        vars(training)["train"] = timed(training.train, "training")
        vars(worker)["shared"] = timed(worker.shared, "preparing")

        def cells(folder: str) -> int:
            store = Store(place.scratch / folder)
            todo = work_of(planned, store)
            efforts = efforts_of(todo, planned, store)
            list(train_cells(todo, efforts, store, InProcessExecutor()))
            return sum(store.has(job.key) for job in todo.cells)

        cells("first")

        def work() -> Done:
            begin = time.process_time()
            spent.update(training=0.0, preparing=0.0)
            number = cells("second")
            if what == "fold":
                return Done(1, spent["preparing"])
            return Done(number, time.process_time() - begin - sum(spent.values()))

        return work

    return prepare


def _plan_row(n_cells: int, at_most: float | None = None) -> Row:
    return Row(
        f"plan-{n_cells}", f"plan and list {n_cells:,} cells", "cells", "cpu",
        (Side(OURS, _planning(n_cells)),), at_most,
    )  # fmt: skip


ROWS = (
    Row(
        "jobs", "12 cells of some 10 s each, --jobs 2", "cells", "wall",
        (Side(OURS, _jobs(2)), Side("harbench --jobs 1", _jobs(1), goal=1.8)),
    ),
    Row(
        "cached", f"a run of which all of {_MANY:,} cells are cached, and its table", "cells",
        "cpu", (Side(OURS, _cached), Side("benchopt", _benchopt, ("benchopt",), goal=3)),
    ),
    Row(
        "around", "what harbench adds to a cell of a prepared fold: everything but the training "
        "(3 % of 10 s each)", "cells", "cpu", (Side(OURS, _around("cell")),), at_most=0.9,
    ),
    Row(
        "fold", "preparing a fold, once for all of its cells: gaps, normalisation, windows",
        "folds", "cpu", (Side(OURS, _around("fold")),),
    ),
    _plan_row(1_000),
    _plan_row(10_000),
    _plan_row(100_000, at_most=10),
    Row("help", "harbench --help", "starts", "cpu", (Side(OURS, _help),), at_most=0.4),
)  # fmt: skip
