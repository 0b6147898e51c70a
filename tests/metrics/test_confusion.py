"""The confusion matrix against scikit-learn, and what it refuses."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from harbench.metrics import confusion


def test_rows_are_true_classes():
    matrix = confusion([0, 0, 1, 2], [0, 1, 1, 0], 4)
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix.dtype == np.int64


@given(
    st.integers(1, 20).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(
                st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1, max_size=200
            ),
        )
    )
)
def test_equals_scikit_learn(case):
    n_classes, pairs = case
    true, predicted = np.array(pairs).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "A single label was found"
        expected = confusion_matrix(true, predicted, labels=range(n_classes))
    assert np.array_equal(confusion(true, predicted, n_classes), expected)


def test_many_classes_in_16_bits_do_not_overflow():
    # 299 * 300 + 299 does not fit into an int16.
    top = np.full(5, 299, dtype=np.int16)
    matrix = confusion(top, top, 300)
    assert matrix[299, 299] == 5
    assert matrix.sum() == 5


@pytest.mark.parametrize(
    ("true", "predicted", "n_classes", "said"),
    [
        ([], [], 3, "no window to score"),
        ([0, 1], [0], 3, "2 true classes but 1 predicted ones"),
        ([0, 3], [0, 1], 3, "true class 3 is not in 0 .. 2"),
        ([0, -1], [0, 1], 3, "true class -1 is not in 0 .. 2"),
        ([0, 1], [0, 7], 3, "predicted class 7 is not in 0 .. 2"),
        ([0.0, 1.0], [0, 1], 3, "of type float64, expected integers"),
        ([True, False], [0, 1], 3, "of type bool, expected integers"),
        ([[0, 1]], [[0, 1]], 3, r"true classes have shape \(1, 2\)"),
        ([0], [0], 0, "a task needs at least 1 class"),
    ],
)
def test_refuses(true, predicted, n_classes, said):
    with pytest.raises(ValueError, match=said):
        confusion(true, predicted, n_classes)
