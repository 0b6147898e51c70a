"""The fastest layout for a network: layers over time run channels-last, where that is the same.

A network takes [batch, n_channels, n_times]. Convolutions of the CPU are faster on the same tensor
with the channels side by side in memory, and windows lie so in the stream already. While a network
is trained, and while it predicts the test windows, its own layers of the types of :data:`LAYERS` do
their work in that layout. Shapes, parameters and the network's code stay as they are; sums are
taken in another order, so that results differ in the last bits.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from harbench.training.seeds import seed_everything

CHANNELS_LAST = "channels-last"
"""What the record says of a network that is trained so."""

COMPARED = 16
"""Training windows, at most, on which a network is compared with itself."""

_EXACT = 1e-9
"""In float64: largest difference of outputs and gradients, as a share of their length."""

_OUTPUTS = 1e-4
"""In float32, of outputs."""

_GRADIENTS = 0.05
"""In float32, of the whole gradient. Where the input of a ReLU is nearly 0 it is on in one and off
in the other, which alone came to 0.012 in the networks of harbench; float64 has no such cases."""


def _is_channels_last(x: Tensor) -> bool:
    return x.dim() == 3 and x.stride(1) == 1 and x.transpose(1, 2).is_contiguous()


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def _convolution(layer: nn.Conv1d, x: Tensor) -> Tensor:
    if x.dim() != 3:
        return nn.Conv1d.forward(layer, x)
    weight, padding = layer.weight, layer.padding
    shape = (layer.kernel_size, layer.stride, padding, layer.groups)
    if shape == ((1,), (1,), (0,), 1) and _is_channels_last(x):
        # Over one sample it is a product of matrices.
        return functional.linear(x.transpose(1, 2), weight[:, :, 0], layer.bias).transpose(1, 2)
    return functional.conv2d(
        x.unsqueeze(2),
        weight.unsqueeze(2),
        layer.bias,
        (1, *layer.stride),
        padding if isinstance(padding, str) else (0, *padding),
        (1, *layer.dilation),
        layer.groups,
    ).squeeze(2)


def _batch_norm(layer: nn.BatchNorm1d, x: Tensor) -> Tensor:
    if not _is_channels_last(x):
        return nn.BatchNorm1d.forward(layer, x)
    batch, maps, times = x.shape
    # The layer takes [n, maps] too, and its statistics are those of the same numbers.
    rows = nn.BatchNorm1d.forward(layer, x.transpose(1, 2).reshape(batch * times, maps))
    return rows.view(batch, times, maps).transpose(1, 2)


def _max_pool(layer: nn.MaxPool1d, x: Tensor) -> Any:
    if layer.return_indices or not _is_channels_last(x):
        return nn.MaxPool1d.forward(layer, x)
    return functional.max_pool2d(
        x.unsqueeze(2),
        (1, _one(layer.kernel_size)),
        (1, _one(layer.stride)),
        (0, _one(layer.padding)),
        (1, _one(layer.dilation)),
        layer.ceil_mode,
    ).squeeze(2)


def _average_pool(layer: nn.AvgPool1d, x: Tensor) -> Tensor:
    if not _is_channels_last(x):
        return nn.AvgPool1d.forward(layer, x)
    return functional.avg_pool2d(
        x.unsqueeze(2),
        (1, _one(layer.kernel_size)),
        (1, _one(layer.stride)),
        (0, _one(layer.padding)),
        layer.ceil_mode,
        layer.count_include_pad,
    ).squeeze(2)


def _dropout(layer: nn.Dropout, x: Tensor) -> Tensor:
    if layer.inplace or not layer.training or not _is_channels_last(x):
        return nn.Dropout.forward(layer, x)
    # Drawn in the order of the plain layout: each number drops what it would have dropped.
    plain = torch.ones(x.shape, dtype=x.dtype, device=x.device)
    return x * functional.dropout(plain, layer.p, training=True)


LAYERS: Mapping[type[nn.Module], Callable[[Any, Tensor], Any]] = MappingProxyType(
    {
        nn.Conv1d: _convolution,
        nn.BatchNorm1d: _batch_norm,
        nn.MaxPool1d: _max_pool,
        nn.AvgPool1d: _average_pool,
        nn.Dropout: _dropout,
    }
)
"""Layer -> what it does in the other layout. A subclass is somebody's own and is left alone."""


