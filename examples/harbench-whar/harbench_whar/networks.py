"""Builds a network of whar-models so that harbench can train, count, copy and store it."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import harbench
from harbench_whar.library import check_source, settings_of
from harbench_whar.table import MODELS, Entry

if TYPE_CHECKING:
    from torch import nn


def build_network(
    model: str,
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    settings: str = "",
    source: str = "",
) -> nn.Module:
    """A network that takes [batch, n_channels, n_times] and returns logits [batch, n_classes].

    whar-models takes windows in the same order of axes; its own wrappers turn them. What is done
    here changes no number: weights that come to be in the first
    forward pass are there before it, ``print`` is silenced, and a function that
    was compiled by TorchScript is replaced by itself uncompiled, because only so a network can be
    copied.

    Args:
        model: As whar-models calls it.
        n_channels: Channels of the input.
        n_times: Samples of a window.
        n_classes: Width of the logits.
        settings: Handed to whar-models' builder: ``"filter_num: 20"``. Some of its builders ignore
            names that they do not know.
        source: Of the model's files; anything but the installed one is refused.

    Raises:
        ModelError: whar-models is not installed, or the model cannot take the shape.
    """
    check_source(model, source)
    entry = {entry.id: entry for entry in MODELS}[model]
    _check_shape(entry, n_channels, n_times)
    from whar_models import WHARModelID, build_model

    given = {**_arrangement(model, n_channels), **settings_of(model, settings)}
    with contextlib.redirect_stdout(io.StringIO()):
        network: nn.Module = build_model(
            WHARModelID(model),
            input_channels=n_channels,
            window_length=n_times,
            num_classes=n_classes,
            **given,
        )
    if entry.late:
        _bring_to_be(network, n_channels, n_times)
    _uncompile(network)
    return network


def _check_shape(entry: Entry, n_channels: int, n_times: int) -> None:
    where = f"model '{entry.name}'"
    if n_times < entry.min_times:
        raise harbench.ModelError(
            f"it is given windows of {n_times} samples",
            where=where,
            expected=f"at least {entry.min_times}",
        )
    if n_channels % entry.multiple or n_channels < entry.min_channels:
        expected = f"at least {entry.min_channels}"
        if entry.multiple > 1:
            expected = f"a multiple of {entry.multiple}"
        raise harbench.ModelError(
            f"it is given {n_channels} channels", where=where, expected=expected
        )


def _arrangement(model: str, n_channels: int) -> dict[str, Any]:
    if model != "global_fusion":
        return {}
    axes = 1 if n_channels % 3 else 3
    return {
        "S_number_sensors_type": n_channels // axes,
        "L_sensor_locations": 1,
        "d_sensor_channel": axes,
    }


def _bring_to_be(network: nn.Module, n_channels: int, n_times: int) -> None:
    # An optimiser that is made before the first forward pass would never train such weights.
    import torch

    mode = network.training
    with torch.no_grad():
        network.eval()(torch.zeros(2, n_channels, n_times))
    network.train(mode)


def _uncompile(network: nn.Module) -> None:
    import torch

    for part in network.modules():
        for name, value in list(vars(part).items()):
            if isinstance(value, torch.jit.ScriptFunction):
                module = __import__(type(part).__module__, fromlist=[name])
                setattr(part, name, getattr(module, name))
