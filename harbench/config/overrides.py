"""``--set KEY=VALUE``: changes to the tree of a file before it is checked.

``benchmarks.NAME.KEY=VALUE`` changes one benchmark, ``defaults.KEY=VALUE`` the defaults,
``cluster.KEY=VALUE`` where cells are trained, and any other ``KEY=VALUE`` every benchmark. What
is set on benchmarks wins over all that the file says, the recipes, windows and steps of single
models included.
"""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from dataclasses import dataclass

from harbench.config.nodes import LONGEST, Node, Place, Problems, printable
from harbench.config.reading import read_text
from harbench.config.settings import Benchmark
from harbench.config.shorthand import NAMED, written_out
from harbench.errors import ConfigError, did_you_mean

# The name of a benchmark is its key in the file, and cannot be set.
KEYS = tuple(name for name in Benchmark.model_fields if name != "name")
NO_DEFAULT = ("title", "dataset")
DEFAULTS = tuple(name for name in KEYS if name not in NO_DEFAULT)


@dataclass(frozen=True)
class Override:
    """One ``--set``.

    Args:
        keys: Its path, split at every dot; a name that holds dots is put together again where
            the tree has it.
        value: What to put there. Its places say ``--set KEY=VALUE``.
    """

    keys: tuple[str, ...]
    value: Node


def parse_overrides(texts: Sequence[str], problems: Problems) -> list[Override]:
    """Read the values of ``--set``, each as YAML.

    Raises:
        ConfigError: where one has no ``=``, no key, or a value that is no YAML.
    """
    return [_parse(text, problems) for text in texts]


def _parse(text: str, problems: Problems) -> Override:
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    at = Place(f"--set {printable(shown)}")
    path, equals, value = text.partition("=")
    keys = tuple(key.strip() for key in path.split("."))
    if not equals or not all(keys):
        what = "there is no '='" if not equals else "a key is empty"
        raise ConfigError(what, where=str(at), expected="KEY=VALUE, such as recipe.epochs=3")
    node = read_text(value, at.source, problems, at) or Node(None, at, at)
    whole = len(keys) == 1 or keys[0] in ("defaults", "benchmarks")
    if whole and keys[-1] in ("path", "references") and "models" not in keys:
        node = _from_here(node)
    if keys[0] == "cluster" and keys[-1] in ("shared", "ca_file", "cert", "key"):
        node = _from_here(node)
    return Override(keys, node)


def _from_here(node: Node) -> Node:
    # On the command line a path counts from where the user stands, not from the file.
    if isinstance(node.value, list):
        return node.with_value([_from_here(one) for one in node.value])
    if not isinstance(node.value, str):
        return node
    return node.with_value(os.path.abspath(os.path.expanduser(node.value)))  # noqa: PTH100, PTH111


def override_defaults(defaults: Node, overrides: Sequence[Override], problems: Problems) -> Node:
    """The defaults with every ``defaults.KEY=VALUE`` put in."""
    for override in overrides:
        keys = override.keys[1:]
        if override.keys[0] == "defaults" and _known(keys, DEFAULTS, override, (), problems):
            defaults = _put(defaults, keys, override.value, problems)
            defaults = written_out(defaults, problems)
    return defaults


def override_cluster(
    cluster: Node | None, overrides: Sequence[Override], problems: Problems
) -> Node | None:
    """The ``cluster:`` block with every ``cluster.KEY=VALUE`` put in; it may make one."""
    for override in overrides:
        if override.keys[0] == "cluster":
            at = override.value.at
            cluster = cluster if cluster is not None else Node(None, at, at)
            cluster = _put(cluster, override.keys[1:], override.value, problems, ("cluster",))
    return cluster


def override_benchmarks(
    benchmarks: dict[str, Node], overrides: Sequence[Override], problems: Problems
) -> dict[str, Node]:
    """The benchmarks, defaults already merged in, with every other override put in."""
    changed = dict(benchmarks)
    for override in overrides:
        if override.keys[0] in ("defaults", "cluster"):
            continue
        keys, names = override.keys, list(changed)
        if keys[0] == "benchmarks":
            name, keys = _next(changed, keys[1:]) if len(keys) > 1 else ("", ())
            if name and name not in changed:
                _unknown(override, "benchmark", name, changed, problems)
                continue
            names = [name]
        if not _known(keys, KEYS, override, changed, problems):
            continue
        if keys[0] in NAMED and len(keys) > 1:
            names = _with_item(names, changed, keys, override, problems)
        for name in names:
            node = _put(changed[name], keys, override.value, problems)
            changed[name] = _freed(written_out(node, problems), keys, override.value)
    return changed


