"""Time warp: a window that runs now faster, now slower, from its first sample to its last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import harbench
from harbench_training.checks import check_number, check_whole
from harbench_training.um2017 import CITATION

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harbench.nouns.training import Augment


def build(channels: Sequence[harbench.Channel], *, sigma: float = 0.2, knots: int = 4) -> Augment:
    """Samples at warped times, by linear interpolation (Um et al. 2017, section 3).

    The speed of time follows a smooth curve of chance: a cubic spline through ``knots`` inner
    points and the two ends. Its integral, scaled to the window, is the time at which each sample
    is taken: it begins at the first sample, ends at the last and never runs back. The paper's
    curve is N(1, sigma^2) itself, which can be negative; here it is exp(N(0, sigma^2)).

    All channels of a window are warped alike, as one movement is. No sample from outside of the
    window is used.

    Args:
        channels: Not used.
        sigma: Standard deviation of the logarithm of the speed at the knots, at most 2.
        knots: Points of the curve between the ends.

    Raises:
        ValueError: ``sigma`` is not in 0 .. 2, or ``knots`` is no whole number from 1 on.
    """
    check_number("sigma", sigma, most=2)
    check_whole("knots", knots, 1)

    def time_warp(batch: harbench.TrainingBatch, random: Generator) -> harbench.TrainingBatch:
        x = batch.x
        return batch.with_x(_at(x, warped_times(len(x), x.shape[2], sigma, knots, random, x)))

    return time_warp


def warped_times(
    n: int, n_times: int, sigma: float, knots: int, random: Generator, like: Tensor
) -> Tensor:
    """Times [n, n_times] in 0 .. n_times - 1, in samples: where each new sample is taken."""
    import torch

    shape = (n, knots + 2)
    at_knots = torch.randn(shape, generator=random, device=like.device, dtype=like.dtype)
    spline = torch.tensor(_spline(n_times, knots + 2), device=like.device, dtype=like.dtype)
    speed = (sigma * at_knots @ spline).exp()
    # A sum as a product of matrices: torch has no deterministic cumsum on CUDA.
    steps = (speed[:, :-1] + speed[:, 1:]) / 2
    until = torch.ones(n_times - 1, n_times, device=like.device, dtype=like.dtype).triu(1)
    times = steps @ until
    return times / times[:, -1:].clamp_min(torch.finfo(times.dtype).tiny) * (n_times - 1)


@cache
def _spline(n_times: int, n_knots: int) -> tuple[tuple[float, ...], ...]:
    """[n_knots, n_times]: values at the knots, times this, are the cubic spline through them."""
    import numpy as np
    from scipy.interpolate import CubicSpline

    knots = np.linspace(0, max(n_times - 1, 1), n_knots)
    basis = CubicSpline(knots, np.eye(n_knots))(np.arange(n_times))
    return tuple(map(tuple, basis.T.tolist()))


def _at(x: Tensor, times: Tensor) -> Tensor:
    """x [n, n_channels, n_times] at times [n, n_times], in samples."""
    last = x.shape[2] - 1
    before = times.floor().clamp(0, max(last - 1, 0))
    part = (times - before)[:, None]
    index = before.long()[:, None].expand_as(x)
    left, right = x.gather(2, index), x.gather(2, (index + 1).clamp_max(last))
    return left + part * (right - left)


@harbench.hookimpl
def register_augmentations(register: Callable[[harbench.Augmentation], None]) -> None:
    """Offer ``time-warp``."""
    register(
        harbench.Augmentation("time-warp", "time runs now faster, now slower", build, CITATION)
    )
