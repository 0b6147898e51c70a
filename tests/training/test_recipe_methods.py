"""Recipes with losses, sampling and augmentations: trained, resumed, and what must not move."""

import dataclasses
import math
from functools import partial

import numpy as np
import pytest
import torch

from harbench.data.windows import Windows
from harbench.errors import ConfigError, ModelError
from harbench.nouns import Augmentation, Citation, Model, Recipe
from harbench.plugins import Origin, Registry
from harbench.training.batches import WindowBatches
from harbench.training.cell import train_cell
from harbench.training.checkpoints import Checkpoint
from harbench.training.methods import Methods, methods_of
from toys import toy_plugin
from toys.toy_plugin import TOY

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Model("small", "", toy_plugin.small, toy_plugin.RECIPE, TOY.citation)
CPU = torch.device("cpu")
EVERYTHING = {
    "loss": {"focal": {"gamma": 1.5}},
    "sampling": "balanced",
    "augment": (
        "jitter",
        {"scaling": {"sigma": 0.2}},
        "rotation",
        "time-warp",
        "channel-dropout",
        "mixup",
    ),
    "class_weights": "balanced",
}


def recipe_of(**settings):
    return Recipe(**{"learning_rate": 0.02, "batch_size": 32, "epochs": 4, **settings})


@pytest.fixture
def trained(toy_fold, methods_registry):
    """Trains the toy fold; weights as bytes, and all else that came of it."""

    def trained(recipe, fold=None, registry=methods_registry, seed=3, **more):
        fold = fold or toy_fold
        support = np.bincount(fold.train.labels, minlength=3)
        methods = methods_of(recipe, registry, TOY.channels, tuple(support))
        found = train_cell(SMALL, fold, recipe, {}, seed, methods=methods, **more)
        weights = b"".join(value.numpy().tobytes() for value in found.weights.values())
        return weights, found

    return trained


def test_a_recipe_that_names_nothing_trains_the_plain_bits(toy_fold, trained):
    """Not a bit moves: neither by the methods that are not there nor by an augmentation of 0."""
    recipe = recipe_of()
    plain = train_cell(SMALL, toy_fold, recipe, {}, 3)
    plain_bytes = b"".join(value.numpy().tobytes() for value in plain.weights.values())
    assert trained(recipe)[0] == plain_bytes
    still = recipe_of(augment=({"jitter": {"sigma": 0}}, {"channel-dropout": {"p": 0}}))
    assert trained(still)[0] == plain_bytes
    assert trained(recipe_of(loss={"focal": {"gamma": 0}}))[1].training.curve[0].train_loss == (
        pytest.approx(plain.training.curve[0].train_loss, rel=1e-5)
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "focal"},
        {"sampling": "balanced"},
        *({"augment": (name,)} for name in ("jitter", "scaling", "rotation", "time-warp")),
        *({"augment": (name,)} for name in ("channel-dropout", "mixup")),
    ],
    ids=str,
)
def test_each_changes_the_weights_and_gives_the_same_bits_again(trained, settings):
    recipe = recipe_of(epochs=2, **settings)
    assert trained(recipe)[0] == trained(recipe)[0]
    assert trained(recipe)[0] != trained(recipe_of(epochs=2))[0]


def test_the_order_of_the_windows_is_that_without_augmentation(toy_fold, trained):
    """More draws for one purpose never shift those of another."""
    seen = []
    spy = Augmentation("spy", "", lambda channels: partial(_note, seen), Citation("Nobody"))
    registry = Registry()
    registry.augmentations.add(spy, Origin("spy", "spy.py", ""))
    trained(recipe_of(augment=("spy",)), registry=registry)
    generator = torch.Generator()
    from harbench.training.seeds import derived

    generator.manual_seed(derived(3, "order"))
    batches = WindowBatches(toy_fold, CPU)
    plain = [x for _ in range(4) for x, _ in batches.shuffled(toy_fold.train, 32, generator)]
    assert len(seen) == len(plain)
    assert all(torch.equal(a, b) for a, b in zip(seen, plain, strict=True))


def _note(seen, batch, random):
    seen.append(batch.x.clone())
    torch.rand(5, generator=random)
    return batch


class KilledError(Exception):
    pass


