"""What the losses and augmentations of a recipe add to a cell's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harbench.nouns import Augmentation, Channel, Loss
from harbench.nouns.recipe import Method, Recipe
from harbench.plan.keys import source_digest
from harbench.plugins import Registry, Shelf
from harbench.training.methods import find_augmentation, find_loss, methods_of, options_of


def method_facts(
    recipe: Recipe, registry: Registry, channels: Sequence[Channel], n_classes: int, where: str
) -> dict[str, Any]:
    """``{"methods": {"loss": ..., "augment": [...]}}``: name, options, source and version of each.

    Nothing where the recipe names none, so that such a key says nothing of them. Each is built
    once, so that what cannot be is told before anything is trained.

    Args:
        recipe: Of a row.
        registry: The plugins.
        channels: Of the row's windows, in order.
        n_classes: That it tells apart.
        where: What errors name.

    Raises:
        ConfigError: as :func:`harbench.training.methods.methods_of`.
        PluginError: the source of one cannot be found.
    """
    methods_of(recipe, registry, channels, (1,) * n_classes, where)
    facts: dict[str, Any] = {}
    if recipe.loss is not None:
        loss = find_loss(registry, recipe.loss, where)
        facts["loss"] = _of(loss, recipe.loss, registry.losses)
    if recipe.augment:
        facts["augment"] = [
            _of(find_augmentation(registry, method, where), method, registry.augmentations)
            for method in recipe.augment
        ]
    return {"methods": facts} if facts else {}


def _of(thing: Loss | Augmentation, method: Method, shelf: Shelf[Any]) -> dict[str, Any]:
    origin = shelf.origin(thing.name)
    return {
        "name": thing.name,
        "options": options_of(thing, method),
        "source": source_digest(thing.build),
        # A single file has no version, and where it lies is no part of what it does.
        "distribution": [origin.distribution, origin.version] if origin.version else None,
    }
