"""Whether the user has installed whar-models, and which source of a model it brings.

Nothing here imports it: a module of that library imports torch.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import harbench

INSTALL = 'pip install "git+https://github.com/teco-kit/whar-models.git"'
MISSING = "not installed"


@cache
def folder() -> Path | None:
    """The folder of the installed whar_models; None where there is none."""
    spec = find_spec("whar_models")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


@cache
def source_of(model: str) -> str:
    """First 12 hexadecimal digits of the sha256 of a model's files, or ``not installed``.

    whar-models says 0.1.0 whatever it contains, so its version cannot tell results apart.
    """
    home = folder()
    if home is None:
        return MISSING
    digest = hashlib.sha256()
    for place in ("_shared", model):
        for file in sorted((home / place).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def check_source(model: str, wanted: str) -> None:
    """Refuse to build from another source than the one that is asked for.

    Raises:
        ModelError: whar-models is not installed, or has other files of this model.
    """
    where = f"model 'whar-{model.replace('_', '-')}'"
    if folder() is None:
        raise harbench.ModelError(
            "whar-models is not installed", where=where, expected="teco-kit's library", fix=INSTALL
        )
    if wanted not in ("", source_of(model)):
        raise harbench.ModelError(
            f"option source is '{wanted}', and the installed whar-models has '{source_of(model)}'",
            where=where,
            expected="the option left out, or the version of whar-models that it names",
        )


def settings_of(model: str, text: str) -> dict[str, Any]:
    """``"filter_num: 20, dropout: 0.1"`` as a mapping; an option of harbench is a single value.

    Raises:
        ModelError: it is not written so.
    """
    import yaml

    try:
        found = yaml.safe_load("{" + text + "}")
        if all(isinstance(name, str) and value is not None for name, value in found.items()):
            return dict(found)
    except yaml.YAMLError:
        pass
    raise harbench.ModelError(
        f"option settings is '{text}'",
        where=f"model 'whar-{model.replace('_', '-')}'",
        expected="names and values, such as 'filter_num: 20, dropout: 0.1'",
    )
