"""Scheduler and workers as processes of their own that share no folder give the same bits."""

import json
from contextlib import suppress

from harbench.execute.jobs import Failed, Finished, Progress, Started
from toys.on_cluster import truth


def test_three_workers_give_the_records_of_a_local_run_bit_for_bit(place):
    here, there = place.store("here"), place.store("there")
    what = {"models": "[small, broken, majority, logistic-regression]", "epochs": 3, "seeds": 2}
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
    assert {e.where for e in events if isinstance(e, Started)} == {"w1", "w2", "w3"}
    workers = {
        json.loads(path.read_text())["worker"] for path in there.folder.rglob("measured.json")
    }
    assert workers == {"w1", "w2", "w3"}


def _plain(event):
    if isinstance(event, Progress):
        return "epoch", event.line
    if isinstance(event, Failed):
        return "failed", event.reason
    return (type(event).__name__,)


def test_closing_the_run_stops_its_cells(place):
    store = place.store("there")
    place.cluster.start_worker("w1")

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
