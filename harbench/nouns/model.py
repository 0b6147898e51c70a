"""Models, and what was published about them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harbench.nouns.dataset import Citation
from harbench.nouns.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PublishedResult:
    """A row that a paper printed, with its defects.

    Args:
        row: What the paper calls the row: "Yang et al. 2015".
        source: Paper and table: "Yan et al. 2022, Table 1".
        dataset: harbench's name of the dataset.
        task: harbench's name of the task.
        printed: Column -> the text as printed: ``{"NF": "85.1", "parameters": "0.912M*"}``.
            Columns that the tables know: "NF", "macro F1", "parameters", "FLOPs".
        defects: Column -> what is known to be wrong with the print, with its arithmetic.
        protocol: What is known of the protocol behind the number.
    """

    row: str
    source: str
    dataset: str
    task: str
    printed: Mapping[str, str]
    defects: Mapping[str, str] = field(default_factory=dict)
    protocol: str = ""


@dataclass(frozen=True)
class Model:
    """A network that harbench can build and train.

    Args:
        name: What benchmarks.yaml calls it.
        summary: One line.
        build: ``(n_channels, n_times, n_classes, **options) -> torch.nn.Module`` that takes
            [batch, n_channels, n_times] and returns logits [batch, n_classes]. It imports torch
            itself, when called. Keyword arguments with defaults are the model's options.
            Initial weights must come from torch's global generator, which harbench seeds.
        recipe: How its paper trains it.
        citation: Its paper.
        min_times: The shortest window that it can take, in samples.
        window: The window of its paper, in samples; None where the paper states none.
        published: Rows that papers print about it.
        stand_in: Where the published network cannot be known: what this one is instead.
        notes: What a user should know, a sentence each (shown by ``models show``).
    """

    name: str
    summary: str
    build: Callable[..., nn.Module]
    recipe: Recipe
    citation: Citation
    min_times: int = 1
    window: int | None = None
    published: tuple[PublishedResult, ...] = ()
    stand_in: str = ""
    notes: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The builder's keyword options and their defaults."""
        parameters = list(inspect.signature(self.build).parameters.values())
        return {
            parameter.name: parameter.default
            for parameter in parameters[3:]
            if parameter.default is not inspect.Parameter.empty
        }
