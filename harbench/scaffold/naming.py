"""What a new plugin is called, in each of the places that want a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from harbench.errors import ConfigError

Kind = Literal["model", "dataset", "analysis"]
KINDS: tuple[Kind, ...] = get_args(Kind)

LONGEST = 60
RULE = (
    "letters, digits, '.', '_' and '-', the first and the last a letter or digit, "
    f"at most {LONGEST}"
)
# PEP 508's rule for the names of packages.
_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")


@dataclass(frozen=True)
class PluginNames:
    """The names of one plugin.

    Args:
        kind: What it offers.
        name: Of the model, dataset or analysis, and of the entry point: ``my-net``.
        slug: The same as part of a Python identifier: ``my_net``.
    """

    kind: Kind
    name: str
    slug: str

    @property
    def project(self) -> str:
        """The package, as pip calls it: ``harbench-my-net``."""
        return f"harbench-{self.slug.replace('_', '-')}"

    @property
    def module(self) -> str:
        """What Python imports: ``harbench_my_net``."""
        return f"harbench_{self.slug}"


def names_for(kind: Kind, text: str) -> PluginNames:
    """The names of a plugin that somebody wants to call ``text``.

    ``harbench-my-net`` is ``my-net``: the package gets the prefix anyway.

    Raises:
        ConfigError: no package can be called so.
    """
    name = re.sub(r"^harbench[-_.]+", "", text, flags=re.IGNORECASE)
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        better = re.sub(r"[^A-Za-z0-9]+", "-", name)[:LONGEST].strip("-")
        raise ConfigError(
            f"{text!r} cannot be the name of a {kind}"
            if kind != "analysis"
            else f"{text!r} cannot be the name of an analysis",
            where="NAME",
            expected=RULE,
            fix=f"harbench new {kind} {better or 'mine'}",
        )
    # PEP 503: '-', '_' and '.' are one and the same in the name of a package, and so is case.
    return PluginNames(kind, name, re.sub(r"[-_.]+", "_", name).lower())
