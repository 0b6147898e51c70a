"""Variants: finished cells trained again under a changed protocol."""

import pytest

from harbench.errors import ConfigError, DataMissingError, ResultsError
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import efforts_of, measure_costs, train_cells, work_of
from harbench.execute.trained import trained_cells
from harbench.execute.variants import VariantTrainer
from harbench.nouns import BlockSplit, RandomWindowSplit, Variant
from harbench.plan import plan
from toys.workplace import TOY_PLUGIN, carry_out

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, split: loso}
    recipe: {epochs: 1}
    seeds: 2
    models: [small, {wide: {model: small, options: {hidden: 16}, recipe: {epochs: 2}}}]
"""


class Lab:
    """A store with trained cells, and a trainer that remembers what it trained."""

    def __init__(self, workplace):
        self.store = workplace.store
        self.registry = lambda: workplace.registry
        self.rounds = []
        self.train = VariantTrainer(self.store, self.registry, self._carry_out)

    def _carry_out(self, planned):
        work = work_of(planned, self.store, plugin_files=(TOY_PLUGIN,))
        self.rounds.append(work)
        list(measure_costs(work, self.store, InProcessExecutor()))
        efforts = efforts_of(work, planned, self.store)
        list(train_cells(work, efforts, self.store, InProcessExecutor()))

    def cell(self, row, fold, seed):
        cells = trained_cells(self.store, "toy", self.registry)
        return next(c for c in cells if (c.row, c.fold, c.seed) == (row, fold, seed))


@pytest.fixture
def lab(workplace):
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
    list(carry_out(work, planned, workplace.store, InProcessExecutor()))
    return Lab(workplace)


def test_only_the_protocol_of_the_cell_changes(lab):
    cell = lab.cell("wide", "s2", 1)
    [[variant]] = lab.train([Variant(cell, {"channels": ("ACC z", "ACC y")})])
    assert (variant.row, variant.fold, variant.seed) == ("wide", "s2", 1)
    before, after = cell.record["cell"], variant.record["cell"]
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"channels"}
    # In the dataset's order.
    assert after["channels"] == ["ACC y", "ACC z"]
    assert after["options"] == {"hidden": 16}
    assert len(variant.record["curve"]) == 2
    assert variant.load().windows("test").shape[1:] == (2, 20)
    # One convolution of 3 taps, 16 maps: 48 weights less for a channel less.
    assert cell.cost["parameters"] - variant.cost["parameters"] == 48


def test_a_variant_is_trained_once_and_the_cell_itself_never(lab):
    cell = lab.cell("small", "s1", 0)
    one = Variant(cell, {"channels": ("ACC x",)})
    first, second, same = lab.train([one, one, Variant(cell, {})])
    assert first[0].key == second[0].key != cell.key
    assert same[0].key == cell.key
    assert len(lab.rounds[0].cells) == 1
    assert lab.train([one])[0][0].key == first[0].key
    assert lab.rounds[1].cells == ()


def test_another_split_gives_a_cell_for_each_of_its_folds(lab):
    cell = lab.cell("small", "s1", 1)
    wanted = [
        Variant(cell, {"split": RandomWindowSplit(), "null": "drop"}),
        Variant(cell, {"split": BlockSplit()}),
        Variant(cell, {"split": "loso", "channels": ("ACC x",)}),
    ]
    random, blocks, folds = lab.train(wanted)
    assert [(c.fold, c.seed) for c in random + blocks] == [("all", 1), ("all", 1)]
    assert random[0].record["null"] is None
    assert random[0].record["classes"] == ["wave", "turn"]
    assert random[0].record["overlap"]["test"] > 0.8
    assert blocks[0].record["overlap"]["test"] == 0
    assert [c.fold for c in folds] == ["s1", "s2", "s3", "s4"]


def test_what_cannot_be_trained_is_said(lab, workplace):
    cell = lab.cell("small", "s1", 0)
    with pytest.raises(ConfigError, match="ACC q"):
        lab.train([Variant(cell, {"channels": ("ACC q",)})])
    for path in (workplace.folder / "files").iterdir():
        path.unlink()
    with pytest.raises(DataMissingError):
        Lab(workplace).train([Variant(cell, {"channels": ("ACC x",)})])


def test_a_training_that_failed_is_said(lab):
    cell = lab.cell("small", "s1", 0)
    lab.train._carry_out = lambda planned: None
    with pytest.raises(ResultsError, match=r"1 of 1 trainings failed; small \[channel ACC x\], "):
        lab.train([Variant(cell, {"channels": ("ACC x",)})])


def test_cells_of_another_version_are_not_compared_with(lab, monkeypatch):
    cell = lab.cell("small", "s1", 0)
    monkeypatch.setattr("harbench.plan.contents.harbench_digest", lambda rooms=(): "another")
    with pytest.raises(ResultsError, match="another version of harbench"):
        lab.train([Variant(cell, {"channels": ("ACC x",)})])
