"""The list: what in the paper does not add up, numbered as it is printed."""

from __future__ import annotations

from collections.abc import Sequence

from harbench.nouns import Channel
from harbench.report.paper.about_channels import of_channels
from harbench.report.paper.about_networks import of_networks
from harbench.report.paper.about_scores import of_table_2, of_table_4, of_the_data
from harbench.report.paper.inconsistency import Inconsistency


def inconsistencies(channels: Sequence[Channel] = ()) -> tuple[Inconsistency, ...]:
    """All of them, table by table; number n is the n-th.

    Args:
        channels: The 113 of OPPORTUNITY, in the order of its files; without them what is said
            of single channels is left out.
    """
    return (
        *of_networks(),
        *of_table_2(),
        *of_channels(channels),
        *of_table_4(),
        *of_the_data(),
    )


def numbers(found: Sequence[Inconsistency]) -> dict[str, int]:
    """Key -> number in the list."""
    return {item.key: number for number, item in enumerate(found, 1)}
