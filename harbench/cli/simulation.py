"""Writing a simulation so that it never mixes with anything: all of it appears, or nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harbench.data.disk import writing
from harbench.errors import ConfigError

if TYPE_CHECKING:
    from harbench.nouns import Dataset


def write_simulation(
    dataset: Dataset, folder: Path, *, scale: float, seed: int, overwrite: bool
) -> int:
    """Let a dataset's simulator write into ``folder``; returns how many files are there then.

    Raises:
        ConfigError: the dataset has no simulator, or ``folder`` holds something and
            ``overwrite`` is not given.
        DataError: ``folder`` cannot be written.
    """
    if dataset.simulate is None:
        raise ConfigError(
            f"the dataset '{dataset.name}' cannot be simulated",
            expected="one whose plugin gives a simulator",
            fix="harbench datasets",
        )
    if folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise ConfigError(
                "the folder is not empty",
                where=str(folder),
                expected="an empty folder, one that does not exist, or --overwrite",
            )
        # Only the plugin can tell an earlier simulation from recordings that must not be lost.
        with writing(folder):
            dataset.simulate(folder, scale, seed)
        return _count(folder)
    # Beside the folder, on its disk, so that it can be renamed.
    work = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        with writing(folder):
            work.mkdir(parents=True)
            dataset.simulate(work, scale, seed)
            work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _count(folder)


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))
