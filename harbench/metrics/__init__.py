"""Metrics: one confusion matrix -> every score, and scores of many cells -> mean and interval."""

from harbench.metrics.confusion import confusion
from harbench.metrics.intervals import Summary, summarise
from harbench.metrics.scores import METRICS, Metric, Scores, always_commonest, find_metric, score

__all__ = [
    "METRICS",
    "Metric",
    "Scores",
    "Summary",
    "always_commonest",
    "confusion",
    "find_metric",
    "score",
    "summarise",
]
