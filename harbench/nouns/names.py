"""Names of things: what a plugin may call a dataset, a model or an analysis."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harbench.errors import ConfigError, did_you_mean

NAME_RULE = "letters, digits, '.', '_' and '-', the first a letter or digit, at most 100"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_name(text: object) -> bool:
    """Whether the text can be a name.

    Names stand in paths, in YAML and on the command line, so they hold no separator, no space
    and no leading dot or dash.
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def plain(text: str) -> str:
    """A class name without case, spaces and punctuation: "Open Door 1" is "opendoor1"."""
    return "".join(character for character in text.casefold() if character.isalnum())


def class_named(text: str, classes: Sequence[str], where: str | None = None) -> str:
    """The class that is meant: case, spaces and punctuation make no difference.

    Args:
        text: What somebody wrote.
        classes: The names that there are.
        where: Option or key that the text comes from.

    Raises:
        ConfigError: no class, or more than one, is called so.
    """
    if text in classes:
        return text
    found = [name for name in classes if plain(name) == plain(text)]
    if len(found) == 1:
        return found[0]
    what = f"several classes are called '{text}'" if found else f"no class is called '{text}'"
    near = {plain(name): name for name in classes}
    hint = "" if found else did_you_mean(plain(text), near)
    for name in near.values():
        hint = hint.replace(f"'{plain(name)}'", f"'{name}'")
    raise ConfigError(what + hint, where=where, expected=f"one of {', '.join(found or classes)}")
