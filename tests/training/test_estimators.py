"""Estimators in a cell: seeds, classes that were not shown, answers that are refused, memory."""

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from harbench.data.normalise import Normaliser
from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows
from harbench.errors import ModelError
from harbench.nouns import Citation, Counts, Model, Recipe
from harbench.training import memory
from harbench.training.estimators import build_estimator, fit_cell, windows_of

pytestmark = pytest.mark.usefixtures("one_thread")


def model(build, **more):
    return Model("mine", "", build, None, Citation("Nobody, 2026"), kind="estimator", **more)


def fold(labels, n_validation=0, n_classes=4) -> PreparedFold:
    """Two thirds of the windows train; the first channel of each holds its class."""
    labels = np.asarray(labels, np.int64)
    rng = np.random.default_rng(0)
    signals = rng.normal(0, 0.1, (len(labels) * 5, 2)).astype(np.float32)
    signals[:, 0] += np.repeat(labels, 5)
    every, cut = Windows(np.arange(len(labels)) * 5, labels), 2 * len(labels) // 3
    place = np.arange(len(labels))
    parts = [
        every[place < cut],
        every[(place >= cut) & (place < cut + n_validation)],
        every[place >= cut + n_validation],
    ]
    nothing = Normaliser(np.zeros(2), np.ones(2), np.zeros(2))
    return PreparedFold(signals, 5, *parts, n_classes, nothing)


class Says:
    """Learns nothing and says what it is told to."""

    def __init__(self, classes, said):
        self.classes_, self.said = np.array(classes), said

    def fit(self, x, y):
        assert x.dtype == np.float32
        assert y.dtype == np.int64
        return self

    def predict_proba(self, x):
        return np.tile(self.said, (len(x), 1))


def says(classes, said):
    return model(lambda *sizes: Says(classes, said))


def test_windows_are_copies_of_the_signals():
    data = fold([0, 1, 2] * 4)
    found = windows_of(data, data.test)
    assert (found.shape, found.dtype) == ((4, 2, 5), np.float32)
    for window, start in zip(found, data.test.starts, strict=True):
        np.testing.assert_array_equal(window, data.signals[start : start + 5].T)
    found[:] = 7
    assert not (data.signals == 7).any()


def test_a_class_that_was_not_shown_has_no_probability():
    fitted = fit_cell(says([3, 1], [0.25, 0.75]), fold([1, 3, 0] * 4), {}, 0)
    np.testing.assert_allclose(fitted.probabilities, [[0, 0.75, 0, 0.25]] * 4)
    assert fitted.predicted.tolist() == [1] * 4
    assert fitted.weights == {}


@pytest.mark.parametrize(
    ("classes", "said", "what"),
    [
        ([0, 1], [0.5, 0.6], "no probabilities"),
        ([0, 1], [-0.5, 1.5], "no probabilities"),
        ([0, 1], [np.nan, 1.0], "no probabilities"),
        ([0, 1], [0.2, 0.3, 0.5], r"returned probabilities \[4, 3\].*expected \[4, 2\]"),
        ([0, 4], [0.5, 0.5], r"fitted to the classes \[0, 4\].*from 0 to 3"),
        ([1, 1], [0.5, 0.5], r"fitted to the classes \[1, 1\]"),
        (["a", "b"], [0.5, 0.5], "fitted to the classes"),
    ],
)
def test_what_is_no_probability_is_refused(classes, said, what):
    with pytest.raises(ModelError, match=what):
        fit_cell(says(classes, said), fold([0, 1, 2] * 4), {}, 0)


def test_what_is_no_estimator_is_refused():
    with pytest.raises(ModelError, match=r"returned int.*fit\(x, y\) and predict_proba"):
        build_estimator(model(lambda *sizes: 3), 2, 5, 4, {}, 0)
    with pytest.raises(ModelError, match=r"cannot be built for 2 channels.*division"):
        build_estimator(model(lambda *sizes: 1 / 0), 2, 5, 4, {}, 0)


def flat(x):
    return x.reshape(len(x), -1)


def test_every_random_state_that_is_none_becomes_the_seed():
    def build(*sizes):
        trees = BaggingClassifier(DecisionTreeClassifier(), random_state=5, n_jobs=-1)
        return make_pipeline(FunctionTransformer(flat), trees)

    found = build_estimator(model(build), 2, 5, 4, {}, 7).get_params()
    assert found["baggingclassifier__random_state"] == 5
    assert found["baggingclassifier__estimator__random_state"] == 7
    assert found["baggingclassifier__n_jobs"] == 1


