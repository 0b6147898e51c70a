"""Layers of the networks after 2016 that the counts cannot check: what they compute."""

import pytest
import torch
from torch import nn


def with_random_numbers(net: nn.Module) -> nn.Module:
    """Biases, gates and factors that start at 0 would hide what they do."""
    for parameter in net.parameters():
        if parameter.ndim < 2:
            nn.init.normal_(parameter, std=0.3) if parameter.ndim else nn.init.constant_(
                parameter, 0.7
            )
    return net.eval()


def sequence(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """[steps, filters, n_channels] of one window, by plain convolutions."""
    maps = x[:, None]
    for layer in net.convolutions:
        if isinstance(layer, nn.Conv2d):
            maps = torch.relu(nn.functional.conv2d(maps, layer.weight, layer.bias))
    return maps[0].permute(2, 0, 1)


# bock2021


def test_shallow_is_deepconvlstm_with_one_layer(models):
    shallow = models["deepconvlstm-shallow"].build(3, 24, 4).eval()
    deep = models["deepconvlstm"].build(3, 24, 4, lstm_layers=1).eval()
    deep.load_state_dict(shallow.state_dict())
    x = torch.randn(5, 3, 24)
    assert torch.equal(shallow(x), deep(x))


def test_shallow_has_dropout_before_the_linear_layer_alone(models):
    net = models["deepconvlstm-shallow"].build(3, 24, 4, lstm_layers=2, dropout=0.25)
    assert net.lstm.dropout == 0
    assert [m.p for m in net.modules() if isinstance(m, nn.Dropout)] == [0.25]
    seen = []
    net.dropout.register_forward_hook(lambda part, given, out: seen.append(given[0].shape))
    net(torch.randn(2, 3, 24))
    assert seen == [(2, 128)]


def test_shallow_draws_the_gates_as_one_matrix(models):
    # Xavier's variance 2 / (rows + columns), of [512, 128] and not of four [128, 128].
    weight = models["deepconvlstm-shallow"].build(3, 24, 4).lstm.weight_hh_l0
    assert abs(float(weight.detach().std()) / (2 / 640) ** 0.5 - 1) < 0.02


# murahari2018


def test_attention_over_earlier_states_is_its_equations(models):
    net = models["deepconvlstm-attention"].build(2, 20, 3, filters=4, lstm_units=5)
    net = with_random_numbers(net)
    x = torch.randn(1, 2, 20)
    states, _ = net.lstm(sequence(net, x).flatten(1)[None])
    *past, last = states[0]
    assert len(past) == 3
    first, second = net.score[0], net.score[3]
    scores = [second.weight[0] @ torch.tanh(first.weight @ h + first.bias) for h in past]
    total = sum(torch.exp(score) for score in scores)
    context = sum(torch.exp(score) / total * h for score, h in zip(scores, past, strict=True))
    expected = net.classifier.weight @ (last + context) + net.classifier.bias
    torch.testing.assert_close(net(x)[0], expected)


# abedin2021


def test_attend_and_discriminate_is_its_equations(models):
    net = models["attend-discriminate"].build(3, 20, 4, filters=4, gru_units=5)
    net = with_random_numbers(net)
    x = torch.randn(1, 3, 20)
    part = net.across_channels
    query, key, value = (w.weight[:, :, 0] for w in (part.query, part.key, part.value))
    attended = []
    for maps in sequence(net, x):  # [filters, n_channels]
        columns = []
        for channel in range(3):
            alike = torch.stack(
                [(query @ maps[:, other]) @ (key @ maps[:, channel]) for other in range(3)]
            )
            weights = torch.exp(alike) / torch.exp(alike).sum()
            columns.append(sum(w * (value @ maps[:, i]) for i, w in enumerate(weights)))
        attended.append(maps + 0.7 * torch.stack(columns, 1))
    states, _ = net.gru(torch.stack(attended).flatten(1)[None])
    weights = torch.softmax(states[0] @ net.score.weight[0], 0)
    expected = net.classifier.weight @ (weights @ states[0]) + net.classifier.bias
    torch.testing.assert_close(net(x)[0], expected)


def test_attention_across_channels_starts_as_the_identity(models):
    part = models["attend-discriminate"].build(3, 24, 4).across_channels
    x = torch.randn(2, 64, 3)
    assert torch.equal(part(x), x)


def test_the_gru_starts_orthogonal_in_one_piece(models):
    weight = models["attend-discriminate"].build(3, 24, 4).gru.weight_hh_l0  # [3 x 128, 128]
    torch.testing.assert_close(weight.T @ weight, torch.eye(128), atol=1e-5, rtol=0)


# densenet-1d


def dense_layers(net: nn.Module) -> list[nn.Module]:
    return [m for m in net if type(m).__name__ == "DenseLayer"]


def test_a_dense_layer_hands_on_all_that_it_reads(models):
    layers = dense_layers(models["densenet-1d"].build(5, 15, 4).eval())
    x = torch.randn(2, 16, 15)
    seen = x
    for layer in layers[:5]:
        after = layer(seen)
        assert torch.equal(after[:, : seen.shape[1]], seen)
        assert torch.equal(after[:, seen.shape[1] :], layer.new(seen))
        seen = after
    assert seen.shape == (2, 16 + 5 * 10, 15)


def test_dense_layers_read_ever_more_maps_and_the_transition_keeps_half(models):
    net = models["densenet-1d"].build(5, 15, 4)
    read = [layer.new[2].in_channels for layer in dense_layers(net)]
    assert read == [16, 26, 36, 46, 56, 33, 43, 53, 63, 73]
    assert [type(layer) for layer in dense_layers(net)[0].new] == [
        nn.BatchNorm1d, nn.ReLU, nn.Conv1d,
    ]  # fmt: skip


def test_densenet_has_as_many_convolutions_of_three_taps_as_resnet_like(models):
    def deep(name: str) -> int:
        parts = models[name].build(5, 15, 4).modules()
        return sum(isinstance(m, nn.Conv1d) and m.kernel_size == (3,) for m in parts)

    assert deep("densenet-1d") == deep("resnet-like") == 11


# mobilenet-1d


def test_a_separable_convolution_is_a_convolution_of_rank_one(models):
    net = models["mobilenet-1d"].build(5, 15, 4)
    apart, across = net[3], net[6]
    assert (apart.groups, across.groups, across.kernel_size) == (16, 1, (1,))
    x = torch.randn(2, 16, 15)
    # Without the batch norm between them, which would make them depend on the data.
    full = across.weight * apart.weight[:, 0][None]  # [to, from, taps]
    found = across(apart(x))
    torch.testing.assert_close(found, nn.functional.conv1d(x, full, padding=1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("width", "maps"), [(1.0, [16, 32, 64]), (0.5, [8, 16, 32])])
def test_the_width_multiplies_all_maps(models, width, maps):
    net = models["mobilenet-1d"].build(5, 15, 4, width=width)
    found = [m.out_channels for m in net if isinstance(m, nn.Conv1d) and m.groups == 1]
    assert found == [*maps, *[maps[-1]] * 3]
    assert net[-1].in_features == maps[-1]


def test_time_halves_once(models):
    net = models["mobilenet-1d"].build(5, 15, 4)
    assert [m.stride for m in net if isinstance(m, nn.Conv1d) and m.groups > 1] == [
        (1,), (2,), (1,), (1,), (1,),
    ]  # fmt: skip
