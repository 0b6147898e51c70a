"""Inflation: how many points of NF a leaky split is worth.

The same model, recipe and seeds are trained under two splits of one ratio: windows drawn at
random, whose neighbours share samples with training, and contiguous blocks, which share none. One
draw of blocks may hold other classes than one draw of windows, and the difference would then be
the classes'. So both are drawn several times, the unit of the interval is the draw, and NF is
compared once more with the classes of both test sides weighted alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harbench.config import Benchmark
from harbench.errors import ConfigError, ResultsError
from harbench.metrics import Summary, summarise
from harbench.nouns import BlockSplit, RandomWindowSplit, Split
from harbench.plan import Cell, Opened, PlannedBenchmark, plan
from harbench.plugins import Registry
from harbench.results import Store

RATIO = (8.0, 1.0, 1.0)
BLOCKS = 10
SAME = "NF, same classes"

Place = tuple[int, int]  # draw, seed


@dataclass(frozen=True)
class Draw:
    """One draw of both splits, planned for all rows and seeds.

    Args:
        number: Seed of both splits.
        leaky, honest: Random windows, blocks.
    """

    number: int
    leaky: PlannedBenchmark
    honest: PlannedBenchmark


@dataclass(frozen=True)
class Measure:
    """One score under both splits, as a share: 1 is 100 points.

    Args:
        name: "NF", "NF, same classes", "macro F1".
        leaky, honest: Means.
        inflation: Leaky less honest, of the same draw and seed.
    """

    name: str
    leaky: float
    honest: float
    inflation: Summary


@dataclass(frozen=True)
class Inflation:
    """What the leak is worth for one row.

    Args:
        row: Name of the row.
        measures: NF first. "NF, same classes" is left out where no class is on both sides.
        shared: Share of the leaky test windows that hold a training sample, mean over draws.
        apart: Half of the sum of the differences between the class shares of all leaky and all
            honest test windows: 0 is the same mix, 1 nothing in common.
        train_windows: Leaky and honest, mean over draws.
        test_windows: The same.
        draws, seeds: How many of each.
    """

    row: str
    measures: tuple[Measure, ...]
    shared: float
    apart: float
    train_windows: tuple[float, float]
    test_windows: tuple[float, float]
    draws: int
    seeds: int

    @property
    def unit(self) -> Literal["draw", "seed"]:
        """What the intervals are over."""
        return "draw" if self.draws > 1 else "seed"


def draws_of(
    benchmark: Benchmark,
    registry: Registry,
    draws: int,
    *,
    blocks: int = BLOCKS,
    opened: Opened | None = None,
    on_source: Callable[[int, int], None] | None = None,
) -> list[Draw]:
    """Plan both splits of a benchmark, drawn several times.

    Args:
        benchmark: Its own split gives the ratio where it has one, else it is 8 : 1 : 1. All else
            of its protocol stays.
        registry: The plugins.
        draws: How many.
        blocks: That each recording is cut into.
        opened: What earlier plans opened.
        on_source: As of :func:`harbench.plan.plan`.

    Raises:
        DataMissingError: the data is not here.
        ConfigError: windows do not overlap, so that no split of them leaks; a name that no
            plugin offers; a part without windows.
    """
    opened = opened or Opened()
    own = benchmark.protocol.split
    ratio = own.ratio if isinstance(own, RandomWindowSplit | BlockSplit) else RATIO
    found = []
    for number in range(draws):
        splits: dict[str, Split] = {
            "leaky": RandomWindowSplit(ratio=ratio, seed=number),
            "honest": BlockSplit(ratio=ratio, blocks=blocks, seed=number),
        }
        planned = {}
        for kind, split in splits.items():
            protocol = benchmark.protocol.model_copy(update={"split": split})
            changed = benchmark.model_copy(update={"protocol": protocol})
            one = plan(changed, registry, on_source, opened, audit=False)
            if one.missing is not None:
                raise one.missing
            planned[kind] = _named(one, f"{split.kind}, draw {number}")
        found.append(Draw(number, planned["leaky"], planned["honest"]))
    _refuse_no_leak(benchmark, found)
    return found


def inflation_of(draws: Sequence[Draw], store: Store) -> list[Inflation]:
    """What the leak is worth, row by row, from the trained cells of some draws.

    Raises:
        ResultsError: a cell was not trained.
    """
    return [_of_row(number, draws, store) for number in range(len(draws[0].leaky.rows))]


def nf_of_same_classes(
    leaky: NDArray[np.float64], honest: NDArray[np.float64]
) -> tuple[float, float] | None:
    """NF on leaky and on honest test windows, as if both had the classes of the leaky ones.

    Each row of a confusion matrix (a true class) is weighted to the share that the class has of
    the leaky windows; classes that either side has no windows of are left out. None where that
    leaves none.

    Args:
        leaky, honest: [n_classes, n_classes], rows are the truth.
    """
    both = (leaky.sum(axis=1) > 0) & (honest.sum(axis=1) > 0)
    if not both.any():
        return None
    weights = leaky.sum(axis=1)[both] / leaky.sum(axis=1)[both].sum()
    found = []
    for matrix in (leaky, honest):
        rows = matrix[both] / matrix[both].sum(axis=1, keepdims=True) * weights[:, None]
        right, predicted = rows[:, both].diagonal(), rows[:, both].sum(axis=0)
        found.append(float((weights * 2 * right / (weights + predicted)).sum()))
    return found[0], found[1]


def _named(planned: PlannedBenchmark, words: str) -> PlannedBenchmark:
    """With what is drawn in the rows' names: they stand beside a progress bar."""
    rows = []
    for row in planned.rows:
        name = f"{row.name} [{words}]"
        rows.append(replace(row, cells=tuple(replace(cell, row=name) for cell in row.cells)))
    return replace(planned, rows=tuple(rows))