@pytest.mark.parametrize("stop_after", [2, 4])
def test_resumed_in_the_middle_the_bits_are_the_same(trained, tmp_path, stop_after):
    recipe = recipe_of(epochs=5, **EVERYTHING)
    whole_weights, whole = trained(recipe)

    def kill(epoch):
        if epoch.number == stop_after:
            raise KilledError

    checkpoint = partial(Checkpoint, tmp_path / "c", {"key": "k"}, every=0)
    with pytest.raises(KilledError):
        trained(recipe, on_epoch=kill, checkpoint=checkpoint())
    weights, found = trained(recipe, checkpoint=checkpoint())
    assert found.training.resumed_after == stop_after - 1
    assert weights == whole_weights
    assert found.training.curve == whole.training.curve
    assert found.probabilities.tobytes() == whole.probabilities.tobytes()


def test_no_test_or_validation_sample_reaches_the_weights(toy_fold, trained):
    recipe = recipe_of(epochs=2, keep="last", **EVERYTHING)
    weights, found = trained(recipe)
    disturbed = toy_fold.signals.copy()
    disturbed[min(toy_fold.validation.starts.min(), toy_fold.test.starts.min()) :] += 5
    other_weights, other = trained(recipe, dataclasses.replace(toy_fold, signals=disturbed))
    assert other_weights == weights
    assert not np.array_equal(other.probabilities, found.probabilities)


def test_validation_and_test_windows_are_not_augmented(toy_fold, trained):
    augment = ({"scaling": {"sigma": 50}}, "rotation")
    # The scores of a lowered training differ in the last bits from those of the plain network.
    recipe = recipe_of(epochs=1, augment=augment, lowering="none")
    _, found = trained(recipe)
    from harbench.training.loop import evaluate, logits_of

    batches = WindowBatches(toy_fold, CPU)
    assert evaluate(found.module, toy_fold.validation, batches, 3) == (
        found.training.curve[0].validation
    )
    logits = torch.from_numpy(logits_of(found.module, toy_fold.test, batches))
    assert torch.equal(torch.softmax(logits, 1), torch.from_numpy(found.probabilities))


def test_it_learns_the_toy_with_everything(toy_fold, trained):
    settings = {**EVERYTHING, "augment": ("jitter", "scaling", "time-warp", "mixup")}
    _, found = trained(recipe_of(epochs=8, **settings))
    assert (found.predicted == toy_fold.test.labels).mean() > 0.8


@pytest.fixture
def skewed(toy_fold):
    """A fold whose training windows are 150, 3 and 0 of the classes; the others have two."""
    counts = {0: 150, 2: 3}
    windows = [np.flatnonzero(toy_fold.train.labels == label)[:n] for label, n in counts.items()]
    starts = np.resize(toy_fold.train.starts[windows[0]], 150)
    train = Windows(
        np.concatenate([starts, toy_fold.train.starts[windows[1]]]),
        np.repeat(np.array([0, 2]), [150, 3]),
    )
    return dataclasses.replace(toy_fold, train=train)


def test_balanced_sampling_draws_the_classes_alike(skewed):
    batches, generator = WindowBatches(skewed, CPU), torch.Generator().manual_seed(0)
    epochs = 60
    labels = torch.cat(
        [y for _ in range(epochs) for _, y in batches.balanced(skewed.train, 32, generator)]
    )
    n = len(labels)
    assert n == 153 * epochs
    found = torch.bincount(labels, minlength=3) / n
    # Five standard errors of a binomial of 1/2; the class without a window is never drawn.
    error = 5 * math.sqrt(0.25 / n)
    assert abs(found[0] - 0.5) < error and abs(found[2] - 0.5) < error
    assert found[1] == 0


def test_balanced_sampling_draws_the_windows_of_a_class_alike(skewed):
    """Each of the 3 rare windows a sixth of all draws, each of the 150 a 300th."""
    train = Windows(np.arange(153) % 50, skewed.train.labels)
    every = dataclasses.replace(skewed, train=train)
    every.signals[:, 0] = np.arange(len(every.signals))
    batches, generator = WindowBatches(every, CPU), torch.Generator().manual_seed(1)
    drawn = [(x[:, 0, 0].long(), y) for _ in range(100)
             for x, y in batches.balanced(train, 153, generator)]  # fmt: skip
    starts, labels = (torch.cat(part) for part in zip(*drawn, strict=True))
    n = len(labels)
    rare = torch.bincount(starts[labels == 2])
    rare = rare[rare > 0] / n
    assert len(rare) == 3
    assert (rare - 1 / 6).abs().max() < 5 * math.sqrt(1 / 6 * 5 / 6 / n)
    common = torch.bincount(starts[labels == 0], minlength=50) / n
    # Three windows of the 150 begin at each of the 50 starts.
    assert (common - 0.01).abs().max() < 5 * math.sqrt(0.01 * 0.99 / n)


