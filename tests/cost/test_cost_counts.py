"""Parameters and MACs of small networks whose counts are known in closed form."""

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import weight_norm

from harbench.cost import count
from harbench.cost.macs import count_macs
from harbench.cost.parameters import count_parameters
from harbench.errors import ModelError

whole = st.integers


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.head = nn.Linear(32, 3)

    def forward(self, x):
        return self.head(self.encoder(x.transpose(1, 2)).mean(1))


class Recurrent(nn.Module):
    """A classifier around a recurrent layer, which may look at values."""

    def __init__(self, recurrent: nn.Module, width: int, *, looks: bool = False) -> None:
        super().__init__()
        self.recurrent, self.head, self.looks = recurrent, nn.Linear(width, 2), looks

    def forward(self, x):
        if self.looks and x.abs().sum().item() < 0:
            return x
        states, _ = self.recurrent(x.transpose(1, 2))
        return self.head(states[:, -1])


@settings(max_examples=25, deadline=None)
@given(
    n_channels=whole(1, 6),
    n_times=whole(9, 20),
    maps=whole(1, 4),
    kernel=whole(1, 5),
    stride=whole(1, 3),
    dilation=whole(1, 2),
    n_classes=whole(2, 5),
    bias=st.booleans(),
)
def test_convolution_and_linear_in_closed_form(
    n_channels, n_times, maps, kernel, stride, dilation, n_classes, bias
):
    groups = n_channels  # depthwise, with `maps` filters for each channel
    out = (n_times - dilation * (kernel - 1) - 1) // stride + 1
    width = groups * maps
    net = nn.Sequential(
        nn.Conv1d(
            n_channels, width, kernel, stride=stride, dilation=dilation, groups=groups, bias=bias
        ),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(width * out, n_classes, bias=bias),
    )
    cost = count(net, n_channels, n_times)
    assert cost.macs == out * width * kernel + width * out * n_classes
    assert cost.macs_second == cost.macs
    assert cost.counters_agree
    assert cost.counters_note == "thop, the second counter, agrees."
    weights = width * kernel + width * out * n_classes + bias * (width + n_classes)
    assert cost.parameters == cost.parameters_with_buffers == weights


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from([(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)]),
    n_channels=whole(1, 8),
    n_times=whole(1, 12),
    hidden=whole(1, 8),
    layers=whole(1, 3),
    bidirectional=st.booleans(),
)
def test_recurrent_layers_in_closed_form(kind, n_channels, n_times, hidden, layers, bidirectional):
    layer, gates = kind
    directions = 1 + bidirectional
    recurrent = layer(n_channels, hidden, layers, batch_first=True, bidirectional=bidirectional)
    net = Recurrent(recurrent, hidden * directions)
    widths = [n_channels, *[hidden * directions] * (layers - 1)]
    steps = sum(gates * hidden * (width + hidden) for width in widths) * directions
    macs = count_macs(net, n_channels, n_times)
    assert macs.first == n_times * steps + 2 * hidden * directions
    assert macs.second > macs.first
    assert macs.agree
    assert "agrees" in macs.note


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_recurrent_cells_agree(cell):
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.head = cell(3, 5), nn.Linear(5, 2)

        def forward(self, x):
            state = None
            for step in x.unbind(2):
                state = self.cell(step, state)
            return self.head(state[0] if isinstance(state, tuple) else state)

    gates = {nn.RNNCell: 1, nn.GRUCell: 3, nn.LSTMCell: 4}[cell]
    macs = count_macs(Loop(), 3, 7)
    assert macs.first == 7 * gates * 5 * (3 + 5) + 10
    assert macs.agree
    assert "agrees" in macs.note


def test_a_recurrent_layer_as_the_whole_network():
    # thop returns no parameters for it; harbench does not ask thop for parameters.
    net = nn.LSTM(15, 8, 2, batch_first=True)
    cost = count(net, 113, 15)
    assert cost.macs == 113 * 4 * 8 * ((15 + 8) + (8 + 8))
    assert cost.parameters == 4 * 8 * ((15 + 8 + 2) + (8 + 8 + 2))
    assert cost.counters_agree
    assert "agrees" in cost.counters_note


def test_elementwise_work_is_no_mac():
    net = nn.Sequential(
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.AvgPool1d(2),
        nn.PReLU(),
        nn.LayerNorm(5),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
        nn.Softmax(1),
    )
    macs = count_macs(net, 4, 10)
    assert macs.first == 12
    # Batch norm 4 * 40, pools 20 and 20 + 4, PReLU 20, layer norm 4 * 20, softmax 8.
    assert macs.second == 12 + 160 + 20 + 24 + 20 + 80 + 8
    assert "agrees: it says 324, and the 312 more are element-wise" in macs.note


def test_attention_is_seen_by_the_first_counter_alone():
    net = Attention()
    cost = count(net, 32, 10)
    projections, scores, feed_forward = 4 * 10 * 32 * 32, 2 * 10 * 10 * 32, 2 * 10 * 32 * 64
    assert cost.macs == projections + scores + feed_forward + 32 * 3
    assert cost.macs_second < cost.macs
    assert not cost.counters_agree
    assert f"saw only {cost.macs_second:,} of {cost.macs:,} MACs" in cost.counters_note
    assert cost.counters_note.endswith("torch's counter counts.")
    assert cost.parameters == sum(p.numel() for p in net.parameters())


