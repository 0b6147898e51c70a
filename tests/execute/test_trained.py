"""Cells brought back from the store: the same network on the same windows."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch

from harbench.errors import ConfigError, DataError, DataMissingError, ResultsError
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import work_of
from harbench.execute.trained import load_cell, trained_cells
from harbench.plan import plan
from harbench.plugins import Registry
from harbench.results.sealed import sealed_text
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN, carry_out

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, channels: [ACC z, ACC x], null: drop, split: loso}
    recipe: {epochs: 2}
    seeds: 1
    models: [small]
"""


@pytest.fixture
def ran(workplace):
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
    list(carry_out(work, planned, workplace.store, InProcessExecutor()))
    return workplace


def cells(workplace):
    return trained_cells(workplace.store, "toy", lambda: workplace.registry)


def test_a_loaded_cell_predicts_what_was_stored(ran):
    found = cells(ran)
    assert [(c.row, c.fold, c.seed) for c in found] == [("small", f"s{i}", 0) for i in range(1, 5)]
    for cell in found:
        loaded = cell.load()
        stored = ran.store.read(cell.record["key"]).predictions()
        with torch.inference_mode():
            logits = loaded.module(torch.from_numpy(loaded.windows("test")))
        np.testing.assert_allclose(torch.softmax(logits, 1), stored.probabilities, atol=1e-6)
        np.testing.assert_array_equal(loaded.labels["test"], stored.true)
        assert [c.name for c in loaded.channels] == ["ACC x", "ACC z"]
        assert (loaded.classes, loaded.null) == (("wave", "turn"), None)
        assert not loaded.module.training


def test_windows_are_those_of_the_signals(ran):
    loaded = cells(ran)[0].load()
    some = np.array([3, 0])
    windows = loaded.windows("validation", some)
    for window, start in zip(windows, loaded.starts["validation"][some], strict=True):
        np.testing.assert_array_equal(window, loaded.signals[start : start + 20].T)


def test_fresh_networks_have_other_weights_from_their_seed(ran):
    loaded = cells(ran)[0].load()
    first, again, other = (loaded.fresh(seed).state_dict()["0.weight"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, loaded.module.state_dict()["0.weight"])


def test_what_is_not_there_is_said_in_one_sentence(ran):
    cell = cells(ran)[0]
    stored = ran.store.read(cell.record["key"])
    with pytest.raises(ConfigError, match="no dataset is called 'toy'"):
        load_cell(stored, Registry())
    weights = cell.folder / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ResultsError, match="not those of the record"):
        cell.load()
    weights.unlink()
    with pytest.raises(ResultsError, match="weights of this cell are not there"):
        cell.load()
    weights.write_bytes(content)
    cell.load()
    write_toy_files(ran.folder / "files", seed=5)
    with pytest.raises(DataError, match="not what this cell was trained on"):
        cell.load()
    shutil.rmtree(ran.folder / "files")
    with pytest.raises(DataMissingError):
        cell.load()


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x02" + bytes(7) + b"{}x", b"weights!"])
def test_weights_that_are_no_safetensors_are_said(ran, content):
    cell = cells(ran)[0]
    (cell.folder / "weights.safetensors").write_bytes(content)
    path = cell.folder / "record.json"
    record = json.loads(path.read_text())
    record["sha256"]["weights.safetensors"] = hashlib.sha256(content).hexdigest()
    del record["seal"]
    path.write_text(sealed_text(record))
    with pytest.raises(ResultsError, match="the weights cannot be read"):
        load_cell(ran.store.read(record["key"]), ran.registry)


def test_a_model_that_has_changed_is_said(ran):
    cell = cells(ran)[0]
    path = cell.folder / "record.json"
    record = json.loads(path.read_text())
    record["cell"]["options"] = {"hidden": 9}
    del record["seal"]
    path.write_text(sealed_text(record))
    with pytest.raises(ResultsError, match="do not fit model 'small' as it is now"):
        load_cell(ran.store.read(record["key"]), ran.registry)
