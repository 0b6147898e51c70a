"""What does not add up in Table 3: numbers of channels, and what is read from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harbench.nouns import Channel
from harbench.report.paper.inconsistency import Inconsistency
from harbench.report.paper.numbering import OFFSET, agrees, disagreeing, indices_of, meant
from harbench.report.paper.printed import (
    TABLE_3,
    TABLE_3_BOTTOM,
    TABLE_3_TOP,
    ListedChannel,
)

_NAV = "AngVelNavFrame"


def of_channels(channels: Sequence[Channel]) -> tuple[Inconsistency, ...]:
    """In the order in which a reader of Table 3 meets them.

    Args:
        channels: The 113 of OPPORTUNITY, in the order of its files. What needs them is left out
            where they are not known.
    """
    known = (_numbering(channels), _unplaceable(channels)) if channels else ()
    return (*known, _angular_velocity(channels), _lower_body(), _signed())


def _numbering(channels: Sequence[Channel]) -> Inconsistency:
    last = max(TABLE_3, key=lambda entry: entry.index)
    fitting = {offset: sum(agrees(e, channels, offset) for e in TABLE_3) for offset in range(4)}
    others = "; ".join(
        f"{f'less {offset}' if offset else 'as they are'}: {count}"
        for offset, count in fitting.items()
        if offset != OFFSET
    )
    of_last = meant(last, channels)
    assert of_last is not None
    return Inconsistency(
        key="numbering",
        about="Table 3",
        title="The indices are one too high",
        where="Table 3",
        printed=f'"{TABLE_3[0].index} {TABLE_3[0].sensor}" to "{last.index} {last.sensor}"',
        arithmetic=(
            f"Less {OFFSET}, {fitting[OFFSET]} of the {len(TABLE_3)} indices are the place of "
            f"their sensor among the {len(channels)} channels in the order of the files "
            f"({others}).",
            f"{last.index} then is channel {last.index - OFFSET}, {of_last.name}, and the last "
            f"one, {channels[-1].name}, would be {len(channels) + OFFSET}. So they count the "
            "first column of the files, the time stamp.",
            "Either the names alone slipped, or the network was given the time stamp as channel 1 "
            "and lost the last one. The text does not tell.",
        ),
        harbench="never gives a network the time stamp; prints a channel's place, its column in "
        "the files, and the number that the paper would print.",
    )


def _unplaceable(channels: Sequence[Channel]) -> Inconsistency:
    odd = disagreeing(channels)
    names = Counter(entry.sensor for entry in TABLE_3)
    twice = "; ".join(
        f"{sensor} ({' and '.join(str(e.index) for e in TABLE_3 if e.sensor == sensor)})"
        for sensor, times in names.items()
        if times > 1
    )
    return Inconsistency(
        key="unplaceable",
        about="Table 3",
        title=f"{_counted(len(odd))} entries number one channel and name another",
        where="Table 3, bottom 10",
        printed=", ".join(f'"{entry.index} {entry.sensor}"' for entry in odd),
        arithmetic=(
            *(_of_entry(entry, channels) for entry in odd),
            f"Two names so stand there twice: {twice}.",
        ),
        harbench="takes them by their number and marks them; which channel was meant cannot be "
        "told.",
    )


def _of_entry(entry: ListedChannel, channels: Sequence[Channel]) -> str:
    found = meant(entry, channels)
    number = "no channel" if found is None else found.name
    named = " or ".join(map(str, indices_of(entry.sensor, channels))) or "none"
    return f"{entry.index} is the number of {number}; {entry.sensor} has {named}."


def _counted(n: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six")
    return words[n] if n < len(words) else str(n)


def _angular_velocity(channels: Sequence[Channel]) -> Inconsistency:
    named = [entry for entry in TABLE_3_BOTTOM if _NAV in entry.sensor]
    distinct = len({entry.sensor for entry in named})
    lines = [f"{len(named)} of the bottom {len(TABLE_3_BOTTOM)} have that name, {distinct} "
             "different ones among them."]  # fmt: skip
    if channels:
        there = [channel for channel in channels if _NAV in channel.name]
        numbered = [found for e in named if (found := meant(e, channels)) and _NAV in found.name]
        units = " and ".join(dict.fromkeys(channel.unit for channel in there))
        quaternions = sum("Quaternion" in channel.name for channel in channels)
        lines += [
            f"The {len(channels)} channels hold {len(there)} of that name, three axes of two "
            f"shoes. By their numbers {len(numbered)} of these are in the bottom "
            f"{len(TABLE_3_BOTTOM)}; the other {len(named) - len(numbered)} number angular "
            "velocities in the frame of the shoe.",
            f"The dataset's list of columns gives them as angular velocities, unit {units}. "
            "Orientations as quaternions are columns of their own, "
            f"{quaternions or 'none'} of them among the {len(channels)}.",
        ]
    return Inconsistency(
        key="angular-velocity",
        about="Table 3",
        title="AngVelNavFrame is an angular velocity, and not nearly all of them are at the bottom",
        where="Sect. 5.5",
        printed='"nearly all AngVelNavFrame sensors are on bottom 10"; it "represents orientation '
        'of the sensor ... in quaternions"',
        arithmetic=tuple(lines),
        harbench="prints modality, unit and position of each channel (`harbench datasets show "
        "opportunity --channels`).",
    )


def _lower_body() -> Inconsistency:
    shoes = [entry for entry in TABLE_3_TOP if "Shoe" in entry.sensor]
    return Inconsistency(
        key="lower-body",
        about="Table 3",
        title="The lower body is said not to matter, and is in the top 10",
        where="Sect. 5.5 and Table 3",
        printed='"It doesn\'t matter what the left hand is doing or the state of the lower body"',
        arithmetic=(
            f"{len(shoes)} of the top {len(TABLE_3_TOP)} are on the shoes: "
            f"{', '.join(f'{entry.index} {entry.sensor}' for entry in shoes)}.",
        ),
        harbench="sums the map by body position (`harbench saliency --class OpenDoor1`).",
    )


def _signed() -> Inconsistency:
    return Inconsistency(
        key="signed",
        about="Table 3",
        title="The bottom of a signed map is not what matters least",
        where="Sect. 4, Eq. 2; Sect. 5.5",
        printed='w = dS/dI, summed over time; "bottom 10 with least" importance',
        arithmetic=(
            "w has a sign, and neither Eq. 2 nor the text takes its size. Then a channel whose "
            "rise lowers the score by as much as another's raises it stands at the very bottom, "
            "and what has no effect, w = 0, in the middle.",
        ),
        harbench="has both (`--reduction signed` and `absolute`), and measures on data with known "
        "answers how many of the channels that matter each finds (docs/saliency.md).",
    )
