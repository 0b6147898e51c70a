"""Two models that do not look at the windows: what any other must beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench

if TYPE_CHECKING:
    from sklearn.dummy import DummyClassifier

SCIKIT_LEARN = harbench.Citation(
    text="Pedregosa, F., Varoquaux, G., Gramfort, A., et al.: Scikit-learn: Machine Learning in "
    "Python. Journal of Machine Learning Research 12, 2825-2830 (2011)",
    url="https://www.jmlr.org/papers/v12/pedregosa11a.html",
)


def majority(n_channels: int, n_times: int, n_classes: int) -> DummyClassifier:
    """Always the commonest class of the training windows, the lowest number on a tie.

    The probabilities are the shares of the classes among the training windows.
    """
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def stratified(n_channels: int, n_times: int, n_classes: int) -> DummyClassifier:
    """A class drawn at random, as often as it is among the training windows.

    The class that is drawn has the probability 1.
    """
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="stratified")


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``majority`` and ``stratified``."""
    register(
        harbench.Model(
            name="majority",
            summary="always the commonest class of the training windows",
            build=majority,
            recipe=None,
            kind="estimator",
            citation=SCIKIT_LEARN,
            notes=(
                "Its NF is far above 0 where one class, such as NULL, is common; its macro F1 is "
                "1 / n_classes at most.",
            ),
        )
    )
    register(
        harbench.Model(
            name="stratified",
            summary="a random class, each as often as among the training windows",
            build=stratified,
            recipe=None,
            kind="estimator",
            citation=SCIKIT_LEARN,
            notes=("What it says of a window depends on the window's place among the others.",),
        )
    )
