"""The k nearest neighbours of Cover and Hart (1967), on statistics of the windows."""

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
    neighbours: int = 5,
    weights: str = "uniform",
) -> Pipeline:
    """Vote of the training windows whose standardised statistics are nearest (Euclidean).

    Args:
        n_channels, n_times, n_classes: Of the windows; any will do.
        neighbours: How many vote.
        weights: ``uniform``, or ``distance``: the inverse distance is the weight of a vote.

    Raises:
        ModelError: an option is not what it may be.
    """
    check_whole("knn", neighbours=neighbours)
    check_choice("knn", "weights", weights, ("uniform", "distance"))
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from harbench_models.window_statistics import statistics_step

    classifier = KNeighborsClassifier(n_neighbors=neighbours, weights=weights)
    return make_pipeline(statistics_step(), StandardScaler(), classifier)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``knn``."""
    register(
        harbench.Model(
            name="knn",
            summary="k nearest neighbours by statistics of each channel",
            build=build,
            recipe=None,
            kind="estimator",
            citation=harbench.Citation(
                text="Cover, T., Hart, P.: Nearest Neighbor Pattern Classification. IEEE "
                "Transactions on Information Theory 13(1), 21-27 (1967)",
                doi="10.1109/TIT.1967.1053964",
            ),
            notes=("It holds all its training windows: its size and latency grow with them.",),
        )
    )