def _known(
    keys: Sequence[str],
    known: Sequence[str],
    override: Override,
    names: Container[str],
    problems: Problems,
) -> bool:
    if keys and keys[0] in known:
        return True
    if not keys:
        what, hint = "only single keys can be set", ""
    elif keys[0] in KEYS:
        what, hint = f"'{keys[0]}' cannot be a default", ""
    else:
        what, hint = f"'{keys[0]}' is no key of a benchmark", did_you_mean(keys[0], known)
    if keys and keys[0] in names:
        hint = f"; did you mean 'benchmarks.{'.'.join(override.keys)}'?"
    problems.add(override.value.at, what + hint, f"one of {', '.join(known)}")
    return False


def _with_item(
    names: list[str],
    benchmarks: dict[str, Node],
    keys: Sequence[str],
    override: Override,
    problems: Problems,
) -> list[str]:
    """The benchmarks that have the row of models, or the analysis, that the keys begin with."""
    section, *rest = keys
    items = {name: _items(benchmarks[name], section) for name in names}
    having = [name for name in names if _next(items[name], rest)[0] in items[name]]
    if not having:
        every = {item: node for name in names for item, node in items[name].items()}
        _unknown(override, f"{NAMED[section][0]} of {section}", rest[0], every, problems)
    return having


def _items(benchmark: Node, section: str) -> dict[str, Node]:
    found = benchmark.children.get(section)
    return found.children if found else {}


def _unknown(
    override: Override, kind: str, name: str, known: dict[str, Node], problems: Problems
) -> None:
    problems.add(
        override.value.at,
        f"no {kind} is called '{name}'{did_you_mean(name, known)}",
        f"one of {', '.join(known) or '(none)'}",
    )


def _next(children: dict[str, Node], keys: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    # Names may hold dots: the longest that is there is meant.
    for n in range(len(keys), 0, -1):
        if (name := ".".join(keys[:n])) in children:
            return name, tuple(keys[n:])
    return keys[0], tuple(keys[1:])


def _put(
    node: Node, keys: Sequence[str], new: Node, problems: Problems, above: tuple[str, ...] = ()
) -> Node:
    """The node with ``new`` at the end of the keys; sections on the way are made."""
    if not keys:
        return new
    if isinstance(node.value, list):
        index = int(keys[0]) if keys[0].isascii() and keys[0].isdigit() and len(keys[0]) < 9 else -1
        if not 0 <= index < len(node.value):
            problems.add(
                new.at,
                f"{'.'.join(above)} has no item {keys[0]}",
                f"a number in 0 .. {len(node.value) - 1}" if node.value else "a list with items",
            )
            return node
        items = list(node.value)
        items[index] = _put(items[index], keys[1:], new, problems, (*above, keys[0]))
        return node.with_value(items)
    if node.value is not None and not isinstance(node.value, dict):
        inner = ".".join((*above, *keys))
        problems.add(
            new.at,
            f"'{inner}' cannot be set: {'.'.join(above)} is {node}",
            f"the whole of it: --set '{'.'.join(above)}=VALUE'",
        )
        return node
    key, rest = _next(node.children, keys)
    child = node.children.get(key, Node(None, new.at, new.at))
    return node.with_value({**node.children, key: _put(child, rest, new, problems, (*above, key))})


def _freed(benchmark: Node, keys: Sequence[str], new: Node) -> Node:
    """The benchmark whose rows no longer say otherwise than what was set on all of it."""
    names = set(keys[1:2]) or set(new.children)
    if keys[0] not in ("recipe", "protocol") or "models" not in benchmark.children:
        return benchmark
    models = benchmark.children["models"]
    rows = {}
    for row, settings in models.children.items():
        kept = dict(settings.children)
        if keys[0] == "protocol":
            kept = {
                key: child for key, child in kept.items() if key not in names & {"window", "step"}
            }
        elif "recipe" in kept:
            recipe = kept["recipe"].children
            kept["recipe"] = kept["recipe"].with_value(
                {key: child for key, child in recipe.items() if key not in names}
            )
        rows[row] = settings.with_value(kept)
    return benchmark.with_value({**benchmark.children, "models": models.with_value(dict(rows))})
