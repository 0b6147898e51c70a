"""Attributions against what can be worked out: weights, completeness, brute force."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from harbench.errors import ConfigError, ResultsError
from harbench.training.lowering import CHANNELS_LAST, lowering_of
from harbench_analyses import attribution
from harbench_analyses.attribution import (
    METHODS,
    REDUCTIONS,
    Running,
    attributions,
    class_windows,
    reduce,
    running_of,
    saliency_map,
)
from harbench_models.resnet_like import build
from toys.toy_plugin import small


@pytest.fixture
def windows():
    return np.random.default_rng(1).normal(0, 1, (70, 3, 4)).astype(np.float32)


@pytest.fixture
def net():
    torch.manual_seed(3)
    module = small(3, 4, 3)
    module[1].running_mean += 0.3
    return module.eval()


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3))


def logits(module, windows):
    with torch.no_grad():
        return module(torch.from_numpy(windows)).double().numpy()


def test_the_gradient_of_a_linear_model_is_its_weights(windows):
    module = linear()
    weights = module[1].weight[2].detach().numpy().reshape(3, 4)
    for method in ("gradient", "smooth-grad"):
        found = attributions(module, windows, 2, method)
        assert found.shape == windows.shape
        assert found.dtype == np.float64
        # Smooth-grad averages equal copies in float32.
        np.testing.assert_allclose(found, np.broadcast_to(weights, found.shape), rtol=1e-6)
    np.testing.assert_array_equal(
        attributions(module, windows, 2, "gradient")[69], weights.astype(np.float64)
    )
    product = attributions(module, windows, 2, "input-x-gradient")
    np.testing.assert_allclose(product, windows * weights, rtol=1e-6)


def test_integrated_gradients_add_up_to_the_rise_of_the_logit(net, windows):
    found = attributions(net, windows, 1, "integrated-gradients").sum(axis=(1, 2))
    rise = logits(net, windows)[:, 1] - logits(net, np.zeros_like(windows))[:, 1]
    np.testing.assert_allclose(found, rise, atol=0.02 * np.abs(rise).max())


def test_occlusion_is_what_brute_force_finds(net, windows):
    found = attributions(net, windows, 1, "occlusion")
    for channel in range(3):
        without = windows.copy()
        without[:, channel] = 0
        fall = logits(net, windows)[:, 1] - logits(net, without)[:, 1]
        np.testing.assert_allclose(found[:, channel].sum(axis=1), fall, atol=1e-5)
        np.testing.assert_array_equal(found[:, channel, 0], found[:, channel, 3])


def resnet():
    torch.manual_seed(0)
    module = build(12, 15, 4)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean += torch.randn(part.num_features) / 4
    return module.eval()


@pytest.mark.parametrize("method", ["gradient", "input-x-gradient"])
def test_gradients_are_those_of_captum(method, one_thread):
    from captum import attr

    module = resnet()
    windows = np.random.default_rng(2).normal(0, 1, (600, 12, 15)).astype(np.float32)
    x = torch.from_numpy(windows).requires_grad_()
    if method == "gradient":
        expected = attr.Saliency(module).attribute(x, target=2, abs=False)
    else:
        expected = attr.InputXGradient(module).attribute(x, target=2)
    found = attributions(module, windows, 2, method, running=Running(512))
    # In other batches than captum's one, torch may take other sums; in equal ones none differ.
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-5, atol=1e-7)
    few = attributions(module, windows[:64], 2, method)
    x = torch.from_numpy(windows[:64]).requires_grad_()
    (gradient,) = torch.autograd.grad(module(x)[:, 2].sum(), x)
    if method == "input-x-gradient":
        gradient = x.detach() * gradient
    np.testing.assert_array_equal(few, gradient.double().numpy())


@pytest.mark.parametrize("method", METHODS)
def test_channels_last_gives_the_same(method, one_thread):
    module = resnet().double()
    windows = np.random.default_rng(2).normal(0, 1, (20, 12, 15))
    plain = attributions(module, windows, 2, method, seed=1)
    changed = attributions(module, windows, 2, method, seed=1, running=Running(lowered=True))
    # In float64, where no ReLU's input is nearly 0, as in lowering's own check.
    assert np.abs(changed - plain).max() <= 1e-9 * np.abs(plain).max()
    assert not any("forward" in vars(part) for part in module.modules())


def test_a_map_in_float32_is_the_same_to_a_thousandth_channels_last(one_thread):
    module = resnet()
    windows = np.random.default_rng(2).normal(0, 1, (512, 12, 15)).astype(np.float32)
    x, y = torch.from_numpy(windows[:16]), torch.arange(16) % 4
    assert lowering_of(module, x, y) == CHANNELS_LAST
    for method in ("gradient", "input-x-gradient"):
        plain, changed = (
            reduce(attributions(module.eval(), windows, 1, method, running=Running(512, lowered)))
            for lowered in (False, True)
        )
        assert not np.array_equal(changed, plain), "the layout was not used"
        assert np.abs(changed - plain).max() <= 1e-3 * np.abs(plain).max()


def test_a_network_is_run_as_it_was_trained_and_as_memory_allows(loaded, monkeypatch):
    class Squares(nn.Module):
        """Keeps its input, and twelve times as much, for the way back."""

        def __init__(self):
            super().__init__()
            self.out = nn.Linear(12, 3)

        def forward(self, x):
            wide = (x * x).repeat(1, 1, 12)
            return self.out((wide * wide).flatten(1)[:, :12])

    cell, record = loaded(Squares()), {}
    trained = SimpleNamespace(record=record)
    a_window = 3 * 4 * 4
    for budget, batch in ((64, 64), (640, 640), (700, 640), (10_000, 1024)):
        monkeypatch.setattr(attribution, "_KEPT", budget * 13 * a_window)
        # Of before there were layouts.
        assert running_of(trained, cell) == Running(batch, lowered=False)
    record["lowering"] = "none: the recipe says so"
    assert not running_of(trained, cell).lowered
    record["lowering"] = CHANNELS_LAST
    assert running_of(trained, cell).lowered


@pytest.mark.parametrize("method", METHODS)
def test_network_and_random_state_stay_as_they_were(net, windows, method):
    net.train()
    net[1].eval()
    frozen = next(net.parameters()).requires_grad_(False)
    before = copy.deepcopy(net.state_dict())
    modes = [part.training for part in net.modules()]
    random, grad = torch.get_rng_state(), torch.is_grad_enabled()
    first = attributions(net, windows[:8], 1, method, seed=4)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [part.training for part in net.modules()] == modes
    assert all(p.grad is None for p in net.parameters())
    assert all(p.requires_grad == (p is not frozen) for p in net.parameters())
    assert not any(
        part._forward_hooks or part._forward_pre_hooks or part._backward_hooks
        for part in net.modules()
    )
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.is_grad_enabled() == grad
    torch.rand(5)
    np.testing.assert_array_equal(attributions(net, windows[:8], 1, method, seed=4), first)
    assert np.isfinite(first).all()
    assert first.any()


def test_the_seed_is_that_of_the_noise(net, windows):
    some = [attributions(net, windows[:8], 1, "smooth-grad", seed=seed) for seed in (0, 1)]
    assert np.abs(some[0] - some[1]).max() > 0


def test_recurrent_networks_have_gradients_in_evaluation_mode(windows):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(3, 4, batch_first=True)
            self.out = nn.Linear(4, 3)

        def forward(self, x):
            return self.out(self.lstm(x.transpose(1, 2))[0][:, -1])

    found = attributions(Recurrent().eval(), windows[:3], 0, "gradient")
    assert found[:, :, 0].any()


def test_reductions_by_hand():
    values = np.array([[[1.0, -3.0], [2.0, 2.0]], [[0.0, 0.0], [-5.0, -1.0]]])
    np.testing.assert_array_equal(reduce(values, "signed"), [-1, -1])
    np.testing.assert_array_equal(reduce(values, "absolute"), [1, 1])
    np.testing.assert_array_equal(reduce(values, "mean-absolute"), [2, 5])
    assert set(REDUCTIONS) == {"signed", "absolute", "mean-absolute"}


def test_a_map_is_over_the_windows_of_its_class(loaded, net):
    cell = loaded(net)
    mine = cell.windows("test", np.flatnonzero(cell.labels["test"] == 1))
    expected = reduce(attributions(net, mine, 1, "input-x-gradient"))
    np.testing.assert_array_equal(saliency_map(cell, "test", 1, "input-x-gradient"), expected)


def test_at_most_so_many_windows_from_first_to_last(loaded):
    cell = loaded(linear())
    every = class_windows(cell, 1)
    assert len(every) == 26
    few = class_windows(cell, 1, limit=6)
    np.testing.assert_array_equal(few, every[[0, 5, 10, 15, 20, 25]])


def test_refusals(loaded):
    cell = loaded(linear())
    with pytest.raises(ResultsError, match=r"'turn' has no test window .*some: train"):
        saliency_map(cell, "test", 2)
    with pytest.raises(ConfigError, match="no part is called 'tests'; did you mean 'test'"):
        saliency_map(cell, "tests", 1)
    with pytest.raises(ConfigError, match="no method is called 'gradients'; did you mean 'grad"):
        saliency_map(cell, "test", 1, "gradients")
    with pytest.raises(ConfigError, match="no reduction is called 'sum'"):
        saliency_map(cell, "test", 1, "gradient", "sum")
