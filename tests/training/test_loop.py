import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from harbench.errors import ConfigError, ModelError
from harbench.nouns import Cosine, Model, Plateau, Protocol, Recipe, Step
from harbench.training.batches import WindowBatches
from harbench.training.cell import build, device_named, train_cell
from harbench.training.loop import TrainingFailedError, evaluate, train
from harbench.training.optimisers import optimiser_of, schedule_of
from harbench.training.seeds import derived, seed_everything
from toys import toy_plugin
from toys.folds import prepare_fold

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Model("small", "", toy_plugin.small, toy_plugin.RECIPE, toy_plugin.TOY.citation)
CPU = torch.device("cpu")


def test_a_batch_is_the_windows_themselves(toy_fold):
    batches = WindowBatches(toy_fold, CPU)
    seen = []
    for x, y in batches.in_order(toy_fold.test, 7):
        for window, label in zip(x, y, strict=True):
            start = toy_fold.test.starts[len(seen)]
            np.testing.assert_array_equal(window.numpy(), toy_fold.signals[start : start + 20].T)
            assert label == toy_fold.test.labels[len(seen)]
            seen.append(start)
    assert seen == toy_fold.test.starts.tolist()


@pytest.mark.parametrize(("size", "left_out"), [(2, 0), (7, 0), (59, 0), (118, 0), (117, 0)])
def test_every_window_is_trained_once_an_epoch(toy_fold, size, left_out):
    batches = WindowBatches(toy_fold, CPU)
    generator = torch.Generator().manual_seed(0)
    sizes = [len(y) for _, y in batches.shuffled(toy_fold.train, size, generator)]
    n = len(toy_fold.train)
    assert sum(sizes) == n - (1 if n % size == 1 else 0)
    assert min(sizes) > 1


def test_shuffling_follows_the_generator(toy_fold):
    batches = WindowBatches(toy_fold, CPU)

    def order(seed):
        generator = torch.Generator().manual_seed(seed)
        return torch.cat([y for _, y in batches.shuffled(toy_fold.train, 9, generator)]).tolist()

    assert order(1) == order(1) != order(2)


def test_the_loop_is_the_plain_loop(toy_fold):
    """The same numbers, bit for bit, as the loop that one would write by hand."""
    recipe = Recipe(
        optimizer="sgd",
        learning_rate=0.05,
        momentum=0.9,
        batch_size=16,
        epochs=2,
        keep="last",
        weight_decay=1e-3,
        lowering="none",
    )
    ours = build(SMALL, 3, 20, 3, {}, seed=5)
    train(ours, toy_fold, WindowBatches(toy_fold, CPU), recipe, seed=5)

    theirs = build(SMALL, 3, 20, 3, {}, seed=5)
    optimiser = torch.optim.SGD(theirs.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    order = torch.Generator().manual_seed(derived(5, "order"))
    x = torch.from_numpy(np.stack([toy_fold.signals[s : s + 20].T for s in toy_fold.train.starts]))
    y = torch.from_numpy(toy_fold.train.labels)
    theirs.train()
    for _ in range(2):
        for chosen in torch.randperm(len(y), generator=order).split(16):
            optimiser.zero_grad()
            functional.cross_entropy(theirs(x[chosen]), y[chosen]).backward()
            optimiser.step()
    for name, value in theirs.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), name


def test_same_seed_same_bits_other_seed_others(toy_fold):
    def weights(seed):
        trained = train_cell(SMALL, toy_fold, toy_plugin.RECIPE, {}, seed)
        return [v.numpy().tobytes() for v in trained.weights.values()], trained.probabilities

    first, again, other = weights(0), weights(0), weights(1)
    assert first[0] == again[0] != other[0]
    np.testing.assert_array_equal(first[1], again[1])


def test_it_learns_the_toy(toy_fold):
    trained = train_cell(SMALL, toy_fold, toy_plugin.RECIPE, {"hidden": 16}, 0)
    assert (trained.predicted == toy_fold.test.labels).mean() > 0.85
    np.testing.assert_allclose(trained.probabilities.sum(1), 1, rtol=1e-5)


def test_no_test_sample_changes_a_bit_of_the_weights(toy_stream, toy_fold):
    disturbed = toy_fold.signals.copy()
    first_test_sample = toy_fold.test.starts.min()
    disturbed[first_test_sample:] += 5
    other = dataclasses.replace(toy_fold, signals=disturbed)
    weights = [
        b"".join(
            v.numpy().tobytes()
            for v in train_cell(SMALL, f, toy_plugin.RECIPE, {}, 0).weights.values()
        )
        for f in (toy_fold, other)
    ]
    assert weights[0] == weights[1]