def test_functional_work_is_seen_by_the_first_counter_alone():
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(2, 3, 5))

        def forward(self, x):
            return nn.functional.conv1d(x, self.weight).mean(2)

    cost = count(Bare(), 3, 9)
    assert (cost.macs, cost.macs_second, cost.parameters) == (5 * 2 * 3 * 5, 0, 30)
    assert "saw only 0 of 150 MACs" in cost.counters_note


def test_a_layer_that_two_modules_share_is_counted_twice_too_often_by_the_second():
    shared = nn.Linear(6, 6)
    net = nn.Sequential(nn.Flatten(), nn.Sequential(shared), nn.Sequential(shared), nn.Linear(6, 2))
    cost = count(net, 2, 3)
    assert cost.macs == 2 * 36 + 12
    assert cost.parameters == 42 + 14
    assert cost.macs_second > cost.macs
    assert not cost.counters_agree
    assert "more than 84 MACs" in cost.counters_note
    assert cost.counters_note.endswith("torch's counter counts.")


def test_a_network_that_looks_at_values_is_counted_on_the_cpu():
    # There oneDNN would hide the LSTM, and the fast path the attention.
    looking = Recurrent(nn.LSTM(3, 4, batch_first=True), 4, looks=True)
    plain = Recurrent(nn.LSTM(3, 4, batch_first=True), 4)
    assert count(looking, 3, 6) == count(plain, 3, 6)

    class Looking(Attention):
        def forward(self, x):
            return super().forward(x) if x.sum().item() < 1e9 else x

    assert count(Looking(), 32, 10).macs == count(Attention(), 32, 10).macs


def test_the_flags_for_the_cpu_are_put_back():
    mkldnn = torch._C._get_mkldnn_enabled()
    attention = torch.backends.mha.get_fastpath_enabled()
    count(Recurrent(nn.LSTM(3, 4, batch_first=True), 4, looks=True), 3, 6)
    assert torch._C._get_mkldnn_enabled() == mkldnn
    assert torch.backends.mha.get_fastpath_enabled() == attention


def test_a_network_that_cannot_take_the_window_is_a_model_error():
    with pytest.raises(ModelError, match=r"fails on one window \[1, 3, 4\]: RuntimeError"):
        count(nn.Conv1d(3, 2, 7), 3, 4)


def test_a_network_that_cannot_be_copied_is_a_model_error():
    class Open(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.log = sys.stderr  # a file cannot be copied
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x * self.weight

    with pytest.raises(ModelError, match="cannot be copied"):
        count(Open(), 3, 4)


def test_weight_normalisation_can_be_copied():
    with pytest.warns(FutureWarning):
        normed = weight_norm(nn.Conv1d(3, 4, 3))
    net = nn.Sequential(normed, nn.Flatten(), nn.Linear(4 * 6, 2))
    net(torch.randn(1, 3, 8))
    cost = count(net, 3, 8)
    assert cost.macs == 6 * 4 * 3 * 3 + 48
    assert cost.parameters == 36 + 4 + 4 + 50


def test_without_thop_the_note_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "thop", None)
    macs = count_macs(nn.Linear(4, 2), 3, 4)
    assert (macs.first, macs.second) == (3 * 8, None)
    assert "cannot be imported (ModuleNotFoundError)" in macs.note


def test_where_thop_fails_the_note_says_so(monkeypatch):
    import thop

    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(thop, "profile", fail)
    macs = count_macs(nn.Linear(4, 2), 3, 4)
    assert (macs.first, macs.second) == (3 * 8, None)
    assert "fails on this network (ZeroDivisionError)" in macs.note


# Parameters


def test_frozen_parameters_are_in_the_total_alone():
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    net[0].requires_grad_(False)
    found = count_parameters(net)
    assert found.trainable == 6 + 8
    # Running mean and variance, and not the number of batches.
    assert found.with_buffers == 15 + 6 + 8 + 6
    assert found.weight_bytes == 4 * found.with_buffers


def test_only_saved_floating_point_buffers_are_counted():
    net = nn.Linear(2, 2)
    net.register_buffer("positions", torch.zeros(100), persistent=False)
    net.register_buffer("order", torch.zeros(50, dtype=torch.int64))
    net.register_buffer("scale", torch.zeros(7, dtype=torch.float64))
    found = count_parameters(net)
    assert (found.trainable, found.with_buffers) == (6, 13)
    assert found.weight_bytes == 6 * 4 + 7 * 8


def test_shared_parameters_are_counted_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert count_parameters(net).trainable == 9 + 3 + 3


def test_bytes_follow_the_type():
    assert count_parameters(nn.Linear(3, 3).to(torch.bfloat16)).weight_bytes == 2 * 12
    assert count(nn.Linear(3, 3).to(torch.bfloat16), 2, 3).macs == 18


def test_a_lazy_layer_is_a_model_error():
    with pytest.raises(ModelError, match="'weight' is not known yet"):
        count_parameters(nn.LazyLinear(3))
