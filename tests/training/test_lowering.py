"""The fast layout against the plain one: every layer, every registered network, and trainings."""

import copy
import importlib
import io
import pickle
import pkgutil

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import harbench_models
from harbench.nouns import Model, Recipe
from harbench.training.batches import WindowBatches
from harbench.training.cell import train_cell
from harbench.training.loop import TrainingFailedError, logits_of, train
from harbench.training.lowering import CHANNELS_LAST, lowered, lowering_of
from harbench.training.methods import Methods
from harbench.training.optimisers import optimiser_of
from toys import toy_plugin
from toys.stopped import bits, stopped_and_resumed

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


def networks() -> dict[str, Model]:
    found = []
    for info in pkgutil.iter_modules(harbench_models.__path__):
        module = importlib.import_module(f"harbench_models.{info.name}")
        if hasattr(module, "register_models"):
            module.register_models(register=found.append)
    return {model.name: model for model in found if model.kind == "network"}


NETWORKS = networks()
LOWERED = {"resnet-like", "mobilenet-1d"}


def channels_last(x):
    return x.transpose(1, 2).contiguous().transpose(1, 2)


def run(net, x, y, *, seed=0):
    """Outputs in training and evaluation, and gradients and buffers after a step."""
    torch.manual_seed(seed)
    trained = net.train()(x)
    functional.cross_entropy(trained, y).backward()
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    with torch.no_grad():
        return [trained.detach(), net.eval()(x), *net.buffers()], gradients


def relative(a, b):
    return float((a - b).norm() / (a.norm() or 1))


@pytest.mark.parametrize("name", sorted(LOWERED | {"attend-discriminate", "densenet-1d"}))
def test_every_network_is_the_same_both_ways(name):
    """All with a Conv1d, whether or not it pays. In float64 to 1e-9; float32's outputs to 1e-4."""
    model = NETWORKS[name]
    n_times = max(model.min_times, 17)
    torch.manual_seed(1)
    net = model.build(5, n_times, 4)
    x, y = torch.randn(6, 5, n_times), torch.arange(6) % 4
    for dtype, most in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        plain, other = (copy.deepcopy(net).to(dtype) for _ in range(2))
        outputs, gradients = run(plain, x.to(dtype), y)
        with lowered(other):
            outputs_too, gradients_too = run(other, channels_last(x.to(dtype)), y)
        for a, b in zip(outputs, outputs_too, strict=True):
            assert relative(a.double(), b.double()) < most
        if dtype == torch.float64:
            # In float32 a ReLU may be on in one and off in the other.
            for a, b in zip(gradients, gradients_too, strict=True):
                assert (a - b).norm() <= most * a.norm() + 1e-12


