"""What a user can mend: every error that harbench raises on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HarbenchError(Exception):
    """A mistake that the user can mend; the CLI prints it without a traceback and exits with 2.

    Args:
        what: One sentence: what was found and what is wrong with it.
        where: File and line, key, or option that the sentence is about.
        expected: What would have been right.
        fix: A command, ready to paste, that mends it.
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.fix = fix

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected:
            text += f" (expected {self.expected})"
        if self.fix:
            text += f"\n  try: {self.fix}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross from worker processes to the parent; keyword arguments need saying.
        return (_rebuild, (type(self), self.what, self.where, self.expected, self.fix))


def _rebuild(
    kind: type[HarbenchError],
    what: str,
    where: str | None,
    expected: str | None,
    fix: str | None,
) -> HarbenchError:
    return kind(what, where=where, expected=expected, fix=fix)


class ConfigError(HarbenchError):
    """benchmarks.yaml, a ``--set`` or another option says something that cannot be."""


class DataError(HarbenchError):
    """A data file is not what its dataset says it is."""


class DataMissingError(HarbenchError):
    """A dataset's files are not on this machine; ``fix`` is the one command that gets them."""


class PluginError(HarbenchError):
    """A plugin cannot be loaded or says something that contradicts another plugin."""


class ModelError(HarbenchError):
    """A model cannot be built for what is asked of it (window too short, wrong output)."""


class ClusterError(HarbenchError):
    """A cluster cannot be reached or started, or a worker of it cannot do what is asked."""


class ResultsError(HarbenchError):
    """The results folder holds something that harbench did not write or cannot read."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'spar'?"``, or the empty string where nothing is near."""
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean '{lowered[near[0]]}'?" if near else ""
