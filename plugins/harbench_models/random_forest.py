"""The random forest of Breiman (2001), on statistics of the windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench_models.checks import check_choice, check_whole

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def build(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    trees: int = 100,
    smallest_leaf: int = 1,
    class_weights: str = "none",
) -> Pipeline:
    """Mean of the class shares that trees say, each grown on a bootstrap of the windows.

    Args:
        n_channels, n_times, n_classes: Of the windows; any will do.
        trees: How many.
        smallest_leaf: Fewest training windows of a leaf.
        class_weights: ``none``, or ``balanced``: n_windows / (n_classes * windows of the class).

    Raises:
        ModelError: an option is not what it may be.
    """
    check_whole("random-forest", trees=trees, smallest_leaf=smallest_leaf)
    check_choice("random-forest", "class_weights", class_weights, ("none", "balanced"))
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    from harbench_models.window_statistics import statistics_step

    forest = RandomForestClassifier(
        n_estimators=trees,
        min_samples_leaf=smallest_leaf,
        class_weight=None if class_weights == "none" else class_weights,
    )
    return make_pipeline(statistics_step(), forest)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``random-forest``."""
    register(
        harbench.Model(
            name="random-forest",
            summary="a random forest on statistics of each channel",
            build=build,
            recipe=None,
            kind="estimator",
            citation=harbench.Citation(
                text="Breiman, L.: Random Forests. Machine Learning 45(1), 5-32 (2001)",
                doi="10.1023/A:1010933404324",
            ),
            notes=(
                "A tree's nodes are no parameters, and it compares instead of multiplying: its "
                "size in bytes says what it holds.",
            ),
        )
    )
