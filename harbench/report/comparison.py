"""The page of ``harbench compare``: models against one another, with what can be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ResultsError, did_you_mean
from harbench.metrics import METRICS, SAMPLE_METRICS, summarise
from harbench.metrics.bootstrap import DRAWS, hierarchical_interval
from harbench.metrics.comparing import Comparison, Repeats
from harbench.metrics.power import POWER, repeats_needed
from harbench.metrics.ranks import Friedman, friedman, nemenyi, ranks
from harbench.metrics.ties import ALPHA, Standing, repeats_wanted, standing
from harbench.report.audit import compared_rows, is_leaky
from harbench.report.repeats import plural, read_repeats, tests_text
from harbench.report.tie_marks import too_few
from harbench.results import Store


@dataclass(frozen=True)
class ModelLine:
    """One model.

    Args:
        row: Its name.
        mean: Over all its cells.
        low, high: 95 % interval: hierarchical bootstrap where folds and seeds both vary, else
            Student's t; None with one cell.
        bootstrap: Which of the two it is.
        rank: Its average rank over the repeats that all models have, 1 = best; None without any.
        standing: "best", "tied", "apart" or "unknown"; "mixed" where it stands beside rows that
            leak, or leaks beside rows that do not.
    """

    row: str
    mean: float
    low: float | None
    high: float | None
    bootstrap: bool
    rank: float | None
    standing: str


@dataclass(frozen=True)
class PairLine:
    """Two models.

    Args:
        found: The tests; a - b.
        bootstrap: 95 % interval of the difference by the hierarchical bootstrap; None where only
            one of folds and seeds varies.
        apart: Whether they are told apart, all pairs considered; None with too few repeats.
        needed: Repeats for a power of 80 % if the difference is what was seen, alone; None where
            even :data:`harbench.metrics.power.MOST` are not enough, or it cannot be said.
        needed_holm: The same among all pairs.
    """

    found: Comparison
    bootstrap: tuple[float, float] | None
    apart: bool | None
    needed: int | None
    needed_holm: int | None


@dataclass(frozen=True)
class ComparisonPage:
    """A benchmark's models against one another.

    Args:
        benchmark, title: Of the manifest.
        metric: Its name.
        lines: What a reader must know first.
        models: All of them, the best first.
        pairs: Those that are asked for.
        standing: The tests of all pairs.
        ranked: [n, k] ranks of the models, in their order here, a row a repeat; n may be 0.
        unit: What a row of it is.
        notes: What the numbers mean and what they cannot say.
    """

    benchmark: str
    title: str
    metric: str
    lines: tuple[str, ...]
    models: tuple[ModelLine, ...]
    pairs: tuple[PairLine, ...]
    standing: Standing
    ranked: NDArray[np.float64]
    unit: str
    notes: tuple[str, ...]

    @property
    def metric_title(self) -> str:
        """Head of its column, on one line."""
        return {**METRICS, **SAMPLE_METRICS}[self.metric].title.replace("\n", " ")

    @cached_property
    def friedman(self) -> Friedman | None:
        """Whether the models rank alike; None with fewer than 2 repeats."""
        return friedman(self.ranked) if len(self.ranked) > 1 else None

    @cached_property
    def nemenyi(self) -> float | None:
        """Nemenyi's critical difference of average ranks, likewise."""
        n, k = self.ranked.shape
        return nemenyi(k, n) if n > 1 else None


