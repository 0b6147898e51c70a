"""The settings of benchmarks.yaml once they are checked: benchmarks and their model rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from harbench.config.cluster import ClusterSettings
from harbench.errors import ConfigError
from harbench.nouns.lengths import check_length
from harbench.nouns.protocol import Protocol, Settings
from harbench.nouns.recipe import Recipe

MOST_SEEDS = 1000

# What harbench.nouns.names.is_name says, as a pattern that editors' schemas can hold.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Scalar = bool | int | float | str | None
Option = Scalar | tuple[Scalar, ...]
Seed = Annotated[int, Field(ge=0, lt=2**32)]

# What may be written for seeds; editors' schemas are made from it.
_Count = Annotated[int, Field(ge=1, le=MOST_SEEDS)]
_List = Annotated[
    list[Seed], Field(min_length=1, max_length=MOST_SEEDS, json_schema_extra={"uniqueItems": True})
]


def _seeds(value: Any) -> Any:
    # A tuple, not a list: strict validation takes no list from a validator that runs before it.
    if isinstance(value, list | tuple):
        return tuple(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no count (3) and no list of whole numbers ([0, 1, 7])")
    if not 1 <= value <= MOST_SEEDS:
        raise ValueError(f"{value} seeds: a count of seeds lies in 1 .. {MOST_SEEDS}")
    return tuple(range(value))


def _files(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    # As of seeds: strict validation takes no list from a validator that runs before it.
    return tuple(value) if isinstance(value, list) else value


class ModelEntry(Settings):
    """One row of a benchmark: a model, and what this row changes about it.

    Args:
        row: Name of the row in tables.
        model: Name of the model; by default the row's.
        options: Keyword options of the model's builder.
        recipe: What this row trains otherwise than the benchmark.
        window: In place of the protocol's window.
        step: In place of the protocol's step.
    """

    row: Name
    model: str = Field(default_factory=lambda data: data["row"], min_length=1)
    options: dict[str, Option] = Field(default_factory=dict)
    recipe: Recipe = Field(default_factory=Recipe)
    window: int | str | None = None
    step: int | str | None = None

    @field_validator("window", "step")
    @classmethod
    def _length(cls, value: int | str | None, info: Any) -> int | str | None:
        return None if value is None else check_length(value, info.field_name)


class AnalysisEntry(Settings):
    """An analysis that is run on a benchmark's trained cells, after its table.

    Args:
        entry: What it is called in the results folder.
        analysis: Name of the analysis; by default the entry's.
        options: Keyword options of the analysis.
    """

    entry: Name
    analysis: str = Field(default_factory=lambda data: data["entry"], min_length=1)
    options: dict[str, Option] = Field(default_factory=dict)


class Benchmark(Settings):
    """A dataset under a protocol, and the models that are compared on it.

    Args:
        name: Key of the benchmark in the file.
        title: What tables print above it; by default the name.
        dataset: Name of the dataset.
        path: Where the dataset's files lie; None is the dataset's folder in harbench's data
            directory. Relative paths in the file count from the file.
        protocol: How the recordings are divided and cut into windows.
        recipe: What is trained otherwise than in each model's own recipe.
        seeds: Every model is trained once with each; a count N means 0 .. N - 1.
        models: The rows.
        analyses: What is run on the trained cells, in order.
        references: CSV files of what others report (:mod:`harbench.plan.references`): rows of the
            table that are marked as such. Relative paths count as that of the data does.
        allow_leakage: Run although test or validation windows share samples with training
            windows. The rows are marked in every format. No part of a cell's key.
    """

    name: Name
    title: str = Field(default_factory=lambda data: data["name"], min_length=1)
    dataset: str = Field(min_length=1)
    path: Path | None = None
    protocol: Protocol = Field(default_factory=Protocol)
    recipe: Recipe = Field(default_factory=Recipe)
    seeds: Annotated[
        tuple[Seed, ...],
        BeforeValidator(_seeds, json_schema_input_type=_Count | _List),
        Field(min_length=1, max_length=MOST_SEEDS),
    ] = (0, 1, 2)
    models: tuple[ModelEntry, ...] = Field(min_length=1)
    analyses: tuple[AnalysisEntry, ...] = ()
    references: Annotated[
        tuple[Path, ...], BeforeValidator(_files, json_schema_input_type=str | list[str])
    ] = ()
    allow_leakage: bool = False

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if twice := [seed for seed, times in Counter(seeds).items() if times > 1]:
            raise ValueError(f"seed {twice[0]} is given twice")
        return seeds

    @model_validator(mode="after")
    def _rows(self) -> Self:
        if twice := [r for r, times in Counter(e.row for e in self.models).items() if times > 1]:
            raise ValueError(f"row '{twice[0]}' is given twice")
        if twice := [
            e for e, times in Counter(a.entry for a in self.analyses).items() if times > 1
        ]:
            raise ValueError(f"analysis '{twice[0]}' is given twice")
        return self

    def protocol_of(self, entry: ModelEntry) -> Protocol:
        """The protocol under which a row runs: the benchmark's, with the row's window and step."""
        own = {"window": entry.window, "step": entry.step}
        return self.protocol.model_copy(update={k: v for k, v in own.items() if v is not None})


class BenchmarkFile(Settings):
    """All benchmarks of one file, in its order.

    Args:
        path: The file, as it was given.
        benchmarks: What it holds.
        cluster: Where cells are trained; None is this machine. Of the whole file.
    """

    path: Path
    benchmarks: tuple[Benchmark, ...]
    cluster: ClusterSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the benchmarks."""
        return tuple(benchmark.name for benchmark in self.benchmarks)


def merge_recipe(base: Recipe, *overrides: Recipe) -> Recipe:
    """A recipe with the fields that each override sets put in place of the base's; the last wins.

    A schedule is replaced whole. Fields that nobody set stay unset, so that a merged recipe can
    be an override in its turn.

    Raises:
        ConfigError: where the result is no recipe.
    """
    fields: dict[str, Any] = {}
    for recipe in (base, *overrides):
        fields |= {name: getattr(recipe, name) for name in recipe.model_fields_set}
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["recipe", *map(str, first["loc"])])
        raise ConfigError(
            f"these settings do not go together: {first['msg']}", where=where
        ) from None