def test_the_best_epoch_is_kept_and_patience_stops(toy_fold):
    module = build(SMALL, 3, 20, 3, {}, 0)
    batches = WindowBatches(toy_fold, CPU)
    settings = {"optimizer": "adam", "learning_rate": 0.03, "batch_size": 16}
    # The scores of a lowered training differ in the last bits from those of the plain network.
    recipe = Recipe(**settings, epochs=60, patience=3, lowering="none")
    heard = []
    training = train(module, toy_fold, batches, recipe, 0, heard.append)
    scores = [epoch.validation["nf"] for epoch in training.curve]
    assert list(training.curve) == heard
    assert training.kept_epoch == int(np.argmax(scores)) + 1
    assert training.stopped_early
    assert len(scores) == training.kept_epoch + 3 < 60
    # The weights are really those of that epoch.
    now = evaluate(module, toy_fold.validation, batches, 3)
    assert now == training.curve[training.kept_epoch - 1].validation


def test_monitoring_the_loss_looks_for_the_smallest(toy_fold):
    module = build(SMALL, 3, 20, 3, {}, 0)
    recipe = Recipe(learning_rate=0.05, batch_size=16, epochs=12, monitor="loss")
    training = train(module, toy_fold, WindowBatches(toy_fold, CPU), recipe, 0)
    losses = [epoch.validation["loss"] for epoch in training.curve]
    assert training.kept_epoch == int(np.argmin(losses)) + 1


def test_keep_last_keeps_the_last(toy_fold):
    module = build(SMALL, 3, 20, 3, {}, 0)
    recipe = Recipe(epochs=3, keep="last", patience=None)
    assert train(module, toy_fold, WindowBatches(toy_fold, CPU), recipe, 0).kept_epoch == 3


def test_without_validation_the_last_is_kept(toy_stream):
    fold = prepare_fold(
        toy_stream, Protocol(split={"kind": "fixed", "train": ["s1*"], "test": ["s2*"]})
    )
    module = build(SMALL, 3, 20, 3, {}, 0)
    training = train(module, fold, WindowBatches(fold, CPU), Recipe(epochs=4, patience=1), 0)
    assert training.kept_epoch == 4
    assert training.curve[-1].validation == {}


class Exploding(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.w / 0 * torch.ones(len(x), 1)


def test_a_loss_that_is_no_number_is_a_failure(toy_fold):
    with pytest.raises(TrainingFailedError, match="the loss is nan in epoch 1, step 1"):
        train(Exploding(), toy_fold, WindowBatches(toy_fold, CPU), Recipe(epochs=1), 0)


def test_a_wrong_output_shape_is_named(toy_fold):
    model = dataclasses.replace(SMALL, build=toy_plugin.broken)
    with pytest.raises(ModelError, match=r"returned \[32, 4\] for a batch of 32 windows"):
        train_cell(model, toy_fold, toy_plugin.RECIPE, {}, 0)


def test_balanced_class_weights_are_scikit_learns(toy_fold):
    from sklearn.utils.class_weight import compute_class_weight

    from harbench.training.objective import class_weights

    ours = class_weights(Recipe(class_weights="balanced"), toy_fold)
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=toy_fold.train.labels)
    np.testing.assert_allclose(ours, theirs)
    with pytest.raises(ConfigError, match="2 class weights for 3 classes"):
        class_weights(Recipe(class_weights=(1.0, 2.0)), toy_fold)


