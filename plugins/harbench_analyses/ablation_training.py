"""Networks on fewer channels: each set of a cell is trained once; greedy choice by validation.

What is trained side by side is asked for in one call, so that no core waits.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence

from harbench.errors import ConfigError
from harbench.nouns import TrainedCell, Trainer, Variant
from harbench_analyses.ablation_ranking import Grouping, Ranking

Groups = frozenset[int]
Wanted = tuple[TrainedCell, Groups]

GREEDY = frozenset({"forward", "backward"})

# What to write instead, for each kind of split that may have no validation part.
_WITH_VALIDATION = {
    "fixed": "a split that names validation recordings",
    "leave-one-out": "split: {kind: leave-one-out, validation: 1}",
    "groups": "split: {kind: groups, validation: 1}",
    "blocks": "split: {kind: blocks, ratio: [8, 1, 1]}",
    "random-windows": "split: {kind: random-windows, ratio: [8, 1, 1]}",
}


class Networks:
    """Finished cells, trained once more on some of their channels.

    Args:
        train: Trains what is not there.
        grouping: Of the cells' channels.
    """

    def __init__(self, train: Trainer, grouping: Grouping) -> None:
        self._train = train
        self._grouping = grouping
        self._made: dict[tuple[str, int, Groups], TrainedCell] = {}

    def __call__(self, wanted: Sequence[Wanted]) -> list[TrainedCell]:
        """The network of each cell on the channels of some groups, in order.

        All that is missing goes to the trainer in one call. All groups are the cell itself.

        Raises:
            ResultsError: a training failed.
        """
        missing: dict[tuple[str, int, Groups], Variant] = {}
        for cell, groups in wanted:
            place = (cell.fold, cell.seed, groups)
            if len(groups) == len(self._grouping):
                self._made[place] = cell
            elif place not in self._made:
                names = self._grouping.channels_of(groups)
                missing[place] = Variant(cell, {"channels": tuple(map(as_pattern, names))})
        if missing:
            made = self._train(list(missing.values()))
            for place, (network,) in zip(missing, made, strict=True):
                self._made[place] = network
        return [self._made[cell.fold, cell.seed, groups] for cell, groups in wanted]

    @property
    def n_trained(self) -> int:
        """How many there are besides the finished cells, candidates of greedy orders included."""
        return sum(len(groups) < len(self._grouping) for _, _, groups in self._made)


def as_pattern(name: str) -> str:
    """A pattern of ``protocol.channels`` that matches this name alone."""
    return re.sub(r"([*?[])", r"[\1]", name)


def nf(cell: TrainedCell) -> float:
    """NF on the test windows."""
    return float(cell.record["scores"]["nf"])


def validation_nf(cell: TrainedCell) -> float:
    """NF on the validation windows after the epoch whose weights were kept; NaN without them."""
    kept = cell.record["kept_epoch"]
    line = next(line for line in cell.record["curve"] if line["epoch"] == kept)
    value = line.get("validation_nf")
    return math.nan if value is None else float(value)


def all_validated(cells: Iterable[TrainedCell]) -> bool:
    """Whether every cell has a validation NF."""
    return not any(math.isnan(validation_nf(cell)) for cell in cells)


def refuse_without_validation(cells: Sequence[TrainedCell], orders: Collection[str]) -> None:
    """Greedy orders choose by validation NF.

    Raises:
        ConfigError: a cell has none.
    """
    greedy = [order for order in orders if order in GREEDY]
    without = [cell for cell in cells if math.isnan(validation_nf(cell))]
    if greedy and without:
        kind = without[0].record["settings"]["split"]["kind"]
        better = _WITH_VALIDATION.get(kind, "a split with a validation part")
        raise ConfigError(
            f"order '{greedy[0]}' chooses by the NF on validation windows, and "
            f"{without[0].row}, fold {without[0].fold}, has none",
            where="orders",
            expected=f"{better}; or the orders top, bottom and random",
        )


def forward(
    folds: Mapping[str, Sequence[TrainedCell]], n: int, most: int, networks: Networks
) -> dict[str, Ranking]:
    """From no group on, always add the one that gives the best validation NF.

    Args:
        folds: Name -> its cells, one a seed.
        n: How many groups there are.
        most: How many are chosen.
        networks: Trains the candidates: all of a round in one call.

    Returns:
        Fold -> ``most`` groups, the first chosen first.
    """
    chosen: dict[str, Ranking] = dict.fromkeys(folds, ())
    for _ in range(most):
        candidates = {
            fold: {g: frozenset((*of_fold, g)) for g in range(n) if g not in of_fold}
            for fold, of_fold in chosen.items()
        }
        best = _best(folds, candidates, networks)
        chosen = {fold: (*of_fold, best[fold]) for fold, of_fold in chosen.items()}
    return chosen


def backward(
    folds: Mapping[str, Sequence[TrainedCell]], n: int, fewest: int, networks: Networks
) -> dict[str, Ranking]:
    """From all groups on, always leave out the one without which the validation NF is best.

    Args:
        folds, n, networks: As of :func:`forward`.
        fewest: How many are kept in the end.

    Returns:
        Fold -> all groups: first those that are kept, then the last one left out, and so on.
    """
    kept: dict[str, Ranking] = dict.fromkeys(folds, tuple(range(n)))
    gone: dict[str, Ranking] = dict.fromkeys(folds, ())
    for _ in range(n - fewest):
        candidates = {
            fold: {g: frozenset(of_fold) - {g} for g in of_fold} for fold, of_fold in kept.items()
        }
        best = _best(folds, candidates, networks)
        kept = {fold: tuple(g for g in groups if g != best[fold]) for fold, groups in kept.items()}
        gone = {fold: (best[fold], *groups) for fold, groups in gone.items()}
    return {fold: (*kept[fold], *gone[fold]) for fold in folds}


def _best(
    folds: Mapping[str, Sequence[TrainedCell]],
    candidates: Mapping[str, Mapping[int, Groups]],
    networks: Networks,
) -> dict[str, int]:
    """The candidate of each fold with the best mean over seeds; of equals the first."""
    made = iter(
        networks(
            [
                (cell, groups)
                for fold, of_fold in candidates.items()
                for groups in of_fold.values()
                for cell in folds[fold]
            ]
        )
    )
    best = {}
    for fold, of_fold in candidates.items():
        # The module statistics is exact: equal scores are equal, whatever their order.
        means = {
            group: statistics.mean(validation_nf(next(made)) for _ in folds[fold])
            for group in of_fold
        }
        best[fold] = max(means, key=lambda group: means[group])
    return best
