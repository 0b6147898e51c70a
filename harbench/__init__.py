"""harbench: benchmarks for wearable human activity recognition.

``import harbench`` costs nothing: each public name is imported when it is first asked for, so
that a command which needs no torch never pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "hookimpl": "harbench.hookspecs",
    "HarbenchError": "harbench.errors",
    "DataError": "harbench.errors",
    "DataMissingError": "harbench.errors",
    "ModelError": "harbench.errors",
    "Analysis": "harbench.nouns",
    "AnalysisResult": "harbench.nouns",
    "Archive": "harbench.nouns",
    "Augmentation": "harbench.nouns",
    "CellEnd": "harbench.nouns",
    "CellFacts": "harbench.nouns",
    "Channel": "harbench.nouns",
    "Citation": "harbench.nouns",
    "Command": "harbench.nouns",
    "Counts": "harbench.nouns",
    "Dataset": "harbench.nouns",
    "EpochEnd": "harbench.nouns",
    "Estimator": "harbench.nouns",
    "Loss": "harbench.nouns",
    "Member": "harbench.nouns",
    "Model": "harbench.nouns",
    "Predicted": "harbench.nouns",
    "PublishedResult": "harbench.nouns",
    "Recipe": "harbench.nouns",
    "Recording": "harbench.nouns",
    "RunEnd": "harbench.nouns",
    "Score": "harbench.nouns",
    "Source": "harbench.nouns",
    "SourceFile": "harbench.nouns",
    "Task": "harbench.nouns",
    "TrainingBatch": "harbench.nouns",
}

if TYPE_CHECKING:
    from harbench.errors import DataError as DataError
    from harbench.errors import DataMissingError as DataMissingError
    from harbench.errors import HarbenchError as HarbenchError
    from harbench.errors import ModelError as ModelError
    from harbench.hookspecs import hookimpl as hookimpl
    from harbench.nouns import Analysis as Analysis
    from harbench.nouns import AnalysisResult as AnalysisResult
    from harbench.nouns import Archive as Archive
    from harbench.nouns import Augmentation as Augmentation
    from harbench.nouns import CellEnd as CellEnd
    from harbench.nouns import CellFacts as CellFacts
    from harbench.nouns import Channel as Channel
    from harbench.nouns import Citation as Citation
    from harbench.nouns import Command as Command
    from harbench.nouns import Counts as Counts
    from harbench.nouns import Dataset as Dataset
    from harbench.nouns import EpochEnd as EpochEnd
    from harbench.nouns import Estimator as Estimator
    from harbench.nouns import Loss as Loss
    from harbench.nouns import Member as Member
    from harbench.nouns import Model as Model
    from harbench.nouns import Predicted as Predicted
    from harbench.nouns import PublishedResult as PublishedResult
    from harbench.nouns import Recipe as Recipe
    from harbench.nouns import Recording as Recording
    from harbench.nouns import RunEnd as RunEnd
    from harbench.nouns import Score as Score
    from harbench.nouns import Source as Source
    from harbench.nouns import SourceFile as SourceFile
    from harbench.nouns import Task as Task
    from harbench.nouns import TrainingBatch as TrainingBatch


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'harbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
