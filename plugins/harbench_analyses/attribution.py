"""Attributions: how much every value of a window counts for the score of a class.

The score is the class's logit, S_c of Yan et al. 2022, Eq. 2: before the softmax, as Simonyan et
al. 2013, whose method it is, ask for. Gradients are torch's own; captum does what is more than one
gradient, and is what the tests compare both gradients with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ConfigError, ResultsError, did_you_mean
from harbench.nouns import LoadedCell, TrainedCell

if TYPE_CHECKING:
    import torch
    from torch import nn

    Forward = Callable[[torch.Tensor], torch.Tensor]
    Attribute = Callable[[torch.Tensor, int], torch.Tensor]

METHODS = {
    "gradient": "dS/dx, the paper's; Simonyan et al. 2013",
    "input-x-gradient": "x dS/dx; Shrikumar et al. 2016",
    "integrated-gradients": "from 0, the training mean, to the window; Sundararajan et al. 2017",
    "smooth-grad": "dS/dx, mean over noisy copies of the window; Smilkov et al. 2017",
    "occlusion": "fall of S where a whole channel is set to 0, the training mean",
}
REDUCTIONS = {
    "signed": "sum over time, mean over the windows of the class, the paper's",
    "absolute": "the size of the signed value",
    "mean-absolute": "sizes first: their sum over time, then the mean over windows",
}
WINDOWS_AT_MOST = 512
_AT_ONCE = 1024  # windows that go through the network in one step, at most
_STEPS = 50  # of the path of integrated gradients
_COPIES, _NOISE = 16, 0.5  # of smooth-grad; the noise in standard deviations of the training data
_FEWEST = 64
_KEPT = 2**28  # bytes that the layers may keep of a step for the way back


@dataclass(frozen=True)
class Running:
    """How a network is run. It makes no difference but to the last bits, and to the time.

    Args:
        batch: Windows of which gradients are taken at once. With few, a third of the time of a
            small network goes into torch's calls.
        lowered: Whether its layers run channels-last; see :mod:`harbench.training.lowering`.
    """

    batch: int = _FEWEST
    lowered: bool = False


_PLAIN = Running()


def running_of(cell: TrainedCell, loaded: LoadedCell) -> Running:
    """The fastest way: in the layout that it was trained in, and as many windows as memory has.

    In float32 a ReLU whose input is nearly 0 may be on in one layout and off in the other. Of maps
    over 512 windows, that changed no value by more than a thousandth of the largest.
    """
    from harbench.training.lowering import CHANNELS_LAST

    window = loaded.signals[: loaded.length].T[None].copy()
    kept = max(1, _kept_for_the_way_back(loaded.module, window))
    batch = min(_AT_ONCE, _KEPT // kept) // _FEWEST * _FEWEST
    return Running(max(_FEWEST, batch), cell.record.get("lowering") == CHANNELS_LAST)


def _kept_for_the_way_back(module: nn.Module, window: NDArray[np.float32]) -> int:
    """Bytes; each piece of memory once, the network's own parameters left out."""
    import torch

    own = {p.untyped_storage().data_ptr() for p in (*module.parameters(), *module.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(value: torch.Tensor) -> torch.Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return value

    with (
        _evaluating(module, in_layout=False) as forward,
        torch.random.fork_rng(devices=[]),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value),
    ):
        forward(torch.from_numpy(window).requires_grad_())
    return sum(storage.nbytes() for storage in kept.values())


def attributions(
    module: nn.Module,
    windows: NDArray[np.float32],
    class_index: int,
    method: str = "gradient",
    *,
    seed: int = 0,
    running: Running = _PLAIN,
) -> NDArray[np.float64]:
    """Attributions of the logit of one class.

    The network is left as it was found, and so is torch's random state. Equal arguments give equal
    results. cuDNN cannot go backwards through a recurrent network in evaluation mode, so it is
    switched off; on the CPU that changes nothing.

    Args:
        module: [batch, n_channels, n_times] -> logits [batch, n_classes].
        windows: float32 [n_windows, n_channels, n_times], z-scored: 0 is the training mean.
        class_index: Which logit.
        method: One of METHODS.
        seed: Of smooth-grad's noise.
        running: How the network is run.

    Returns:
        [n_windows, n_channels, n_times]. Occlusion's fall is spread evenly over time, so that the
        sum over time is the fall.

    Raises:
        ConfigError: there is no such method.
    """
    import torch

    from harbench.training.lowering import channels_last

    choose(method, METHODS, "method")
    # Captum makes more of each window by itself.
    size = running.batch if method in ("gradient", "input-x-gradient") else _FEWEST
    n_windows, n_channels, n_times = windows.shape
    # With the channels side by side, sums over time take a quarter of the time.
    found = np.empty((n_windows, n_times, n_channels)).transpose(0, 2, 1)
    with (
        _evaluating(module, in_layout=running.lowered) as forward,
        torch.random.fork_rng(devices=[]),
    ):
        torch.manual_seed(seed)
        attribute = _attribute(forward, method)
        for start in range(0, len(windows), size):
            some = slice(start, start + size)
            batch = torch.from_numpy(windows[some])
            batch = channels_last(batch) if running.lowered else batch.clone()
            batch.requires_grad_(method != "occlusion")
            found[some] = attribute(batch, class_index).detach().numpy()
    return found


def _attribute(forward: Forward, method: str) -> Attribute:
    if method == "gradient":
        return lambda x, c: _gradient(forward, x, c)
    if method == "input-x-gradient":
        return lambda x, c: x * _gradient(forward, x, c)
    # Late: its import takes as long as a map of all classes.
    from captum import attr

    if method == "integrated-gradients":
        integrated = attr.IntegratedGradients(forward)
        return lambda x, c: integrated.attribute(
            x, baselines=0, target=c, n_steps=_STEPS, internal_batch_size=4 * _FEWEST
        )
    if method == "smooth-grad":
        noisy = attr.NoiseTunnel(attr.Saliency(forward))
        options: dict[str, Any] = {"nt_type": "smoothgrad", "abs": False}
        return lambda x, c: noisy.attribute(
            x, target=c, nt_samples=_COPIES, stdevs=_NOISE, **options
        )
    ablation = attr.FeatureAblation(forward)
    return lambda x, c: _fall(ablation, x, c)


def _gradient(forward: Forward, x: torch.Tensor, class_index: int) -> torch.Tensor:
    import torch

    # Windows do not know of each other: the gradient of the sum is that of each.
    (found,) = torch.autograd.grad(forward(x)[:, class_index].sum(), x)
    return found


def _fall(ablation: Any, x: torch.Tensor, class_index: int) -> torch.Tensor:
    import torch

    n_channels, n_times = x.shape[1:]
    mask = torch.arange(n_channels)[None, :, None].expand(1, n_channels, n_times)
    at_once = max(1, _AT_ONCE // len(x))
    with torch.no_grad():
        fall: torch.Tensor = ablation.attribute(
            x, baselines=0, target=class_index, feature_mask=mask, perturbations_per_eval=at_once
        )
    return fall / n_times


@contextmanager
def _evaluating(module: nn.Module, *, in_layout: bool) -> Iterator[Forward]:
    """The network in evaluation mode, without cuDNN; all of it is put back afterwards.

    Gradients are of the windows alone: those of the parameters would be half of the work.
    """
    import torch

    from harbench.training.lowering import channels_last, lowered

    modes = [(part, part.training) for part in module.modules()]
    learnt = [parameter for parameter in module.parameters() if parameter.requires_grad]
    module.eval().requires_grad_(False)
    try:
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            if in_layout:
                with lowered(module):
                    yield lambda x: module(channels_last(x))
            else:
                yield module
    finally:
        for part, training in modes:
            part.training = training
        for parameter in learnt:
            parameter.requires_grad_()


def reduce(values: NDArray[np.float64], reduction: str = "signed") -> NDArray[np.float64]:
    """One value a channel: [n_windows, n_channels, n_times] -> [n_channels].

    Raises:
        ConfigError: there is no such reduction.
    """
    if choose(reduction, REDUCTIONS, "reduction") == "mean-absolute":
        return np.asarray(np.abs(values).sum(axis=2).mean(axis=0), np.float64)
    signed = np.asarray(values.sum(axis=2).mean(axis=0), np.float64)
    return np.abs(signed) if reduction == "absolute" else signed


def class_windows(
    loaded: LoadedCell, class_index: int, *, part: str = "test", limit: int = WINDOWS_AT_MOST
) -> NDArray[np.float32]:
    """Windows of a class in a part, at most ``limit``, evenly from first to last.

    Returns:
        float32 [n_windows, n_channels, n_times].

    Raises:
        ConfigError: there is no such part.
        ResultsError: the class has no window in it.
    """
    choose(part, loaded.labels, "part")
    found = np.flatnonzero(loaded.labels[part] == class_index)
    if not len(found):
        others = [name for name, labels in loaded.labels.items() if (labels == class_index).any()]
        raise ResultsError(
            f"class '{loaded.classes[class_index]}' has no {part} window",
            expected=f"a part that has some: {', '.join(others)}" if others else None,
        )
    if len(found) > limit:
        found = found[np.linspace(0, len(found) - 1, limit).round().astype(np.int64)]
    return loaded.windows(part, found)


def saliency_map(
    loaded: LoadedCell,
    part: str,
    class_index: int,
    method: str = "gradient",
    reduction: str = "signed",
    *,
    limit: int = WINDOWS_AT_MOST,
    seed: int = 0,
    running: Running = _PLAIN,
) -> NDArray[np.float64]:
    """Importance of every channel for a class: Yan et al. 2022, Sect. 4, is the default.

    Args:
        loaded: Trained network and its windows.
        part: "train", "validation" or "test".
        class_index: Among ``loaded.classes``.
        method: One of METHODS.
        reduction: One of REDUCTIONS.
        limit: Windows at most.
        seed: Of smooth-grad's noise.
        running: How the network is run.

    Returns:
        [n_channels].

    Raises:
        ConfigError: no such method, reduction or part.
        ResultsError: the class has no window in that part.
    """
    choose(reduction, REDUCTIONS, "reduction")
    windows = class_windows(loaded, class_index, part=part, limit=limit)
    values = attributions(loaded.module, windows, class_index, method, seed=seed, running=running)
    return reduce(values, reduction)


def choose(name: str, known: Any, kind: str) -> str:
    """The name, if it is known.

    Raises:
        ConfigError: it is not.
    """
    if name not in known:
        raise ConfigError(
            f"no {kind} is called '{name}'{did_you_mean(str(name), known)}",
            expected=f"one of {', '.join(known)}",
        )
    return name
