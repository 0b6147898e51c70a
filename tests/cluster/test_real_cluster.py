"""Scheduler and workers as processes of their own that share no folder give the same bits."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from harbench.execute.jobs import Failed, Finished, Progress, Started
from toys.on_cluster import truth
from toys.waiting import LIMIT_S

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "benchmarks.yaml"


def test_three_workers_give_the_records_of_a_local_run_bit_for_bit(place):
    here, there = place.store("here"), place.store("there")
    # Cells that wait for each other: however slow one of three workers is, it has a part.
    meeting = f"{{meeting: {{options: {{folder: {place.workplace.folder / 'met'}, workers: 3}}}}}}"
    models = f"[{meeting}, broken, majority, logistic-regression]"
    what = {"models": models, "epochs": 3, "seeds": 3}
    alone = place.locally(here, **what)
    for name in ("w1", "w2", "w3"):
        place.cluster.start_worker(name)
    place.cluster.await_workers(3)
    events = place.on_cluster(there, **what)

    assert truth(there.folder) == truth(here.folder)
    assert len(truth(here.folder)) > 0
    # Each cell is trained once, and all that a local run tells is told in the same order.
    started = [event.job.key for event in events if isinstance(event, Started)]
    assert sorted(started) == sorted({event.job.key for event in alone})
    for key in started:
        told = [[_plain(e) for e in heard if e.job.key == key] for heard in (alone, events)]
        assert told[0] == told[1]
    where = {event.job.key: event.where for event in events if isinstance(event, Started)}
    assert set(where.values()) == {"w1", "w2", "w3"}
    measured = {
        path.parent.name: json.loads(path.read_text())["worker"]
        for path in there.folder.rglob("measured.json")
    }
    assert len(measured) > 0
    assert measured == {key: where[key] for key in measured}


def _plain(event):
    if isinstance(event, Progress):
        return "epoch", event.line
    if isinstance(event, Failed):
        return "failed", event.reason
    return (type(event).__name__,)


def test_closing_the_run_stops_its_cells(place):
    store = place.store("there")
    place.cluster.start_worker("w1")
    place.cluster.await_workers(1)

    class EnoughError(Exception):
        pass

    def enough(event):
        if isinstance(event, Progress):
            raise EnoughError

    with suppress(EnoughError):
        place.on_cluster(
            store, models="[{slow: {options: {seconds: 0.05}}}]", epochs=1000, on_event=enough
        )
    # The worker is free again: what is asked for next ends, although the first would take hours.
    events = place.on_cluster(store, models="[small]")
    assert sum(isinstance(event, Finished) for event in events) == 2


def test_the_shipped_quickstart_gives_the_records_of_a_local_run_bit_for_bit(place):
    for name in ("w1", "w2", "w3"):
        place.cluster.start_worker(name)
    place.cluster.await_workers(3)
    words = ["run", str(BENCHMARKS), "quickstart", "--models", "resnet-like,majority"]
    # Its recipe has four epochs, and nothing more would be learnt here of the others.
    words += ["--set", "benchmarks.quickstart.recipe.epochs=1"]
    for folder, on_cluster in (("here", False), ("there", True)):
        command = place.command(*words, "--out", folder, on_cluster=on_cluster)
        out, err = command.communicate(timeout=LIMIT_S)
        assert command.returncode == 0, out + err
    here, there = (truth(place.workplace.folder / folder) for folder in ("here", "there"))
    assert here == there
    assert sum(path.endswith("record.json") for path in here) == 2 * 2
