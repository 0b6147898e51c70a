"""Names of things: what a plugin may call a dataset, a model or an analysis."""

from __future__ import annotations

import re

NAME_RULE = "letters, digits, '.', '_' and '-', the first a letter or digit, at most 100"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_name(text: object) -> bool:
    """Whether the text can be a name.

    Names stand in paths, in YAML and on the command line, so they hold no separator, no space
    and no leading dot or dash.
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
