"""What docs/recipes.md prints is run as it says."""

import re
from pathlib import Path

import pytest
import torch

from harbench.config import load
from harbench.execute.work import _registry
from harbench.nouns import Channel, TrainingBatch
from harbench.plugins import load_plugins
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))
FILE = (
    "benchmarks:\n  toy:\n    dataset: toy\n    path: files\n"
    "    protocol: {window: 20, step: 10}\n    recipe: {epochs: 2}\n    seeds: 1\n"
    "    models: [small]\n"
)
METHODS = ["focal", "jitter", "scaling", "rotation", "time_warp", "channel_dropout", "mixup"]


@pytest.fixture
def every_method(cli):
    for name in METHODS:
        cli.install(name.replace("_", "-"), f"harbench_training.{name}")
    # In one process a worker's plugins are loaded once, and other tests install others.
    _registry.cache_clear()
    yield
    _registry.cache_clear()


def test_the_benchmark_is_one(tmp_path):
    (tmp_path / "b.yaml").write_text(EXAMPLES["recipes.yaml"])
    [benchmark] = load(tmp_path / "b.yaml").benchmarks
    named = {entry.row: entry.recipe for entry in benchmark.models}
    assert named["focal"].loss.options == {"gamma": 2}
    assert [method.name for method in named["augmented"].augment] == [
        "jitter", "scaling", "rotation", "mixup",
    ]  # fmt: skip


def test_the_rows_of_the_precision_table_are_those_of_its_file(tmp_path):
    (tmp_path / "b.yaml").write_text(EXAMPLES["precision.yaml"])
    [benchmark] = load(tmp_path / "b.yaml").benchmarks
    recipes = {entry.row: entry.recipe for entry in benchmark.models}
    assert (recipes["plain-layers"].lowering, recipes["bf16"].precision) == ("none", "bf16")
    table = PAGE.partition("## Precision")[2].partition("## Your own")[0]
    rows = re.findall(r"^\| (\S+) \| ([\d., ]+) \| ([\d.]+) \|(.*)\|$", table, re.MULTILINE)
    scores = {row: [float(nf) for nf in seeds.split(",")] for row, seeds, _, _ in rows}
    assert list(scores) == list(recipes)
    for row, _, mean, paired in rows:
        assert sum(scores[row]) / 5 == pytest.approx(float(mean), abs=0.006)
        differences = [a - b for a, b in zip(scores[row], scores["float32"], strict=True)]
        if row != "float32":
            assert sum(differences) / 5 == pytest.approx(float(paired.split()[0]), abs=0.011)


@pytest.mark.usefixtures("every_method")
def test_the_tables_list_all_that_there_is_with_its_options():
    registry = load_plugins()
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+?) \|", PAGE, re.MULTILINE))
    assert rows == {
        thing.name: ", ".join(f"`{key}: {value:g}`" for key, value in thing.options.items())
        for thing in registry.augmentations
    }
    assert "`loss: {focal: {gamma: 2}}`" in PAGE
    assert {loss.name: loss.options for loss in registry.losses} == {"focal": {"gamma": 2.0}}


@pytest.mark.usefixtures("one_thread", "quick_latency", "every_method")
def test_a_loss_and_an_augmentation_of_ones_own(cli, tmp_path):
    (tmp_path / "mine.py").write_text(EXAMPLES["mine.py"])
    write_toy_files(tmp_path / "files")
    (tmp_path / "benchmarks.yaml").write_text(FILE)
    [command] = re.findall(r"^harbench --plugin mine.py run (.*)$", PAGE, re.MULTILINE)
    quoted = re.findall(r"--set '(.*?)'", command)
    sets = [word for value in quoted for word in ("--set", value)]
    start = ("--plugin", TOY_PLUGIN, "--plugin", "mine.py", "run", "benchmarks.yaml")
    ran = cli(*start, *sets, "--jobs", "0")
    assert ran.code == 0, ran.err
    # Another option, another cell; the same again, none.
    assert "1 cells were in" in cli(*start, *sets, "--jobs", "0").err
    other = cli(*start, *sets[:1], "recipe.loss={poly: {epsilon: 3}}", "--jobs", "0")
    assert "toy small, seed 0: NF" in other.err
    said = cli(*start, "--set", "recipe.loss={poly: {epsilon: -3}}", "--jobs", "0")
    assert said.code == 2
    assert "'poly' cannot be used: option epsilon is -3" in said.err
    said = cli(*start, "--set", "recipe.augment=[{mirror: {axes: x}}]", "--jobs", "0")
    assert said.code == 2
    assert "augmentation 'mirror' has no option 'axes'; did you mean 'axis'?" in said.err


def test_the_examples_do_what_they_say(tmp_path):
    (tmp_path / "mine.py").write_text(EXAMPLES["mine.py"])
    registry = load_plugins([tmp_path / "mine.py"])
    logits, y = torch.tensor([[0.8, 0.2]]).log(), torch.tensor([0])
    loss = registry.losses.get("poly").build((1, 1), epsilon=2)(logits, y)
    assert loss[0] == pytest.approx(-torch.tensor(0.8).log().item() + 2 * 0.2)
    channels = [Channel(a, "s", "wrist", "accelerometer", a, "g", i) for i, a in enumerate("xyz")]
    augment = registry.augmentations.get("mirror").build(channels)
    before = TrainingBatch(torch.rand(400, 3, 5), torch.zeros(400).long())
    after = augment(before, torch.Generator().manual_seed(0)).x
    turned = after[:, 0, 0] < 0
    assert torch.equal(after[:, 1:], before.x[:, 1:])
    assert torch.equal(after[turned, 0], -before.x[turned, 0])
    assert torch.equal(after[~turned, 0], before.x[~turned, 0])
    assert abs(turned.float().mean() - 0.5) < 5 * (0.25 / 400) ** 0.5
    with pytest.raises(ValueError, match="no channel is an w axis"):
        registry.augmentations.get("mirror").build(channels, axis="w")


@pytest.mark.usefixtures("one_thread", "quick_latency", "every_method")
def test_everything_at_once_is_reproduced_from_its_record(cli, tmp_path):
    """Weights found again by ``reproduce`` are the same bits: the record says all that matters."""
    write_toy_files(tmp_path / "files")
    (tmp_path / "benchmarks.yaml").write_text(
        FILE.replace(
            "{epochs: 2}",
            "{epochs: 2, loss: focal, sampling: balanced, "
            "augment: [jitter, scaling, rotation, time-warp, channel-dropout, mixup]}",
        )
    )
    ran = cli("--plugin", TOY_PLUGIN, "run", "benchmarks.yaml", "--jobs", "0")
    assert ran.code == 0, ran.err
    [cell] = (tmp_path / "results").rglob("record.json")
    again = cli("--plugin", TOY_PLUGIN, "reproduce", cell.parent.name, "--jobs", "0")
    assert again.code == 0, again.err
    assert "same bits" in again.out
    verified = cli("verify")
    assert verified.code == 0, verified.out
