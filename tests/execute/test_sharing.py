"""Runs that share a store, go on where they were stopped, and end cells that take too long."""

import errno
import os
import time

import pytest

from harbench.errors import ResultsError
from harbench.execute.jobs import (
    Failed,
    Finished,
    Progress,
    Remark,
    Started,
    Waiting,
)
from harbench.execute.local import InProcessExecutor, ProcessExecutor
from harbench.execute.reproducing import reproduce
from harbench.execute.run import efforts_of, measure_costs, train_cells, work_of
from harbench.plan import plan
from harbench.results import Store
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 3}
    seeds: 2
    models: [small, broken]
"""
ONE = TOY.replace(", broken", "").replace("seeds: 2", "seeds: 1")
TWO_NETWORKS = TOY.replace("broken", "{wide: {model: small, options: {hidden: 16}}}")


def training(workplace, text=TOY, executor=None, store=None, **how):
    """The events of one run, which has seen the store as it is now."""
    store = store or workplace.store
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(text)]
    work = work_of(planned, store, plugin_files=(TOY_PLUGIN,), **how)
    efforts = efforts_of(work, planned, store)
    return train_cells(work, efforts, store, executor or InProcessExecutor())


def kinds(events):
    return [type(event).__name__ for event in events if not isinstance(event, Progress)]


def truth(store):
    return {
        str(path.relative_to(store.folder)): path.read_bytes()
        for path in sorted((store.folder / "cells").rglob("*"))
        if path.is_file() and path.name != "measured.json"
    }


def test_two_runs_train_each_cell_once_and_both_hear_of_all(workplace):
    first, second = training(workplace), training(workplace)
    begun = next(first)
    assert isinstance(begun, Started)
    heard = []
    for event in second:
        heard.append(event)
        if isinstance(event, Waiting):
            break
    assert heard[-1].job == begun.job
    assert kinds(heard).count("Started") == 3
    rest = list(first)
    # One it had begun; of the other three one is stored and two have failed elsewhere.
    assert sorted(kinds(rest)) == ["Failed", "Failed", "Finished", "Taken"]
    reasons = {event.reason for event in rest if isinstance(event, Failed)}
    assert reasons == {event.reason for event in heard if isinstance(event, Failed)}
    assert kinds(second) == ["Taken"]
    assert not list((workplace.folder / "results/locks").iterdir())


def test_what_another_run_stores_while_this_one_looks_is_not_trained_again(workplace, monkeypatch):
    real, late = Store.has, []

    def has(store, key):
        found = real(store, key)
        if not late:
            # The other has it an instant after this one has not found it.
            late.append(key)
            assert "Finished" in kinds(training(workplace, ONE))
        return found

    monkeypatch.setattr(Store, "has", has)
    assert kinds(training(workplace, ONE)) == ["Taken"]
    assert real(workplace.store, late[0])


def measuring(workplace, text=TWO_NETWORKS, **how):
    """The events of one run's measuring of costs, which has seen the store as it is now."""
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(text)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,), **how)
    return measure_costs(work, workplace.store, InProcessExecutor())


def test_two_runs_measure_each_cost_once_and_both_hear_of_all(workplace):
    first, second = measuring(workplace), measuring(workplace)
    begun = next(first)
    assert isinstance(begun, Started)
    heard = []
    for event in second:
        heard.append(event)
        if isinstance(event, Waiting):
            break
    assert heard[-1].job == begun.job
    # The other cost it measured itself.
    assert kinds(heard) == ["Started", "Finished", "Waiting"]
    assert kinds(first) == ["Finished", "Taken"]
    assert kinds(second) == ["Taken"]
    assert kinds(measuring(workplace)) == []
    assert len(list((workplace.store.folder / "costs").iterdir())) == 2
    assert not list((workplace.store.folder / "locks").iterdir())
    # Asked for again, it is measured again, once.
    first, second = measuring(workplace, force=True), measuring(workplace, force=True)
    assert kinds(first) == ["Started", "Finished"] * 2
    assert kinds(second) == ["Taken"] * 2


def test_a_cost_that_fails_fails_in_both(workplace, monkeypatch):
    def fails(*_):
        raise RuntimeError("no such layer")

    first, second = measuring(workplace), measuring(workplace)
    monkeypatch.setattr("harbench.execute.work.measure", fails)
    assert kinds(first) == ["Started", "Failed"] * 2
    assert [event.reason for event in second] == ["RuntimeError: no such layer"] * 2