def test_a_forest_is_scikit_learns_with_the_seed_as_its_state():
    def build(*sizes):
        return make_pipeline(FunctionTransformer(flat), RandomForestClassifier(10))

    data = fold(np.random.default_rng(1).integers(0, 4, 60))
    data.signals[:] += np.random.default_rng(2).normal(0, 1, data.signals.shape)
    found = fit_cell(model(build), data, {}, 3).probabilities
    x, y = flat(windows_of(data, data.train)), data.train.labels
    direct = RandomForestClassifier(10, random_state=3).fit(x, y)
    expected = direct.predict_proba(flat(windows_of(data, data.test)))
    np.testing.assert_array_equal(found, expected.astype(np.float32))
    again = fit_cell(model(build), data, {}, 3).probabilities
    assert again.tobytes() == found.tobytes()
    assert fit_cell(model(build), data, {}, 4).probabilities.tobytes() != found.tobytes()


def test_global_generators_are_seeded_for_who_has_no_random_state():
    import random

    class Draws(Says):
        def fit(self, x, y):
            draws = np.array([np.random.random(), random.random()])
            self.said = draws / draws.sum()
            return self

    found = [
        fit_cell(model(lambda *s: Draws([0, 1], None)), fold([0, 1, 2] * 4), {}, s).probabilities[0]
        for s in (0, 0, 1)
    ]
    assert found[0].tolist() == found[1].tolist()
    assert found[0].tolist() != found[2].tolist()


def test_validation_windows_are_scored_and_not_learnt_from():
    class Shown(Says):
        def fit(self, x, y):
            shown.append(len(x))
            return self

    shown = []
    data = fold([0, 1, 1, 1] * 6, n_validation=4)
    fitted = fit_cell(model(lambda *s: Shown([1], [1.0])), data, {}, 0)
    assert shown == [16]
    (line,) = fitted.training.curve
    assert line.validation["accuracy"] == 0.75
    # F1 of the class with the share p is 2p / (1 + p).
    assert line.validation["nf"] == pytest.approx(0.75 * 1.5 / 1.75)
    assert fit_cell(says([1], [1.0]), fold([0, 1] * 6), {}, 0).training.curve[0].validation == {}


def test_windows_that_do_not_fit_into_memory_are_refused_before_they_are_made(monkeypatch):
    data = fold([0, 1, 2] * 400)
    n_bytes = 4 * len(data.train) * 2 * 5
    monkeypatch.setattr(memory, "_GIB", 1000)
    monkeypatch.setattr(memory, "free_memory", lambda: n_bytes)
    with pytest.raises(ModelError) as caught:
        windows_of(data, data.train)
    text = str(caught.value)
    assert "800 windows of 2 channels and 5 samples take 32.0 GiB, and 32.0 GiB are free" in text
    assert "80 %" in text
    monkeypatch.setattr(memory, "free_memory", lambda: round(n_bytes / 0.79))
    assert len(windows_of(data, data.train)) == 800
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert len(windows_of(data, data.train)) == 800


def test_free_memory_is_the_containers_where_that_is_less(tmp_path, monkeypatch):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.free_memory() == 5000 * 1024
    for name, text in (
        ("memory.max", "3000000\n"),
        ("memory.current", "1000000\n"),
        ("memory.stat", "anon 5\ninactive_file 400000\n"),
    ):
        (tmp_path / name).write_text(text)
    assert memory.free_memory() == 2_400_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_memory() == 5000 * 1024
    meminfo.unlink()
    assert memory.free_memory() is None


def test_a_model_is_one_kind_and_has_what_belongs_to_it():
    cite = Citation("Nobody, 2026")
    with pytest.raises(ValueError, match="'mine' is a network and has no recipe"):
        Model("mine", "", print, None, cite)
    with pytest.raises(ValueError, match="'mine' is an estimator and has a recipe"):
        Model("mine", "", print, Recipe(), cite, kind="estimator")
    with pytest.raises(ValueError, match="no kind of model is called 'forest'"):
        Model("mine", "", print, None, cite, kind="forest")
    with pytest.raises(ValueError, match="whose costs harbench counts"):
        Model("mine", "", print, Recipe(), cite, counts=lambda fitted: Counts())


def test_errors_of_a_fit_go_on_as_they_are():
    class Breaks(Says):
        def fit(self, x, y):
            raise RuntimeError("no solution")

    with pytest.raises(RuntimeError, match="no solution"):
        fit_cell(model(lambda *s: Breaks([0], [1.0])), fold([0, 1, 2] * 4), {}, 0)
