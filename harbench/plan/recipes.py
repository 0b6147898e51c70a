"""Recipes that no training can follow are refused when settings are resolved, not cell by cell."""

from __future__ import annotations

from harbench.errors import ConfigError
from harbench.nouns import Recipe


def refuse_recipe(recipe: Recipe, n_classes: int, where: str) -> None:
    """Refuse what would end every training of a row in the same error.

    Args:
        recipe: The model's own, with all overrides.
        n_classes: That the row tells apart.
        where: Whose recipe it is.

    Raises:
        ConfigError: Nesterov's form of anything but SGD with momentum; class weights that are not
            one number a class, of which one is above 0.
    """
    if recipe.nesterov and (recipe.optimizer != "sgd" or recipe.momentum == 0):
        raise ConfigError(
            f"nesterov with {recipe.optimizer} and momentum {recipe.momentum:g}",
            where=f"{where}, recipe.nesterov",
            expected="sgd with a momentum above 0, or nesterov: false",
        )
    weights = recipe.class_weights
    if isinstance(weights, str):
        return
    if len(weights) != n_classes:
        raise ConfigError(
            f"{len(weights)} class weights for {n_classes} classes",
            where=f"{where}, recipe.class_weights",
            expected="one number a class, none or balanced",
        )
    if max(weights) <= 0:
        raise ConfigError(
            "no class has a weight above 0",
            where=f"{where}, recipe.class_weights",
            expected="one number a class, none or balanced",
        )
