"""The six settings of the data study: which trainings they ask for, and the cells of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harbench.errors import ConfigError
from harbench.nouns import BlockSplit, RandomWindowSplit, TrainedCell, Trainer, Variant

PART, RANDOM, BLOCKS = "part", "full, random windows", "full, blocks"
DATA = (PART, RANDOM, BLOCKS)
WITH, WITHOUT = "with", "without"


def said(with_null: bool) -> str:
    """ "with" or "without", as tables have it."""
    return WITH if with_null else WITHOUT


@dataclass(frozen=True)
class Study:
    """What is to be studied.

    Args:
        finished: Cells of a row: the benchmark's own split, with or without NULL.
        ratio: Train, validation and test of both full splits.
        blocks: That each recording is cut into.
    """

    finished: Sequence[TrainedCell]
    ratio: tuple[float, float, float]
    blocks: int


@dataclass(frozen=True)
class Setting:
    """Trained networks of one way to take the data.

    Args:
        data: One of DATA.
        with_null: Whether NULL is a class.
        cells: At least one.
    """

    data: str
    with_null: bool
    cells: tuple[TrainedCell, ...]

    @property
    def title(self) -> str:
        """ "part, without NULL"."""
        return f"{self.data}, {said(self.with_null)} NULL"


Settings = Mapping[tuple[str, bool], Setting]
"""(data, whether NULL is a class) -> setting; in the order of the tables."""


def trained(study: Study, train: Trainer) -> Settings:
    """All six settings; what is not finished is trained, in one call.

    Raises:
        ConfigError: the task has no NULL class.
        ResultsError: a training failed.
    """
    finished = list(study.finished)
    null_is_kept = _null_is_kept(finished[0])
    wanted: dict[tuple[str, bool], list[Variant]] = {}
    splits = {
        RANDOM: RandomWindowSplit(ratio=study.ratio),
        BLOCKS: BlockSplit(ratio=study.ratio, blocks=study.blocks),
    }
    # A full split has one fold, whatever fold of the own split its cell is of.
    one_of_each_seed: dict[int, TrainedCell] = {}
    for cell in finished:
        one_of_each_seed.setdefault(cell.seed, cell)
    for data in DATA:
        for with_null in (True, False):
            null = "keep" if with_null else "drop"
            if data != PART:
                changes = {"null": null, "split": splits[data]}
                wanted[data, with_null] = [
                    Variant(cell, changes) for cell in one_of_each_seed.values()
                ]
            elif with_null != null_is_kept:
                wanted[data, with_null] = [Variant(cell, {"null": null}) for cell in finished]

    made = iter(train([variant for variants in wanted.values() for variant in variants]))
    cells = {
        key: [cell for _ in variants for cell in next(made)] for key, variants in wanted.items()
    }
    cells[PART, null_is_kept] = finished
    return {
        (data, with_null): Setting(data, with_null, tuple(cells[data, with_null]))
        for data in DATA
        for with_null in (True, False)
    }


def _null_is_kept(cell: TrainedCell) -> bool:
    """Whether NULL is among the classes.

    Raises:
        ConfigError: the task has no NULL class.
    """
    if cell.record["null"] is not None:
        return True
    kept = cell.record["settings"]["protocol"]["null"] == "keep"
    # The record of a cell without NULL does not say whether there was one to leave out.
    if kept or cell.load().task.null is None:
        facts = cell.record["cell"]
        raise ConfigError(
            f"task '{facts['task']}' of dataset '{facts['dataset']}' has no NULL class",
            where=cell.row,
            expected="a benchmark whose task has one: the study is of what it does to the scores",
        )
    return False
