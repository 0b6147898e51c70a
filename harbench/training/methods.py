"""The losses and augmentations that a recipe names, found among the plugins and built.

Planning checks them here before anything is trained, so this module imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harbench.errors import ConfigError, HarbenchError
from harbench.nouns import Augmentation, Channel, Loss
from harbench.nouns.recipe import Method, Recipe
from harbench.nouns.training import unknown_option
from harbench.plugins import Registry

if TYPE_CHECKING:
    from harbench.nouns.training import Augment, LossFunction


@dataclass(frozen=True)
class Methods:
    """What a training is done with beside its network; functions of plugins.

    Args:
        loss: Name and function; None is cross-entropy.
        augmentations: Name and function, in the order of the recipe.
    """

    loss: tuple[str, LossFunction] | None = None
    augmentations: tuple[tuple[str, Augment], ...] = ()

    def check(self, recipe: Recipe) -> None:
        """Refuse methods that are not those of the recipe.

        Raises:
            ValueError: a training that named methods would be another without them.
        """
        wanted = [method.name for method in named_by(recipe)]
        given = [name for name, _ in (*([self.loss] if self.loss else ()), *self.augmentations)]
        if wanted != given:
            raise ValueError(f"the recipe names the methods {wanted}, and is given {given}")


def named_by(recipe: Recipe) -> tuple[Method, ...]:
    """The loss, if there is one, and the augmentations of a recipe."""
    return (*(() if recipe.loss is None else (recipe.loss,)), *recipe.augment)


def methods_of(
    recipe: Recipe,
    registry: Registry,
    channels: Sequence[Channel],
    support: Sequence[int],
    where: str = "recipe",
) -> Methods:
    """The recipe's loss and augmentations, ready to use.

    Args:
        recipe: That names them.
        registry: The plugins.
        channels: Of the windows, in order.
        support: Training windows of each class.
        where: What an error says of the recipe's place.

    Raises:
        ConfigError: no plugin offers one of them, it has no such option, or an option cannot be;
            or ``label_smoothing`` is asked of a loss other than cross-entropy.
    """
    loss = None
    if recipe.loss is not None:
        place = f"{where}.loss"
        found = find_loss(registry, recipe.loss, place)
        if recipe.label_smoothing:
            raise ConfigError(
                f"label_smoothing {recipe.label_smoothing:g} with loss '{found.name}'",
                where=f"{where}.label_smoothing",
                expected="label_smoothing 0, or cross-entropy",
            )
        loss = (found.name, _built(found, recipe.loss, tuple(support), place))
    augmentations = []
    for method in recipe.augment:
        place = f"{where}.augment, {method.name}"
        augmentation = find_augmentation(registry, method, place)
        augmentations.append(
            (method.name, _built(augmentation, method, tuple(channels), place)),
        )
    return Methods(loss, tuple(augmentations))


def find_loss(registry: Registry, method: Method, where: str) -> Loss:
    """The loss of that name, which has those options.

    Raises:
        ConfigError: there is none, or it has no such option; with the nearest name.
    """
    loss = registry.losses.get(method.name, where)
    _check_options(loss, method, where)
    return loss


def find_augmentation(registry: Registry, method: Method, where: str) -> Augmentation:
    """The augmentation of that name; as :func:`find_loss`."""
    augmentation = registry.augmentations.get(method.name, where)
    _check_options(augmentation, method, where)
    return augmentation


def options_of(thing: Loss | Augmentation, method: Method) -> dict[str, Any]:
    """Those given, and the defaults of all others."""
    return {**thing.options, **method.options}


def _check_options(thing: Loss | Augmentation, method: Method, where: str) -> None:
    if wrong := unknown_option(thing, method.options):
        raise ConfigError(wrong[0], where=where, expected=wrong[1], fix="harbench plugins")


def _built(thing: Loss | Augmentation, method: Method, given: tuple[Any, ...], where: str) -> Any:
    build: Callable[..., Any] = thing.build
    try:
        function = build(given, **options_of(thing, method))
    except HarbenchError:
        raise
    except ValueError as error:
        raise ConfigError(f"'{thing.name}' cannot be used: {error}", where=where) from error
    except Exception as error:
        raise ConfigError(
            f"'{thing.name}' cannot be built: {type(error).__name__}: {error}", where=where
        ) from error
    if not callable(function):
        raise ConfigError(
            f"the builder of '{thing.name}' returned {type(function).__name__}",
            where=where,
            expected="a function",
        )
    return function
