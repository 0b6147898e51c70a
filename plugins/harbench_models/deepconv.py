"""The convolutions of DeepConvLSTM, which its successors keep, and their initial weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harbench_models.checks import check_window

if TYPE_CHECKING:
    from torch import Tensor, nn

INITS = ("orthogonal", "xavier-normal")


def steps_left(
    model: str, n_times: int, kernel: int, conv_layers: int, *, at_least: int = 1
) -> int:
    """Time steps that unpadded convolutions leave of a window.

    Raises:
        ModelError: fewer than ``at_least``.
    """
    lost = conv_layers * (kernel - 1)
    check_window(model, n_times, lost + at_least)
    return n_times - lost


def convolutions(n_channels: int, filters: int, kernel: int, conv_layers: int) -> list[nn.Module]:
    """Convolutions along time with ReLU, alike for every channel.

    From [batch, n_channels, n_times] to [batch, filters, n_channels, steps].
    """
    from torch import nn

    layers: list[nn.Module] = [nn.Unflatten(1, (1, n_channels))]
    for layer in range(conv_layers):
        layers += [nn.Conv2d(filters if layer else 1, filters, (1, kernel)), nn.ReLU()]
    return layers


def as_sequence(maps: Tensor) -> Tensor:
    """From [batch, filters, n_channels, steps] to [batch, steps, filters * n_channels]."""
    return maps.permute(0, 3, 1, 2).flatten(2)


def initialise(net: nn.Module, init: str, *, gates_apart: bool = True) -> None:
    """Fill all matrices by ``init`` and all vectors and numbers with 0.

    With ``gates_apart`` each gate of a recurrent layer is a matrix of its own; without, the
    matrix in which torch stacks them is one, as in most torch code.
    """
    from torch import nn

    fill = nn.init.orthogonal_ if init == "orthogonal" else nn.init.xavier_normal_
    # torch stacks the gates by rows: four of as many rows as there are units in an LSTM.
    gates = {
        id(p): len(p) // m.hidden_size
        for m in net.modules()
        if gates_apart and isinstance(m, nn.RNNBase)
        for p in m.parameters()
    }
    for parameter in net.parameters():
        if parameter.ndim < 2:
            nn.init.zeros_(parameter)
        else:
            for matrix in parameter.data.chunk(gates.get(id(parameter), 1)):
                fill(matrix)