@pytest.mark.parametrize("size", [2, 7, 152, 153, 500])
def test_no_balanced_batch_is_a_single_window(skewed, size):
    generator = torch.Generator().manual_seed(0)
    batches = WindowBatches(skewed, CPU)
    sizes = [len(y) for _, y in batches.balanced(skewed.train, size, generator)]
    assert min(sizes) > 1
    assert sum(sizes) in (152, 153)


def test_methods_that_are_not_the_recipes_are_refused(toy_fold):
    for recipe, methods in (
        (recipe_of(loss="focal"), None),
        (recipe_of(augment=("jitter",)), Methods()),
        (recipe_of(), Methods(augmentations=(("jitter", lambda batch, random: batch),))),
    ):
        with pytest.raises(ValueError, match="the recipe names the methods"):
            train_cell(SMALL, toy_fold, recipe, {}, 0, methods=methods)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"loss": "focl"}, "no loss is called 'focl'; did you mean 'focal'?"),
        ({"loss": {"focal": {"gama": 2}}}, "loss 'focal' has no option 'gama'; did you mean 'gam"),
        ({"loss": {"focal": {"gamma": -2}}}, "'focal' cannot be used: option gamma is -2"),
        ({"loss": "focal", "label_smoothing": 0.1}, "label_smoothing 0.1 with loss 'focal'"),
        ({"augment": ("jiter",)}, "no augmentation is called 'jiter'; did you mean 'jitter'?"),
        ({"augment": ({"jitter": {"s": 1}},)}, "augmentation 'jitter' has no option 's'"),
        ({"augment": ({"mixup": {"alpha": "x"}},)}, "'mixup' cannot be used: option alpha is 'x'"),
    ],
)
def test_what_no_plugin_has(methods_registry, settings, said):
    with pytest.raises(ConfigError) as caught:
        methods_of(recipe_of(**settings), methods_registry, TOY.channels, (1, 1, 1), "b, recipe")
    assert said in str(caught.value)
    assert str(caught.value).startswith("b, recipe.")


def test_rotation_needs_a_whole_sensor(methods_registry):
    with pytest.raises(ConfigError, match="no sensor has an x, a y and a z axis"):
        methods_of(recipe_of(augment=("rotation",)), methods_registry, TOY.channels[:2], (1,) * 3)


def broken(name, function):
    registry = Registry()
    thing = Augmentation(name, "", lambda channels: function, Citation("Nobody"))
    registry.augmentations.add(thing, Origin(name, "x.py", ""))
    return registry


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda batch, random: batch.x, "augmentation 'odd' returned Tensor"),
        (
            lambda batch, random: batch.with_x(batch.x[:, :2]),
            r"returned windows \[32, 2, 20\], torch.float32, with 32 classes",
        ),
        (lambda batch, random: batch.with_x(batch.x.double()), "torch.float64, with 32"),
        (lambda batch, random: 1 / 0, "augmentation 'odd' failed: ZeroDivisionError"),
    ],
)
def test_an_augmentation_that_breaks_is_named(trained, function, said):
    with pytest.raises(ModelError, match=said):
        trained(recipe_of(augment=("odd",)), registry=broken("odd", function))


def test_a_builder_that_breaks_is_named(methods_registry):
    registry = Registry()
    for name, build in (("a", lambda channels: 1 / 0), ("b", lambda channels: None)):
        thing = Augmentation(name, "", build, Citation("Nobody"))
        registry.augmentations.add(thing, Origin(name, "x.py", ""))
    for name, said in (("a", "'a' cannot be built: ZeroDivisionError"), ("b", "returned NoneType")):
        with pytest.raises(ConfigError, match=said):
            methods_of(recipe_of(augment=(name,)), registry, TOY.channels, (1,) * 3)
