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
    from harbench.nouns.model import Model, PublishedResult
    from harbench.nouns.protocol import (
        BlockSplit,
        FixedSplit,
        GroupSplit,
        LeaveOneOutSplit,
        Protocol,
        RandomWindowSplit,
        Split,
    )
    from harbench.nouns.recipe import Cosine, Plateau, Recipe, Step

_HOME = {
    "Analysis": "analysis",
    "AnalysisResult": "analysis",
    "Archive": "dataset",
    "BlockSplit": "protocol",
    "Channel": "dataset",
    "Citation": "dataset",
    "Cosine": "recipe",
    "Dataset": "dataset",
    "FixedSplit": "protocol",
    "GroupSplit": "protocol",
    "LeaveOneOutSplit": "protocol",
    "LoadedCell": "analysis",
    "Member": "dataset",
    "Model": "model",
    "Plateau": "recipe",
    "Protocol": "protocol",
    "PublishedResult": "model",
    "RandomWindowSplit": "protocol",
    "Recipe": "recipe",
    "Recording": "dataset",
    "Source": "dataset",
    "SourceFile": "dataset",
    "Split": "protocol",
    "Step": "recipe",
    "Task": "dataset",
    "TrainedCell": "analysis",
    "Trainer": "analysis",
    "Variant": "analysis",
}

__all__ = [
    "Analysis",
    "AnalysisResult",
    "Archive",
    "BlockSplit",
    "Channel",
    "Citation",
    "Cosine",
    "Dataset",
    "FixedSplit",
    "GroupSplit",
    "LeaveOneOutSplit",
    "LoadedCell",
    "Member",
    "Model",
    "Plateau",
    "Protocol",
    "PublishedResult",
    "RandomWindowSplit",
    "Recipe",
    "Recording",
    "Source",
    "SourceFile",
    "Split",
    "Step",
    "Task",
    "TrainedCell",
    "Trainer",
    "Variant",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
