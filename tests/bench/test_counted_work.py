"""Speed, guarded by counts: the same on every machine, however busy. Each limit is 30 % above what
was counted when it was written; a change that exceeds one does more work than before."""

import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from harbench.cli.plan_tree import print_plan
from harbench.execute.run import work_of
from harbench.plan import plan
from harbench.plan.keys import key_of, seeded_keys
from harbench.report.table import comparison_table
from toys.scored_store import scored_store

BENCHMARK = """
    benchmarks:
      toys:
        title: Toys
        dataset: toy
        path: files
        protocol: {task: gestures, split: fixed, window: 20, step: 10}
        models: [small]
        seeds: 1
"""
FEW, MANY = 50, 250


def calls_of(work) -> Counter[str]:
    """How often each function is called, by name; Python's and C's."""
    found: Counter[str] = Counter()

    def hear(frame, event, arg):
        if event == "call":
            found[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            found[arg.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(hear)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


def per_cell(work_on) -> dict[str, float]:
    """Calls that one more cell takes: those of many less those of few, which leaves the rest."""
    work_on(FEW)()  # whatever is cached or imported once
    few, many = calls_of(work_on(FEW)), calls_of(work_on(MANY))
    return {name: (many[name] - few[name]) / (MANY - FEW) for name in many}


@pytest.fixture
def planned(workplace):
    """n seeds -> the toy benchmark's plan, of a stream that is cached."""
    benchmark = workplace.benchmarks(BENCHMARK)[0]

    def of(n_seeds: int):
        return benchmark.model_copy(update={"seeds": tuple(range(n_seeds))})

    plan(of(1), workplace.registry)
    return of


def test_planning_a_cell_hashes_its_seed_and_no_more(workplace, planned):
    found = per_cell(lambda n: lambda: plan(planned(n), workplace.registry, audit=False))
    # The seed is written as JSON, by json.dumps; what the cells share is not written again.
    assert found["dumps"] <= 1
    assert found["HASH.copy"] == 1
    assert found.get("BaseModel.model_dump", 0) == 0
    assert sum(found.values()) <= COUNTED["planning"] * 1.3


def test_the_keys_of_a_fold_are_those_of_its_contents():
    for content in (
        {"zebra": [1, {"b": 2, "a": "ä"}], "alpha": None, "window": 1.5},
        {"alpha": 1},
        {"zebra": 1},
        {},
    ):
        seeds = (0, 7, 123_456_789)
        assert list(seeded_keys(content, seeds)) == [
            key_of({**content, "seed": seed}) for seed in seeds
        ]


def test_the_cells_of_a_plan_have_the_keys_of_their_contents(workplace, planned):
    for cell in plan(planned(3), workplace.registry).cells:
        assert cell.key == key_of(cell.content)


def test_comparing_a_cell_with_the_store_takes_four_looks_at_files(workplace, planned):
    def listing(n):
        found = [plan(planned(n), workplace.registry, audit=False)]
        return lambda: work_of(found, workplace.store)

    found = per_cell(listing)
    # record.json; then, as it is not there, when the cell, a cost and a failure were stored.
    assert found["stat"] == 4
    assert found.get("Path.__truediv__", 0) == 0
    assert sum(found.values()) <= COUNTED["listing"] * 1.3


def test_printing_a_cell_of_a_plan_asks_once_for_its_failure(workplace, planned):
    from rich.console import Console

    def printing(n):
        found = [plan(planned(n), workplace.registry, audit=False)]
        work = work_of(found, workplace.store)
        with Path(os.devnull).open("w") as nowhere:
            console = Console(file=nowhere, width=100)
        console.file = sys.stdout
        return lambda: print_plan(console, found, work, workplace.store)

    found = per_cell(printing)
    assert found["stat"] == 1
    assert sum(found.values()) <= COUNTED["printing"] * 1.3


def test_a_table_opens_two_files_a_cell_and_checks_their_seals(tmp_path):
    def table(n):
        rows = {"one": {("all", seed): 0.5 + seed / 1000 for seed in range(n)}}
        store = scored_store(tmp_path / f"of-{n}", rows, name=f"toys-{n}")
        return lambda: comparison_table(store, f"toys-{n}")

    found = per_cell(table)
    assert found["open"] == 2
    assert found["key_of"] == 2  # the seals: what a table reads was not edited
    assert found["stat"] <= 1
    assert sum(found.values()) <= COUNTED["table"] * 1.3


def test_a_batch_copies_its_own_windows_and_no_more(one_thread):
    import torch

    from harbench.data.normalise import Normaliser
    from harbench.data.prepared import PreparedFold
    from harbench.data.windows import Windows
    from harbench.training.batches import WindowBatches

    n_windows, n_channels, length, size = 2048, 5, 24, 256
    rng = np.random.default_rng(0)
    windows = Windows(np.arange(n_windows), rng.integers(0, 3, n_windows))
    signals = rng.normal(size=(n_windows + length, n_channels)).astype(np.float32)
    ones = np.ones(n_channels)
    data = PreparedFold(signals, length, windows, windows, windows, 3, Normaliser(ones, ones, ones))
    batches = WindowBatches(data, torch.device("cpu"))
    values = n_windows * n_channels * length * 4
    indices = n_windows * 8 * 4  # starts, labels and the order of both
    # Gathered with the channels side by side, as the stream has them; then turned, where asked.
    for gathered, copies in ((batches, 2), (batches.channels_last(), 1)):
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
        ) as profile:
            for x, _ in gathered.in_order(windows, size):
                assert x.shape == (size, n_channels, length)
                del x
        allocated = sum(max(event.self_cpu_memory_usage, 0) for event in profile.events())
        assert allocated <= 1.3 * (copies * values + indices)


def operations_of(work) -> Counter[str]:
    """How often torch carries out each operation, by name."""
    from torch.utils._python_dispatch import TorchDispatchMode

    found: Counter[str] = Counter()

    class Hear(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            found[operation.overloadpacket.__name__] += 1
            return operation(*args, **(kwargs or {}))

    with Hear():
        work()
    return found


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_step_of_training_never_waits_for_the_device(one_thread, precision):
    """It reads no number from it, and asks for no length that only the device knows."""
    import torch

    from harbench.data.normalise import Normaliser
    from harbench.data.prepared import PreparedFold
    from harbench.data.windows import Windows
    from harbench.nouns import Recipe
    from harbench.training.batches import WindowBatches
    from harbench.training.loop import train

    few, many, size = 4, 12, 16
    ones = np.ones(3)

    def training(n_steps):
        rng = np.random.default_rng(0)
        windows = Windows(np.arange(n_steps * size), rng.integers(0, 4, n_steps * size))
        some = windows[np.arange(8)]
        signals = rng.normal(size=(n_steps * size + 10, 3)).astype(np.float32)
        data = PreparedFold(signals, 10, windows, some, some, 4, Normaliser(ones, ones, ones))
        torch.manual_seed(0)
        net = torch.nn.Sequential(
            torch.nn.Conv1d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(32, 4)
        )
        recipe = Recipe(batch_size=size, epochs=1, clip_norm=1.0, precision=precision)
        return lambda: train(net, data, WindowBatches(data, torch.device("cpu")), recipe, 0)

    small, large = operations_of(training(few)), operations_of(training(many))
    a_step = {name: (large[name] - small[name]) / (many - few) for name in large}
    # Tensor.item and bool(tensor) are the first; those behind it have lengths of chance.
    for name in ("_local_scalar_dense", "equal", "nonzero", "masked_select", "unique"):
        assert a_step.get(name, 0) == 0, name
    assert a_step["index_select"] == 1
    # Inputs, weights and logits, and their gradients; nothing is cast in float32.
    assert a_step.get("_to_copy", 0) == (0 if precision == "float32" else 11)
    assert sum(a_step.values()) <= COUNTED[precision] * 1.3


# Calls of a cell, Python's and C's together; and torch's operations in a step of training.
COUNTED = {"planning": 15, "listing": 14, "printing": 10, "table": 177}
COUNTED |= {"float32": 56, "bf16": 67}
