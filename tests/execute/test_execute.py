import dataclasses
import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from harbench.execute.jobs import CellJob, CellResult, Failed, Finished, Progress, Started
from harbench.execute.local import InProcessExecutor, ProcessExecutor
from harbench.execute.run import work_of
from harbench.metrics import confusion, score
from harbench.plan import plan
from toys.workplace import TOY_PLUGIN, carry_out

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 2}
    seeds: 2
    models: [small, broken]
"""


def run(workplace, text=TOY, executor=None, force=False):
    executor = executor or InProcessExecutor()
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(text)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,), force=force)
    return planned, list(carry_out(work, planned, workplace.store, executor))


def truth(store):
    """Relative path -> sha256 of all that a seed determines."""
    return {
        str(path.relative_to(store.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((store.folder / "cells").rglob("*"))
        if path.is_file() and path.name != "measured.json"
    }


def test_a_run_from_data_to_store(workplace):
    (planned,), events = run(workplace)
    store = workplace.store
    small, broken = planned.rows
    assert all(store.has(cell.key) for cell in small.cells)
    assert not any(store.has(cell.key) for cell in broken.cells)
    failed = [e for e in events if isinstance(e, Failed) and isinstance(e.job, CellJob)]
    assert len(failed) == 2
    assert "returned [32, 4] for a batch of 32 windows" in failed[0].reason
    assert "returned [32, 4]" in store.failure(broken.cells[0].key)["reason"]
    assert sum(isinstance(e, Progress) for e in events) == 4
    assert store.cost(small.cost_key)["parameters"] == 3 * 3 * 8 + 8 + 16 + 8 * 3 + 3


def test_a_stored_cell_can_be_traced_and_recomputed(workplace):
    (planned,), _ = run(workplace)
    cell = planned.rows[0].cells[0]
    stored = workplace.store.read(cell.key)
    predictions = stored.predictions()
    assert stored.record["windows"]["test"] == len(predictions.true) == 2 * 59
    matrix = confusion(predictions.true, predictions.predicted, 3)
    assert matrix.tolist() == stored.record["confusion"]
    assert score(matrix, ("Null", "wave", "turn"), 0).to_json() == stored.record["scores"]
    assert set(predictions.recording) == {"s4a", "s4b"}
    assert predictions.start.tolist() == 2 * list(range(0, 581, 10))
    np.testing.assert_array_equal(predictions.probabilities.argmax(1), predictions.predicted)
    # The labels are the files' own.
    with np.load(workplace.folder / "files/s4a.npz") as content:
        labels = content["labels"]
    for start, true in zip(predictions.start[:59], predictions.true[:59], strict=True):
        assert true == np.bincount(labels[start : start + 20], minlength=3).argmax()
    assert len(stored.record["curve"]) == 2
    assert stored.record["cell"]["seed"] == cell.seed
    settings = stored.record["settings"]
    assert (settings["window"], settings["step"]) == (20, 10)
    assert settings["split"]["test"] == ["s4*"]
    assert settings["protocol"]["label"] == "majority"
    assert stored.measured["environment"]["versions"]["torch"]
    assert stored.measured["peak_memory_bytes"] > 0
    weights = load_file(stored.folder / "weights.safetensors")
    assert weights["0.weight"].shape == (8, 3, 3)


def test_a_finished_cell_is_not_run_again_and_force_gives_the_same_bytes(workplace):
    only_small = TOY.replace(", broken", "")
    run(workplace, only_small)
    first = truth(workplace.store)
    assert len(first) == 2 * 3
    assert run(workplace, only_small)[1] == []
    _, events = run(workplace, only_small, force=True)
    assert sum(isinstance(e, Finished) for e in events) == 3
    assert truth(workplace.store) == first


def test_processes_give_the_same_bytes_and_a_death_takes_only_itself(workplace):
    run(workplace, TOY.replace(", broken", ""))
    here = truth(workplace.store)
    workplace.__dict__.pop("store")
    elsewhere = dataclasses.replace(workplace)
    elsewhere.__dict__["store"] = type(workplace.store)(workplace.folder / "other")
    _, events = run(elsewhere, TOY.replace("broken", "suicidal"), ProcessExecutor(2))
    assert truth(elsewhere.store) == here
    failed = [e for e in events if isinstance(e, Failed)]
    assert [e.reason for e in failed] == [
        "its process was ended by SIGKILL; the machine may be out of memory"
    ] * 2
    assert {e.job.cell.row for e in failed} == {"suicidal"}
    assert sum(isinstance(e, Started) for e in events) == 6


def test_closing_the_events_stops_the_processes(workplace):
    import multiprocessing

    long = TOY.replace("epochs: 2", "epochs: 100000").replace(", broken", "")
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(long)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
    events = carry_out(work, planned, workplace.store, ProcessExecutor(2))
    for event in events:
        if isinstance(event, Progress):
            break
    events.close()
    assert multiprocessing.active_children() == []


def test_data_that_changes_between_planning_and_training_is_noticed(workplace):
    from toys.toy_plugin import write_toy_files

    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
    write_toy_files(workplace.folder / "files", seed=3)
    (failed, *_) = [e for e in InProcessExecutor().run(work.cells) if isinstance(e, Failed)]
    assert "the data changed between planning and training" in failed.reason


def test_a_cell_that_two_benchmarks_share_is_trained_once(workplace):
    both = (
        TOY.replace(", broken", "")
        + TOY.replace("  toy:", "  again:").replace(", broken", "").split("benchmarks:\n")[1]
    )
    _, events = run(workplace, both)
    finished = [e for e in events if isinstance(e, Finished) and isinstance(e.outcome, CellResult)]
    assert len(finished) == 2


def test_long_cells_start_first(workplace):
    text = TOY.replace("[small, broken]", "[small, {wide: {model: small, options: {hidden: 64}}}]")
    _, events = run(workplace, text)
    started = [
        e.job.cell.row for e in events if isinstance(e, Started) and isinstance(e.job, CellJob)
    ]
    assert started == ["wide", "wide", "small", "small"]


def test_out_of_memory_is_called_that(workplace, monkeypatch):
    from harbench.execute import work as work_module

    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))

    def starved(*_, **__):
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:75] . DefaultCPUAllocator: can't "
            "allocate memory: you tried to allocate 9 bytes"
        )

    monkeypatch.setattr(work_module, "train_cell", starved)
    failed = [e for e in InProcessExecutor().run(work.cells[:1]) if isinstance(e, Failed)]
    assert failed[0].reason.startswith("out of memory (RuntimeError: ")
    assert "Traceback" in failed[0].detail


def test_a_record_is_json_without_nan(workplace):
    (planned,), _ = run(workplace, TOY.replace("seeds: 2", "seeds: [7]"))
    text = (workplace.store.cell_folder(planned.rows[0].cells[0].key) / "record.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(name))
