"""The tree of a file -> one tree a benchmark, with the defaults and the overrides merged in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harbench.config.nodes import Node, Place, Problems
from harbench.config.overrides import (
    NO_DEFAULT,
    Override,
    override_benchmarks,
    override_cluster,
    override_defaults,
)
from harbench.config.shorthand import NAMED, written_out
from harbench.errors import did_you_mean

TOP = ("benchmarks", "defaults", "cluster")
# Of these a benchmark overrides single keys of the defaults; of all others the whole.
MERGED = ("protocol", "recipe")


def resolve(
    root: Node, path: Path, overrides: Sequence[Override], problems: Problems
) -> tuple[list[Node], Node | None]:
    """One tree a benchmark, in the order of the file, and one for the defaults alone.

    Each tree has the shape of :class:`~harbench.config.settings.Benchmark`. That of the defaults
    has made-up names where they have none: it is only there to be checked, because a mistake
    in the defaults is one even where every benchmark says otherwise.
    """
    top = _top(root, problems)
    defaults = _defaults(top.get("defaults"), root.at, problems)
    defaults = override_defaults(defaults, overrides, problems)
    merged = {
        name: _merge(defaults, written_out(node, problems))
        for name, node in _benchmarks(top, root.at, problems).items()
    }
    merged = override_benchmarks(merged, overrides, problems)
    trees = [_shape(name, node, path, problems) for name, node in merged.items()]
    if not defaults.children:
        return trees, None
    here = defaults.key_at
    row = Node({"any": Node({}, here, here)}, here, here)
    alone = {"dataset": Node("any", here, here), "models": row, **defaults.children}
    return trees, _shape("defaults", defaults.with_value(alone), path, problems)


def cluster_of(
    root: Node, path: Path, overrides: Sequence[Override], problems: Problems
) -> Node | None:
    """The file's ``cluster:`` with what is set on it; None where there is none."""
    node = override_cluster(root.children.get("cluster"), overrides, problems)
    if node is None or node.value is None:
        return None
    if not isinstance(node.value, dict):
        problems.add(node.at, f"cluster is {node}", "a mapping, such as {address: local}")
        return None
    children = dict(node.children)
    if "shared" in children:
        children["shared"] = _from_file(children["shared"], path)
    if "tls" in children and children["tls"].children:
        tls = children["tls"]
        files = {key: _from_file(file, path) for key, file in tls.children.items()}
        children["tls"] = tls.with_value(dict(files))
    return node.with_value(children)


def _top(root: Node, problems: Problems) -> dict[str, Node]:
    if not isinstance(root.value, dict):
        problems.add(root.at, f"the file is {root}", "a mapping with the key 'benchmarks'")
    for key, node in root.children.items():
        if key not in TOP:
            what = f"unknown key '{key}'{did_you_mean(key, TOP)}"
            problems.add(node.key_at, what, "'benchmarks', 'defaults' or 'cluster'")
    return root.children


def _defaults(node: Node | None, at: Place, problems: Problems) -> Node:
    if node is None or node.value is None:
        return Node({}, at, at)
    if not isinstance(node.value, dict):
        problems.add(node.at, f"defaults is {node}", "a mapping")
    kept = dict(node.children)
    for key in NO_DEFAULT:
        if key in kept:
            what = f"'{key}' cannot be a default"
            problems.add(kept.pop(key).key_at, what, f"'{key}' in each benchmark")
    return written_out(node.with_value(kept), problems)


def _benchmarks(top: dict[str, Node], at: Place, problems: Problems) -> dict[str, Node]:
    node = top.get("benchmarks")
    if node is None:
        if at not in problems.places:
            problems.add(at, "the key 'benchmarks' is missing", "benchmarks by name below it")
        return {}
    if node.children:
        found = {}
        for name, benchmark in node.children.items():
            if benchmark.value is not None and not isinstance(benchmark.value, dict):
                problems.add(benchmark.at, f"benchmark '{name}' is {benchmark}", "a mapping")
            else:
                found[name] = benchmark
        return found
    problems.add(node.at, f"benchmarks is {node}", "a mapping of at least one benchmark by name")
    return {}


def _merge(defaults: Node, benchmark: Node) -> Node:
    children = {**defaults.children, **benchmark.children}
    for key in MERGED:
        below, above = defaults.children.get(key), benchmark.children.get(key)
        if below and above and isinstance(below.value, dict) and isinstance(above.value, dict):
            children[key] = above.with_value({**below.value, **above.value})
    return benchmark.with_value(children)


def _shape(name: str, benchmark: Node, path: Path, problems: Problems) -> Node:
    """The tree with its name in it, models and analyses as lists, and the data's path absolute."""
    children = _named("name", name, benchmark, problems)
    for key, (word, _) in NAMED.items():
        if key in children:
            found = children[key]
            items = [
                settings.with_value(_named(word, own, settings, problems))
                for own, settings in found.children.items()
            ]
            children[key] = found.with_value(list(items))
    if "path" in children:
        children["path"] = _from_file(children["path"], path)
    if "references" in children:
        files = children["references"]
        named = files.value if isinstance(files.value, list) else [files]
        children["references"] = files.with_value([_from_file(node, path) for node in named])
    return benchmark.with_value(dict(children))


def _from_file(data: Node, path: Path) -> Node:
    """A path that counts from the file, as one that counts from nowhere."""
    if not isinstance(data.value, str):
        return data
    folder = os.path.abspath(path.parent)  # noqa: PTH100 - as written, links not followed
    where = os.path.join(folder, os.path.expanduser(data.value))  # noqa: PTH111, PTH118
    return data.with_value(os.path.normpath(where))


def _named(key: str, name: str, node: Node, problems: Problems) -> dict[str, Node]:
    children = dict(node.children)
    if key in children:
        what = f"unknown key '{key}': the name is the key '{name}' above"
        problems.add(children[key].key_at, what)
    children.pop(key, None)
    return {key: Node(name, node.key_at, node.key_at), **children}
