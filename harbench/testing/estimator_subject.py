"""An estimator under check: built and fitted as harbench does it, once for all checks."""

from __future__ import annotations

import random
import sys
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench.testing.checks import NotCheckedError
from harbench.testing.model_checks import ModelSubject
from harbench.testing.toy_windows import N_CLASSES, toy_windows

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

N_WINDOWS = 60


class EstimatorSubject(ModelSubject):
    """A model whose builder gives an estimator."""

    def build(self, n_channels: int, n_times: int, n_classes: int, *, seed: int = 0) -> Any:
        """The estimator as harbench builds it, with its ``random_state`` set where it is None."""
        _seed_all(seed)
        estimator = self.thing.build(n_channels, n_times, n_classes)
        get = getattr(estimator, "get_params", None)
        if callable(get):
            unset = [
                name
                for name, value in get().items()
                if value is None and name.split("__")[-1] == "random_state"
            ]
            estimator.set_params(**dict.fromkeys(unset, seed))
        return estimator

    def fitted(self, x: Floats, y: Labels, n_classes: int = N_CLASSES, *, seed: int = 0) -> Any:
        """Built for the windows and fitted to copies of them."""
        estimator = self.build(x.shape[1], x.shape[2], n_classes, seed=seed)
        _seed_all(seed)
        estimator.fit(x.copy(), y.copy())
        return estimator

    @cached_property
    def seen(self) -> tuple[Floats, Labels]:
        """Windows to fit to, and their classes."""
        return toy_windows(N_WINDOWS, self.window, seed=2)

    @cached_property
    def unseen(self) -> tuple[Floats, Labels]:
        """Others of the same kind."""
        return toy_windows(N_WINDOWS, self.window, seed=3)

    @cached_property
    def _first(self) -> Any:
        try:
            estimator = self.fitted(*self.seen)
            found = estimator.predict_proba(self.unseen[0].copy())
            if found.shape == (N_WINDOWS, len(estimator.classes_)):
                return estimator
        except (Exception, SystemExit):  # noqa: BLE001 - the check of it says what
            pass
        return None

    def estimator(self) -> Any:
        """Fitted to the toy windows, and known to predict.

        Raises:
            NotCheckedError: it does not; the check ``predicts`` says why.
        """
        if self._first is None:
            raise NotCheckedError("it predicts nothing to look at; see predicts")
        return self._first


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
