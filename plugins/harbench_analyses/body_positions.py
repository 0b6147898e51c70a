"""Body positions: where on the body each lies, what each has of the importance; an outline.

Coordinates are body heights, from the ground and from the middle, of a person seen from the
front. The proportions are roughly those of Drillis and Contini (1966).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.nouns import Channel

Point = tuple[float, float]
Values = NDArray[np.float64]

# The wearer's left arm and leg; the right ones mirror them.
_SHOULDER, _ELBOW, _WRIST = (0.122, 0.803), (0.157, 0.625), (0.183, 0.482)
_PALM, _FINGERS = (0.19, 0.445), (0.2, 0.39)
_HIP, _KNEE, _CALF, _ANKLE, _TOES = (
    (0.052, 0.487), (0.055, 0.285), (0.057, 0.2), (0.052, 0.045), (0.072, 0.014),
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a position lies on the body.

    Args:
        x: From the middle, in body heights, where a side is stated.
        y: From the ground, in body heights.
        back: Behind the body.
        middle: Without a side it is in the middle; others are then on both sides.
    """

    x: float
    y: float
    back: bool = False
    middle: bool = False


@dataclass(frozen=True)
class Share:
    """What a position has of the importance.

    Args:
        percent: Of the sum of sizes over all channels.
        n_channels: At the position.
    """

    percent: float
    n_channels: int

    def __str__(self) -> str:
        if self.n_channels == 1:
            return f"{self.percent:.1f} % (1)"
        return f"{self.percent:.1f} % ({self.n_channels} × {self.percent / self.n_channels:.2f})"


def _along(start: Point, end: Point, part: float) -> Place:
    return Place(start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))


_PLACES = {
    "head|forehead": Place(0.03, 0.95, middle=True),
    "ear|temple": Place(0.042, 0.925),
    "neck|throat": Place(0.02, 0.85, middle=True),
    "nape": Place(0.02, 0.85, back=True, middle=True),
    "chest|sternum|torso|trunk|upper body|breast|chest pocket": Place(0.055, 0.745, middle=True),
    "back|spine": Place(0.055, 0.695, back=True, middle=True),
    "upper back": Place(0.055, 0.765, back=True, middle=True),
    "lower back": Place(0.05, 0.615, back=True, middle=True),
    "abdomen|belly|stomach": Place(0.05, 0.645, middle=True),
    "waist|belt": Place(0.06, 0.59, middle=True),
    "pelvis": Place(0.06, 0.545, middle=True),
    "hip": Place(0.082, 0.53),
    "buttock|back pocket": Place(0.055, 0.505, back=True),
    "pocket|front pocket|trouser pocket|trousers pocket|pants pocket": Place(0.078, 0.465),
    "shoulder": Place(*_SHOULDER),
    "upper arm upper": _along(_SHOULDER, _ELBOW, 0.24),
    "upper arm|bicep|biceps": _along(_SHOULDER, _ELBOW, 0.52),
    "upper arm lower": _along(_SHOULDER, _ELBOW, 0.8),
    "elbow": Place(*_ELBOW),
    "lower arm upper": _along(_ELBOW, _WRIST, 0.3),
    "lower arm|forearm|fore arm": _along(_ELBOW, _WRIST, 0.5),
    "lower arm lower": _along(_ELBOW, _WRIST, 0.72),
    "wrist": Place(*_WRIST),
    "hand|palm": _along(_WRIST, _FINGERS, 0.5),
    "finger|thumb": _along(_WRIST, _FINGERS, 0.9),
    "upper leg|thigh": Place(0.062, 0.4),
    "knee upper": Place(0.058, 0.318),
    "knee": Place(*_KNEE),
    "knee lower": Place(0.055, 0.25),
    "lower leg|shin|shank": Place(0.056, 0.175),
    "calf": Place(0.056, 0.2, back=True),
    "ankle": Place(0.052, 0.055),
    "foot|feet|shoe|toe|instep": Place(0.066, 0.018),
    "heel": Place(0.054, 0.02, back=True),
}
PLACES = {name: place for names, place in _PLACES.items() for name in names.split("|")}
SIDES = {"right": -1, "r": -1, "left": 1, "l": 1}  # on the page