def comparison_page(
    store: Store, benchmark: str | None, metric: str, pair: tuple[str, str] | None = None
) -> ComparisonPage:
    """Compare the rows of a benchmark.

    Args:
        store: Results folder.
        benchmark: Its name; None is the latest in which the rows, or any two, have scores.
        metric: Of :data:`harbench.metrics.METRICS` or :data:`~harbench.metrics.SAMPLE_METRICS`.
        pair: Names of two rows; None is all pairs.

    Raises:
        ResultsError: there is no such benchmark or row, or there are not two rows with scores.
    """
    manifest, rows = _chosen(store, benchmark, metric, pair)
    compared = compared_rows(manifest)
    honest = [row for row in rows if row.name in compared]
    left_out = [row.name for row in rows if row.name not in compared]
    if pair is None and len(honest) > 1:
        rows = honest
    means = {row.name: summarise(row.scores).mean for row in rows}
    # Stable: of equal means the first in the table is the best there, too.
    rows = sorted(rows, key=lambda row: -means[row.name])
    found = standing(rows)
    if pair is None:
        asked = list(found.pairs)
    else:
        one = found.pair(*pair)
        if one is None:
            raise ResultsError(
                f"{pair[0]} and {pair[1]} have no finished fold and seed in common",
                where=manifest["name"],
                fix=f"harbench run benchmarks.yaml {manifest['name']}",
            )
        asked = [one]
    by_name = {row.name: row for row in rows}
    ranked, unit = _ranked(rows)
    page = ComparisonPage(
        manifest["name"],
        manifest["title"],
        metric,
        tuple(_lines(manifest, [by_name[name] for name in pair] if pair else rows, left_out)),
        tuple(_model(row, means[row.name], ranked, place, found) for place, row in enumerate(rows)),
        tuple(_pair(one, by_name, found) for one in asked),
        found,
        ranked,
        unit,
        (),
    )
    if not compared.issuperset(by_name):
        models = tuple(replace(line, standing="mixed") for line in page.models)
        page = replace(page, models=models)
    return replace(page, notes=tuple(_notes(page)))


def _chosen(
    store: Store, benchmark: str | None, metric: str, pair: tuple[str, str] | None
) -> tuple[dict[str, Any], list[Repeats]]:
    known: dict[str, None] = {}
    for name in [benchmark] if benchmark is not None else reversed(store.benchmarks()):
        manifest = store.benchmark(name)
        rows = read_repeats(store, manifest, metric)
        known |= dict.fromkeys(row.name for row in rows)
        if len(rows) > 1 and (pair is None or {*pair} <= {row.name for row in rows}):
            return manifest, rows
    where = str(store.folder) if benchmark is None else benchmark
    for word in pair or ():
        if known and word not in known:
            raise ResultsError(
                f"no row with scores is called '{word}'{did_you_mean(word, known)}",
                where=where,
                expected=f"one of {', '.join(known)}",
            )
    raise ResultsError(
        "there are no two rows with scores to compare",
        where=where,
        fix=f"harbench run benchmarks.yaml{f' {benchmark}' if benchmark else ''}",
    )


def _lines(
    manifest: Mapping[str, Any], rows: Sequence[Repeats], left_out: Sequence[str]
) -> list[str]:
    names = {row.name for row in rows}
    shown = [row for row in manifest["rows"] if row["row"] in names]
    lines = []
    if manifest["simulates"]:
        lines.append(f"SIMULATED data in the format of {manifest['simulates']}")
    if any(is_leaky(row["folds"]) for row in shown):
        lines.append("LEAKY: test windows share samples with training windows; see harbench audit")
    lines.append(f"{manifest['dataset']}, task {manifest['task']}, split {manifest['split']}")
    if left_out and names.isdisjoint(left_out):
        lines.append(f"left out, because others do not leak: {', '.join(left_out)} (leaky)")
    if len({(row["length"], row["step"]) for row in shown}) > 1:
        lines.append("the rows cut windows differently: same recordings, not the same windows")
    return lines


def _ranked(rows: Sequence[Repeats]) -> tuple[NDArray[np.float64], str]:
    """Ranks in the repeats that all rows have, and what those are."""
    common = sorted(set.intersection(*(set(row.scores) for row in rows)))
    folds = list(dict.fromkeys(fold for fold, _ in common))
    if len(folds) > 1:
        groups = [[cell for cell in common if cell[0] == fold] for fold in folds]
    else:
        groups = [[cell] for cell in common]
    scores = [
        [float(np.mean([row.scores[cell] for cell in group])) for row in rows] for group in groups
    ]
    unit = "fold" if len(folds) > 1 else "seed"
    return (ranks(scores) if scores else np.zeros((0, len(rows)))), unit


