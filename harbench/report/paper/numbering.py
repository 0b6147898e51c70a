"""Which channel an index of Table 3 means, and whether the sensor printed beside it is that one.

The dataset's channels stand in the order of its files; the time stamp, the first column there, is
none of them. Table 3 counts it: its index is the place among the channels, from 1, plus 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from harbench.nouns import Channel
from harbench.report.paper.printed import TABLE_3, ListedChannel

OFFSET = 1
"""What an index of Table 3 is above the place of its channel among the dataset's, from 1."""

_QUANTITIES = {"mag": "magnetic"}


def meant(
    entry: ListedChannel, channels: Sequence[Channel], offset: int = OFFSET
) -> Channel | None:
    """The channel that the index numbers, or None where there is none of that number."""
    place = entry.index - offset
    return channels[place - 1] if 1 <= place <= len(channels) else None


def is_called(channel: Channel | None, sensor: str) -> bool:
    """Whether a printed sensor ("RLA mag X") is that channel ("IMU RLA magneticX").

    The print does not tell a Bluetooth accelerometer from an IMU: "BACK acc Z" is either's.
    """
    if channel is None:
        return False
    place, quantity, axis = sensor.split()
    of_the_dataset = channel.name.split(" ", 1)[-1]
    return of_the_dataset == f"{place.upper()} {_QUANTITIES.get(quantity, quantity)}{axis}"


def agrees(entry: ListedChannel, channels: Sequence[Channel], offset: int = OFFSET) -> bool:
    """Whether the entry's index numbers the sensor that is printed beside it."""
    return is_called(meant(entry, channels, offset), entry.sensor)


def disagreeing(channels: Sequence[Channel]) -> tuple[ListedChannel, ...]:
    """Entries of Table 3 that number one channel and name another."""
    return tuple(entry for entry in TABLE_3 if not agrees(entry, channels))


def indices_of(sensor: str, channels: Sequence[Channel]) -> tuple[int, ...]:
    """The indices that Table 3 would print for a sensor: none, one, or more."""
    places = range(1, len(channels) + 1)
    return tuple(p + OFFSET for p in places if is_called(channels[p - 1], sensor))
