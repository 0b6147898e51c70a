"""Confusion matrices of many cells: added up, in percent of the true class, the worst pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harbench.nouns import TrainedCell

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pair:
    """One class taken for another.

    Args:
        true, predicted: Names of the classes.
        share: Of the true class's windows, 0 .. 1.
        windows: How many they are, in the mean over seeds.
        support: Windows of the true class.
    """

    true: str
    predicted: str
    share: float
    windows: float
    support: float


@dataclass(frozen=True)
class Confusions:
    """The confusion matrix of several cells.

    Args:
        title: What they have in common: a row, or a setting.
        classes: Names [n_classes].
        counts: [n_classes, n_classes], row = true class. The sum over folds of the mean over
            seeds, so that all add up to the number of test windows.
        folds: How many there are.
        seeds: Fewest and most cells of a fold.
    """

    title: str
    classes: tuple[str, ...]
    counts: NDArray[np.float64]
    folds: int
    seeds: tuple[int, int]

    @property
    def percent(self) -> NDArray[np.float64]:
        """Percent of the true class; NaN in the row of a class without test windows."""
        support = self.counts.sum(axis=1, keepdims=True)
        return 100 * self.counts / np.where(support > 0, support, np.nan)

    @property
    def said(self) -> str:
        """What the counts were added up over, in words."""
        fewest, most = self.seeds
        if fewest != most:
            return f"sum over {self.folds} folds, each the mean over its {fewest} to {most} seeds"
        seeds = "one seed" if most == 1 else f"mean over {most} seeds"
        return seeds if self.folds == 1 else f"sum over {self.folds} folds, {seeds}"


def counted(title: str, cells: Sequence[TrainedCell]) -> Confusions:
    """Add up the confusion matrices of cells that tell the same classes apart.

    Args:
        title: What they have in common.
        cells: At least one.
    """
    by_fold: dict[str, list[NDArray[np.float64]]] = {}
    for cell in cells:
        matrix = np.array(cell.record["confusion"], np.float64)
        by_fold.setdefault(cell.fold, []).append(matrix)
    # Mean first: a fold with fewer finished seeds must not count less.
    counts = np.sum([np.mean(matrices, axis=0) for matrices in by_fold.values()], axis=0)
    n_seeds = [len(matrices) for matrices in by_fold.values()]
    classes = tuple(cells[0].record["classes"])
    return Confusions(title, classes, counts, len(by_fold), (min(n_seeds), max(n_seeds)))


def tables(found: Confusions) -> dict[str, pd.DataFrame]:
    """Counts and percent: a row for each true class, a column for each predicted one."""
    counts = found.counts.round(1)
    whole = bool((counts == found.counts).all() and (counts % 1 == 0).all())
    return {
        f"{found.title}: confusion, counts": _table(
            counts.astype(np.int64) if whole else counts, found.classes
        ),
        f"{found.title}: confusion, percent of the true class": _table(
            found.percent, found.classes
        ),
    }


def _table(values: NDArray[np.generic], classes: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(values, columns=list(classes))
    # A class may be called so too.
    table.insert(0, "true", list(classes), allow_duplicates=True)
    return table


def most_confused(found: Confusions, n: int = 5) -> list[Pair]:
    """The pairs that are confused most, by their share of the true class; of equals, by windows."""
    percent, pairs = found.percent, []
    for true, predicted in np.argwhere(found.counts > 0):
        if true != predicted:
            pairs.append(
                Pair(
                    found.classes[true],
                    found.classes[predicted],
                    float(percent[true, predicted]) / 100,
                    float(found.counts[true, predicted]),
                    float(found.counts[true].sum()),
                )
            )
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.windows))[:n]


def confused_note(found: Confusions) -> str:
    """One sentence on the pairs that are confused most."""
    pairs = [
        f"{pair.true} as {pair.predicted} {pair.share:.0%} "
        f"({_windows(pair.windows)} of {_windows(pair.support)} windows)"
        for pair in most_confused(found)
    ]
    if not pairs:
        return f"{found.title}: no test window is taken for another class."
    return f"{found.title}: confused most, by share of the true class: {'; '.join(pairs)}."


def _windows(n: float) -> str:
    return f"{n:,.0f}" if abs(n - round(n)) < 0.05 else f"{n:,.1f}"
