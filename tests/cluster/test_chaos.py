"""All at once: workers killed every few seconds, one stopped, one late, one of another version, the
client killed and run again. Every cell is trained once, and the store is as if nothing had been.
"""

import json
import os
import signal
import threading

import pytest

from toys.on_cluster import truth
from toys.shared_toys import shared_toys
from toys.waiting import LIMIT_S, until

pytestmark = pytest.mark.slow

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, split: loso}
    recipe: {epochs: 2, patience: 10000}
    seeds: 3
    models: [{slow: {options: {seconds: 0.08}}}]
cluster: {silence: 3, tries: 100}
"""
N_CELLS = 4 * 3
KILL_EVERY_S = 4.0


class Chaos(threading.Thread):
    """Kills a worker every few seconds, the next one each time, and starts another in its place."""

    def __init__(self, cluster, names, **variables):
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.killed = 0
        self._cluster, self._names, self._variables = cluster, names, variables

    def run(self):
        number = 0
        while not self.over.wait(KILL_EVERY_S):
            name = self._names[number % len(self._names)]
            number += 1
            self._cluster.kill(name)
            self.killed += 1
            self._cluster.start_worker(name, **self._variables)


@pytest.fixture
def sites(tmp_path, monkeypatch):
    """PYTHONPATH of the client and most workers, and of a worker with another plugin."""
    before = os.environ.get("PYTHONPATH", "")
    found = [shared_toys(tmp_path / version, version) for version in ("1.0", "2.0")]
    paths = [os.pathsep.join(filter(None, [str(site), before])) for site in found]
    monkeypatch.setenv("PYTHONPATH", paths[0])
    monkeypatch.syspath_prepend(str(found[0]))
    return paths


def test_all_cells_are_trained_once_each_whatever_happens_to_workers_and_client(place, sites):
    path = place.workplace.yaml(YAML)
    here = place.store("here")
    same, other = sites
    cluster, folder = place.cluster, place.workplace.folder
    cluster.environment["PYTHONPATH"] = same
    place.locally_from(path, here)
    for name in ("w1", "w2", "w3", "stopped"):
        cluster.start_worker(name)
    cluster.start_worker("other", PYTHONPATH=other)
    cluster.await_workers(5)

    cells = folder / "there" / "cells"
    first = place.command("run", "benchmarks.yaml", "--out", "there")
    until(lambda: stored(cells), "the first cell")
    chaos = Chaos(cluster, ["w1", "w2"])
    chaos.start()
    try:
        cluster.signal("stopped", signal.SIGSTOP)
        before = len(stored(cells))
        enough = min(before + 3, N_CELLS - 1)
        until(lambda: len(stored(cells)) >= enough, "cells in spite of that")
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate(timeout=LIMIT_S)
        kept = stored(cells)
        second = place.command("run", "benchmarks.yaml", "--out", "there")
        before = len(stored(cells))
        until(lambda: len(stored(cells)) > before or second.poll() is not None, "the second run")
        cluster.start_worker("late")
        out, err = second.communicate(timeout=LIMIT_S)
    finally:
        chaos.over.set()
        chaos.join()
    assert second.returncode == 0, err
    assert chaos.killed > 0
    # What was stored when the first client died was not trained again.
    assert sum("NF " in line for line in err.splitlines()) == N_CELLS - len(kept), err
    assert len(kept) < N_CELLS
    assert truth(folder / "there") == truth(here.folder)
    assert len(stored(cells)) == N_CELLS
    measured = [json.loads(path.read_text()) for path in cells.rglob("measured.json")]
    assert "other" not in {found["worker"] for found in measured}
    verified = place.command("verify", "there", on_cluster=False)
    out, err = verified.communicate(timeout=LIMIT_S)
    assert verified.returncode == 0, out + err


def stored(cells):
    """Keys of the cells that are in the store, whole."""
    return {path.parent.name for path in cells.rglob("record.json")}
