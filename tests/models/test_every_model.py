"""What every model of ours must do beyond the conformance suite, at sizes benchmarks ask for."""

import os
import pkgutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.func import functional_call, grad, vmap

import harbench
import harbench_models

# Coverage would double its time, most of it in torch's own Python.
pytestmark = pytest.mark.no_cover

BATCH = 3


def loss_of(net, x, y):
    return nn.functional.cross_entropy(net(x), y)


def weights_of(net: nn.Module) -> bytes:
    return save({name: value.contiguous() for name, value in net.state_dict().items()})


def test_it_predicts_and_trains(model, n_channels, n_times):
    n_classes = 2 + n_channels % 17
    net = model.build(n_channels, n_times, n_classes)
    x, y = torch.randn(BATCH, n_channels, n_times), torch.arange(BATCH) % n_classes
    given = x.clone()
    assert net(x).shape == (BATCH, n_classes)
    assert torch.equal(x, given)

    optimiser = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(2):
        before = weights_of(net)
        optimiser.zero_grad()
        loss_of(net, x, y).backward()
        for name, p in net.named_parameters():
            assert p.grad is not None, f"no gradient reaches {name}"
            assert torch.isfinite(p.grad).all(), name
        optimiser.step()
        assert all(torch.isfinite(value).all() for value in net.state_dict().values())
        assert weights_of(net) != before
    assert any(p.grad.abs().max() > 0 for p in net.parameters())


def test_what_is_saved_predicts_the_same_bits(model, n_channels, n_times):
    net = model.build(n_channels, n_times, 18)
    x = torch.randn(BATCH, n_channels, n_times)
    if any(True for _ in net.buffers()):
        net.train()(x)  # so that the running statistics are not the initial ones
    torch.manual_seed(99)
    fresh = model.build(n_channels, n_times, 18)
    assert not torch.equal(fresh.eval()(x), net.eval()(x))
    fresh.load_state_dict(load(weights_of(net)))
    with torch.no_grad():
        assert torch.equal(fresh(x), net(x))


@pytest.mark.parametrize("n_classes", [2, 5, 18])
def test_any_number_of_classes(model, n_classes):
    net = model.build(6, model.window, n_classes)
    assert net(torch.randn(BATCH, 6, model.window)).shape == (BATCH, n_classes)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_few_channels_at_the_shortest_window(model, n_channels):
    net = model.build(n_channels, model.min_times, 2)
    x = torch.randn(2, n_channels, model.min_times)
    assert torch.isfinite(net.train()(x)).all()
    assert torch.isfinite(net.eval()(x[:1])).all()


def test_windows_of_a_batch_do_not_touch_one_another(model):
    net = model.build(6, model.window, 5).eval()
    x = torch.randn(4, 6, model.window)
    together = net(x)
    apart = torch.cat([net(window) for window in x.split(1)])
    torch.testing.assert_close(together, apart)


def test_a_shorter_window_is_refused_before_torch_sees_it(model):
    shortest = model.min_times
    with pytest.raises(harbench.ModelError) as caught:
        model.build(3, shortest - 1, 2)
    text = str(caught.value)
    assert model.name in text
    assert f"windows of {shortest - 1} samples" in text
    assert f"at least {shortest} samples" in text
    assert f"window: {shortest}" in caught.value.fix
    assert model.build(3, shortest, 2) is not None
    assert model.window >= shortest


def test_it_can_be_built_and_run_without_memory(model):
    with torch.device("meta"):
        net = model.build(113, model.window, 18)
        out = net.eval()(torch.zeros(BATCH, 113, model.window))
    assert out.is_meta
    assert out.shape == (BATCH, 18)
    assert all(p.is_meta for p in net.parameters())


def test_torch_func_gives_the_gradients_of_autograd(model):
    net = model.build(3, model.window, 4).eval()
    x, y = torch.randn(BATCH, 3, model.window), torch.arange(BATCH)
    loss_of(net, x, y).backward()
    weights = {name: p.detach() for name, p in net.named_parameters()}
    found = grad(lambda w: nn.functional.cross_entropy(functional_call(net, w, (x,)), y))(weights)
    for name, p in net.named_parameters():
        torch.testing.assert_close(found[name], p.grad, msg=name)


def test_torch_func_gives_a_saliency_for_each_window(model):
    net = model.build(3, model.window, 4).eval()
    if any(isinstance(part, nn.RNNBase) for part in net.modules()):
        pytest.skip("torch has no batching rule for aten::lstm and aten::gru")
    x = torch.randn(BATCH, 3, model.window, requires_grad=True)
    net(x)[:, 1].sum().backward()
    found = vmap(grad(lambda window: net(window.unsqueeze(0))[0, 1]))(x.detach())
    torch.testing.assert_close(found, x.grad)


def test_importing_the_plugins_imports_no_torch():
    names = [
        f"harbench_models.{info.name}" for info in pkgutil.iter_modules(harbench_models.__path__)
    ]
    script = (
        "import importlib, sys\n"
        "found = []\n"
        f"for name in {names}:\n"
        "    module = importlib.import_module(name)\n"
        "    getattr(module, 'register_models', lambda register: None)(register=found.append)\n"
        "print(sum(len(model.options) for model in found), 'torch' in sys.modules)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    n_options, torch_is_there = done.stdout.split()
    assert int(n_options) >= 17
    assert torch_is_there == "False"


def test_every_model_describes_itself(any_model):
    model = any_model
    assert model.summary
    assert not model.summary.endswith(".")
    assert model.citation.text
    assert model.citation.doi or model.citation.url
    assert not model.citation.doi.startswith("http")
    assert all(note.endswith(".") for note in model.notes)
