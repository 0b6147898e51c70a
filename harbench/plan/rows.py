"""A row of a benchmark, resolved: its model, options, recipe, window and step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harbench.config import Benchmark, ModelEntry, merge_recipe
from harbench.errors import ConfigError, did_you_mean
from harbench.nouns import Dataset, Model, Recipe
from harbench.nouns.lengths import in_samples
from harbench.plan.cells import Row
from harbench.plugins import Registry


def resolve_row(
    entry: ModelEntry, benchmark: Benchmark, dataset: Dataset, registry: Registry, where: str
) -> Row:
    """The row, without what depends on the data.

    Args:
        entry: As benchmarks.yaml says.
        benchmark: That it stands in.
        dataset: Of the benchmark.
        registry: The plugins.
        where: What errors name.

    Raises:
        ConfigError: no plugin offers the model, the builder does not have an option, an estimator
            is given a recipe, or the window is shorter than the model takes.
    """
    model = registry.models.get(entry.model, where=where)
    options = _options(entry.options, model, where)
    recipe = _recipe(model, benchmark, entry, where)
    protocol = benchmark.protocol_of(entry)
    window = protocol.window
    if window == "paper":
        if model.window is None:
            raise ConfigError(
                f"the paper of model '{model.name}' states no window",
                where=where,
                expected="a window in samples or time",
            )
        window = model.window
    try:
        length = in_samples(window, dataset.rate_hz)
        hop = in_samples(protocol.step, dataset.rate_hz, length)
    except ValueError as error:
        raise ConfigError(str(error), where=where) from error
    if length < model.min_times:
        raise ConfigError(
            f"model '{model.name}' is given windows of {length} samples",
            where=where,
            expected=f"at least {model.min_times}",
            fix=f"give the row its own window: '{entry.row}: {{window: {model.min_times}}}'",
        )
    return Row(entry.row, model, options, recipe, length, hop)


def _recipe(model: Model, benchmark: Benchmark, entry: ModelEntry, where: str) -> Recipe | None:
    """The recipe of a network. What a benchmark says for all its rows concerns no estimator."""
    if model.recipe is not None:
        return merge_recipe(model.recipe, benchmark.recipe, entry.recipe)
    if given := sorted(entry.recipe.model_fields_set):
        raise ConfigError(
            f"model '{model.name}' is an estimator, which no recipe trains, and its row has one "
            f"({', '.join(given)})",
            where=f"{where}, recipe",
            expected="no 'recipe' in this row; what it can be told are its options",
            fix=f"harbench models show {model.name}",
        )
    return None


def _options(given: Mapping[str, Any], model: Model, where: str) -> dict[str, Any]:
    known = model.options
    for name in given:
        if name not in known:
            raise ConfigError(
                f"model '{model.name}' has no option '{name}'{did_you_mean(name, known)}",
                where=where,
                expected=f"one of {', '.join(known) or '(it has none)'}",
                fix=f"harbench models show {model.name}",
            )
    return {**known, **given}
