"""What is checked: a registered thing, with the plugin that it comes from and a place to work."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from harbench.data.folders import data_root
from harbench.nouns import Analysis, Dataset, Model
from harbench.plugins import Origin

ENVIRONMENT = dict(os.environ)
"""As it was before any plugin was loaded: what one changes at import shows against this."""

Noun = TypeVar("Noun", Dataset, Model, Analysis)


class Subject(Generic[Noun]):
    """A thing under check.

    Args:
        thing: As registered.
        origin: Its plugin; None for a thing that was handed in and is not registered.
        files: Single-file plugins that worker processes must load to know it.
    """

    def __init__(self, thing: Noun, origin: Origin | None, files: tuple[Path, ...] = ()) -> None:
        self.thing: Noun = thing
        self.origin = origin
        self.files = files

    @cached_property
    def folder(self) -> Path:
        """A temporary folder of its own, gone when the subject is."""
        folder = Path(tempfile.mkdtemp(prefix="harbench-check-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @contextmanager
    def at_work(self) -> Iterator[Path]:
        """The subject's folder as the place of harbench's cache: nothing of the user's is used."""
        with environment({"HARBENCH_CACHE": str(self.folder / "cache")}):
            yield self.folder


@contextmanager
def environment(changes: dict[str, str]) -> Iterator[None]:
    """These variables for a while."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def elsewhere(home: Path, work: Path) -> Iterator[None]:
    """Another HOME and working folder for a while; harbench's data folder stays the user's."""
    data = str(data_root())
    for folder in (home, work):
        folder.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    os.chdir(work)
    try:
        with environment(
            {
                "HOME": str(home),
                "USERPROFILE": str(home),
                "HARBENCH_DATA": data,
                **{name: str(home / name) for name in names},
            }
        ):
            yield
    finally:
        os.chdir(before)