@pytest.mark.parametrize("model", NETWORKS.values(), ids=NETWORKS)
def test_which_networks_are_lowered(model):
    n_times = max(model.min_times, 17)
    torch.manual_seed(0)
    net = model.build(5, n_times, 4)
    found = lowering_of(net, torch.randn(16, 5, n_times), torch.arange(16) % 4)
    own = any(type(layer) is nn.Conv1d for layer in net.modules())
    if model.name in LOWERED:
        assert found == CHANNELS_LAST
    elif own:
        assert found.endswith("layers find their input channels-last")
    else:
        assert found == "none: no convolution of torch's own over time"


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(6, 4, 3),
        nn.Conv1d(6, 4, 3, stride=2, padding=2, dilation=2, bias=False),
        nn.Conv1d(6, 4, 5, padding="same"),
        nn.Conv1d(6, 4, 4, padding="valid"),
        nn.Conv1d(6, 12, 3, padding=1, groups=3),
        nn.Conv1d(6, 6, 3, groups=6),
        nn.Conv1d(6, 4, 1),
        nn.Conv1d(6, 4, 1, stride=2),
        nn.Conv1d(6, 4, 1, padding=1),
        nn.Conv1d(6, 4, 3, padding=1, padding_mode="circular"),
        nn.BatchNorm1d(6),
        nn.BatchNorm1d(6, momentum=None),
        nn.BatchNorm1d(6, affine=False, track_running_stats=False),
        nn.MaxPool1d(2),
        nn.MaxPool1d(3, stride=2, padding=1, ceil_mode=True),
        nn.MaxPool1d(2, dilation=3),
        nn.AvgPool1d(2),
        nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        nn.Dropout(0.4),
    ],
    ids=str,
)
@pytest.mark.parametrize("strides", ["channels-last", "plain"])
def test_every_layer_is_the_same_both_ways(layer, strides):
    plain, other = copy.deepcopy(layer).double(), copy.deepcopy(layer).double()
    x = torch.randn(5, 6, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours = x.clone().requires_grad_()
    theirs = (channels_last(x) if strides == "channels-last" else x.clone()).requires_grad_()
    for training in (True, True, False):
        torch.manual_seed(4)
        a = plain.train(training)(ours)
        with lowered(other):
            torch.manual_seed(4)
            b = other.train(training)(theirs)
        assert a.shape == b.shape
        weight = torch.randn(a.shape, dtype=a.dtype, generator=torch.Generator().manual_seed(1))
        (a * weight).sum().backward()
        (b * weight).sum().backward()
        pairs = [(a, b), (ours.grad, theirs.grad)]
        pairs += [
            (p.grad, q.grad) for p, q in zip(plain.parameters(), other.parameters(), strict=True)
        ]
        pairs += list(zip(plain.buffers(), other.buffers(), strict=True))
        for one, two in pairs:
            torch.testing.assert_close(one, two, rtol=1e-11, atol=1e-12)


class Own(nn.Conv1d):
    """Somebody's own convolution."""

    def forward(self, x):
        return 2 * super().forward(x)


def stack(*layers):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 4))


def test_nothing_is_left_of_it():
    net = stack(nn.Conv1d(5, 8, 3), nn.BatchNorm1d(8), Own(8, 8, 3))
    before = [dict(vars(layer)) for layer in net.modules()]
    with pytest.raises(RuntimeError, match="in between"), lowered(net):
        assert [name for name, layer in net.named_modules() if "forward" in vars(layer)] == [
            "0",
            "1",
        ]
        pickle.dump(copy.deepcopy(net), io.BytesIO())
        raise RuntimeError("in between")
    assert [dict(vars(layer)) for layer in net.modules()] == before


class ByView(nn.Module):
    """Takes it for granted how its numbers lie in memory."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Conv1d(5, 8, 3), nn.Linear(8 * 15, 4)

    def forward(self, x):
        return self.head(self.body(x).view(len(x), -1))


class ByStrides(ByView):
    def forward(self, x):
        y = self.body(x)
        return self.head(y.flatten(1)) + (0.01 if y.stride(1) == 1 else 0)


class FunctionalDropout(ByView):
    def forward(self, x):
        return self.head(functional.dropout(self.body(x), 0.5, self.training).flatten(1))


class Uncopied(ByView):
    def __deepcopy__(self, memo):
        raise TypeError("one of me is enough")


class OtherGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.last = x.stride(1) == 1
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * (1.3 if ctx.last else 1)


class ByGradient(ByView):
    def forward(self, x):
        return self.head(OtherGradient.apply(self.body(x)).flatten(1))


class Concatenating(nn.Module):
    """torch.cat of three axes has the plain layout."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv1d(5 + 2 * i, 2, 3, padding=1) for i in range(4)])
        self.head = nn.Linear(13 * 17, 4)

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return self.head(x.flatten(1))


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (ByView, r"cannot be compared \(RuntimeError: view size"),
        (ByStrides, "outputs in float64 differ by"),
        (FunctionalDropout, "outputs in float64 differ by"),
        (ByGradient, "gradients in float64 differ by"),
        (Uncopied, r"cannot be compared \(TypeError: one of me"),
        (Concatenating, "1 of 4 layers find their input channels-last"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(5 * 17, 4)), "no convolution"),
        (lambda: stack(Own(5, 8, 3)), "no convolution"),
        (lambda: stack(nn.Conv1d(5, 8, 3, padding=1, padding_mode="circular")), "no convolution"),
    ],
)
def test_what_does_not_hold_or_pay_is_left_out_and_says_why(net, why):
    torch.manual_seed(0)
    found = lowering_of(net(), torch.randn(16, 5, 17), torch.arange(16) % 4)
    assert found.startswith("none: ")
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found)


