"""One cell of an estimator, from a prepared fold to stored truth: build, fit, predict."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from harbench.data.prepared import PreparedFold
from harbench.data.windows import Windows
from harbench.errors import HarbenchError, ModelError
from harbench.metrics import confusion, score
from harbench.nouns import Estimator, Model
from harbench.training.curve import Epoch, Training
from harbench.training.memory import refuse_too_much
from harbench.training.seeds import be_deterministic, seed_everything


@dataclass(frozen=True)
class FittedModel:
    """A fitted estimator and what it said about the test windows.

    Args:
        estimator: As fitted.
        probabilities: float32 [n_test_windows, n_classes]; 0 for classes that it was not shown.
        training: One epoch: the fit, with the scores of the validation windows.
        fit_seconds: What the fit took.
    """

    estimator: Estimator
    probabilities: NDArray[np.float32]
    training: Training
    fit_seconds: float

    @property
    def predicted(self) -> NDArray[np.int64]:
        """int64 [n_test_windows], the most probable class; the lowest number on a tie."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """Nothing: only a pickle could bring an estimator back, and none is ever loaded."""
        return {}


def build_estimator(
    model: Model,
    n_channels: int,
    n_times: int,
    n_classes: int,
    options: Mapping[str, Any],
    seed: int,
) -> Estimator:
    """The estimator, not fitted; all that is random in it depends on the seed alone.

    Every ``random_state`` of ``get_params()`` that is None becomes the seed, and every ``n_jobs``
    becomes 1: cells run side by side, each on a thread of its own.

    Raises:
        ModelError: the builder raised, or did not return an estimator.
    """
    seed_everything(seed, "estimator")
    try:
        estimator = model.build(n_channels, n_times, n_classes, **options)
        if all(callable(getattr(estimator, name, None)) for name in ("fit", "predict_proba")):
            _seed(estimator, seed)
            return estimator  # type: ignore[no-any-return]
    except HarbenchError:
        raise
    except Exception as error:
        raise ModelError(
            f"model '{model.name}' cannot be built for {n_channels} channels, {n_times} samples, "
            f"{n_classes} classes: {type(error).__name__}: {error}"
        ) from error
    raise ModelError(
        f"the builder of model '{model.name}' returned {type(estimator).__name__}",
        expected="an object with the methods fit(x, y) and predict_proba(x)",
    )


def _seed(estimator: Any, seed: int) -> None:
    if not callable(getattr(estimator, "get_params", None)):
        return
    changed: dict[str, int] = {}
    for name, value in estimator.get_params(deep=True).items():
        last = name.rpartition("__")[2]
        if last == "random_state" and value is None:
            changed[name] = seed
        elif last == "n_jobs" and value not in (None, 1):
            changed[name] = 1
    if changed:
        estimator.set_params(**changed)


def windows_of(data: PreparedFold, part: Windows) -> NDArray[np.float32]:
    """float32 [n_windows, n_channels, n_times]: a copy of all windows of a part.

    Raises:
        ModelError: they do not fit into the memory that is free.
    """
    n_channels = data.signals.shape[1]
    shape = (len(part), n_channels, data.length)
    refuse_too_much(4 * len(part) * n_channels * data.length, shape)
    every = np.lib.stride_tricks.sliding_window_view(data.signals, data.length, axis=0)
    return np.ascontiguousarray(every[part.starts], np.float32)


def fit_cell(
    model: Model, data: PreparedFold, options: Mapping[str, Any], seed: int
) -> FittedModel:
    """Fit one estimator to the training windows of one fold with one seed; let it predict.

    Validation windows are scored and choose nothing. The same seed on the same machine gives the
    same bits.

    Raises:
        ModelError: the windows do not fit into memory; the estimator cannot be built, or what it
            says are no probabilities.
    """
    be_deterministic()
    shape = (data.signals.shape[1], data.length, data.n_classes)
    with threadpool_limits(limits=1):
        estimator = build_estimator(model, *shape, options, seed)
        x, y = windows_of(data, data.train), np.array(data.train.labels, np.int64)
        begin = time.perf_counter()
        estimator.fit(x, y)
        fit_seconds = time.perf_counter() - begin
        del x
        probabilities = probabilities_of(
            model, estimator, windows_of(data, data.test), data.n_classes
        )
        validation = _validation(model, estimator, data)
    curve = (Epoch(1, math.nan, math.nan, validation),)
    training = Training(curve, kept_epoch=1, stopped_early=False)
    return FittedModel(estimator, probabilities, training, fit_seconds)


def _validation(model: Model, estimator: Estimator, data: PreparedFold) -> dict[str, float]:
    """ "nf", "macro_f1" and "accuracy"; empty without windows."""
    if len(data.validation) == 0:
        return {}
    x = windows_of(data, data.validation)
    predicted = probabilities_of(model, estimator, x, data.n_classes).argmax(axis=1)
    matrix = confusion(data.validation.labels, predicted, data.n_classes)
    scores = score(matrix, tuple(map(str, range(data.n_classes))), None)
    return {"nf": scores.nf, "macro_f1": scores.macro_f1, "accuracy": scores.accuracy}


def probabilities_of(
    model: Model, estimator: Estimator, x: NDArray[np.float32], n_classes: int
) -> NDArray[np.float32]:
    """float32 [n_windows, n_classes] of a fitted estimator, classes that it does not know at 0.

    Raises:
        ModelError: it names classes that it was not shown, or its rows are no probabilities.
    """
    known = np.asarray(getattr(estimator, "classes_", ()))
    if (
        known.ndim != 1
        or known.dtype.kind not in "iu"
        or not len(known)
        or len(set(known.tolist())) != len(known)
        or known.min() < 0
        or known.max() >= n_classes
    ):
        raise ModelError(
            f"model '{model.name}' has fitted to the classes {known.tolist()}",
            where="classes_",
            expected=f"each once, whole numbers from 0 to {n_classes - 1}",
        )
    if not len(x):
        return np.zeros((0, n_classes), np.float32)
    said = np.asarray(estimator.predict_proba(x))
    if said.shape != (len(x), len(known)):
        raise ModelError(
            f"model '{model.name}' returned probabilities {list(said.shape)}",
            where="predict_proba",
            expected=f"{[len(x), len(known)]}: a row a window, a column for each of classes_",
        )
    # Sums in float32 are off by 1e-6; one per mille is no rounding.
    sums_to_1 = np.abs(said.sum(axis=1) - 1) < 1e-3
    if not (np.isfinite(said).all() and said.min() >= 0 and sums_to_1.all()):
        raise ModelError(
            f"what model '{model.name}' returned are no probabilities",
            where="predict_proba",
            expected="finite numbers of at least 0 whose sum is 1 in each row",
        )
    found = np.zeros((len(x), n_classes), np.float32)
    found[:, known] = said
    return found
