"""A stored cell with its windows before and after normalisation, and what normalises them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harbench.data.gaps import PARTS, fill_by_part, ranks_of
from harbench.data.normalise import Normaliser
from harbench.data.prepared import PreparedFold
from harbench.data.windows import covered
from harbench.errors import ResultsError
from harbench.execute.trained import CellData, data_of, network_of, stored_weights
from harbench.nouns import Channel, Dataset
from harbench.plugins import Registry
from harbench.results import StoredCell

if TYPE_CHECKING:
    from torch import nn

BATCH = 256
_ROWS = 65_536


@dataclass(frozen=True)
class Recovered:
    """What an export is made of and checked against.

    Args:
        stored: The cell.
        module: Its network with the stored weights, in evaluation mode, on the CPU.
        data: Its recordings and windows.
        prepared: Filled and normalised, with the normaliser that was fitted to training windows.
        raw: float32 [n_samples, n_channels], filled and in the recording's units; NaN where
            nothing came before a gap.
        citation: Of the model.
    """

    stored: StoredCell
    module: nn.Module
    data: CellData
    prepared: PreparedFold
    raw: NDArray[np.float32]
    citation: str

    @property
    def dataset(self) -> Dataset:
        """Of the cell."""
        return self.data.dataset

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that the network sees, in order."""
        return tuple(self.dataset.channels[i] for i in self.data.channels)

    @property
    def normaliser(self) -> Normaliser:
        """As it was fitted to the fold's training windows."""
        return self.prepared.normaliser

    def raw_windows(self, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 [n_windows, n_channels, n_times], as the exported graph takes them."""
        return _windows(self.raw, self.data.length, starts)

    def test_batches(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """The test windows in order, raw and normalised; the first alone, then many at a time."""
        starts = self.prepared.test.starts
        edges = [0, 1, *range(1 + BATCH, len(starts), BATCH), len(starts)]
        for first, last in pairwise(edges):
            if first < last:
                some = starts[first:last]
                yield (
                    self.raw_windows(some),
                    _windows(self.prepared.signals, self.data.length, some),
                )


def recover(stored: StoredCell, registry: Registry) -> Recovered:
    """A stored cell, ready to be exported.

    The statistics of the normalisation are not in the store: they are computed once more from the
    training windows, which must hash to what the record says, by the code of the training.

    Raises:
        ResultsError: it is an estimator, of which no network is kept; the weights are missing or
            not those of the record; the normalisation does not give what the network saw.
        ConfigError: no installed plugin offers its model or dataset.
        DataMissingError: the dataset's files are not here.
        DataError: they are not the files that it was trained on.
    """
    facts = stored.record["cell"]
    where = str(stored.folder)
    if facts["recipe"] is None:
        raise ResultsError(
            f"model '{facts['model']}' is an estimator; not exported: of estimators the store "
            "keeps predictions and scores",
            where=where,
            expected="a cell whose model is a network",
            fix="harbench models",
        )
    dataset = registry.datasets.get(facts["dataset"], where=where)
    model = registry.models.get(facts["model"], where=where)
    weights = stored_weights(stored)
    data = data_of(stored, dataset)
    module = network_of(stored, model, data, weights)
    raw, prepared = _filled(data), data.prepare()
    for first in range(0, len(raw), _ROWS):
        rows = raw[first : first + _ROWS].copy()
        prepared.normaliser.apply(rows)
        if not np.array_equal(rows, prepared.signals[first : first + _ROWS]):
            raise ResultsError(
                "the normalisation does not give the signals that the network saw", where=where
            )
    return Recovered(stored, module, data, prepared, raw, model.citation.text)


def _filled(data: CellData) -> NDArray[np.float32]:
    """The chosen channels with their gaps filled as for the training, and not normalised."""
    signals = np.array(data.stream.signals[:, list(data.channels)], np.float32)
    held = {
        part: covered(getattr(data.fold, part).starts, data.length, len(signals)) for part in PARTS
    }
    ranks = ranks_of(held)
    for recording in data.stream.recordings:
        inside = slice(recording.start, recording.stop)
        fill_by_part(signals[inside], data.protocol.fill, ranks[inside])
    return signals


def _windows(
    signals: NDArray[np.float32], length: int, starts: NDArray[np.int64]
) -> NDArray[np.float32]:
    every = np.lib.stride_tricks.sliding_window_view(signals, length, axis=0)
    return np.ascontiguousarray(every[starts])
