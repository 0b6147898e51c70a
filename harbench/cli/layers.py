"""The layers of a network: what each is, what comes out of it, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class Layer:
    """One layer that ran.

    Args:
        name: Its path in the network.
        kind: As torch writes it: ``Linear(in_features=3, out_features=2, bias=True)``.
        output: Shape of its (first) output for one window, without the batch axis.
        parameters: Trainable ones of its own.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int


def layers_of(module: nn.Module, n_channels: int, n_times: int) -> list[Layer]:
    """The layers without sublayers, and those with parameters of their own, in running order.

    One window of zeros is sent through the network, in evaluation mode; a layer that runs twice
    is listed twice, the second time without parameters. The network is left as it was.
    """
    layers: list[Layer] = []
    counted: set[int] = set()

    def note(name: str, layer: nn.Module, output: Any) -> None:
        while isinstance(output, tuple | list) and output:
            output = output[0]
        own = [p for p in layer.parameters(recurse=False) if p.requires_grad]
        fresh = 0 if id(layer) in counted else sum(p.numel() for p in own)
        counted.add(id(layer))
        shape = tuple(output.shape[1:]) if isinstance(output, torch.Tensor) else ()
        kind = str(layer) if not any(layer.children()) else f"{type(layer).__name__} (own weights)"
        layers.append(Layer(name or "(whole)", " ".join(kind.split()), shape, fresh))

    def watch(name: str, layer: nn.Module) -> Any:
        return layer.register_forward_hook(lambda _m, _i, output: note(name, layer, output))

    watched = [
        watch(name, layer)
        for name, layer in module.named_modules()
        if not any(layer.children()) or any(True for _ in layer.parameters(recurse=False))
    ]
    modes = [(layer, layer.training) for layer in module.modules()]
    try:
        module.eval()
        with torch.no_grad():
            module(torch.zeros(1, n_channels, n_times))
    finally:
        for handle in watched:
            handle.remove()
        for layer, training in modes:
            layer.training = training
    return layers