def test_costs_that_a_killed_run_had_in_work_are_measured_by_the_other(workplace):
    first, second = measuring(workplace), measuring(workplace)
    next(first)
    assert kinds([next(second) for _ in range(3)]) == ["Started", "Finished", "Waiting"]
    first.close()
    assert kinds(second) == ["Started", "Finished"]


def test_what_a_killed_run_had_in_work_is_trained_by_the_other(workplace):
    first, second = training(workplace, ONE), training(workplace, ONE)
    next(first)
    assert isinstance(next(second), Waiting)
    first.close()
    assert kinds(second) == ["Started", "Finished"]


def test_forced_runs_share_as_well(workplace):
    list(training(workplace, ONE))
    first = training(workplace, ONE, force=True)
    second = training(workplace, ONE, force=True)
    assert kinds(first) == ["Started", "Finished"]
    assert kinds(second) == ["Taken"]
    assert kinds(training(workplace, ONE, force=True)) == ["Started", "Finished"]


def test_a_file_system_without_locks_is_said_once(workplace, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(descriptor, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    first, second = training(workplace, ONE), training(workplace, ONE)
    begun = [next(first), next(first)]
    # Both train it: nothing is torn, and it is the same.
    heard = list(second)
    assert kinds(heard) == ["Remark", "Started", "Finished"]
    stored = truth(workplace.store)
    rest = [*begun, *first]
    assert kinds(rest) == ["Remark", "Started", "Finished"]
    assert truth(workplace.store) == stored
    assert "has no file locks (No locks available)" in rest[0].text
    assert not list((workplace.folder / "results/tmp").iterdir())


def test_a_run_goes_on_inside_a_cell_with_the_same_bits(workplace, monkeypatch):
    monkeypatch.setenv("HARBENCH_CHECKPOINT_SECONDS", "0")
    undisturbed = Store(workplace.folder / "undisturbed")
    list(training(workplace, ONE, store=undisturbed))
    (key,) = [path.name for path in (undisturbed.folder / "cells").glob("*/*")]
    assert undisturbed.read(key).measured["resumed_after_epoch"] == 0
    assert list(undisturbed.checkpoints.iterdir()) == []

    class KilledError(BaseException):
        pass

    from harbench.execute import work as work_module

    real = work_module._checkpoint

    def dies(job, on_trouble):
        checkpoint = real(job, on_trouble)
        save = checkpoint.after_epoch

        def after_epoch(state, curve, best):
            save(state, curve, best)
            if len(curve) == 2:
                raise KilledError

        checkpoint.after_epoch = after_epoch
        return checkpoint

    monkeypatch.setattr(work_module, "_checkpoint", dies)
    with pytest.raises(KilledError):
        list(training(workplace, ONE))
    store = workplace.store
    assert [path.name for path in store.checkpoints.iterdir()] == [f"{key}.checkpoint"]
    monkeypatch.setattr(work_module, "_checkpoint", real)
    assert kinds(training(workplace, ONE)) == ["Started", "Finished"]
    assert truth(store) == truth(undisturbed)
    assert store.read(key).measured["resumed_after_epoch"] == 2
    assert list(store.checkpoints.iterdir()) == []


def test_sweeping_removes_checkpoints_of_finished_cells_alone(workplace):
    list(training(workplace, ONE))
    store = workplace.store
    (key,) = [path.name for path in (store.folder / "cells").glob("*/*")]
    store.checkpoints.mkdir(exist_ok=True)
    for name in (f"{key}.checkpoint", f"{'0' * 64}.checkpoint", "x.checkpoint.ab.tmp"):
        (store.checkpoints / name).write_text("")
    os.utime(store.checkpoints / "x.checkpoint.ab.tmp", (0, 0))
    store.sweep()
    assert [path.name for path in store.checkpoints.iterdir()] == [f"{'0' * 64}.checkpoint"]


def test_a_cell_killed_while_it_stepped_aside_is_put_back(workplace):
    list(training(workplace, ONE))
    store, before = workplace.store, truth(workplace.store)
    (home,) = (store.folder / "cells").glob("*/*")
    aside = store.folder / "tmp" / f"aside=cells={home.parent.name}={home.name}.123.abcd"
    home.rename(aside)
    assert not store.has(home.name)
    assert list(training(workplace, ONE)) == []
    assert truth(store) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("executor", "limit"), [(InProcessExecutor(), 5), (ProcessExecutor(2), 10)]
)
def test_a_time_limit_ends_the_cell_alone(workplace, executor, limit):
    text = TOY.replace(
        "[small, broken]", "[small, {long: {model: small, recipe: {epochs: 1000000}}}]"
    ).replace("seeds: 2", "seeds: 1")
    began = time.monotonic()
    events = list(training(workplace, text, executor, time_limit=float(limit)))
    assert time.monotonic() - began < 120
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.job.cell.row == "long"
    assert failed.reason == f"it took longer than its time limit of {limit} s"
    assert workplace.store.failure(failed.job.key)["reason"] == failed.reason
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert finished.job.cell.row == "small"


def test_a_checkpoint_that_cannot_be_written_is_a_remark(workplace, monkeypatch):
    monkeypatch.setenv("HARBENCH_CHECKPOINT_SECONDS", "0")
    workplace.store.folder.mkdir()
    workplace.store.checkpoints.write_text("a file where the folder belongs")
    events = list(training(workplace, ONE))
    assert kinds(events) == ["Started", "Remark", "Finished"]
    (remark,) = [event for event in events if isinstance(event, Remark)]
    assert remark.text == "no checkpoint can be written: File exists"


def test_locks_that_cannot_be_made_are_one_sentence(workplace):
    workplace.store.folder.mkdir()
    (workplace.store.folder / "locks").write_text("")
    with pytest.raises(ResultsError, match="results cannot be written: File exists"):
        list(training(workplace, ONE))


def test_reproduced_with_the_same_bits_or_another_result(workplace, monkeypatch):
    text = TOY.replace(", broken", "").replace("seeds: 2", "seeds: 4")
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(text)]
    from harbench.execute.run import write_manifests

    write_manifests(planned, workplace.store)
    list(training(workplace, text))
    store, key = workplace.store, planned[0].cells[1].key
    before = truth(store)

    def again(**how):
        return reproduce(
            store, key, workplace.registry, InProcessExecutor(), plugin_files=(TOY_PLUGIN,), **how
        )

    found = again()
    assert (found.verdict, found.results, found.environment) == ("same bits", (), ())
    assert found.nf[0] == found.nf[1] == store.read(key).record["scores"]["nf"]
    # Student's prediction interval of the three others, by hand: t(0.975, 2) = 4.3027.
    others = [store.read(c.key).record["scores"]["nf"] for c in planned[0].cells if c.key != key]
    mean = sum(others) / 3
    std = (sum((x - mean) ** 2 for x in others) / 2) ** 0.5
    half = 4.302652729911275 * std * (4 / 3) ** 0.5
    assert found.interval.n_seeds == 3
    assert found.interval.low == pytest.approx(mean - half)
    assert found.interval.high == pytest.approx(mean + half)

    from harbench.execute import work as work_module

    real = work_module.train_cell

    def other(model, data, recipe, options, seed, *rest):
        return real(model, data, recipe, options, seed + 100, *rest)

    monkeypatch.setattr(work_module, "train_cell", other)
    monkeypatch.setattr("harbench.execute.reproducing.harbench_digest", lambda: "0" * 64)
    found = again()
    inside = found.interval.low <= found.nf[1] <= found.interval.high
    assert found.verdict == ("within the interval" if inside else "different")
    assert "the learning curve differs from epoch 1 on (train_loss" in found.results[0]
    assert "predictions.npz, weights.safetensors" in found.results[-1]
    assert found.environment[0][0] == "harbench's own code (data and training)"
    assert found.environment[0][2] == "000000000000..."
    monkeypatch.setattr("harbench.execute.reproducing.expected", lambda store, stored: None)
    assert again().verdict == "different"
    assert truth(store) == before


def test_what_cannot_be_reproduced_is_said(workplace):
    list(training(workplace, ONE))
    (key,) = [path.name for path in (workplace.store.folder / "cells").glob("*/*")]
    from toys.toy_plugin import write_toy_files

    write_toy_files(workplace.folder / "files", seed=9)
    with pytest.raises(ResultsError, match=r"cannot be trained again: .*the data changed"):
        reproduce(
            workplace.store, key, workplace.registry, InProcessExecutor(),
            plugin_files=(TOY_PLUGIN,),
        )  # fmt: skip
    with pytest.raises(ResultsError, match="not there"):
        reproduce(workplace.store, "0" * 64, workplace.registry, InProcessExecutor())
