"""Loading benchmarks.yaml, choosing benchmarks from it, and writing one back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from harbench.config.cluster import ClusterSettings
from harbench.config.methods import check_methods
from harbench.config.nodes import Node, Problems
from harbench.config.overrides import parse_overrides
from harbench.config.reading import CORE_SCHEMA, read, read_text
from harbench.config.resolving import cluster_of, resolve
from harbench.config.settings import AnalysisEntry, Benchmark, BenchmarkFile, ModelEntry
from harbench.config.validation import validate, validate_as
from harbench.errors import ConfigError, did_you_mean
from harbench.nouns.recipe import Recipe

if TYPE_CHECKING:
    from harbench.plugins import Registry


def load(
    path: Path, overrides: Sequence[str] = (), registry: Callable[[], Registry] | None = None
) -> BenchmarkFile:
    """The checked settings of a file.

    Args:
        path: The file; errors name it as given.
        overrides: ``KEY=VALUE`` of each ``--set``, in order (:mod:`harbench.config.overrides`).
        registry: Gives the plugins, to check the losses and augmentations that recipes name; None
            leaves them to :func:`harbench.plan.plan`, which knows no lines.

    Raises:
        ConfigError: with everything that is wrong, each with ``file:line:column``.
    """
    problems = Problems()
    return _checked(read(path, problems), path, overrides, problems, registry)


def loads(text: str, name: str) -> BenchmarkFile:
    """The checked settings of a text, such as :func:`dump` writes.

    Args:
        text: YAML.
        name: What errors call it.

    Raises:
        ConfigError: with everything that is wrong.
    """
    problems = Problems()
    root = read_text(text, name, problems)
    if root is None:
        raise ConfigError("there is nothing in it", where=name, expected="benchmarks")
    return _checked(root, Path(name), (), problems)


def _checked(
    root: Node,
    path: Path,
    overrides: Sequence[str],
    problems: Problems,
    registry: Callable[[], Registry] | None = None,
) -> BenchmarkFile:
    given = parse_overrides(overrides, problems)
    trees, defaults = resolve(root, path, given, problems)
    block = cluster_of(root, path, given, problems)
    known = problems.places
    found = [validate(tree, known, problems) for tree in trees]
    if defaults is not None:
        validate(defaults, known, problems)
    cluster = None
    if block is not None:
        cluster = validate_as(ClusterSettings, block, known, problems, "cluster")
    problems.raise_if_any()
    if registry is not None:
        check_methods([*trees, *([defaults] if defaults else [])], registry, problems)
        problems.raise_if_any()
    return BenchmarkFile(
        path=path, benchmarks=tuple(b for b in found if b is not None), cluster=cluster
    )


def select(file: BenchmarkFile, names: Sequence[str] = ()) -> list[Benchmark]:
    """The benchmarks of those names, each once, in the order asked for; all where none is named.

    Raises:
        ConfigError: where there is no such benchmark, with the nearest name.
    """
    by_name = {benchmark.name: benchmark for benchmark in file.benchmarks}
    for name in names:
        if name not in by_name:
            raise ConfigError(
                f"no benchmark is called '{name}'{did_you_mean(name, by_name)}",
                where=str(file.path),
                expected=f"one of {', '.join(by_name)}",
            )
    return [by_name[name] for name in dict.fromkeys(names or by_name)]


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would take for something else."""


for _name, _pattern, _first in CORE_SCHEMA:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, list(_first))


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # PyYAML folds the line breaks of Unicode (U+0085 ...) into spaces unless they are escaped.
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def dump(benchmark: Benchmark) -> str:
    """YAML of a file with this one benchmark, which :func:`load` reads to the same settings.

    The protocol is written with every field, recipes with the fields that are set: what is not
    set is each model's own.
    """
    settings: dict[str, Any] = {
        "title": benchmark.title,
        "dataset": benchmark.dataset,
        "protocol": benchmark.protocol.model_dump(mode="json"),
        "recipe": _set_fields(benchmark.recipe),
        "seeds": list(benchmark.seeds),
        "models": {entry.row: _row(entry) for entry in benchmark.models},
    }
    if benchmark.analyses:
        settings["analyses"] = {entry.entry: _analysis(entry) for entry in benchmark.analyses}
    if benchmark.allow_leakage:
        settings["allow_leakage"] = True
    # As written, links not followed: pathlib has no such function.
    if benchmark.references:
        settings["references"] = [os.path.abspath(path) for path in benchmark.references]  # noqa: PTH100
    if benchmark.path is not None:
        settings["path"] = os.path.abspath(benchmark.path)  # noqa: PTH100
    tree = {"benchmarks": {benchmark.name: settings}}
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def _row(entry: ModelEntry) -> dict[str, Any]:
    row = entry.model_dump(mode="json", exclude={"row", "recipe"})
    row["recipe"] = _set_fields(entry.recipe)
    return {key: value for key, value in row.items() if value is not None and value != {}}


def _analysis(entry: AnalysisEntry) -> dict[str, Any]:
    written = entry.model_dump(mode="json", exclude={"entry"})
    return {key: value for key, value in written.items() if value != {}}


def _set_fields(recipe: Recipe) -> dict[str, Any]:
    # Not exclude_unset: of a schedule every field belongs to what is set, its kind above all.
    return recipe.model_dump(mode="json", include=recipe.model_fields_set)
