"""MiniRocket of Dempster, Schmidt and Webb (KDD 2021): convolution kernels that are not trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import harbench
from harbench_models.checks import check_whole, check_window
from harbench_models.random_kernels import LENGTH, N_KERNELS, RandomKernels, fit_kernels


class MiniRocket:
    """Features of random kernels, standardised, and a logistic regression on them.

    The paper takes a ridge classifier for small training sets and a logistic regression for
    large ones. Here it is always the second: a ridge classifier has no probabilities, and a
    softmax of its decision values would be none.

    Args:
        n_features: About so many features; a multiple of 84.
        c: Inverse strength of the logistic regression's L2 penalty.
        random_state: Seed of the kernels; None draws one from NumPy's global generator.
    """

    kernels_: RandomKernels
    classes_: NDArray[np.int64]

    def __init__(self, n_features: int, c: float, random_state: int | None = None) -> None:
        self.n_features = n_features
        self.c = c
        self.random_state = random_state

    def __repr__(self) -> str:
        return f"MiniRocket(n_features={self.n_features}, c={self.c})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """As scikit-learn's estimators have it."""
        return {"n_features": self.n_features, "c": self.c, "random_state": self.random_state}

    def set_params(self, **values: Any) -> Self:
        """As scikit-learn's estimators have it."""
        for name, value in values.items():
            setattr(self, name, value)
        return self

    def fit(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        """Learn from windows [n_windows, n_channels, n_times] and their classes."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        seed = self.random_state
        if seed is None:
            seed = int(np.random.randint(2**31))
        self.kernels_ = fit_kernels(x, self.n_features, np.random.default_rng(seed))
        self._scaler = StandardScaler(copy=False)
        features = self._scaler.fit_transform(self.kernels_.features(x))
        # Ten thousand features, all alike: what a finer tolerance adds is time.
        self.linear_ = LogisticRegression(C=self.c, tol=1e-3, max_iter=1000).fit(features, y)
        self.classes_ = self.linear_.classes_
        return self

    def predict_proba(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n_windows, n_known]: probabilities of the logistic regression."""
        features = self._scaler.transform(self.kernels_.features(x))
        found: NDArray[np.float32] = self.linear_.predict_proba(features)
        return found


def build(
    n_channels: int, n_times: int, n_classes: int, *, features: int = 10_000, c: float = 0.001
) -> MiniRocket:
    """84 kernels at several dilations with many biases each, and a linear classifier.

    Args:
        n_channels: Of the windows.
        n_times: Samples of a window, at least 9.
        n_classes: Any number.
        features: About so many, at least 84: rounded down to a multiple of 84, as 10,000 is to
            9,996.
        c: Inverse strength of the classifier's L2 penalty. The default is the best of 0.0001,
            0.001 and 0.01 on the validation subjects of ``spar``.

    Raises:
        ModelError: fewer than 9 samples, or an option is not what it may be.
    """
    check_whole("minirocket", features=features)
    if features < N_KERNELS:
        raise harbench.ModelError(
            f"option features is {features}", where="model 'minirocket'", expected="84 or more"
        )
    if isinstance(c, bool) or not isinstance(c, int | float) or not c > 0:
        raise harbench.ModelError(
            f"option c is {c!r}", where="model 'minirocket'", expected="a number above 0"
        )
    check_window("minirocket", n_times, LENGTH)
    return MiniRocket(features, c)


def counts(fitted: MiniRocket) -> harbench.Counts:
    """Biases, coefficients and intercepts; a multiply-accumulate for each coefficient."""
    linear = fitted.linear_
    return harbench.Counts(
        parameters=int(linear.coef_.size + linear.intercept_.size + fitted.kernels_.n_features),
        macs=int(linear.coef_.size),
        note=(
            "biases, coefficients and intercepts; its convolutions, whose weights of -1 and 2 need "
            "additions only, are not among the MACs"
        ),
    )


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``minirocket``."""
    register(
        harbench.Model(
            name="minirocket",
            summary="10,000 features of fixed convolution kernels and a linear classifier",
            build=build,
            recipe=None,
            kind="estimator",
            counts=counts,
            citation=harbench.Citation(
                text="Dempster, A., Schmidt, D.F., Webb, G.I.: MiniRocket: A Very Fast (Almost) "
                "Deterministic Transform for Time Series Classification. In: KDD 2021, "
                "pp. 248-257 (2021)",
                doi="10.1145/3447548.3467231",
                url="https://arxiv.org/abs/2012.08791",
            ),
            min_times=LENGTH,
            notes=(
                "Written from the paper, which is of one channel; of several, each kernel looks at "
                "the sum of a random set of at most nine.",
                "The classifier is a logistic regression, which has probabilities; the paper takes "
                "a ridge classifier for small training sets.",
            ),
        )
    )
