"""Where data and caches lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from harbench.errors import ConfigError
from harbench.nouns.names import NAME_RULE, is_name


def data_root() -> Path:
    """The folder of all datasets: ``$HARBENCH_DATA``, or the user's data directory."""
    return _from("HARBENCH_DATA") or Path(platformdirs.user_data_dir("harbench", False))


def cache_root() -> Path:
    """The folder of the caches: ``$HARBENCH_CACHE``, or the user's cache directory.

    All in it can be deleted at any time; it is made again when needed.
    """
    return _from("HARBENCH_CACHE") or Path(platformdirs.user_cache_dir("harbench", False))


def dataset_folder(name: str) -> Path:
    """The folder of one dataset's files; it need not exist.

    Raises:
        ConfigError: where the name could lead out of the data directory.
    """
    if not is_name(name):
        raise ConfigError(f"{name!r} cannot be the name of a dataset", expected=NAME_RULE)
    return data_root() / name


def _from(variable: str) -> Path | None:
    text = os.environ.get(variable, "").strip()
    return Path(text).expanduser().absolute() if text else None
