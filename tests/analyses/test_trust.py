"""Agreement, and deletion and insertion curves, where the answer is known."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from harbench_analyses.trust import agreement, deletion_and_insertion, spearman, top


def test_spearman_is_scipys_with_ties_too():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.integers(0, 6, (2, 15)).astype(float)
        assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert np.isnan(spearman(np.ones(4), np.arange(4.0)))


def test_top_is_largest_first_and_the_first_of_equals():
    assert top(np.array([0.0, 3.0, -9.0, 3.0]), 3).tolist() == [1, 3, 0]


def test_agreement_by_hand():
    up = np.arange(5.0)
    same = agreement([up, 2 * up], 2)
    assert (same.spearman, same.overlap) == (pytest.approx(1), 1)
    # Pairs: (up, up), (up, down), (up, down).
    three = agreement([up, up, -up], 2)
    assert three.spearman == pytest.approx(-1 / 3)
    assert three.overlap == pytest.approx(1 / 3)
    assert agreement([up], 2) is None


class Adds(nn.Module):
    """Logits (0, sum of the weighted channel means)."""

    def __init__(self, weights):
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, x):
        score = x.mean(2) @ self.weights
        return torch.stack([torch.zeros_like(score), score], 1)


def test_curves_by_hand():
    windows = np.ones((4, 3, 5), np.float32)
    weights = np.array([0.0, 3.0, 1.0], np.float32)
    curves = deletion_and_insertion(Adds(weights), windows, 1, weights.astype(float))

    def sigmoid(x):
        return 1 / (1 + np.exp(-np.array(x, float)))

    assert curves.counts.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(curves.deletion, sigmoid([4, 1, 0, 0]), rtol=1e-6)
    np.testing.assert_allclose(curves.insertion, sigmoid([0, 3, 4, 4]), rtol=1e-6)
    np.testing.assert_allclose(curves.deletion_random[[0, -1]], sigmoid([4, 0]), rtol=1e-6)
    area = np.trapezoid if hasattr(np, "trapezoid") else np.trapz
    expected = area(curves.deletion_random - curves.deletion, dx=1 / 3)
    assert curves.deletion_gain == pytest.approx(expected)
    assert curves.deletion_gain > 0
    assert curves.insertion_gain > 0


def test_a_wrong_ranking_loses():
    windows = np.ones((4, 40, 5), np.float32)
    weights = np.zeros(40, np.float32)
    weights[:3] = 2
    wrong = deletion_and_insertion(Adds(weights), windows, 1, -weights.astype(float))
    right = deletion_and_insertion(Adds(weights), windows, 1, weights.astype(float))
    assert right.counts.tolist() == [*range(11), 15, 22, 33, 40]
    assert wrong.deletion_gain < 0 < right.deletion_gain
    assert wrong.insertion_gain < 0 < right.insertion_gain
    again = deletion_and_insertion(Adds(weights), windows, 1, weights.astype(float))
    np.testing.assert_array_equal(right.deletion_random, again.deletion_random)
