"""The suite as pytest items: one for each check, so that a failure names what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from harbench.plugins import load_plugins
from harbench.testing.checking import Item, find
from harbench.testing.checks import Check, ConformanceWarning


def conformance(
    kind: str,
    name: str,
    *,
    files: Sequence[str | Path] = (),
    folder: str | Path | None = None,
) -> Callable[..., None]:
    """A pytest test of a plugin, with one item for each check.

    ``test_mynet = conformance("model", "mynet")`` in a test file is all that it takes. A check that
    warns is a warning of pytest's, a :class:`ConformanceWarning`; one that cannot be made here is a
    skipped item.

    Args:
        kind: ``model``, ``dataset`` or ``analysis``.
        name: As registered.
        files: Single-file plugins to load, as by ``--plugin``.
        folder: Of a dataset's files, where not the usual one.

    Raises:
        ConfigError: no plugin offers that name.
    """
    import pytest

    paths = tuple(Path(file).absolute() for file in files)
    [item] = find(name, kind, partial(load_plugins, paths), paths)
    # Made by the first item that runs, and shared by all: networks are built and trained once.
    subject = cache(partial(item.subject, Path(folder) if folder is not None else None))

    @pytest.mark.parametrize("check", item.checks(), ids=lambda check: check.name)
    def test(check: Check[object]) -> None:
        judge(item, check, subject())

    test.__doc__ = f"{kind} {name}: the conformance suite."
    return test


def judge(item: Item, check: Check[object], subject: object) -> None:
    """Run one check and say what it came to in pytest's words."""
    import pytest

    result = check(subject)
    if result.outcome == "failed":
        pytest.fail(f"{item.kind} '{item.name}': {result.asserts}\n{result}", pytrace=False)
    elif result.outcome == "skipped":
        pytest.skip(result.found)
    elif result.outcome == "warned":
        warnings.warn(f"{item.kind} '{item.name}': {result}", ConformanceWarning, stacklevel=2)
