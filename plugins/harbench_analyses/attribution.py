"""Attributions: how much every value of a window counts for the score of a class.

captum does the work. The score is the class's logit, S_c of Yan et al. 2022, Eq. 2: before the
softmax, as Simonyan et al. 2013, whose method it is, ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ConfigError, ResultsError, did_you_mean
from harbench.nouns import LoadedCell

if TYPE_CHECKING:
    import torch
    from torch import nn

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
_BATCH = 64
_STEPS = 50  # of the path of integrated gradients
_COPIES, _NOISE = 16, 0.5  # of smooth-grad; the noise in standard deviations of the training data


def attributions(
    module: nn.Module,
    windows: NDArray[np.float32],
    class_index: int,
    method: str = "gradient",
    *,
    seed: int = 0,
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

    Returns:
        [n_windows, n_channels, n_times]. Occlusion's fall is spread evenly over time, so that the
        sum over time is the fall.

    Raises:
        ConfigError: there is no such method.
    """
    import torch

    attribute = _attribute(module, choose(method, METHODS, "method"))
    parts = []
    with _evaluating(module), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for start in range(0, len(windows), _BATCH):
            batch = torch.from_numpy(windows[start : start + _BATCH])
            batch = batch.clone().requires_grad_(method != "occlusion")
            parts.append(attribute(batch, class_index).detach().numpy().astype(np.float64))
    return np.concatenate(parts) if parts else np.zeros(windows.shape)


def _attribute(module: nn.Module, method: str) -> Callable[[torch.Tensor, int], torch.Tensor]:
    from captum import attr

    if method == "gradient":
        saliency = attr.Saliency(module)
        return lambda x, c: saliency.attribute(x, target=c, abs=False)
    if method == "input-x-gradient":
        product = attr.InputXGradient(module)
        return lambda x, c: product.attribute(x, target=c)
    if method == "integrated-gradients":
        integrated = attr.IntegratedGradients(module)
        return lambda x, c: integrated.attribute(
            x, baselines=0, target=c, n_steps=_STEPS, internal_batch_size=4 * _BATCH
        )
    if method == "smooth-grad":
        noisy = attr.NoiseTunnel(attr.Saliency(module))
        options: dict[str, Any] = {"nt_type": "smoothgrad", "abs": False}
        return lambda x, c: noisy.attribute(
            x, target=c, nt_samples=_COPIES, stdevs=_NOISE, **options
        )
    ablation = attr.FeatureAblation(module)
    return lambda x, c: _fall(ablation, x, c)


def _fall(ablation: Any, x: torch.Tensor, class_index: int) -> torch.Tensor:
    import torch

    n_channels, n_times = x.shape[1:]
    mask = torch.arange(n_channels)[None, :, None].expand(1, n_channels, n_times)
    at_once = max(1, 16 * _BATCH // len(x))
    with torch.no_grad():
        fall: torch.Tensor = ablation.attribute(
            x, baselines=0, target=class_index, feature_mask=mask, perturbations_per_eval=at_once
        )
    return fall / n_times


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """In evaluation mode, with gradients, without cuDNN; each part's own mode is put back."""
    import torch

    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        for part, training in modes:
            part.training = training


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

    Returns:
        [n_channels].

    Raises:
        ConfigError: no such method, reduction or part.
        ResultsError: the class has no window in that part.
    """
    choose(reduction, REDUCTIONS, "reduction")
    windows = class_windows(loaded, class_index, part=part, limit=limit)
    return reduce(attributions(loaded.module, windows, class_index, method, seed=seed), reduction)


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
