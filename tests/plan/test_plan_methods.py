"""A cell's key covers its loss and augmentations: name, options, source; and nothing else's."""

import textwrap

import pytest

from harbench.errors import ConfigError
from harbench.plan import keys, plan
from harbench.plugins import load_plugins
from toys.workplace import TOY_PLUGIN

METHODS = """
import harbench

CITE = harbench.Citation("me")

def loss(support, *, gamma=2.0):
    return lambda logits, y: (logits.logsumexp(1) - logits.gather(1, y[:, None])[:, 0]) * gamma

def still(channels, *, much=1):
    if len(channels) != 3 or channels[0].axis != "x":
        raise ValueError("these are not the toy's channels")
    return lambda batch, random: batch

@harbench.hookimpl
def register_losses(register):
    register(harbench.Loss("mine", "", loss, CITE))

@harbench.hookimpl
def register_augmentations(register):
    register(harbench.Augmentation("still", "", still, CITE))
    register(harbench.Augmentation("other", "", still, CITE))
"""
FILE = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20}
    seeds: 1
    models:
      plain: {model: small}
      lossy: {model: small, recipe: {loss: mine}}
      augmented: {model: small, recipe: {augment: [still, {other: {much: 2}}]}}
"""


@pytest.fixture
def planned(workplace, tmp_path):
    mine = tmp_path / "mine.py"

    def planned(text=FILE, source=METHODS):
        mine.write_text(source)
        keys._read.cache_clear()
        (benchmark,) = workplace.benchmarks(text)
        found = plan(benchmark, load_plugins([TOY_PLUGIN, mine]))
        return {row.name: row.cells[0] for row in found.rows}

    yield planned
    keys._read.cache_clear()


def changed(before, after):
    return {row for row in before if before[row].key != after[row].key}


def test_what_is_in_a_key(planned):
    cells = planned()
    assert "methods" not in cells["plain"].content
    loss = cells["lossy"].content["methods"]["loss"]
    assert (loss["name"], loss["options"], loss["distribution"]) == ("mine", {"gamma": 2.0}, None)
    assert len(loss["source"]) == 64
    augment = cells["augmented"].content["methods"]["augment"]
    assert [one["name"] for one in augment] == ["still", "other"]
    assert [one["options"] for one in augment] == [{"much": 1}, {"much": 2}]


def test_one_changed_character_of_the_source_changes_the_rows_that_use_it(planned):
    assert changed(planned(), planned(source=METHODS + "#")) == {"lossy", "augmented"}


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ("loss: mine", "loss: {mine: {gamma: 3}}", {"lossy"}),
        ("{much: 2}", "{much: 3}", {"augmented"}),
        ("[still, {other: {much: 2}}]", "[{other: {much: 2}}, still]", {"augmented"}),
        ("plain: {model: small}", "plain: {model: small, recipe: {sampling: balanced}}", {"plain"}),
    ],
)
def test_what_matters_changes_the_key(planned, old, new, rows):
    assert old in FILE
    assert changed(planned(), planned(FILE.replace(old, new))) == rows


def test_a_default_that_is_written_out_says_nothing_new(planned):
    cells = planned()
    same = planned(FILE.replace("[still,", "[{still: {}},"))
    assert changed(cells, same) == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("loss: mine", "loss: min", "benchmark 'toy', model 'lossy', recipe.loss: no loss is call"),
        (
            "{much: 2}",
            "{mush: 2}",
            "benchmark 'toy', model 'augmented', recipe.augment, other: augmentation 'other' has "
            "no option 'mush'; did you mean 'much'?",
        ),
        (
            "path: files",
            "path: nowhere\n    recipe: {loss: gone}",
            "no loss is called 'gone'",
        ),
        ("window: 20", "window: 20, channels: ['ACC y']", "these are not the toy's channels"),
        (
            "loss: mine",
            "loss: mine, label_smoothing: 0.1",
            "recipe.label_smoothing: label_smoothing 0.1 with loss 'mine'",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained(planned, old, new, said):
    with pytest.raises(ConfigError) as caught:
        planned(textwrap.dedent(FILE).replace(old, new))
    assert said in str(caught.value)
