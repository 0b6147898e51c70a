"""Attributions against what can be worked out: weights, completeness, brute force."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from harbench.errors import ConfigError, ResultsError
from harbench_analyses.attribution import (
    METHODS,
    REDUCTIONS,
    attributions,
    class_windows,
    reduce,
    saliency_map,
)
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


@pytest.mark.parametrize("method", METHODS)
def test_network_and_random_state_stay_as_they_were(net, windows, method):
    net.train()
    net[1].eval()
    before = copy.deepcopy(net.state_dict())
    modes = [part.training for part in net.modules()]
    random, grad = torch.get_rng_state(), torch.is_grad_enabled()
    first = attributions(net, windows[:8], 1, method, seed=4)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [part.training for part in net.modules()] == modes
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
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
