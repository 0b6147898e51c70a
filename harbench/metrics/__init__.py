"""Metrics: one confusion matrix -> every score; predictions of windows -> samples and events; and
scores of many cells -> mean and interval."""

from harbench.metrics.confusion import confusion
from harbench.metrics.intervals import Summary, summarise
from harbench.metrics.sampled import sample_scores
from harbench.metrics.scores import (
    METRICS,
    SAMPLE_METRICS,
    Metric,
    Scores,
    always_commonest,
    find_metric,
    score,
)

__all__ = [
    "METRICS",
    "SAMPLE_METRICS",
    "Metric",
    "Scores",
    "Summary",
    "always_commonest",
    "confusion",
    "find_metric",
    "sample_scores",
    "score",
    "summarise",
]
