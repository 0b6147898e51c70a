"""What other packages have installed: their entry points, read so that none hides the others.

It imports nothing of harbench and nothing that takes time: ``harbench --help`` needs it.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path


class MetadataError(Exception):
    """A package's entry_points.txt cannot be read."""


class UnreadableEntryPoint(EntryPoint):
    """Stands for the entry points of a package that nobody can read; to load it raises why."""

    def load(self) -> None:
        """Raise MetadataError."""
        raise MetadataError(self.value)


def entry_points(group: str) -> list[EntryPoint]:
    """Entry points of a group, of all packages.

    One package whose metadata is broken makes Python's own function fail for all packages; here
    it is one UnreadableEntryPoint, or nothing where it does not name the group at all.
    """
    try:
        return list(importlib.metadata.entry_points(group=group))
    except Exception:  # noqa: BLE001 - malformed in ways that only its package knows
        return list(_one_by_one(group))


def in_order(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Entry points by package and name, each once."""
    found = sorted(points, key=lambda point: (home(point), point.name))
    # An editable install beside a wheel lists the same entry point twice.
    return list({(point.name, point.value): point for point in reversed(found)}.values())[::-1]


def _one_by_one(group: str) -> Iterable[EntryPoint]:
    seen = set()
    for package in importlib.metadata.distributions():
        name = _name(package)
        if name in seen:
            continue  # hidden by one earlier on the path
        seen.add(name)
        try:
            yield from package.entry_points.select(group=group)
        except Exception as error:  # noqa: BLE001 - as above
            if f"[{group}]" in _text(package):
                reason = f"entry_points.txt of the package is malformed ({error})"
                point = UnreadableEntryPoint(name, reason, group)
                vars(point)["dist"] = package
                yield point


def _text(package: Distribution) -> str:
    folder = getattr(package, "_path", None)
    if not isinstance(folder, Path):
        return ""  # in a zip file
    try:
        # Not read_text, which fails where the file is not UTF-8.
        return (folder / "entry_points.txt").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def home(point: EntryPoint) -> str:
    """Name of the package that brings an entry point; empty where that is not known."""
    package = getattr(point, "dist", None)
    return _name(package) if package else ""


def version(point: EntryPoint) -> str:
    """Version of the package that brings an entry point; empty where that is not known."""
    try:
        return str(getattr(getattr(point, "dist", None), "version", None) or "")
    except Exception:  # noqa: BLE001 - a package without METADATA
        return ""


def _name(package: Distribution) -> str:
    try:
        name = package.name
    except Exception:  # noqa: BLE001 - a package without METADATA
        name = None
    # What is left of a removal that failed is a folder without METADATA.
    folder = getattr(package, "_path", None)
    return str(name or (Path(str(folder)).stem if folder else ""))