def test_clipping_smoothing_and_weights_reach_the_step(toy_fold):
    base = Recipe(optimizer="sgd", learning_rate=0.1, epochs=1, batch_size=64)

    def trained(**changes):
        module = build(SMALL, 3, 20, 3, {}, 0)
        before = torch.cat([p.detach().flatten().clone() for p in module.parameters()])
        recipe = base.model_copy(update=changes)
        train(module, toy_fold, WindowBatches(toy_fold, CPU), recipe, 0)
        return torch.cat([p.detach().flatten() for p in module.parameters()]) - before

    steps = -(-len(toy_fold.train) // 64)
    assert trained(clip_norm=1e-3).norm() <= 0.1 * 1e-3 * steps * 1.001
    plain = trained()
    assert plain.norm() > 1e-3
    for change in (
        {"label_smoothing": 0.2},
        {"class_weights": (1.0, 5.0, 1.0)},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
    ):
        assert not torch.equal(trained(**change), plain), change


@pytest.mark.parametrize(
    ("recipe", "kind", "facts"),
    [
        (
            Recipe(optimizer="sgd", momentum=0.9, nesterov=True),
            torch.optim.SGD,
            {"momentum": 0.9, "nesterov": True},
        ),
        (Recipe(optimizer="adam", weight_decay=0.1), torch.optim.Adam, {"weight_decay": 0.1}),
        (Recipe(optimizer="adamw"), torch.optim.AdamW, {}),
        (Recipe(optimizer="rmsprop", decay=0.9), torch.optim.RMSprop, {"alpha": 0.9}),
    ],
)
def test_optimisers(recipe, kind, facts):
    optimiser = optimiser_of(recipe, [nn.Parameter(torch.zeros(1))])
    assert type(optimiser) is kind
    assert optimiser.defaults["lr"] == 1e-3
    for name, value in facts.items():
        assert optimiser.defaults[name] == value


def test_nesterov_needs_momentum():
    with pytest.raises(ConfigError, match="nesterov with adam"):
        optimiser_of(Recipe(nesterov=True), [nn.Parameter(torch.zeros(1))])


def rates(schedule, losses):
    recipe = Recipe(optimizer="sgd", learning_rate=1.0, epochs=len(losses), schedule=schedule)
    optimiser = optimiser_of(recipe, [nn.Parameter(torch.zeros(1))])
    plan = schedule_of(recipe, optimiser)
    found = []
    for loss in losses:
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        plan.after_epoch(loss)
    return found


def test_schedules():
    assert rates(None, [1, 1, 1]) == [1, 1, 1]
    assert rates(Step(every=2, factor=0.5), [1] * 5) == [1, 1, 0.5, 0.5, 0.25]
    assert rates(Step(every=1, factor=0.5, smallest=0.3), [1] * 4) == [1, 0.5, 0.3, 0.3]
    assert rates(Step(every=1, smallest=5), [1] * 2) == [1, 1]
    assert rates(Plateau(patience=1, factor=0.1, smallest=0.05), [3, 2, 2, 2, 2, 2, 1]) == (
        pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.05])
    )
    half_cosine = [0.5 * (1 + np.cos(np.pi * i / 4)) for i in range(4)]
    assert rates(Cosine(), [1] * 4) == pytest.approx(half_cosine)


def test_seeds_are_apart():
    assert derived(0, "weights") != derived(0, "order") != derived(1, "order")
    seed_everything(3, "x")
    a = (torch.rand(1).item(), np.random.rand())
    seed_everything(3, "x")
    assert a == (torch.rand(1).item(), np.random.rand())


def test_more_draws_at_building_do_not_shift_training(toy_fold):
    """Dropout in training must not depend on how many numbers the initialisation drew."""

    def with_dropout(extra):
        def builder(n_channels, n_times, n_classes):
            net = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(n_channels * n_times, 3))
            torch.rand(extra)
            nn.init.zeros_(net[2].weight)
            nn.init.zeros_(net[2].bias)
            return net

        return dataclasses.replace(SMALL, build=builder)

    a, b = (train_cell(with_dropout(n), toy_fold, Recipe(epochs=1), {}, 0) for n in (1, 100))
    np.testing.assert_array_equal(a.probabilities, b.probabilities)


def test_devices():
    assert device_named("cpu").type == "cpu"
    assert device_named("auto").type in ("cpu", "cuda")
    with pytest.raises(ConfigError, match="no device is called 'gpu7'"):
        device_named("gpu7")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_that_is_not_there_is_said():
    with pytest.raises(ConfigError, match="sees no CUDA device"):
        device_named("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_gives_the_same_bits_twice(toy_fold):
    a, b = (train_cell(SMALL, toy_fold, toy_plugin.RECIPE, {}, 0, "cuda") for _ in range(2))
    np.testing.assert_array_equal(a.probabilities, b.probabilities)


def test_builders_that_fail():
    def raises(n_channels, n_times, n_classes):
        raise RuntimeError("no such layer")

    with pytest.raises(ModelError, match="RuntimeError: no such layer"):
        build(dataclasses.replace(SMALL, build=raises), 3, 20, 3, {}, 0)
    with pytest.raises(ModelError, match="returned NoneType"):
        build(dataclasses.replace(SMALL, build=lambda c, t, k: None), 3, 20, 3, {}, 0)
