"""The TensorBoard plugin, with its writer or a stand-in for it: what is written, and when."""

import json
import sys
from types import ModuleType
from typing import ClassVar

import pytest

from harbench_training import tensorboard
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")


@pytest.fixture
def run(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(
        "benchmarks:\n  toy:\n    dataset: toy\n    path: files\n"
        "    protocol: {window: 20, step: 10}\n    recipe: {epochs: 2}\n    seeds: 1\n"
        "    models: [small]\n"
    )
    cli.install("tensorboard", "harbench_training.tensorboard")
    return lambda *more: cli("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0", *more)


class Writer:
    every: ClassVar[list] = []

    def __init__(self, folder):
        self.folder, self.scalars, self.texts, self.closed = folder, [], {}, 0
        Writer.every.append(self)

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, float(value), step))

    def add_text(self, tag, text):
        self.texts[tag] = text

    def close(self):
        self.closed += 1


@pytest.fixture
def stand_in(monkeypatch):
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(Writer, "every", [])
    return Writer


def test_what_is_written(run, stand_in, monkeypatch, tmp_path):
    monkeypatch.setenv("HARBENCH_TENSORBOARD", "runs")
    assert run().code == 0
    [writer] = stand_in.every
    [path] = (tmp_path / "results").rglob("record.json")
    record = json.loads(path.read_text())
    assert writer.folder == f"runs/toy/small/all/0/{record['key'][:8]}"
    points = {(tag, step): value for tag, value, step in writer.scalars}
    for epoch in record["curve"]:
        number = epoch["epoch"]
        assert points["train/loss", number] == epoch["train_loss"]
        assert points["learning rate", number] == epoch["learning_rate"]
        for name in ("loss", "nf", "macro_f1", "accuracy"):
            assert points[f"validation/{name}", number] == epoch[f"validation_{name}"]
    for name in ("nf", "macro_f1", "accuracy", "balanced_accuracy"):
        assert points[f"test/{name}", 0] == record["scores"][name]
    assert len(points) == len(writer.scalars) == 2 * 6 + 4
    assert '"optimizer": "adam"' in writer.texts["recipe"]
    assert writer.closed == 1
    assert not tensorboard._writers


def test_a_cell_that_fails(run, stand_in, monkeypatch):
    monkeypatch.setenv("HARBENCH_TENSORBOARD", "runs")
    assert run("--set", "models=[broken]").code == 1
    [writer] = stand_in.every
    assert writer.texts["failure"].startswith("the model returned [32, 4]")
    assert writer.closed == 1


def test_without_the_variable_nothing_is_written(run, stand_in, monkeypatch):
    monkeypatch.delenv("HARBENCH_TENSORBOARD", raising=False)
    assert run().code == 0
    assert stand_in.every == []


def test_without_tensorboard_the_run_goes_on_and_says_what_to_install(run, monkeypatch):
    monkeypatch.setenv("HARBENCH_TENSORBOARD", "runs")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    ran = run()
    assert ran.code == 0
    assert " small " in ran.out
    assert ran.err.count("TensorBoard is not installed") == 1
    assert "pip install 'harbench[tensorboard]'" in ran.err


def test_it_really_writes(run, monkeypatch, tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    monkeypatch.setenv("HARBENCH_TENSORBOARD", "runs")
    assert run().code == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    [file] = (tmp_path / "runs").rglob("events.out.tfevents.*")
    events = EventAccumulator(str(file))
    events.Reload()
    assert [point.step for point in events.Scalars("validation/nf")] == [1, 2]
