"""Counting multiply-accumulates (MACs) twice, by two counters that know nothing of each other.

The first counter is torch's own ``FlopCounterMode``: it sees every operation that runs, functional
ones too, and counts two operations a MAC for matrix products and convolutions and none for
element-wise work. The second is thop: it sees modules, with a rule for each kind, and also charges
for batch norm, pooling and the gates of recurrent layers. So the second may be larger by the
element-wise work, and never smaller: then it did not see something.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harbench.cost.copies import copy_for, window_for
from harbench.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

# The dearest rules of the second counter: batch norm charges four operations an element, an LSTM
# sixteen a cell and step (three additions in each of four gates, and four products).
_PER_ELEMENT = 4
_PER_CELL = 16


@dataclass(frozen=True)
class Macs:
    """MACs of one window.

    Args:
        first: By torch's counter; this one counts.
        second: By thop; None where it could not run.
        agree: Whether element-wise operations explain all that they differ by.
        note: One sentence about the two.
    """

    first: int
    second: int | None
    agree: bool
    note: str


def count_macs(module: nn.Module, n_channels: int, n_times: int) -> Macs:
    """Count the MACs of one window at batch 1, in evaluation mode, on copies.

    Raises:
        ModelError: the network cannot be copied, or fails on such a window.
    """
    first, elementwise = _first(module, n_channels, n_times)
    second, failure = _second(module, n_channels, n_times)
    agree = second is not None and 0 <= second - first <= elementwise
    return Macs(first, second, agree, _note(first, second, elementwise, failure))


def _first(module: nn.Module, n_channels: int, n_times: int) -> tuple[int, int]:
    """MACs, and at most how many element-wise operations the second counter may add."""
    # The meta device computes shapes alone and has no fused kernels that would hide a product:
    # on the CPU an LSTM goes to oneDNN and counts 0. Some networks need real numbers.
    try:
        return _torch_counts(module, n_channels, n_times, "meta")
    except Exception:  # noqa: BLE001 - whatever fails on meta is tried with real tensors
        pass
    try:
        with _nothing_fused():
            return _torch_counts(module, n_channels, n_times, "cpu")
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"the network fails on one window [1, {n_channels}, {n_times}]: "
            f"{type(error).__name__}: {error}",
            expected="a forward pass that takes [batch, n_channels, n_times]",
        ) from error


def _torch_counts(module: nn.Module, n_channels: int, n_times: int, device: str) -> tuple[int, int]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    twin = copy_for(module, device)
    window = window_for(module, n_channels, n_times, device)
    bounds: list[int] = []
    for part in twin.modules():
        if next(part.children(), None) is None:
            part.register_forward_hook(
                lambda *seen: bounds.append(_elementwise(*seen))  # part, inputs, output
            )
    # Under inference_mode the counter sees nothing; no_grad is enough.
    counter = FlopCounterMode(display=False)
    with torch.random.fork_rng(devices=[]), torch.no_grad(), counter:
        twin(window)
    return int(counter.get_total_flops()) // 2, sum(bounds)


@contextmanager
def _nothing_fused() -> Iterator[None]:
    """No kernel that does several products unseen: oneDNN's LSTM, attention in one piece."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            # Setting oneDNN's flags warns of Intel GPUs, wherever there is none.
            warnings.simplefilter("ignore")
            with torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
                yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _elementwise(part: nn.Module, inputs: Any, output: Any) -> int:
    """At most how many operations the second counter charges beside a part's products."""
    from torch import nn

    if isinstance(part, nn.RNNBase | nn.RNNCellBase):
        # The first output holds every step of the last layer; all layers are as wide.
        states = output[0] if isinstance(output, tuple) else output
        return _PER_CELL * _elements(states) * int(getattr(part, "num_layers", 1))
    if isinstance(part, nn.Linear | nn.modules.conv._ConvNd):
        # The second counter charges their products alone, without biases.
        return 0
    return _PER_ELEMENT * max(_elements(inputs), _elements(output))


def _elements(value: Any) -> int:
    from torch import Tensor
    from torch.nn.utils.rnn import PackedSequence

    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, PackedSequence):
        return value.data.numel()
    if isinstance(value, dict):
        return sum(_elements(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(_elements(item) for item in value)
    return 0


def _second(module: nn.Module, n_channels: int, n_times: int) -> tuple[int | None, str]:
    """MACs by thop, or None and why not."""
    import torch

    with warnings.catch_warnings():
        # thop imports distutils, which warns of its own end.
        warnings.simplefilter("ignore")
        try:
            from thop import profile
        except Exception as error:  # noqa: BLE001 - optional at run time: unmaintained since 2022
            return None, f"cannot be imported ({type(error).__name__})"
        # It leaves buffers behind and flips training flags, so it gets a copy of its own.
        twin = copy_for(module, "cpu")
        window = window_for(module, n_channels, n_times, "cpu")
        try:
            with torch.random.fork_rng(devices=[]):
                macs, _ = profile(twin, inputs=(window,), verbose=False)
        except Exception as error:  # noqa: BLE001 - it fails on networks that are in order
            return None, f"fails on this network ({type(error).__name__})"
    return round(macs), ""


def _note(first: int, second: int | None, elementwise: int, failure: str) -> str:
    if second is None:
        return f"thop, the second counter, {failure}; the MACs are those of torch's counter alone."
    more = second - first
    if more == 0:
        return "thop, the second counter, agrees."
    if 0 < more <= elementwise:
        return (
            f"thop, the second counter, agrees: it says {second:,}, and the {more:,} more are "
            "element-wise operations, which are no MACs."
        )
    if more < 0:
        return (
            f"thop, the second counter, saw only {second:,} of {first:,} MACs (it misses "
            "functional operations, attention and bare parameters); torch's counter counts."
        )
    return (
        f"thop, the second counter, says {second:,}, which is {more:,} more than {first:,} MACs; "
        f"element-wise operations explain at most {elementwise:,}, so torch's counter counts."
    )
