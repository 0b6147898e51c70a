"""The hierarchical bootstrap against a plain loop, and against variances worked out by hand."""

import itertools
import time

import numpy as np
import pytest

from harbench.metrics.bootstrap import hierarchical_draws, hierarchical_interval

CELLS = {("S1", 0): 0.5, ("S1", 1): 0.6, ("S1", 2): 0.9, ("S2", 0): 0.4, ("S2", 1): 0.8,
         ("S3", 0): 0.7}  # fmt: skip


def test_the_draws_are_those_of_a_plain_loop():
    by_fold = [[0.5, 0.6, 0.9], [0.4, 0.8], [0.7]]
    rng = np.random.default_rng(7)
    folds = rng.integers(0, 3, (50, 3))
    uniform = rng.random((50, 3, 3))
    expected = []
    for draw in range(50):
        drawn = []
        for place, fold in enumerate(folds[draw]):
            seeds = by_fold[fold]
            drawn += [seeds[int(u * len(seeds))] for u in uniform[draw, place, : len(seeds)]]
        expected.append(sum(drawn) / len(drawn))
    assert hierarchical_draws(CELLS, draws=50, seed=7) == pytest.approx(expected, abs=1e-12)


def test_every_outcome_has_its_chance():
    # Two folds of two seeds: 4 draws of folds x 4 x 4 draws of seeds, all equally likely.
    values = {("a", 0): 0.0, ("a", 1): 1.0, ("b", 0): 10.0, ("b", 1): 30.0}
    table = [[0.0, 1.0], [10.0, 30.0]]
    means = [
        (table[f][i] + table[f][j] + table[g][k] + table[g][m]) / 4
        for f, g, i, j, k, m in itertools.product((0, 1), repeat=6)
    ]
    found = hierarchical_draws(values, draws=64_000)
    assert set(np.round(found, 9)) == set(np.round(means, 9))
    for value in set(means):
        chance = means.count(value) / 64
        error = 4 * np.sqrt(chance * (1 - chance) / 64_000)
        assert np.isclose(found, value).mean() == pytest.approx(chance, abs=error)


def test_its_variance_has_both_parts():
    """Of F folds of S seeds: var(fold means) / F + mean var(seeds) / (F S), each over n."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(6, 1)) + rng.normal(0, 2, size=(6, 4))
    values = {(f"S{f}", s): table[f, s] for f in range(6) for s in range(4)}
    found = hierarchical_draws(values, draws=100_000).var()
    expected = table.mean(axis=1).var() / 6 + table.var(axis=1).mean() / 24
    assert found == pytest.approx(expected, rel=0.02)


def test_one_fold_draws_seeds_only_and_one_seed_folds_only():
    values = [0.1, 0.4, 0.2, 0.9, 0.5]
    seeds = hierarchical_draws({("all", s): v for s, v in enumerate(values)}, draws=50_000)
    folds = hierarchical_draws({(f"S{f}", 0): v for f, v in enumerate(values)}, draws=50_000)
    for found in (seeds, folds):
        assert found.var() == pytest.approx(np.var(values) / 5, rel=0.03)


def test_it_covers_the_mean_of_many_folds():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        table = 0.8 + rng.normal(0, 0.03, (20, 1)) + rng.normal(0, 0.02, (20, 3))
        low, high = hierarchical_interval(
            {(f"S{f}", s): table[f, s] for f in range(20) for s in range(3)}, draws=1000
        )
        inside += low <= 0.8 <= high
    # 95 % but for few folds' narrowness; three binomial errors are 4.6 points.
    assert 0.90 <= inside / 200 <= 0.996


def test_the_interval_is_that_of_the_percentiles():
    means = hierarchical_draws(CELLS)
    assert hierarchical_interval(CELLS) == pytest.approx(np.quantile(means, [0.025, 0.975]))
    assert hierarchical_interval(CELLS, confidence=0.5) == pytest.approx(
        np.quantile(means, [0.25, 0.75])
    )


def test_the_same_every_time_and_in_any_order():
    backwards = dict(reversed(list(CELLS.items())))
    assert hierarchical_interval(CELLS) == hierarchical_interval(backwards)
    assert (hierarchical_draws(CELLS) != hierarchical_draws(CELLS, seed=1)).any()


def test_one_cell_has_no_interval_and_none_is_refused():
    assert hierarchical_interval({("all", 0): 0.5}) is None
    with pytest.raises(ValueError, match="nothing to resample"):
        hierarchical_interval({})


def test_it_is_quick():
    values = {(f"S{f}", s): f / 30 + s / 100 for f in range(30) for s in range(5)}
    begin = time.process_time()
    hierarchical_interval(values)
    assert time.process_time() - begin < 2