def _refuse_no_leak(benchmark: Benchmark, draws: Sequence[Draw]) -> None:
    for number, row in enumerate(draws[0].leaky.rows):
        folds = [fold for draw in draws for fold in draw.leaky.rows[number].folds]
        if all(fold.test_overlap == 0 for fold in folds):
            raise ConfigError(
                f"windows of {row.length} samples every {row.step} do not overlap, so that none "
                "shares samples with another, however they are split",
                where=f"benchmark '{benchmark.name}', row '{row.name}'",
                expected="a step shorter than the window",
                fix="the same command with --set protocol.step=50%",
            )


def _of_row(number: int, draws: Sequence[Draw], store: Store) -> Inflation:
    scores: dict[str, dict[Place, tuple[float, float]]] = {}
    for draw in draws:
        cells = zip(draw.leaky.rows[number].cells, draw.honest.rows[number].cells, strict=True)
        for of_leaky, of_honest in cells:
            place = (draw.number, of_leaky.seed)
            leaky, honest = _record(store, of_leaky), _record(store, of_honest)
            for name, key in (("NF", "nf"), ("macro F1", "macro_f1")):
                pair = leaky["scores"][key], honest["scores"][key]
                scores.setdefault(name, {})[place] = pair
            matrices = (np.asarray(r["confusion"], np.float64) for r in (leaky, honest))
            if (alike := nf_of_same_classes(*matrices)) is not None:
                scores.setdefault(SAME, {})[place] = alike
    folds = [[d.leaky.rows[number].folds[0], d.honest.rows[number].folds[0]] for d in draws]
    shares = np.sum([[fold.support for fold in pair] for pair in folds], axis=0, dtype=float)
    shares /= shares.sum(axis=1, keepdims=True)

    def mean(part: str) -> tuple[float, float]:
        leaky, honest = np.mean([[fold.windows[part] for fold in pair] for pair in folds], axis=0)
        return float(leaky), float(honest)

    return Inflation(
        row=draws[0].leaky.rows[number].name,
        measures=tuple(_measure(n, scores[n]) for n in ("NF", SAME, "macro F1") if n in scores),
        shared=float(np.mean([leaky.test_overlap for leaky, _ in folds])),
        apart=float(np.abs(shares[0] - shares[1]).sum() / 2),
        train_windows=mean("train"),
        test_windows=mean("test"),
        draws=len(draws),
        seeds=len({seed for _, seed in scores["NF"]}),
    )


def _measure(name: str, pairs: Mapping[Place, tuple[float, float]]) -> Measure:
    leaky, honest = np.mean(list(pairs.values()), axis=0)
    # The draw stands where a fold does elsewhere: it is what is repeated, and seeds are within it.
    points = summarise({place: leaky - honest for place, (leaky, honest) in pairs.items()})
    return Measure(name, float(leaky), float(honest), points)


def _record(store: Store, cell: Cell) -> dict[str, Any]:
    if not store.has(cell.key):
        failure = store.failure(cell.key)
        raise ResultsError(
            f"{cell.row}, seed {cell.seed}: "
            f"{failure['reason'] if failure else 'it was not trained'}",
            where=str(store.folder),
        )
    return store.read(cell.key).record
