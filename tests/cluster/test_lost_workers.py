"""Workers that die, hang or lose their cells; a scheduler that dies; a client that dies."""

import os
import signal
from contextlib import suppress

import pytest

from harbench.errors import ClusterError
from harbench.execute.jobs import Failed, Finished, Lost, Progress, Started
from toys.on_cluster import truth
from toys.waiting import until

pytestmark = pytest.mark.slow

SLOW = "[{{slow: {{options: {{seconds: {seconds}}}}}}}]"
"""Eight batches an epoch; sleeping takes no processor."""


def held(place):
    """A model whose cells go on after their first epoch once there is a file, and that file."""
    go = place.workplace.folder / "go"
    return f"{{held: {{options: {{until: {go}}}}}}}", go


class EnoughError(Exception):
    """The rest of the run is of no interest."""


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_what_a_killed_worker_had_runs_elsewhere_and_gives_the_same_bits(place):
    model, go = held(place)
    what = {"models": f"[{model}]", "epochs": 4}
    here, there = place.store("here"), place.store("there")
    place.locally(here, **what)
    place.cluster.start_worker("w1")
    place.cluster.start_worker("w2")
    place.cluster.await_workers(2)
    where, killed = {}, []

    def kill_in_the_middle(event):
        if isinstance(event, Started):
            where[event.job.key] = event.where
        elif isinstance(event, Progress) and where[event.job.key] == "w1" and not killed:
            killed.append(event.job.key)
            place.cluster.kill("w1")
            go.touch()

    events = place.on_cluster(there, on_event=kill_in_the_middle, **what)
    assert [(lost.job.key, lost.where) for lost in of(events, Lost)] == [(killed[0], "w1")]
    assert of(events, Lost)[0].reason == "died or left"
    again = [e for e in of(events, Started) if e.job.key == killed[0]]
    assert [event.where for event in again] == ["w1", "w2"]
    assert len(of(events, Finished)) == 2
    assert truth(there.folder) == truth(here.folder)
    # The foreman and its cells have ended with the worker.
    until(lambda: not place.cluster.processes("w1"), "the processes of a dead worker")


def test_a_killed_worker_that_its_nanny_starts_again_is_asked_and_used_again(place):
    """Dask's own way of starting workers: a nanny, whose only child is the worker."""
    model, go = held(place)
    what = {"models": f"[{model}]", "epochs": 4}
    here, there = place.store("here"), place.store("there")
    place.locally(here, **what)
    place.cluster.start_worker("w1", nanny=True)
    place.cluster.await_workers(1)
    pids = []

    def kill_in_the_middle(event):
        if isinstance(event, Progress) and not pids:
            pids.extend(place.cluster.worker_pids())
            os.kill(pids[0], signal.SIGKILL)
            go.touch()

    events = place.on_cluster(there, on_event=kill_in_the_middle, **what)
    assert len(of(events, Lost)) == 1
    assert len(of(events, Finished)) == 2
    assert set(place.cluster.worker_pids()).isdisjoint(pids)
    assert truth(there.folder) == truth(here.folder)


def test_a_cell_that_kills_workers_is_recorded_as_failed_and_the_others_are_trained(place):
    for name in ("w1", "w2", "w3"):
        place.cluster.start_worker(name)
    place.cluster.await_workers(3)
    store = place.store("there")
    # The killer is the longest, and goes first: where it came last, nobody would be left for it.
    events = place.on_cluster(
        store, models="[killer, small]", epochs=1, seeds=1, settings={"tries": 2}
    )
    [failed] = of(events, Failed)
    assert failed.job.cell.model == "killer"
    assert failed.reason.startswith("2 workers were lost with it, one after another (")
    assert failed.reason.endswith("the cell may be what ends them")
    [finished] = of(events, Finished)
    assert finished.job.cell.model == "small"
    assert store.failure(failed.job.key)["reason"] == failed.reason


