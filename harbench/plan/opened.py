"""Datasets that planning has opened, and the folds that it has cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harbench.data.gap_runs import GapRuns, gap_runs
from harbench.data.splits import Fold, folds_of
from harbench.data.stream import Stream, open_stream
from harbench.nouns import Dataset, Protocol, Task
from harbench.plan.keys import fold_digest


class Opened:
    """What planning has opened and cut: plans that share it do not open and cut the same again.

    Args:
        jobs: Processes that read a dataset at most; see :func:`harbench.data.stream.open_stream`.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self._jobs = jobs
        self._streams: dict[tuple[str, Path | None], Stream] = {}
        self._folds: dict[tuple[Any, ...], list[tuple[Fold, str]]] = {}
        self._gap_runs: dict[str, GapRuns] = {}

    def stream(
        self,
        dataset: Dataset,
        path: Path | None,
        on_source: Callable[[int, int], None] | None = None,
    ) -> Stream:
        """See :func:`harbench.data.stream.open_stream`."""
        place = (dataset.name, path)
        if place not in self._streams:
            self._streams[place] = open_stream(dataset, path, on_source, self._jobs)
        return self._streams[place]

    def folds(
        self,
        stream: Stream,
        dataset: Dataset,
        task: Task,
        protocol: Protocol,
        size: tuple[int, int],
    ) -> list[tuple[Fold, str]]:
        """The folds of :func:`harbench.data.splits.folds_of`, each with its digest."""
        # What only concerns the values of the samples has no part in where windows are cut.
        values = {"channels", "fill", "normalise"}
        place = (stream.digest, task.name, protocol.model_dump_json(exclude=values), *size)
        if place not in self._folds:
            found = folds_of(stream, dataset, task, protocol, *size)
            self._folds[place] = [(fold, fold_digest(fold)) for fold in found]
        return self._folds[place]

    def gap_runs(self, stream: Stream) -> GapRuns:
        """See :func:`harbench.data.gap_runs.gap_runs`."""
        if stream.digest not in self._gap_runs:
            self._gap_runs[stream.digest] = gap_runs(stream)
        return self._gap_runs[stream.digest]
