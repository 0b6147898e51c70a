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
    """Let a dataset's simulator write into ``folder``; returns how many files it wrote.

    Raises:
        ConfigError: the dataset has no simulator, or ``folder`` holds something.
        DataError: ``folder`` cannot be written.
    """
    if dataset.simulate is None:
        raise ConfigError(
            f"the dataset '{dataset.name}' cannot be simulated",
            expected="one whose plugin gives a simulator",
            fix="harbench datasets",
        )
    there = folder.exists() and any(folder.iterdir())
    if there and not overwrite:
        raise ConfigError(
            "the folder is not empty",
            where=str(folder),
            expected="an empty folder, one that does not exist, or --overwrite",
        )
    # Beside the folder, on its disk, so that it can be renamed.
    work = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        with writing(folder):
            work.mkdir(parents=True)
            dataset.simulate(work, scale, seed)
            files = [path for path in sorted(work.rglob("*")) if path.is_file()]
            if there:
                _replace_each(files, work, folder)
            else:
                work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return len(files)


def _replace_each(files: list[Path], work: Path, folder: Path) -> None:
    # Whatever else lies in the folder is not ours to remove.
    for path in files:
        target = folder / path.relative_to(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
