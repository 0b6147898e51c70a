"""Losses and augmentations that a file names: is there one, and does it have those options?

Only the plugins know. They are asked here, where each name still has its line and column, and
only by a file that names any: a mistake elsewhere in a file is told without loading a plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from harbench.config.nodes import Node, Place, Problems
from harbench.errors import ConfigError
from harbench.nouns.recipe import PLAIN_LOSS

if TYPE_CHECKING:
    from harbench.plugins import Registry


def check_methods(
    trees: Sequence[Node], registry: Callable[[], Registry], problems: Problems
) -> None:
    """Note each loss and augmentation that no plugin offers, and each option that one has not.

    Args:
        trees: Of benchmarks, checked.
        registry: Gives the plugins.
        problems: Gets what is wrong.
    """
    for tree in trees:
        for recipe in _recipes(tree):
            loss = recipe.children.get("loss")
            augment = recipe.children.get("augment")
            for name, at, options in _named(loss):
                if name not in PLAIN_LOSS or options:
                    _check("loss", name, at, options, registry, problems)
            for item in augment.value if augment and isinstance(augment.value, list) else ():
                for name, at, options in _named(item):
                    _check("augmentation", name, at, options, registry, problems)


def _recipes(tree: Node) -> Iterator[Node]:
    models = tree.children["models"].value if "models" in tree.children else ()
    for node in (tree, *(models if isinstance(models, list) else ())):
        if "recipe" in node.children:
            yield node.children["recipe"]


def _named(node: Node | None) -> Iterator[tuple[str, Place, dict[str, Node]]]:
    """Name, its place, and options by name; of a text, or of a mapping of one key."""
    if node is None:
        return
    if isinstance(node.value, str):
        yield node.value, node.at, {}
    for name, options in node.children.items():
        yield name, options.key_at, options.children


def _check(
    kind: str,
    name: str,
    at: Place,
    options: dict[str, Node],
    registry: Callable[[], Registry],
    problems: Problems,
) -> None:
    from harbench.nouns.training import unknown_option

    plugins = registry()
    try:
        thing = plugins.losses.get(name) if kind == "loss" else plugins.augmentations.get(name)
    except ConfigError as error:
        expected = error.expected or ""
        problems.add(at, error.what, f"cross-entropy or {expected}" if kind == "loss" else expected)
        return
    for option, node in options.items():
        if wrong := unknown_option(thing, [option]):
            problems.add(node.key_at, *wrong)
