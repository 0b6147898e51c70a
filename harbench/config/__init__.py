"""The config room: benchmarks.yaml <-> typed, checked settings.

It needs pydantic and PyYAML only, so that a mistake in the file is told at once. Whether there
is a model or a dataset of a name is for :mod:`harbench.plan` to say, which has the plugins.
"""

from harbench.config.cluster import ClusterSettings, TlsFiles
from harbench.config.loading import dump, load, loads, select
from harbench.config.schema import json_schema
from harbench.config.settings import (
    AnalysisEntry,
    Benchmark,
    BenchmarkFile,
    ModelEntry,
    merge_recipe,
)

__all__ = [
    "AnalysisEntry",
    "Benchmark",
    "BenchmarkFile",
    "ClusterSettings",
    "ModelEntry",
    "TlsFiles",
    "dump",
    "json_schema",
    "load",
    "loads",
    "merge_recipe",
    "select",
]