def _lowerable(model: nn.Module) -> Iterator[nn.Module]:
    for layer in model.modules():
        if type(layer) in LAYERS and "forward" not in vars(layer):
            if isinstance(layer, nn.Conv1d) and layer.padding_mode != "zeros":
                continue
            yield layer


@contextmanager
def lowered(model: nn.Module) -> Iterator[None]:
    """The network's layers work channels-last inside; afterwards nothing is left of it."""
    changed = list(_lowerable(model))
    try:
        for layer in changed:
            vars(layer)["forward"] = partial(LAYERS[type(layer)], layer)
        yield
    finally:
        for layer in changed:
            vars(layer).pop("forward", None)


def lowering_of(model: nn.Module, x: Tensor, y: Tensor) -> str:
    """How a network is trained: :data:`CHANNELS_LAST`, or "none: " and why not.

    It is decided by what the network does with these windows, never by a clock: the same network,
    data and machine give the same answer. It pays where at least half of the layers that would be
    changed find their input channels-last. It holds where copies of the network give the same
    outputs, in training and in evaluation, and the same gradients both ways.

    The network is left as it is, but the global generators are not: seed them afterwards.

    Args:
        model: On the device of the windows, with its initial weights.
        x: float32 [n, n_channels, n_times], some training windows.
        y: int64 [n], their classes.
    """
    if x.device.type != "cpu":
        return f"none: not measured on {x.device.type}"
    if not any(isinstance(layer, nn.Conv1d) for layer in _lowerable(model)):
        return "none: no convolution of torch's own over time"
    if len(x) < 2:
        return "none: too few training windows to compare"
    x, y = x[:COMPARED], y[:COMPARED]
    try:
        found, layers = _layers_reached(copy.deepcopy(model), x)
        if 2 * found < layers:
            return f"none: {found} of {layers} layers find their input channels-last"
        differences = {
            "float64": (_difference(model, x.double(), y), (_EXACT, _EXACT)),
            "float32": (_difference(model, x, y), (_OUTPUTS, _GRADIENTS)),
        }
    except Exception as error:  # noqa: BLE001 - what the network cannot do, its training will say
        first = next(iter(str(error).strip().splitlines()), "")
        return f"none: it cannot be compared ({type(error).__name__}: {first})"
    for precision, (difference, tolerance) in differences.items():
        for what, by, most in zip(("outputs", "gradients"), difference, tolerance, strict=True):
            if by > most:
                return f"none: {what} in {precision} differ by {by:.1e}, more than {most:.0e}"
    return CHANNELS_LAST


def channels_last(x: Tensor) -> Tensor:
    """The same [batch, n_channels, n_times] with its channels side by side in memory."""
    return x.transpose(1, 2).contiguous().transpose(1, 2)


def _layers_reached(model: nn.Module, x: Tensor) -> tuple[int, int]:
    """How many layers of those that can be changed find their input channels-last, of how many."""
    found: list[bool] = []
    for layer in _lowerable(model):
        # Dropout takes any shape, and gains nothing.
        if not isinstance(layer, nn.Dropout):
            layer.register_forward_pre_hook(
                lambda _, given: found.append(_is_channels_last(given[0]))
            )
    with torch.no_grad(), lowered(model):
        model.eval()(channels_last(x))
    return sum(found), len(found)


def _difference(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Of outputs and gradients, plain against lowered, in the precision of the windows."""
    plain = _run(copy.deepcopy(model).to(x.dtype), x.contiguous(), y)
    other = copy.deepcopy(model).to(x.dtype)
    with lowered(other):
        changed = _run(other, channels_last(x), y)
    outputs, gradients = (
        max(_apart(a, b) for a, b in zip(ours, theirs, strict=True))
        for ours, theirs in zip(plain, changed, strict=True)
    )
    return outputs, gradients


def _run(model: nn.Module, x: Tensor, y: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs in training and in evaluation; and the gradient of all parameters, as one vector."""
    seed_everything(0, "lowering")
    trained = model.train()(x)
    loss = functional.cross_entropy(trained, y)
    torch.autograd.backward(loss)
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    with torch.no_grad():
        # With the running statistics of the step before.
        evaluated = model.eval()(x)
    return [trained.detach(), evaluated], [torch.cat(gradients)]


def _apart(ours: Tensor, theirs: Tensor) -> float:
    # Networks may begin with a last layer of zeros.
    length = float(ours.norm()) or 1.0
    difference = float((ours - theirs).norm()) / length
    # max() would lose it.
    return difference if math.isfinite(difference) else math.inf
