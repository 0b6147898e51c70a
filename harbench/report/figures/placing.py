"""Labels beside points: where none lies on a point, a bar or another label, or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, lower, right, upper."""

_RADII = (4.0, 7.0, 11.0, 16.0, 22.0, 29.0, 37.0, 46.0)
_ANGLES = tuple(2 * math.pi * k / 16 for k in range(16))
_POINT = 3.0  # half of what a point takes
_ROOM = 0.8  # between labels
_LEADER = 8.0  # a label that is farther away gets a line
_SAME = 4.0  # points that are nearer lie on one another

_Segment = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """Where a label stands.

    Args:
        x, y: Middle of its box.
        leader: Ends of the line to its point; None where it stands beside it.
    """

    x: float
    y: float
    leader: _Segment | None


def placed(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    bars: Sequence[Box],
    frame: Box,
    taken: Sequence[Box] = (),
    *,
    anyhow: bool = False,
) -> list[Label] | None:
    """A place for each label; None where one of them finds none.

    The points that have least room about them choose first, and each takes the nearest place.

    Args:
        points: Where they are.
        sizes: Width and height of each label.
        bars: What should not be covered: error bars, lines.
        frame: What labels may not leave.
        taken: Points without a label.
        anyhow: A label that finds no place of its own takes the one where it covers least, and
            what is returned is never None.
    """
    dots = [(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
    crowd = [
        sum(1 / (4 + math.dist(one, other)) for n, other in enumerate(points) if n != m)
        for m, one in enumerate(points)
    ]
    boxes: list[Box] = []
    leaders: list[_Segment] = []
    found: dict[int, Label] = {}
    for place in sorted(range(len(points)), key=lambda place: -crowd[place]):
        # A line to a point may end on those that lie on it.
        apart = [
            d for p, d in zip(points, dots, strict=True) if math.dist(p, points[place]) > _SAME
        ]
        best: tuple[float, Box, Label] | None = None
        for box, label, far in _candidates(points[place], sizes[place]):
            covered = [b for b in (*boxes, *dots, *taken) if _meet(box, b)]
            cut = [line for line in leaders if _cuts(line, box)]
            if label.leader:
                covered += [b for b in (*boxes, *apart) if _cuts(label.leader, b)]
            crossed = sum(_meet(box, bar) for bar in bars)
            outside = not _inside(box, frame)
            if not anyhow and (outside or covered or cut or crossed):
                continue
            cost = far + 12 * crossed + 100 * len(covered) + 30 * len(cut) + 10_000 * outside
            if best is None or cost < best[0]:
                best = cost, box, label
        if best is None:
            return None
        boxes.append(best[1])
        found[place] = best[2]
        if best[2].leader:
            leaders.append(best[2].leader)
    return [found[place] for place in range(len(points))]


def _candidates(
    point: tuple[float, float], size: tuple[float, float]
) -> list[tuple[Box, Label, float]]:
    x, y = point
    width, height = size
    found = []
    for radius in _RADII:
        for number, angle in enumerate(_ANGLES):
            # The box touches the circle from outside, so the nearest place is beside the point.
            edge_x, edge_y = x + radius * math.cos(angle), y + radius * math.sin(angle)
            middle_x = edge_x + width / 2 * _sign(math.cos(angle))
            middle_y = edge_y + height / 2 * _sign(math.sin(angle))
            box = (
                middle_x - width / 2 - _ROOM,
                middle_y - height / 2,
                middle_x + width / 2 + _ROOM,
                middle_y + height / 2,
            )
            leader = None
            if radius >= _LEADER:
                end_x = min(max(x, box[0] + _ROOM), box[2] - _ROOM)
                end_y = min(max(y, box[1]), box[3])
                share = min(1.0, _POINT / max(math.dist(point, (end_x, end_y)), 1e-9))
                leader = (x + share * (end_x - x), y + share * (end_y - y), end_x, end_y)
            found.append((box, Label(middle_x, middle_y, leader), radius + 0.05 * number))
    return found


def _sign(value: float) -> float:
    return 0.0 if abs(value) < 0.3 else math.copysign(1, value)


def _inside(box: Box, frame: Box) -> bool:
    return box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _cuts(line: _Segment, box: Box) -> bool:
    """Whether a line enters a box (Liang and Barsky, ACM TOG 3, 1984)."""
    x, y, end_x, end_y = line
    begin, end = 0.0, 1.0
    for step, low, high in (
        (end_x - x, box[0] - x, box[2] - x),
        (end_y - y, box[1] - y, box[3] - y),
    ):
        if step == 0:
            if low >= 0 or high <= 0:
                return False
            continue
        one, other = sorted((low / step, high / step))
        begin, end = max(begin, one), min(end, other)
    return begin < end
