"""Layers that the counts cannot check: what they compute."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import harbench


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("resnet-like", {"pool": "same"}, "one of floor, ceil"),
        ("resnet-like", {"pool": 2}, "one of floor, ceil"),
        ("yang2015", {"pooling": "paper"}, "one of figure, code"),
        ("ordonez2016-cnn", {"dense": 0}, "option dense is 0"),
        ("ordonez2016-cnn", {"filters": 1.5}, "option filters is 1.5"),
        ("ordonez2016-cnn", {"conv_layers": True}, "option conv_layers is True"),
        ("deepconvlstm", {"dropout": 1.0}, "option dropout is 1.0"),
        ("deepconvlstm", {"dropout": "half"}, "option dropout is 'half'"),
        ("deepconvlstm", {"init": "zeros"}, "one of orthogonal, xavier-normal"),
        ("deepconvlstm", {"lstm_layers": -1}, "option lstm_layers is -1"),
        ("tang2020-lego", {"groups": 3}, "does not divide 128"),
        ("tang2020-lego", {"groups": "4"}, "option groups is '4'"),
        ("tang2020-lego", {"ratio": 0}, "above 0"),
        ("tang2020-lego", {"ratio": 1.25}, "at most 1"),
        ("deepconvlstm-shallow", {"lstm_layers": 0}, "option lstm_layers is 0"),
        ("deepconvlstm-attention", {"attention_dropout": 1}, "option attention_dropout is 1"),
        ("attend-discriminate", {"gru_units": 2.0}, "option gru_units is 2.0"),
        ("attend-discriminate", {"init": "kaiming"}, "one of orthogonal, xavier-normal"),
        ("densenet-1d", {"growth": 0}, "option growth is 0"),
        ("densenet-1d", {"compression": 0}, "above 0"),
        ("mobilenet-1d", {"width": 1.5}, "at most 1"),
    ],
)
def test_a_wrong_option_is_refused_by_name(models, name, options, said):
    with pytest.raises(harbench.ModelError) as caught:
        models[name].build(3, 64, 4, **options)
    assert said in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "shortest"),
    [
        ("resnet-like", {"pool": "ceil"}, 3),
        ("yang2015", {"pooling": "code"}, 30),
        ("deepconvlstm", {"kernel": 11}, 41),
        ("deepconvlstm", {"conv_layers": 2}, 9),
        ("ordonez2016-cnn", {"kernel": 3, "conv_layers": 3}, 7),
        ("tang2020-lego", {"groups": 2, "ratio": 1.0}, 1),
        ("deepconvlstm-shallow", {"kernel": 21}, 81),
        ("deepconvlstm-attention", {"kernel": 3}, 11),
        ("attend-discriminate", {"conv_layers": 2}, 10),
        ("densenet-1d", {"layers": 1, "growth": 1, "compression": 0.01}, 4),
        ("mobilenet-1d", {"width": 0.01}, 3),
    ],
)
def test_options_move_the_shortest_window(models, name, options, shortest):
    build = models[name].build
    assert build(3, shortest, 2, **options)(torch.randn(2, 3, shortest)).shape == (2, 2)
    with pytest.raises(harbench.ModelError, match=f"at least {shortest} samples"):
        build(3, shortest - 1, 2, **options)


# resnet-like


def test_a_residual_block_with_zero_weights_is_the_identity(models):
    # Equation 1: F(x) = 0 makes y = x.
    block = models["resnet-like"].build(5, 15, 4)[1]
    nn.init.zeros_(block.residual[-1].weight)
    nn.init.zeros_(block.residual[-1].bias)
    x = torch.randn(2, 16, 15)
    assert torch.equal(block(x), x)


def test_blocks_are_pre_activated(models):
    block = models["resnet-like"].build(5, 15, 4)[1]
    kinds = [type(layer) for layer in block.residual]
    assert kinds == [nn.BatchNorm1d, nn.ReLU, nn.Conv1d] * 2


# yang2015


def unify_layer(net):
    return [m for m in net if isinstance(m, nn.Conv2d)][3]


def norm_layer(models):
    net = models["yang2015"].build(5, 30, 4)
    return next(m for m in net if type(m).__name__ == "NormAcrossMaps")


def test_response_norm_is_torchs_and_matconvnets(models):
    x = 30 * torch.randn(2, 50, 5, 13)
    found = norm_layer(models)(x)
    assert torch.equal(found, nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)(x))
    # MatConvNet: y = x / (kappa + alpha * sum of squares) ** beta with alpha = 0.0001 / 5.
    squares = np.pad(x.numpy().astype(np.float64) ** 2, ((0, 0), (2, 2), (0, 0), (0, 0)))
    sums = sum(squares[:, shift : shift + 50] for shift in range(5))
    expected = x.numpy() / (1 + 2e-5 * sums) ** 0.75
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)


def test_no_operation_without_a_repeatable_gradient_on_cuda(model):
    # Named in the documentation of torch.use_deterministic_algorithms as raising there.
    forbidden = ("avg_pool3d", "_adaptive_avg_pool2d", "adaptive_max_pool2d", "upsample", "cumsum")
    seen: set[str] = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            seen.add(function.name())
            return function(*args, **(kwargs or {}))

    net = model.build(3, model.window, 4)
    with Recorder():
        net(torch.randn(2, 3, model.window)).sum().backward()
    assert any("convolution" in name for name in seen)
    assert not [name for name in seen if any(word in name for word in forbidden)]


def test_yang_starts_from_small_normal_weights(models):
    net = models["yang2015"].build(113, 30, 18)
    unify = unify_layer(net).requires_grad_(False)
    assert unify.weight.shape == (400, 20, 113, 1)
    assert abs(float(unify.weight.std()) - 0.01) < 1e-4
    assert abs(float(unify.weight.mean())) < 1e-4
    assert all(not layer.bias.any() for layer in net if isinstance(layer, nn.Conv2d))


def test_yang_unifies_all_time_steps_that_are_left(models):
    # 42 samples: 38 -> 19 -> 15 -> 5 -> 3 steps.
    assert unify_layer(models["yang2015"].build(6, 42, 4)).kernel_size == (6, 3)


# ordonez2016


def test_each_gate_starts_orthogonal(models):
    net = models["deepconvlstm"].build(3, 24, 4)
    for name, weight in net.lstm.named_parameters():
        if weight.ndim == 1:
            assert not weight.any(), name
            continue
        for gate in weight.chunk(4):
            torch.testing.assert_close(gate @ gate.T, torch.eye(128), atol=1e-5, rtol=0)


def test_xavier_normal_has_its_variance_gate_by_gate(models):
    net = models["deepconvlstm"].build(3, 24, 4, init="xavier-normal")
    for gate in net.lstm.weight_hh_l0.chunk(4):
        assert abs(float(gate.detach().std()) / (2 / 256) ** 0.5 - 1) < 0.05


def test_dropout_falls_on_the_input_of_every_dense_and_recurrent_layer(models):
    cnn = models["ordonez2016-cnn"].build(3, 24, 4, dropout=0.25)
    layers = list(cnn)
    before = [layers[i - 1] for i, layer in enumerate(layers) if isinstance(layer, nn.Linear)]
    assert [(type(layer), layer.p) for layer in before] == [(nn.Dropout, 0.25)] * 3
    lstm = models["deepconvlstm"].build(3, 24, 4, dropout=0.25)
    assert (lstm.dropout.p, lstm.lstm.dropout) == (0.25, 0.25)


def test_one_lstm_layer_gives_no_warning(models, recwarn):
    models["deepconvlstm"].build(3, 24, 4, lstm_layers=1)
    assert not recwarn.list


def test_deepconvlstm_is_its_equations(models):
    net = models["deepconvlstm"].build(2, 20, 3, filters=4, lstm_units=5, lstm_layers=1).eval()
    for p in net.lstm.parameters():
        nn.init.normal_(p, std=0.3)
    x = torch.randn(1, 2, 20)
    maps = x[:, None]
    for layer in net.convolutions:
        if isinstance(layer, nn.Conv2d):
            maps = torch.relu(nn.functional.conv2d(maps, layer.weight, layer.bias))
    hidden, cell = torch.zeros(5), torch.zeros(5)
    w = dict(net.lstm.named_parameters())
    for step in range(4):
        features = torch.stack([maps[0, f, c, step] for f in range(4) for c in range(2)])
        gates = w["weight_ih_l0"] @ features + w["bias_ih_l0"] + w["bias_hh_l0"]
        i, f, g, o = (gates + w["weight_hh_l0"] @ hidden).chunk(4)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(cell)
    expected = net.classifier.weight @ hidden + net.classifier.bias
    torch.testing.assert_close(net(x)[0], expected)


# tang2020


def lego_layers(models, **options):
    net = models["tang2020-lego"].build(6, 64, 4, **options)
    return [m for m in net if type(m).__name__ == "LegoConv2d"]


@pytest.mark.parametrize(("groups", "ratio"), [(4, 0.25), (2, 0.5), (1, 0.125)])
def test_a_lego_layer_is_a_convolution_with_shared_filters(models, groups, ratio):
    layer = lego_layers(models, groups=groups, ratio=ratio)[0]
    x = torch.randn(2, 128, 6, 1)
    choice = layer.aux_combination.argmax(2)
    pieces = [
        layer.aux_coefficients[group].gather(1, choice[group, :, None])[:, :, None, None]
        * layer.lego[choice[group]]
        for group in range(groups)
    ]
    full = nn.functional.conv2d(x, torch.cat(pieces, 1), stride=(2, 1), padding=1)
    torch.testing.assert_close(layer(x), full, atol=1e-5, rtol=1e-4)
    assert layer.lego.shape == (int(256 * ratio), 128 // groups, 3, 3)


def test_the_gradient_of_the_choice_is_copied_into_aux_combination(models):
    layer = lego_layers(models)[0]
    x = torch.randn(2, 128, 6, 1)
    layer(x).square().sum().backward()
    # The same with the choice as a leaf of its own, as the authors' copy_grad does it.
    best = layer.aux_combination.detach().argmax(2, keepdim=True)
    proxy = torch.zeros_like(layer.aux_combination).scatter(2, best, 1.0).requires_grad_()
    total = 0
    for group, part in enumerate(x.chunk(4, 1)):
        bricks = nn.functional.conv2d(part, layer.lego.detach(), stride=(2, 1), padding=1)
        merge = (layer.aux_coefficients.detach() * proxy)[group]
        total = total + nn.functional.conv2d(bricks, merge[:, :, None, None])
    total.square().sum().backward()
    torch.testing.assert_close(layer.aux_combination.grad, proxy.grad)


def test_the_first_lego_convolution_stays_ordinary_at_every_window(models):
    for n_times in (1, 64, 128):
        net = models["tang2020-lego"].build(6, n_times, 4)
        assert type(net[1]) is nn.Conv2d
        assert len([m for m in net if type(m).__name__ == "LegoConv2d"]) == 2
