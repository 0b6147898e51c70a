"""All costs of a network at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harbench.cost.macs import count_macs
from harbench.cost.parameters import count_parameters
from harbench.cost.record import Cost
from harbench.cost.timing import latency

if TYPE_CHECKING:
    from torch import nn


def count(module: nn.Module, n_channels: int, n_times: int) -> Cost:
    """What can be counted: the same numbers on every machine. No latency.

    Args:
        module: Takes [batch, n_channels, n_times]; stays as it is.
        n_channels: Of the window.
        n_times: Samples of the window.

    Raises:
        ModelError: the network cannot be copied, or fails on one such window.
    """
    parameters = count_parameters(module)
    macs = count_macs(module, n_channels, n_times)
    return Cost(
        parameters=parameters.trainable,
        parameters_with_buffers=parameters.with_buffers,
        macs=macs.first,
        macs_second=macs.second,
        counters_agree=macs.agree,
        counters_note=macs.note,
        weight_bytes=parameters.weight_bytes,
    )


def measure(module: nn.Module, n_channels: int, n_times: int, *, time: bool = True) -> Cost:
    """What can be counted, and with ``time`` the latency of one window on this machine.

    Raises:
        ModelError: the network cannot be copied, or fails on one such window.
    """
    cost = count(module, n_channels, n_times)
    if not time:
        return cost
    timed = latency(module, n_channels, n_times)
    return replace(cost, latency_median_ms=timed.median_ms, latency_p95_ms=timed.p95_ms)
