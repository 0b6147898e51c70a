"""Multinomial logistic regression (Cox 1958) on standardised statistics of the windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import harbench
from harbench_models.checks import check_choice

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def build(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    c: float = 1.0,
    class_weights: str = "none",
) -> Pipeline:
    """A linear classifier with an L2 penalty.

    Args:
        n_channels, n_times, n_classes: Of the windows; any will do.
        c: Inverse strength of the penalty (scikit-learn's C).
        class_weights: ``none``, or ``balanced``: n_windows / (n_classes * windows of the class).

    Raises:
        ModelError: an option is not what it may be.
    """
    if isinstance(c, bool) or not isinstance(c, int | float) or not c > 0:
        raise harbench.ModelError(
            f"option c is {c!r}", where="model 'logistic-regression'", expected="a number above 0"
        )
    check_choice("logistic-regression", "class_weights", class_weights, ("none", "balanced"))
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from harbench_models.window_statistics import statistics_step

    classifier = LogisticRegression(
        C=c,
        max_iter=1000,
        class_weight=None if class_weights == "none" else class_weights,
    )
    return make_pipeline(statistics_step(), StandardScaler(), classifier)


def counts(fitted: Any) -> harbench.Counts:
    """Coefficients and intercepts; a multiply-accumulate for each coefficient."""
    classifier = fitted[-1]
    return harbench.Counts(
        parameters=int(classifier.coef_.size + classifier.intercept_.size),
        macs=int(classifier.coef_.size),
        note="coefficients and intercepts; the statistics before them are not among the MACs",
    )


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``logistic-regression``."""
    register(
        harbench.Model(
            name="logistic-regression",
            summary="logistic regression on standardised statistics of each channel",
            build=build,
            recipe=None,
            kind="estimator",
            counts=counts,
            citation=harbench.Citation(
                text="Cox, D.R.: The Regression Analysis of Binary Sequences. Journal of the Royal "
                "Statistical Society, Series B 20(2), 215-242 (1958)",
                doi="10.1111/j.2517-6161.1958.tb00292.x",
            ),
        )
    )