def _model(
    row: Repeats, mean: float, ranked: NDArray[np.float64], place: int, found: Standing
) -> ModelLine:
    summary = summarise(row.scores)
    low, high = summary.low, summary.high
    both = _both_vary(row.scores)
    if both and (interval := hierarchical_interval(row.scores)) is not None:
        low, high = interval
    word = next(
        (word for word in ("tied", "apart", "unknown") if row.name in getattr(found, word)), "best"
    )
    rank = float(ranked[:, place].mean()) if len(ranked) else None
    return ModelLine(row.name, mean, low, high, both, rank, word)


def _both_vary(scores: Mapping[tuple[str, int], float]) -> bool:
    folds = [fold for fold, _ in scores]
    return 1 < len(set(folds)) < len(folds)


def _pair(found: Comparison, rows: Mapping[str, Repeats], of_all: Standing) -> PairLine:
    a, b = rows[found.a].scores, rows[found.b].scores
    differences = {cell: a[cell] - b[cell] for cell in a.keys() & b.keys()}
    both = _both_vary(differences)
    tested = sum(pair.p is not None for pair in of_all.pairs)
    alone, among_all = (_needed(found, m) for m in (1, tested))
    return PairLine(
        found,
        hierarchical_interval(differences) if both else None,
        of_all.is_apart(found),
        alone,
        among_all,
    )


def _needed(found: Comparison, n_pairs: int) -> int | None:
    if not found.std:
        return None
    needed = repeats_needed(
        found.mean, found.std, found.n, ratio=found.ratio, alpha=ALPHA / n_pairs
    )
    return None if needed is None else max(needed, repeats_wanted(n_pairs))


def _notes(page: ComparisonPage) -> list[str]:
    found = page.standing
    tested = sum(pair.p is not None for pair in found.pairs)
    shown = [line.found for line in page.pairs]
    notes = []
    if not found.tied and not found.apart:
        notes.append(too_few(found))
    else:
        notes.append(f"told apart or not: {tests_text(found)}, at 5 %")
    if any(line.apart is False and (line.found.p_holm or 1) < ALPHA for line in page.pairs):
        notes.append(
            "tied in spite of a p Holm below .05: equal models whose trainings end in one of two "
            "scores would differ as much too often (docs/statistics.md)"
        )
    if any(line.bootstrap for line in page.models):
        notes.append(
            f"intervals of the models: hierarchical bootstrap over folds, then seeds ({DRAWS:,} "
            "draws, percentiles); too narrow with few folds"
        )
    if any(pair.unit == "fold" for pair in shown):
        ratios = sorted({round(pair.ratio, 3) for pair in shown if pair.unit == "fold"})
        over = f"{ratios[0]:g}" if len(ratios) == 1 else f"{ratios[0]:g} to {ratios[-1]:g}"
        notes.append(
            "folds share training windows: variance x (1 / folds + test / training windows), the "
            f"latter {over} (Nadeau and Bengio 2003)"
        )
    fewest = min((pair.n for pair in shown), default=0)
    if fewest and 2 * max(tested, 1) / 2**fewest > ALPHA:
        notes.append(
            f"Wilcoxon's p cannot be below {2.0 / 2**fewest:.3g} with {fewest} repeats: here it "
            "can tell nothing apart after Holm, whatever the scores"
        )
    notes.append(
        f"more: beyond those there are, to tell two apart among all pairs with a power of "
        f"{100 * POWER:.0f} %, if the difference and its spread are what was seen"
    )
    if any(pair.unit == "seed" for pair in shown):
        notes.append("seeds repeat the training, not the people: nothing is said of other subjects")
    if page.friedman is not None and len(page.models) > 2 and page.nemenyi is not None:
        notes.append(
            f"Friedman over {plural(len(page.ranked), page.unit)}: chi2 = "
            f"{page.friedman.chi2:.2f}, p = {page.friedman.p:.3g}; Nemenyi's critical difference "
            f"of average ranks: {page.nemenyi:.2f}"
        )
    return notes