def place_of(position: str) -> tuple[Place, int] | None:
    """Where a position is, and its side on the page: -1 the wearer's right, 1 left, 0 none stated.

    Case, spaces, hyphens, underscores, commas and a plural make no difference. None where the
    position is not known.
    """
    words = _words(position)
    sides = {SIDES[word] for word in words if word in SIDES}
    name = " ".join(word for word in words if word not in SIDES)
    place = PLACES.get(name) or PLACES.get(name.removesuffix("s"))
    if place is None or len(sides) > 1:
        return None
    return place, sides.pop() if sides else 0


def _words(position: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", position)
    return re.findall(r"[^\s,_()-]+", apart.lower())


def by_position(values: Values, channels: Sequence[Channel]) -> dict[str, Values]:
    """Position -> values of its channels, in the order of the channels."""
    names = list(dict.fromkeys(channel.position for channel in channels))
    at = np.array([names.index(channel.position) for channel in channels])
    return {name: np.asarray(values)[at == k] for k, name in enumerate(names)}


def shares(values_by_position: Mapping[str, Sequence[float] | Values]) -> dict[str, Share]:
    """Position -> what it has of the sum of |value|; all have 0 where that is 0."""
    sums = {name: float(np.abs(values).sum()) for name, values in values_by_position.items()}
    whole = sum(sums.values()) or 1.0
    return {name: Share(100 * sums[name] / whole, len(values_by_position[name])) for name in sums}


def outline() -> Iterator[Values]:
    """The parts of the body as polygons, [n, 2] each, which overlap."""
    turn = np.linspace(0, 2 * np.pi, 60)
    yield np.column_stack([0.047 * np.cos(turn), 0.935 + 0.065 * np.sin(turn)])
    half = [
        (0.0, 0.88), (0.026, 0.88), (0.027, 0.845), (0.06, 0.832), (0.122, 0.83), (0.12, 0.76),
        (0.093, 0.72), (0.077, 0.61), (0.104, 0.53), (0.1, 0.46), (0.0, 0.45),
    ]  # fmt: skip
    trunk = np.array(half + [(-x, y) for x, y in reversed(half[1:-1])])
    for _ in range(3):  # Chaikin's corner cutting
        after = np.roll(trunk, -1, axis=0)
        trunk = np.stack([0.75 * trunk + 0.25 * after, 0.25 * trunk + 0.75 * after], axis=1)
        trunk = trunk.reshape(-1, 2)
    yield trunk
    for joints, radii in (
        ((_SHOULDER, _ELBOW, _WRIST, _PALM, _FINGERS), (0.031, 0.025, 0.017, 0.021, 0.009)),
        ((_HIP, _KNEE, _CALF, _ANKLE), (0.05, 0.035, 0.035, 0.02)),
        ((_ANKLE, _TOES), (0.018, 0.014)),
    ):
        for limb in _limb(joints, radii):
            yield limb
            yield limb * (-1, 1)


def _limb(joints: Sequence[Point], radii: Sequence[float]) -> Iterator[Values]:
    """The hull of the circles around each two joints that follow one another."""
    for (a, r), (b, s) in itertools.pairwise(zip(joints, radii, strict=True)):
        along = math.atan2(b[1] - a[1], b[0] - a[0])
        tangent = math.acos((r - s) / math.dist(a, b))
        first = np.linspace(along + tangent, along + 2 * math.pi - tangent, 30)
        second = np.linspace(along - tangent, along + tangent, 30)
        arcs = ((a, r, first), (b, s, second))
        yield np.concatenate(
            [np.column_stack([p[0] + q * np.cos(t), p[1] + q * np.sin(t)]) for p, q, t in arcs]
        )