def test_a_cell_that_kills_the_foreman_costs_no_worker(place):
    place.cluster.start_worker("w1")
    place.cluster.await_workers(1)
    models = "[{killer: {options: {upwards: 2}}}, small]"
    events = place.on_cluster(
        place.store("there"), models=models, epochs=1, seeds=1, settings={"tries": 2}
    )
    [failed] = of(events, Failed)
    assert "lost its cells: the process of its cells was ended by SIGKILL" in failed.reason
    assert [event.where for event in of(events, Started)] == ["w1"] * 3
    assert len(of(events, Finished)) == 1


def test_a_worker_that_hangs_is_left_and_used_again_when_it_is_back(place):
    place.cluster.start_worker("w1")
    place.cluster.start_worker("w2")
    place.cluster.await_workers(2)
    # On a busy machine the other may seem to hang as well: then it is back the sooner.
    settings = {"silence": 3, "tries": 1000}
    started, stopped, at = [], [], {}

    def stop_and_go_on(event):
        if isinstance(event, Started):
            started.append(event.where)
            at[event.job.key] = event.where
        if isinstance(event, Lost):
            at.pop(event.job.key)
        # While a cell of its own is in work there, so that it has one to lose.
        if isinstance(event, Progress) and at[event.job.key] == "w1" and not stopped:
            stopped.append(len(started))
            place.cluster.signal("w1", signal.SIGSTOP)
        if isinstance(event, Lost) and event.where == "w1" and stopped:
            place.cluster.signal("w1", signal.SIGCONT)
        if stopped and "worker w1 is back" in place.said and "w1" in started[stopped[0] :]:
            raise EnoughError

    with suppress(EnoughError):
        place.on_cluster(
            place.store("there"),
            models=SLOW.format(seconds=0.005),
            epochs=10**6,
            seeds=3,
            settings=settings,
            on_event=stop_and_go_on,
        )
    assert "worker w1 is not used: no sign of life from it for 3 s" in place.said
    assert "w1" in started[stopped[0] :]


def test_the_death_of_the_scheduler_ends_the_run_and_the_next_goes_on(place):
    store = place.store("there")
    model, go = held(place)
    # One try: a cell that was counted as lost would be stored as failed.
    what = {"models": f"[small, {model}]", "seeds": 1, "settings": {"tries": 1}}
    for name in ("w1", "w2"):
        place.cluster.start_worker(name)
    place.cluster.await_workers(2)
    done, running, killed = set(), set(), []

    def kill_the_scheduler(event):
        if isinstance(event, Finished):
            done.add(event.job.key)
        if isinstance(event, Progress) and event.job.cell.model == "held":
            running.add(event.job.key)
        if done and running and not killed:
            killed.append(True)
            place.cluster.kill("scheduler")

    with pytest.raises(ClusterError, match="the scheduler is gone"):
        place.on_cluster(store, on_event=kill_the_scheduler, **what)
    [small], [other] = done, running
    assert small != other
    assert store.failure(other) is None

    go.touch()
    place.cluster.start_scheduler()
    place.cluster.start_worker("w9")
    place.cluster.await_workers(1)
    events = place.on_cluster(store, **what)
    # What was done stays done, and nobody holds a lock on the rest.
    assert {event.job.key for event in of(events, Started)} == running
    assert len(of(events, Finished)) == 1


def test_cells_stop_when_their_client_dies(place):
    place.cluster.start_worker("w1")
    place.cluster.await_workers(1)
    place.work(place.store("there"), models=SLOW.format(seconds=0.01), epochs=10**6, seeds=1)
    client = place.command("run", "benchmarks.yaml", "--out", "there")
    cells = place.workplace.folder / "cluster" / "w1" / "cache" / "checkpoints"
    until(lambda: cells.is_dir() and any(cells.iterdir()), "a cell in work")
    before = place.cluster.processes("w1")
    os.kill(client.pid, signal.SIGKILL)
    client.wait()
    until(lambda: len(place.cluster.processes("w1")) < len(before), "the cell to stop")
    # The worker itself is as good as before.
    events = place.on_cluster(place.store("other"), models="[small]", seeds=1)
    assert len(of(events, Finished)) == 1
