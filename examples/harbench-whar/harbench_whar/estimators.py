"""Builds a classifier of whar-models: scikit-learn on tsfresh features of each window."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench_whar.library import check_source, settings_of


class WharClassifier:
    """A classical model of whar-models behind scikit-learn's two methods.

    Args:
        model: What whar-models built, not fitted.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.classes_: NDArray[np.int64] = np.empty(0, np.int64)

    def fit(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> WharClassifier:
        """Learn from windows [n_windows, n_channels, n_times] and their classes [n_windows]."""
        self._model.fit(np.ascontiguousarray(x), y)
        self.classes_ = np.asarray(self._model.estimator.classes_, np.int64)
        return self

    def predict_proba(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """[n_windows, n_known], a column for each of ``classes_``; rows sum to 1."""
        scores = np.asarray(self._model.decision_scores(np.ascontiguousarray(x)), np.float64)
        # Theirs are logarithms of probabilities, or decision values: softmax undoes the first
        # exactly and keeps the order of the second.
        scores = scores[:, self.classes_]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings of the classifier behind the features."""
        return dict(self._model.estimator.get_params(deep=deep))

    def set_params(self, **settings: Any) -> WharClassifier:
        """Change settings of the classifier behind the features."""
        self._model.estimator.set_params(**settings)
        return self


def build_estimator(
    model: str,
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    settings: str = "",
    source: str = "",
) -> WharClassifier:
    """A classifier, not fitted.

    Args:
        model: As whar-models calls it: ``knn``, ``random_forest`` or ``svm``.
        n_channels: Channels of the windows.
        n_times: Samples of a window.
        n_classes: Classes of the task.
        settings: Handed to scikit-learn's classifier: ``"n_neighbors: 3"``.
        source: Of the model's files; anything but the installed one is refused.

    Raises:
        ModelError: whar-models is not installed.
    """
    check_source(model, source)
    from whar_models import WHARModelID, build_model

    # tsfresh tells of every call.
    logging.getLogger("tsfresh").setLevel(logging.WARNING)
    # Several threads add up trees in any order: the last bit would differ from run to run.
    seeded = {"random_state": None, "n_jobs": 1} if model == "random_forest" else {}
    return WharClassifier(
        build_model(
            WHARModelID(model),
            input_channels=n_channels,
            window_length=n_times,
            num_classes=n_classes,
            **{**seeded, **settings_of(model, settings)},
        )
    )
