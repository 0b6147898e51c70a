"""Losses, sampling and augmentations in benchmarks.yaml: how they are written, and refused."""

import pytest

from harbench.config import dump, load, loads, merge_recipe
from harbench.errors import ConfigError
from harbench.nouns import Augmentation, Citation, Loss, Method, Recipe
from harbench.plugins import Origin, Registry

FILE = "benchmarks:\n  q:\n    dataset: d\n    models: [m, {n: {recipe: {epochs: 2}}}]\n"


def recipe(line):
    return FILE + f"    recipe: {{{line}}}\n"


def test_the_ways_to_write_them(loaded):
    def found(line):
        return loaded(recipe(line))["q"].recipe

    assert found("loss: focal").loss == Method(name="focal")
    assert found("loss: {focal: {gamma: 2}}").loss == Method(name="focal", options={"gamma": 2})
    assert found("loss: {focal: }").loss == Method(name="focal")
    assert found("loss: null").loss is found("loss: cross-entropy").loss is None
    assert found("sampling: balanced").sampling == "balanced"
    many = found("augment: [jitter, {scaling: {sigma: 0.1}}, {odd: {ids: [1, x, null]}}, mixup]")
    assert [method.name for method in many.augment] == ["jitter", "scaling", "odd", "mixup"]
    assert [method.options for method in many.augment] == [
        {}, {"sigma": 0.1}, {"ids": (1, "x", None)}, {},
    ]  # fmt: skip
    assert found("augment: null").augment == found("augment: []").augment == ()
    assert found("epochs: 3").loss is None and found("epochs: 3").sampling == "shuffled"


def test_python_writes_them_as_files_do():
    written = Recipe(loss={"focal": {"gamma": 2}}, augment=("jitter", {"mixup": {"alpha": 1}}))
    assert written.model_dump(mode="json", include={"loss", "augment"}) == {
        "loss": {"focal": {"gamma": 2}},
        "augment": ["jitter", {"mixup": {"alpha": 1}}],
    }
    assert Recipe.model_validate(written.model_dump(mode="json")) == written


def test_what_is_dumped_is_read_again(loaded):
    text = "loss: {focal: {gamma: 2}}, sampling: balanced, augment: [jitter, {odd: {ids: [1, x]}}]"
    benchmark = loaded(recipe(text))["q"]
    assert loads(dump(benchmark), "again").benchmarks[0] == benchmark


def test_the_last_wins_and_a_list_is_replaced_whole():
    base = Recipe(loss="focal", augment=("jitter",), sampling="balanced")
    over = merge_recipe(base, Recipe(augment=("mixup",)), Recipe(loss=None))
    assert (over.loss, over.augment, over.sampling) == (None, (Method(name="mixup"),), "balanced")


def test_set_from_the_command_line(loaded):
    def after(*overrides):
        return loaded(recipe("augment: [jitter]"), *overrides)["q"].recipe

    assert after("recipe.loss=focal").loss == Method(name="focal")
    assert after("recipe.loss.focal.gamma=3").loss == Method(name="focal", options={"gamma": 3})
    assert after("recipe.augment=[mixup]").augment == (Method(name="mixup"),)
    assert after("recipe.augment.0={scaling: {sigma: 1}}").augment[0].name == "scaling"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("loss: 3", "b.yaml:5:20: recipe.loss: there is neither a name (focal) nor one name with"),
        ("loss: {a: {}, b: {}}", "b.yaml:5:20: recipe.loss: there is neither a name"),
        ("loss: a b", "b.yaml:5:20: recipe.loss: 'a b' is no name"),
        ("loss: {a: {b: {c: 1}}}", "option b of 'a' is neither a value nor a list of values"),
        ("augment: jitter", "b.yaml:5:23: recipe.augment is 'jitter' (expected a list)"),
        ("augment: [jitter, 3]", "b.yaml:5:32: recipe.augment[1]: there is neither a name"),
        ("augment: [a, a]", "b.yaml:5:23: recipe.augment: augmentation 'a' is given twice"),
        ("sampling: balancd", "recipe.sampling is 'balancd'; did you mean 'balanced'?"),
    ],
)
def test_written_wrong(refused, line, said):
    assert any(said in found for found in refused(recipe(line)))


@pytest.fixture
def registry():
    registry = Registry()
    origin, cite = Origin("p", "p.py", ""), Citation("Nobody")
    registry.losses.add(
        Loss("focal", "", lambda support, *, gamma=2: None, cite), origin
    )  # fmt: skip
    registry.augmentations.add(
        Augmentation("jitter", "", lambda channels, *, sigma=1: None, cite), origin
    )
    registry.augmentations.add(Augmentation("still", "", lambda channels: None, cite), origin)
    return registry


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            recipe("loss: focl"),
            "b.yaml:5:20: no loss is called 'focl'; did you mean 'focal'? "
            "(expected cross-entropy or one of focal)",
        ),
        (
            recipe("loss: {focal: {gama: 1}}"),
            "b.yaml:5:29: loss 'focal' has no option 'gama'; did you mean 'gamma'? "
            "(expected one of gamma)",
        ),
        (recipe("loss: {cross-entropy: {x: 1}}"), "5:21: no loss is called 'cross-entropy'"),
        (
            recipe("augment: [still, jiter]"),
            "b.yaml:5:31: no augmentation is called 'jiter'; did you mean 'jitter'?",
        ),
        (
            recipe("augment: [{still: {x: 1}}]"),
            "b.yaml:5:33: augmentation 'still' has no option 'x' (expected no option)",
        ),
        (
            FILE.replace("epochs: 2", "augment: [{jitter: {sgma: 1}}]"),
            "b.yaml:4:51: augmentation 'jitter' has no option 'sgma'; did you mean 'sigma'?",
        ),
        (
            "defaults: {recipe: {loss: x}}\n" + FILE,
            "b.yaml:1:27: no loss is called 'x'",
        ),
    ],
)
def test_what_no_plugin_offers_is_said_with_its_place(write, registry, text, said):
    with pytest.raises(ConfigError) as caught:
        load(write(text), (), lambda: registry)
    assert said in str(caught.value)


def test_what_is_set_has_the_place_of_its_set(write, registry):
    with pytest.raises(ConfigError, match=r"--set recipe\.loss=focl: no loss is called 'focl'"):
        load(write(FILE), ["recipe.loss=focl"], lambda: registry)


def test_what_plugins_offer_is_taken(write, registry):
    text = recipe("loss: {focal: {gamma: 1}}, augment: [still, {jitter: {sigma: 2}}]")
    assert load(write(text), (), lambda: registry).names == ("q",)
    assert load(write(recipe("loss: cross-entropy")), (), lambda: registry).names == ("q",)


def test_plugins_are_asked_only_by_files_that_name_methods(write):
    def registry():
        raise AssertionError("plugins were loaded")

    assert load(write(FILE), (), registry).names == ("q",)
    with pytest.raises(ConfigError, match="unknown key 'epoch'"):
        load(write(recipe("loss: focal, epoch: 3")), (), registry)
