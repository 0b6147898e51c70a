"""The nouns: one word for one thing, in code, YAML, command line and docs.

Each name is imported when it is first asked for: settings need pydantic only, and must not pay
for the numpy that recordings need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harbench.nouns.analysis import (
        Analysis,
        AnalysisResult,
        LoadedCell,
        TrainedCell,
        Trainer,
        Variant,
    )
    from harbench.nouns.command import Command
    from harbench.nouns.dataset import (
        Archive,
        Channel,
        Citation,
        Dataset,
        Member,
        Recording,
        Source,
        SourceFile,
        Task,
    )
    from harbench.nouns.model import Counts, Estimator, Model, PublishedResult
    from harbench.nouns.observing import CellEnd, CellFacts, EpochEnd, RunEnd
    from harbench.nouns.protocol import (
        BlockSplit,
        FixedSplit,
        GroupSplit,
        LeaveOneOutSplit,
        Protocol,
        RandomWindowSplit,
        Split,
    )
    from harbench.nouns.recipe import Cosine, Method, Plateau, Recipe, Step
    from harbench.nouns.score import Predicted, Score
    from harbench.nouns.training import Augmentation, Loss, TrainingBatch

_HOME = {
    "Analysis": "analysis",
    "AnalysisResult": "analysis",
    "Archive": "dataset",
    "Augmentation": "training",
    "BlockSplit": "protocol",
    "CellEnd": "observing",
    "CellFacts": "observing",
    "Channel": "dataset",
    "Citation": "dataset",
    "Command": "command",
    "Cosine": "recipe",
    "Counts": "model",
    "Dataset": "dataset",
    "EpochEnd": "observing",
    "Estimator": "model",
    "FixedSplit": "protocol",
    "GroupSplit": "protocol",
    "LeaveOneOutSplit": "protocol",
    "LoadedCell": "analysis",
    "Loss": "training",
    "Member": "dataset",
    "Method": "recipe",
    "Model": "model",
    "Plateau": "recipe",
    "Predicted": "score",
    "Protocol": "protocol",
    "PublishedResult": "model",
    "RandomWindowSplit": "protocol",
    "Recipe": "recipe",
    "Recording": "dataset",
    "RunEnd": "observing",
    "Score": "score",
    "Source": "dataset",
    "SourceFile": "dataset",
    "Split": "protocol",
    "Step": "recipe",
    "Task": "dataset",
    "TrainedCell": "analysis",
    "Trainer": "analysis",
    "TrainingBatch": "training",
    "Variant": "analysis",
}

__all__ = [
    "Analysis",
    "AnalysisResult",
    "Archive",
    "Augmentation",
    "BlockSplit",
    "CellEnd",
    "CellFacts",
    "Channel",
    "Citation",
    "Command",
    "Cosine",
    "Counts",
    "Dataset",
    "EpochEnd",
    "Estimator",
    "FixedSplit",
    "GroupSplit",
    "LeaveOneOutSplit",
    "LoadedCell",
    "Loss",
    "Member",
    "Method",
    "Model",
    "Plateau",
    "Predicted",
    "Protocol",
    "PublishedResult",
    "RandomWindowSplit",
    "Recipe",
    "Recording",
    "RunEnd",
    "Score",
    "Source",
    "SourceFile",
    "Split",
    "Step",
    "Task",
    "TrainedCell",
    "Trainer",
    "TrainingBatch",
    "Variant",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
