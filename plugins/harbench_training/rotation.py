"""Rotation: each sensor turned about an axis of chance, as if it were worn otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import harbench
from harbench.nouns.training import whole_sensors
from harbench_training.checks import check_number
from harbench_training.um2017 import CITATION

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harbench.nouns.training import Augment


def build(channels: Sequence[harbench.Channel], *, degrees: float = 180.0) -> Augment:
    """The axes of each sensor, turned (Um et al. 2017, section 3, for a sensor worn otherwise).

    For each window and each device an axis is drawn, all directions alike, and an angle, uniform
    in -``degrees`` .. ``degrees``. All vectors that the device measures (acceleration, rate of
    turn, magnetic field) turn together, because they sit in one case. Channels that are no axis
    of a whole triple stay as they are.

    What is turned are the numbers that the network sees. Under ``normalise: z-score`` each axis
    has lost its own mean and scale, gravity above all: the lengths of the normalised triples are
    kept, but this is no physical rotation of the sensor. Under ``normalise: none`` it is.

    Args:
        channels: Of the windows, in order.
        degrees: The largest angle.

    Raises:
        ValueError: no sensor has all of x, y and z among the channels, or ``degrees`` is not in
            0 .. 180.
    """
    check_number("degrees", degrees, most=180)
    devices = whole_sensors(channels)
    if not devices:
        raise ValueError("no sensor has an x, a y and a z axis among the channels")

    def rotation(batch: harbench.TrainingBatch, random: Generator) -> harbench.TrainingBatch:
        import torch

        x = batch.x.clone()
        for triples in devices:
            turned = _rotations(len(x), math.radians(degrees), random, x)
            for triple in triples:
                which = list(triple)
                x[:, which] = torch.matmul(turned, batch.x[:, which])
        return batch.with_x(x)

    return rotation


def _rotations(n: int, largest: float, random: Generator, like: Tensor) -> Tensor:
    """Rotation matrices [n, 3, 3], by Rodrigues' formula: 1 + sin(a) K + (1 - cos(a)) K K."""
    import torch

    device, dtype = like.device, like.dtype
    axis = torch.randn((n, 3), generator=random, device=device, dtype=dtype)
    axis = axis / axis.norm(dim=1, keepdim=True).clamp_min(1e-12)
    angle = torch.rand((n, 1, 1), generator=random, device=device, dtype=dtype)
    angle = (2 * angle - 1) * largest
    a, b, c = axis.unbind(1)
    zero = torch.zeros_like(a)
    cross = torch.stack([zero, -c, b, c, zero, -a, -b, a, zero], dim=1).view(n, 3, 3)
    one = torch.eye(3, device=device, dtype=dtype)
    turned: Tensor = one + angle.sin() * cross + (1 - angle.cos()) * torch.matmul(cross, cross)
    return turned


@harbench.hookimpl
def register_augmentations(register: Callable[[harbench.Augmentation], None]) -> None:
    """Offer ``rotation``."""
    register(harbench.Augmentation("rotation", "each sensor's axes turned", build, CITATION))
