"""Which scores ``--metric`` means, and which of them plugins bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harbench.nouns import Score


def chosen_metrics(names: Sequence[str] | None) -> tuple[list[str], list[Score]]:
    """The scores of a table, each once, and those of plugins among them.

    Args:
        names: As given; None or empty are those that a table has by itself.

    Raises:
        ConfigError: there is no such score.
    """
    from harbench.cli.context import registry
    from harbench.metrics import METRICS, SAMPLE_METRICS, find_metric
    from harbench.report.table import DEFAULT_METRICS

    metrics = list(dict.fromkeys(names or DEFAULT_METRICS))
    # Plugins are loaded for a name that is none of harbench's own.
    built_in = METRICS.keys() | SAMPLE_METRICS.keys()
    scores = () if built_in.issuperset(metrics) else tuple(registry().scores)
    for name in metrics:
        find_metric(name, of_samples=True, added=scores)
    return metrics, [score for score in scores if score.name in metrics]
