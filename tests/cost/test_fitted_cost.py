"""What a fitted estimator costs."""

import pickle
import time

import numpy as np
import pytest

from harbench.cost import FittedCost, measure_fitted
from harbench.errors import ModelError, ResultsError
from harbench.nouns import Counts

WINDOW = np.zeros((1, 2, 5), np.float32)


class Sleeps:
    def __init__(self, held=b""):
        self.held = held
        self.calls = 0

    def predict_proba(self, x):
        assert x.shape == (1, 2, 5)
        self.calls += 1
        time.sleep(0.002)


def test_latency_is_that_of_one_window():
    found = measure_fitted(Sleeps(), WINDOW, runs=5, seconds=0)
    assert 2 <= found.latency_median_ms <= found.latency_p95_ms
    assert (found.parameters, found.macs, found.note) == (None, None, "")


def test_size_is_that_of_the_pickle():
    estimator = Sleeps(held=np.arange(1000))
    found = measure_fitted(estimator, WINDOW, runs=1, seconds=0)
    assert found.size_bytes == len(pickle.dumps(estimator, protocol=5))
    assert found.size_bytes > 8000


def test_what_cannot_be_pickled_has_no_size():
    assert measure_fitted(Sleeps(lambda: 0), WINDOW, runs=1, seconds=0).size_bytes is None


def test_counts_are_the_models_own():
    def counts(fitted):
        return Counts(parameters=len(fitted.held), macs=7, note="by hand")

    found = measure_fitted(Sleeps(b"abc"), WINDOW, counts, runs=1, seconds=0)
    assert (found.parameters, found.macs, found.note) == (3, 7, "by hand")
    with pytest.raises(ModelError, match="cannot be counted: AttributeError"):
        measure_fitted(Sleeps(), WINDOW, lambda fitted: fitted.coef_, runs=1, seconds=0)


def test_it_goes_through_json():
    cost = measure_fitted(Sleeps(), WINDOW, runs=1, seconds=0)
    assert FittedCost.from_json(cost.to_json()) == cost
    with pytest.raises(ResultsError, match="missing or unknown fields: depth"):
        FittedCost.from_json({**cost.to_json(), "depth": 3})
