"""The classical baselines: known answers."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

import harbench
from harbench.data.normalise import Normaliser
from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows
from harbench.metrics import confusion, score
from harbench.training.estimators import build_estimator, fit_cell
from harbench_models.window_statistics import window_statistics

pytestmark = pytest.mark.usefixtures("one_thread")

LENGTH = 20
CLASSES = ("a", "b", "c")
NOTHING = Normaliser(np.zeros(3), np.ones(3), np.zeros(3))


def fold_of(train, test, seed=0, shift=2.0) -> PreparedFold:
    """Windows of three channels; a class is a shift of one channel's mean."""
    labels = np.concatenate([train, test]).astype(np.int64)
    rng = np.random.default_rng(seed)
    signals = rng.normal(size=(len(labels) * LENGTH, 3)).astype(np.float32)
    for place, label in enumerate(labels):
        signals[place * LENGTH : (place + 1) * LENGTH, label] += shift
    starts = np.arange(len(labels)) * LENGTH
    parts = [
        Windows(starts[: len(train)], labels[: len(train)]),
        Windows(starts[:0], labels[:0]),
        Windows(starts[len(train) :], labels[len(train) :]),
    ]
    return PreparedFold(signals, LENGTH, *parts, len(CLASSES), NOTHING)


def scores(data, fitted):
    return score(confusion(data.test.labels, fitted.predicted, 3), CLASSES, None)


def shares(*counts):
    return np.repeat(np.arange(len(counts)), counts)


def test_majority_has_the_scores_that_can_be_written_down(estimators):
    data = fold_of(shares(10, 50, 40), shares(30, 60, 10))
    found = scores(data, fit_cell(estimators["majority"], data, {}, 0))
    # F1 of the class with the share p is 2p / (1 + p), and of all others 0.
    assert found.nf == pytest.approx(0.6 * 2 * 0.6 / 1.6)
    assert found.macro_f1 == pytest.approx(2 * 0.6 / 1.6 / 3)
    assert found.accuracy == pytest.approx(0.6)
    fitted = fit_cell(estimators["majority"], data, {}, 0)
    np.testing.assert_allclose(fitted.probabilities, np.tile([0.1, 0.5, 0.4], (100, 1)), rtol=1e-6)


def test_stratified_guesses_are_right_by_chance_alone(estimators):
    data = fold_of(shares(200, 500, 300), shares(2000, 1000, 1000))
    truth, guess = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.5, 0.3])
    fitted = fit_cell(estimators["stratified"], data, {}, 0)
    found = scores(data, fitted)
    # Right with the probability sum(truth * guess), F1 = 2 s g / (s + g): to four deviations.
    assert abs(found.accuracy - truth @ guess) < 4 * np.sqrt(0.3 * 0.7 / 4000)
    expected = 2 * truth * guess / (truth + guess)
    np.testing.assert_allclose(found.nf, truth @ expected, atol=0.03)
    drawn = np.bincount(fitted.predicted, minlength=3) / 4000
    np.testing.assert_allclose(drawn, guess, atol=4 * np.sqrt(0.25 / 4000))
    assert set(np.unique(fitted.probabilities)) == {0.0, 1.0}
    other = fit_cell(estimators["stratified"], data, {}, 1)
    assert not np.array_equal(fitted.predicted, other.predicted)


def test_knn_is_scikit_learns_on_standardised_statistics(estimators):
    data = fold_of(shares(20, 20, 20), shares(20, 20, 20), shift=0.4)
    found = fit_cell(estimators["knn"], data, {"neighbours": 3}, 0).probabilities
    windows = data.signals.reshape(-1, LENGTH, 3).transpose(0, 2, 1)
    train, test = window_statistics(windows[:60]), window_statistics(windows[60:])
    scaler = StandardScaler().fit(train)
    direct = KNeighborsClassifier(3).fit(scaler.transform(train), data.train.labels)
    np.testing.assert_array_equal(
        found, direct.predict_proba(scaler.transform(test)).astype(np.float32)
    )
    assert len(np.unique(found)) > 2


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_bits(estimator, seed):
    data = fold_of(shares(12, 12, 12), shares(5, 5, 5), shift=0.5)
    options = {"features": 84} if estimator.name == "minirocket" else {}
    first, second = (fit_cell(estimator, data, options, seed) for _ in range(2))
    assert first.probabilities.tobytes() == second.probabilities.tobytes()
    assert first.probabilities.shape == (15, 3)
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1, atol=1e-6)


def test_what_looks_at_windows_learns_what_can_be_learnt(estimator):
    if estimator.name in ("majority", "stratified"):
        pytest.skip("it does not look at windows")
    data = fold_of(shares(20, 20, 20), shares(20, 20, 20))
    # A mean is no shape: kernels sum to 0, so MiniRocket sees it at the borders alone.
    fitted = fit_cell(estimator, data, {}, 0)
    assert scores(data, fitted).accuracy > 0.9


def test_only_the_random_ones_depend_on_the_seed(estimator):
    data = fold_of(shares(20, 20, 20), shares(10, 10, 10), shift=0.5)
    options = {"features": 84} if estimator.name == "minirocket" else {}
    one, two = (fit_cell(estimator, data, options, seed).probabilities for seed in (0, 1))
    random = {"stratified", "random-forest", "minirocket"}
    assert np.array_equal(one, two) == (estimator.name not in random)


def test_linear_models_count_their_numbers(estimators):
    data = fold_of(shares(20, 20, 20), shares(5, 5, 5))
    linear = estimators["logistic-regression"]
    found = linear.counts(fit_cell(linear, data, {}, 0).estimator)
    assert (found.parameters, found.macs) == (3 * 14 * 3 + 3, 3 * 14 * 3)
    kernels = estimators["minirocket"]
    found = kernels.counts(fit_cell(kernels, data, {"features": 1000}, 0).estimator)
    assert (found.parameters, found.macs) == (924 * 3 + 3 + 924, 924 * 3)
    assert estimators["random-forest"].counts is None


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("knn", {"neighbours": 0}, "option neighbours is 0"),
        ("knn", {"weights": "near"}, "one of uniform, distance"),
        ("random-forest", {"trees": 1.5}, "option trees is 1.5"),
        ("random-forest", {"smallest_leaf": 0}, "option smallest_leaf is 0"),
        ("random-forest", {"class_weights": 3}, "one of none, balanced"),
        ("logistic-regression", {"c": 0}, "option c is 0"),
        ("logistic-regression", {"c": True}, "option c is True"),
        ("minirocket", {"features": 83}, "84 or more"),
        ("minirocket", {"c": "weak"}, "option c is 'weak'"),
    ],
)
def test_a_wrong_option_is_refused_by_name(estimators, name, options, said):
    with pytest.raises(harbench.ModelError) as caught:
        build_estimator(estimators[name], 3, 20, 3, options, 0)
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_minirocket_refuses_windows_shorter_than_a_kernel(estimators):
    with pytest.raises(harbench.ModelError, match="windows of 8 samples"):
        estimators["minirocket"].build(3, 8, 2)


def test_the_estimator_of_the_documentation_can_be_fitted():
    page = (Path(__file__).parents[2] / "docs/estimators.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    namespace: dict = {}
    exec(compile(code, "estimators.md", "exec"), namespace)
    found = []
    namespace["register_models"](found.append)
    assert [model.name for model in found] == ["one-tree"]
    data = fold_of(shares(20, 20, 20), shares(20, 20, 20))
    assert scores(data, fit_cell(found[0], data, {"depth": 3}, 0)).accuracy > 0.9
