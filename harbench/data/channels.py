"""Choosing channels by name or pattern."""

from __future__ import annotations

from fnmatch import fnmatchcase

from harbench.errors import ConfigError, did_you_mean
from harbench.nouns import Dataset, Protocol


def chosen_channels(dataset: Dataset, protocol: Protocol) -> tuple[int, ...]:
    """Indices of the channels that the protocol keeps, in the dataset's order.

    Raises:
        ConfigError: a name or pattern matches no channel.
    """
    if protocol.channels is None:
        return tuple(range(len(dataset.channels)))
    kept: set[int] = set()
    for pattern in protocol.channels:
        matched = {
            i for i, channel in enumerate(dataset.channels) if fnmatchcase(channel.name, pattern)
        }
        if not matched:
            names = [channel.name for channel in dataset.channels]
            raise ConfigError(
                f"dataset '{dataset.name}' has no channel '{pattern}'"
                f"{did_you_mean(pattern, names)}",
                where="protocol.channels",
                fix=f"harbench datasets show {dataset.name}",
            )
        kept |= matched
    return tuple(sorted(kept))