def test_it_needs_windows_to_compare():
    net = stack(nn.Conv1d(5, 8, 3))
    assert lowering_of(net, torch.randn(1, 5, 17), torch.zeros(1).long()).startswith(
        "none: too few"
    )


class Counting(nn.Module):
    """Remembers how often it was asked."""

    def __init__(self):
        super().__init__()
        self.body = stack(nn.Conv1d(5, 8, 3), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1))
        self.asked = 0

    def forward(self, x):
        self.asked += 1
        return self.body(x)


def test_the_network_is_left_as_it_is():
    net = Counting()
    before = pickle.dumps(net)
    assert lowering_of(net, torch.randn(16, 5, 17), torch.arange(16) % 4) == CHANNELS_LAST
    assert pickle.dumps(net) == before
    assert net.asked == 0 and all(p.grad is None for p in net.parameters())


def convolutional(n_channels, n_times, n_classes):
    return nn.Sequential(
        nn.Conv1d(n_channels, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2),
        nn.MaxPool1d(2), nn.Conv1d(8, 8, 1), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        nn.Linear(8, n_classes),
    )  # fmt: skip


CONVOLUTIONAL = Model("conv", "", convolutional, toy_plugin.RECIPE, toy_plugin.TOY.citation)


def test_an_epoch_ends_where_the_plain_one_does(toy_fold):
    """One epoch, probabilities and loss to 1e-4; dropout draws the same.

    Not with Adam: it makes steps of full size of the bias in front of batch normalisation, whose
    gradient is nothing but rounding.
    """
    recipe = Recipe(optimizer="sgd", momentum=0.9, learning_rate=0.01, batch_size=32, epochs=1)
    fast = train_cell(CONVOLUTIONAL, toy_fold, recipe, {}, 3)
    plain = train_cell(
        CONVOLUTIONAL, toy_fold, recipe.model_copy(update={"lowering": "none"}), {}, 3
    )
    assert fast.training.lowering == CHANNELS_LAST
    assert plain.training.lowering == "none: the recipe says so"
    np.testing.assert_allclose(fast.probabilities, plain.probabilities, rtol=0, atol=1e-4)
    losses = [found.training.curve[0].train_loss for found in (fast, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


class Watched(nn.Sequential):
    """Notes in which layout each batch came, and whether it was trained on."""

    seen: list[tuple[bool, bool]]

    def forward(self, x):
        self.seen.append((self.training, x.transpose(1, 2).is_contiguous()))
        return super().forward(x)


def watched(n_channels, n_times, n_classes):
    net = Watched(*convolutional(n_channels, n_times, n_classes))
    net.seen = []
    return net


@pytest.mark.parametrize(("lowering", "fast"), [("auto", True), ("none", False)])
def test_it_predicts_in_the_layout_that_it_was_trained_in(toy_fold, lowering, fast):
    model = Model("conv", "", watched, toy_plugin.RECIPE, toy_plugin.TOY.citation)
    recipe = Recipe(batch_size=32, epochs=1, lowering=lowering)
    trained = train_cell(model, toy_fold, recipe, {}, 3)
    net = trained.module
    assert net.seen[-1] == (False, fast) and (True, fast) in net.seen
    plain = logits_of(net, toy_fold.test, WindowBatches(toy_fold, CPU))
    assert net.seen[-1] == (False, False)
    expected = torch.softmax(torch.from_numpy(plain), dim=1).numpy()
    np.testing.assert_allclose(trained.probabilities, expected, rtol=0, atol=1e-6)


def test_an_augmentation_is_given_the_plain_layout(toy_fold):
    seen = []

    def noise(batch, chance):
        seen.append(batch.x.is_contiguous())
        return batch.with_x(batch.x + torch.empty_like(batch.x).normal_(generator=chance))

    recipe = Recipe(
        optimizer="sgd", learning_rate=0.01, batch_size=32, epochs=1, augment=("noise",)
    )
    methods = Methods(augmentations=(("noise", noise),))
    plainly = recipe.model_copy(update={"lowering": "none"})
    fast, plain = (
        train_cell(CONVOLUTIONAL, toy_fold, how, {}, 3, methods=methods)
        for how in (recipe, plainly)
    )
    assert all(seen) and fast.training.lowering == CHANNELS_LAST
    np.testing.assert_allclose(fast.probabilities, plain.probabilities, rtol=0, atol=1e-4)


def test_lowered_and_resumed_the_bits_are_the_same(toy_fold, tmp_path):
    recipe = Recipe(optimizer="adam", batch_size=32, epochs=4)
    whole = train_cell(CONVOLUTIONAL, toy_fold, recipe, {}, 0)
    assert bits(train_cell(CONVOLUTIONAL, toy_fold, recipe, {}, 0)) == bits(whole)
    resumed = stopped_and_resumed(CONVOLUTIONAL, toy_fold, recipe, tmp_path)
    assert resumed.training.lowering == whole.training.lowering == CHANNELS_LAST
    assert bits(resumed) == bits(whole)


def test_a_batch_in_the_other_layout_has_the_same_numbers(toy_fold):
    plain = WindowBatches(toy_fold, CPU)
    other = plain.channels_last()
    for (a, y), (b, z) in zip(
        plain.in_order(toy_fold.train, 7), other.in_order(toy_fold.train, 7), strict=True
    ):
        assert torch.equal(a, b) and torch.equal(y, z)
        assert a.is_contiguous() and b.transpose(1, 2).is_contiguous()


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-2, "nesterov": True},
        {"optimizer": "adam", "weight_decay": 1e-2},
        {"optimizer": "adamw", "weight_decay": 1e-2},
        {"optimizer": "rmsprop", "momentum": 0.9},
    ],
    ids=str,
)
def test_fused_steps_are_the_plain_ones(settings):
    """After 20 steps within 1e-6 of the largest weight; RMSprop's bit for bit."""

    def after(lowering):
        draw = torch.Generator().manual_seed(0)
        weight = nn.Parameter(torch.randn(37, 11, generator=draw))
        optimiser = optimiser_of(
            Recipe(learning_rate=0.01, lowering=lowering, **settings), [weight]
        )
        for _ in range(20):
            weight.grad = torch.randn(37, 11, generator=draw)
            optimiser.step()
        return weight.detach(), optimiser.defaults

    (fast, asked), (plain, not_asked) = after("auto"), after("none")
    form = "foreach" if settings["optimizer"] == "rmsprop" else "fused"
    assert asked[form] is True and not_asked[form] is None
    if form == "foreach":
        assert torch.equal(fast, plain)
    assert (fast - plain).abs().max() <= 1e-6 * plain.abs().max()


class Unwritten(nn.Module):
    """Reads memory that nobody wrote, in training or in evaluation."""

    def __init__(self, when):
        super().__init__()
        self.when, self.head = when, nn.Linear(60, 3)

    def forward(self, x):
        y = self.head(x.flatten(1))
        return y + torch.empty(3) if self.training is self.when else y


def test_memory_that_nobody_wrote_is_found_in_the_first_step(toy_fold):
    recipe = Recipe(epochs=2)
    torch.use_deterministic_algorithms(True)
    with pytest.raises(TrainingFailedError, match="epoch 1, step 1"):
        train(Unwritten(True), toy_fold, WindowBatches(toy_fold, CPU), recipe, 0)
    found = train(Unwritten(False), toy_fold, WindowBatches(toy_fold, CPU), recipe, 0)
    assert np.isnan(found.curve[0].validation["loss"])
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_the_option_is_part_of_the_recipe():
    assert Recipe().model_dump()["lowering"] == "auto"
    with pytest.raises(ValueError, match="'auto' or 'none'"):
        Recipe(lowering="fast")
