"""bf16: what it is, refuses, and where it stands; and a loss that is looked at once an epoch."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from harbench.errors import ModelError
from harbench.nouns import Model, Recipe
from harbench.report.table import comparison_table
from harbench.training.batches import WindowBatches
from harbench.training.cell import build, train_cell
from harbench.training.loop import TrainingFailedError, evaluate, logits_of, train
from harbench.training.lowering import CHANNELS_LAST
from harbench.training.seeds import derived
from toys import toy_plugin
from toys.scored_store import scored_store
from toys.stopped import bits, stopped_and_resumed

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
SETTINGS = {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.05, "batch_size": 16}


def convolutional(n_channels, n_times, n_classes):
    return nn.Sequential(
        nn.Conv1d(n_channels, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, n_classes),
    )  # fmt: skip


def model_of(builder):
    return Model("toy-net", "", builder, toy_plugin.RECIPE, toy_plugin.TOY.citation)


NET = model_of(convolutional)


def test_it_is_the_plain_loop_under_autocast(toy_fold):
    """Bit for bit; the weights are float32, the products bfloat16, the loss float32."""
    recipe = Recipe(**SETTINGS, epochs=2, keep="last", lowering="none", precision="bf16")
    small = model_of(toy_plugin.small)
    ours = build(small, 3, 20, 3, {}, seed=5)
    found = train(ours, toy_fold, WindowBatches(toy_fold, CPU), recipe, seed=5)

    theirs = build(small, 3, 20, 3, {}, seed=5)
    optimiser = torch.optim.SGD(theirs.parameters(), 0.05, momentum=0.9)
    order = torch.Generator().manual_seed(derived(5, "order"))
    x = torch.from_numpy(np.stack([toy_fold.signals[s : s + 20].T for s in toy_fold.train.starts]))
    y = torch.from_numpy(toy_fold.train.labels)
    means = []
    theirs.train()
    for _ in range(2):
        total = 0.0
        for chosen in torch.randperm(len(y), generator=order).split(16):
            optimiser.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                logits = theirs(x[chosen])
                assert logits.dtype == torch.bfloat16
            loss = functional.cross_entropy(logits.float(), y[chosen])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
        means.append(total / len(y))
    for name, value in theirs.state_dict().items():
        assert value.dtype in (torch.float32, torch.int64)
        assert torch.equal(value, ours.state_dict()[name]), name
    assert [epoch.train_loss for epoch in found.curve] == means
    assert found.precision == "bf16"


def test_prediction_and_validation_are_in_bf16_too(toy_fold):
    recipe = Recipe(**SETTINGS, epochs=2, precision="bf16")
    module = build(NET, 3, 20, 3, {}, 0)
    batches = WindowBatches(toy_fold, CPU)
    training = train(module, toy_fold, batches, recipe, 0)
    kept = training.curve[training.kept_epoch - 1].validation
    plain = evaluate(module, toy_fold.validation, batches, 3)
    half = evaluate(module, toy_fold.validation, batches, 3, "bf16")
    # Channels-last sums in another order, as the lowered network did.
    assert half["loss"] == pytest.approx(kept["loss"], rel=0.01)
    assert half["loss"] != plain["loss"]
    logits = logits_of(module, toy_fold.test, batches, "bf16")
    assert logits.dtype == np.float32
    # bfloat16 keeps 8 bits: every logit is one of its numbers.
    assert np.array_equal(torch.from_numpy(logits).bfloat16().float().numpy(), logits)
    assert not np.array_equal(logits, logits_of(module, toy_fold.test, batches))


def test_lowered_and_in_bf16_it_is_as_good(toy_fold):
    recipe = Recipe(**SETTINGS, epochs=25)
    half = recipe.model_copy(update={"precision": "bf16"})
    fast, plain = (train_cell(NET, toy_fold, how, {}, 0) for how in (half, recipe))
    assert fast.training.lowering == plain.training.lowering == CHANNELS_LAST
    assert (fast.training.precision, plain.training.precision) == ("bf16", "float32")
    right = [(found.predicted == toy_fold.test.labels).mean() for found in (fast, plain)]
    assert min(right) > 0.85
    assert not np.array_equal(fast.probabilities, plain.probabilities)
    np.testing.assert_allclose(fast.probabilities.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("lowering", ["auto", "none"])
def test_resumed_in_bf16_the_bits_are_the_same(toy_fold, tmp_path, lowering):
    recipe = Recipe(batch_size=32, epochs=4, precision="bf16", lowering=lowering)
    whole = train_cell(NET, toy_fold, recipe, {}, 0)
    resumed = stopped_and_resumed(NET, toy_fold, recipe, tmp_path)
    assert bits(resumed) == bits(whole)


class Flat(nn.Module):
    def __init__(self, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x):
        return self.head(x.flatten(1))


class Complex(Flat):
    """torch has no complex numbers of two bfloat16."""

    def forward(self, x):
        y = super().forward(x)
        return torch.complex(y, y).abs()


class Refusing(Flat):
    def forward(self, x):
        y = super().forward(x)
        if y.dtype != torch.float32:
            raise TypeError("my numbers are float32\nsince ever")
        return y


class Losing(Flat):
    """256.5 - 256 is nothing in bfloat16, and is divided by."""

    def forward(self, x):
        y = super().forward(x)
        return y / ((torch.full_like(y, 256) + torch.full_like(y, 0.5)) - 256)


@pytest.mark.parametrize(
    ("net", "what"),
    [
        (Complex, "first step failed in bf16: RuntimeError: .*BFloat16"),
        (Refusing, "first step failed in bf16: TypeError: my numbers are float32"),
        (Losing, "first logits are not finite in bf16"),
    ],
)
def test_a_network_that_cannot_run_so_is_told(toy_fold, net, what):
    model = model_of(net)
    recipe = Recipe(**SETTINGS, epochs=1)
    train_cell(model, toy_fold, recipe, {}, 0)
    with pytest.raises(ModelError, match=what) as found:
        train_cell(model, toy_fold, recipe.model_copy(update={"precision": "bf16"}), {}, 0)
    assert found.value.where == "recipe.precision"
    assert found.value.fix == "--set recipe.precision=float32"
    assert "\n" not in found.value.what


def test_what_a_network_raises_in_float32_stays_what_it_is(toy_fold):
    class Broken(Flat):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train_cell(model_of(Broken), toy_fold, Recipe(epochs=1), {}, 0)
    with pytest.raises(ModelError, match=r"returned \[16, 5\] for a batch of 16 windows"):
        train_cell(
            model_of(lambda c, t, k: Flat(c, t, 5)), toy_fold,
            Recipe(**SETTINGS, epochs=1, precision="bf16"), {}, 0,
        )  # fmt: skip


def test_a_recipe_has_two_precisions():
    assert Recipe().precision == "float32"
    with pytest.raises(ValueError, match="'float32' or 'bf16'"):
        Recipe(precision="fp16")


def test_the_table_marks_rows_in_bf16(tmp_path):
    scores = {("all", seed): 0.8 for seed in range(2)}
    store = scored_store(tmp_path, {"half": scores, "usual": scores, "older": scores})
    manifest = store.benchmark("toys")
    manifest["rows"][0]["recipe"] = Recipe(precision="bf16").model_dump(mode="json")
    manifest["rows"][1]["recipe"] = Recipe().model_dump(mode="json")
    store.write_benchmark("toys", manifest)
    table = comparison_table(store, "toys")
    half, usual, older = table.rows[:3]  # and the chance levels
    (number,) = half["row"].notes
    assert table.footnotes[number - 1].startswith("trained and predicting in bf16: ")
    assert usual["row"].notes == older["row"].notes == ()
    assert [record["precision"] for record in table.records[:3]] == ["bf16", "float32", "float32"]


class Late(Flat):
    """Its logits are no numbers in one training step, and it counts the steps."""

    def __init__(self, bad):
        super().__init__(3, 20, 3)
        self.bad, self.steps = bad, 0

    def forward(self, x):
        self.steps += self.training
        y = super().forward(x)
        return y * float("nan") if self.training and self.steps == self.bad else y


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_first_step_without_a_loss_is_named_at_the_end_of_its_epoch(toy_fold, precision):
    recipe = Recipe(**SETTINGS, epochs=3, lowering="none", precision=precision)
    batches = WindowBatches(toy_fold, CPU)
    n_steps = -(-len(toy_fold.train) // 16)
    net = Late(n_steps + 3)
    heard = []
    with pytest.raises(TrainingFailedError, match="the loss is nan in epoch 2, step 3"):
        train(net, toy_fold, batches, recipe, 0, heard.append)
    assert (net.steps, [epoch.number for epoch in heard]) == (2 * n_steps, [1])
    # The very first step is looked at before the second.
    net = Late(1)
    what = "logits are not finite" if precision == "bf16" else "the loss is nan in epoch 1, step 1"
    kind = ModelError if precision == "bf16" else TrainingFailedError
    with pytest.raises(kind, match=what):
        train(net, toy_fold, batches, recipe, 0)
    assert net.steps == 1


def test_windows_in_order_are_those_of_their_starts(toy_fold):
    reversed_windows = dataclasses.replace(
        toy_fold.test, starts=toy_fold.test.starts[::-1], labels=toy_fold.test.labels[::-1]
    )[np.arange(len(toy_fold.test))]
    seen = [y for _, y in WindowBatches(toy_fold, CPU).in_order(reversed_windows, 7)]
    np.testing.assert_array_equal(torch.cat(seen), toy_fold.test.labels[::-1])
