"""The nouns: one word for one thing, in code, YAML, command line and docs."""

from harbench.nouns.analysis import Analysis, TrainedCell
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

__all__ = [
    "Analysis",
    "Archive",
    "BlockSplit",
    "Channel",
    "Citation",
    "Cosine",
    "Dataset",
    "FixedSplit",
    "GroupSplit",
    "LeaveOneOutSplit",
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
]
