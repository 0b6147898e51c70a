"""Analyses that train do so on the cluster, and say the same as on this machine."""

import json

import pytest

from toys.on_cluster import truth
from toys.waiting import LIMIT_S

pytestmark = pytest.mark.slow

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 3}
    seeds: 1
    models: [small]
"""
ABLATE = ("ablate", "--k", "1", "--order", "top", "--method", "occlusion")


def test_what_an_ablation_trains_is_trained_there_and_ranks_the_same(place):
    place.workplace.yaml(YAML)
    place.cluster.start_worker("w1")
    place.cluster.await_workers(1)

    found = {}
    for folder, on_cluster in (("here", False), ("there", True)):
        for words in (("run", "benchmarks.yaml"), (*ABLATE, "--json")):
            command = place.command(*words, "--out", folder, on_cluster=on_cluster)
            out, err = command.communicate(timeout=LIMIT_S)
            assert command.returncode == 0, err
        found[folder] = json.loads(out)["tables"]
    assert found["here"] == found["there"]
    rows = found["there"]["NF by number of channels"]
    assert [(row["order"], row["k"]) for row in rows] == [("all", 3), ("top", 1)]
    assert "toy small [channel ACC y], seed 0: NF" in err
    folder = place.workplace.folder
    assert truth(folder / "here") == truth(folder / "there")
    cells = list((folder / "there" / "cells").rglob("measured.json"))
    assert [json.loads(path.read_text())["worker"] for path in cells] == ["w1"] * 2
