"""Every score against scikit-learn, hand-made cases and facts of the literature."""

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
)

from harbench.errors import ConfigError
from harbench.metrics import METRICS, Scores, always_commonest, confusion, find_metric, score

NAMES = tuple("abcdefghijklmnopqrst")


@st.composite
def labelled(draw):
    """True and predicted classes; often some classes are absent from one or both."""
    n_classes = draw(st.integers(1, 18))
    used = st.sampled_from(draw(st.lists(st.integers(0, n_classes - 1), min_size=1, unique=True)))
    anything = st.integers(0, n_classes - 1)
    pairs = draw(st.lists(st.tuples(used, used | anything), min_size=1, max_size=120))
    true, predicted = np.array(pairs).T
    return n_classes, true, predicted


def scored(n_classes, true, predicted, null=None) -> Scores:
    return score(confusion(true, predicted, n_classes), NAMES[:n_classes], null)


def near(value):
    return pytest.approx(value, rel=0, abs=1e-12)


@given(labelled())
def test_scores_equal_scikit_learn(case):
    _, true, predicted = case
    scores = scored(*case)
    assert scores.nf == near(f1_score(true, predicted, average="weighted", zero_division=0))
    present = np.unique(true)
    macro = f1_score(true, predicted, average="macro", labels=present, zero_division=0)
    assert scores.macro_f1 == near(macro)
    assert scores.accuracy == near(accuracy_score(true, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "y_pred contains classes not in y_true"
        assert scores.balanced_accuracy == near(balanced_accuracy_score(true, predicted))


@given(labelled())
def test_each_class_equals_scikit_learn(case):
    n_classes, true, predicted = case
    scores = scored(*case)
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=range(n_classes), zero_division=0
    )
    assert scores.precision == near(tuple(precision))
    assert scores.recall == near(tuple(recall))
    assert scores.f1 == near(tuple(f1))
    assert scores.support == tuple(support)


@given(labelled())
def test_nf_without_null_equals_scikit_learn_on_the_other_labels(case):
    n_classes, true, predicted = case
    scores = scored(*case, null=0)
    others = list(range(1, n_classes))
    if not np.any(true > 0):
        assert scores.nf_without_null is None
        return
    expected = f1_score(true, predicted, labels=others, average="weighted", zero_division=0)
    assert scores.nf_without_null == near(expected)


@given(labelled())
def test_nf_without_null_is_nf_where_there_is_no_null_class(case):
    scores = scored(*case, null=None)
    assert scores.nf_without_null == scores.nf


@given(labelled(), st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_windows_or_classes(case, random):
    n_classes, true, predicted = case
    order = list(range(len(true)))
    random.shuffle(order)
    names = list(range(n_classes))
    random.shuffle(names)
    renamed = np.array(names)
    moved = scored(n_classes, renamed[true[order]], renamed[predicted[order]])
    first = scored(*case)
    for name in METRICS:
        assert getattr(moved, name) == near(getattr(first, name))


@given(labelled())
def test_all_right_is_one_and_json_keeps_everything(case):
    n_classes, true, _ = case
    perfect = scored(n_classes, true, true)
    assert perfect.nf == perfect.macro_f1 == perfect.accuracy == perfect.balanced_accuracy == 1.0
    scores = scored(*case, null=0)
    text = json.dumps(scores.to_json(), allow_nan=False)
    assert Scores.from_json(json.loads(text)) == scores


def test_a_case_by_hand():
    # NULL 6 of 10 windows, 5 right; a: 3, 2 right; b: 1, taken for a; c: absent.
    matrix = [[5, 1, 0, 0], [1, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    scores = score(matrix, ["NULL", "a", "b", "c"], null=0)
    assert scores.precision == near((5 / 6, 2 / 4, 0.0, 0.0))
    assert scores.recall == near((5 / 6, 2 / 3, 0.0, 0.0))
    assert scores.f1 == near((5 / 6, 4 / 7, 0.0, 0.0))
    assert scores.support == (6, 3, 1, 0)
    assert scores.nf == near(0.6 * 5 / 6 + 0.3 * 4 / 7)
    assert scores.macro_f1 == near((5 / 6 + 4 / 7) / 3)
    assert scores.accuracy == near(0.7)
    assert scores.balanced_accuracy == near((5 / 6 + 2 / 3) / 3)
    assert scores.nf_without_null == near(0.75 * 4 / 7)


def test_a_wrongly_predicted_absent_class_costs_no_share_of_macro_f1():
    scores = score([[3, 0, 1], [0, 4, 0], [0, 0, 0]], "abc")
    assert scores.macro_f1 == near((6 / 7 + 1) / 2)


def test_all_wrong_is_zero():
    scores = score([[0, 4], [5, 0]], "ab", null=0)
    values = [getattr(scores, name) for name in METRICS]
    assert values == [0.0] * 5


def test_one_class():
    scores = score([[7]], ["walk"])
    assert scores.nf == scores.macro_f1 == scores.accuracy == scores.nf_without_null == 1.0
    assert score([[7]], ["NULL"], null=0).nf_without_null is None


@pytest.mark.parametrize(
    ("matrix", "classes", "null", "said"),
    [
        ([[0, 0], [0, 0]], "ab", None, "no window to score"),
        ([[1, 0], [0, 1]], "abc", None, r"shape \(2, 2\) for 3 classes"),
        ([[1, 0, 0], [0, 1, 0]], "ab", None, r"shape \(2, 3\) for 2 classes"),
        ([[1, -1], [0, 1]], "ab", None, "integers from 0 on"),
        ([[0.5, 0.5], [0.0, 1.0]], "ab", None, "integers from 0 on"),
        ([[1, 0], [0, 1]], "ab", 2, r"NULL class 2 is not in 0 \.\. 1"),
        ([[1, 0], [0, 1]], "ab", -1, r"NULL class -1 is not in 0 \.\. 1"),
        (np.zeros((0, 0), dtype=int), "", None, "no window to score"),
    ],
)
def test_refuses(matrix, classes, null, said):
    with pytest.raises(ValueError, match=said):
        score(matrix, classes, null)


@pytest.mark.parametrize(("share", "nf"), [(0.7544, 0.649), (0.80, 0.711), (0.83, 0.753)])
def test_what_guessing_null_reaches_on_opportunity(share, nf):
    null = round(share * 10_000)
    scores = always_commonest([null, 10_000 - null], ["NULL", "gesture"], null=0)
    assert scores.nf == near(2 * share**2 / (1 + share))
    assert round(scores.nf, 3) == nf
    assert scores.accuracy == near(share)
    assert scores.nf_without_null == 0.0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=18).filter(any))
def test_always_commonest_follows_the_formula(supports):
    scores = always_commonest(supports)
    share = max(supports) / sum(supports)
    assert scores.nf == near(2 * share**2 / (1 + share))
    assert scores.macro_f1 == near(2 * share / (1 + share) / np.count_nonzero(supports))
    assert scores.balanced_accuracy == near(1 / np.count_nonzero(supports))
    assert scores.support == tuple(supports)


@pytest.mark.parametrize("supports", [[], [0, 0], [[1, 2]], [0.5, 0.5], [3, -1]])
def test_always_commonest_refuses(supports):
    with pytest.raises(ValueError, match=r"one integer a class|no window|integers from 0"):
        always_commonest(supports)


def test_from_json_refuses_what_are_no_scores():
    good = score([[3, 1], [0, 2]], "ab").to_json()
    with pytest.raises(ValueError, match="'nf'"):
        Scores.from_json({key: value for key, value in good.items() if key != "nf"})
    with pytest.raises(ValueError, match="'other'"):
        Scores.from_json({**good, "other": 1})
    with pytest.raises(ValueError, match="lists of"):
        Scores.from_json({**good, "f1": [0.5]})


def test_every_metric_is_a_score_and_can_be_found():
    scores = score([[3, 1], [0, 2]], "ab")
    for name, metric in METRICS.items():
        assert math.isfinite(getattr(scores, name))
        assert find_metric(name) is metric
        assert metric.name == name
        assert metric.definition.endswith(".")
    with pytest.raises(ConfigError, match="did you mean 'macro_f1'") as caught:
        find_metric("macrof1")
    assert caught.value.where == "--metric"
