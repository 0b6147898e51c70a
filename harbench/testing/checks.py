"""Checks and what they come to: the words that the whole suite shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Literal, TypeVar

from harbench.errors import HarbenchError
from harbench.testing.global_state import settings_kept

Outcome = Literal["passed", "failed", "warned", "skipped"]
Kind = Literal["model", "dataset", "analysis", "plugin"]
Subject = TypeVar("Subject")


class ConformanceWarning(UserWarning):
    """What pytest shows of a check that warned."""


class FindingError(Exception):
    """How a check says that something is not as it should be.

    Args:
        found: One sentence: what is the case.
        expected: What should be the case.
        fix: What to do.
    """

    outcome: Outcome = "failed"

    def __init__(self, found: str, *, expected: str = "", fix: str = "") -> None:
        super().__init__(found)
        self.found, self.expected, self.fix = found, expected, fix


class FailedError(FindingError):
    """The plugin breaks its contract."""


class CautionError(FindingError):
    """The plugin works, and somebody should know this of it."""

    outcome: Outcome = "warned"


class NotCheckedError(FindingError):
    """The check says nothing: of this plugin, on this machine, or after another check failed."""

    outcome: Outcome = "skipped"


@dataclass(frozen=True)
class CheckResult:
    """What one check came to.

    Args:
        name: Of the check.
        asserts: What it asserts, a line.
        outcome: ``passed``, ``failed``, ``warned`` (works, but ...) or ``skipped``.
        found: One sentence; of a check that passed, what it looked at, or nothing.
        expected, fix: What was expected, and what to do; empty where it passed.
        seconds: That it took.
    """

    name: str
    asserts: str
    outcome: Outcome
    found: str = ""
    expected: str = ""
    fix: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        text = f"{self.name} {self.outcome}"
        if self.found:
            text += f": {self.found}"
        if self.expected:
            text += f" (expected {self.expected})"
        if self.fix:
            text += f"\n  what to do: {self.fix}"
        return text


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """One check.

    Args:
        name: Short, as ``pytest -k`` takes it.
        asserts: What it asserts, a line without a full stop.
        run: Raises a :class:`FindingError`, or returns what it looked at (or nothing).
    """

    name: str
    asserts: str
    run: Callable[[Subject], str | None]

    def __call__(self, subject: Subject) -> CheckResult:
        """Run the check. Whatever the plugin raises is its failure, never the suite's.

        Process-wide settings of torch and the global generators are put back after it.
        """
        began = time.perf_counter()
        found, expected, fix = "", "", ""
        outcome: Outcome = "passed"
        try:
            with settings_kept():
                found = self.run(subject) or ""
        except FindingError as finding:
            outcome, found = finding.outcome, finding.found
            expected, fix = finding.expected, finding.fix
        except HarbenchError as error:
            outcome, found = "failed", f"{type(error).__name__}: {error.what}"
            expected, fix = error.expected or "", error.fix or ""
        except (Exception, SystemExit) as error:  # noqa: BLE001 - that is what is looked for
            outcome, found = "failed", f"it raises {said_of(error)}"
            expected = "no exception"
            fix = "harbench --debug check NAME shows where"
            _DEBUG(error)
        took = round(time.perf_counter() - began, 3)
        return CheckResult(self.name, self.asserts, outcome, found, expected, fix, took)


def _no_debug(error: BaseException) -> None:
    return


_DEBUG: Callable[[BaseException], None] = _no_debug


def show_tracebacks_with(show: Callable[[BaseException], None]) -> None:
    """Hand what a plugin raises in a check to ``show`` as well: the command's ``--debug``."""
    global _DEBUG
    _DEBUG = show


def said_of(error: BaseException) -> str:
    """Type and first line of an exception."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


class CheckList(Generic[Subject]):
    """The checks of one kind, in the order in which they are written down."""

    def __init__(self) -> None:
        self._checks: list[Check[Subject]] = []

    def check(
        self, name: str, asserts: str
    ) -> Callable[[Callable[[Subject], str | None]], Callable[[Subject], str | None]]:
        """Decorator: puts a function on the list."""

        def add(run: Callable[[Subject], str | None]) -> Callable[[Subject], str | None]:
            self._checks.append(Check(name, asserts, run))
            return run

        return add

    def __iter__(self) -> Iterator[Check[Subject]]:
        return iter(self._checks)


@dataclass(frozen=True)
class Report:
    """What all checks of one model, dataset or analysis came to.

    Args:
        kind: ``model``, ``dataset``, ``analysis``; ``plugin`` where it could not be loaded.
        name: Of the thing.
        plugin: What offers it, with its package.
        results: In order.
    """

    kind: Kind
    name: str
    plugin: str
    results: tuple[CheckResult, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether no check failed; warnings and skipped checks are allowed."""
        return not self.with_outcome("failed")

    @property
    def seconds(self) -> float:
        """That all checks took."""
        return round(sum(result.seconds for result in self.results), 3)

    def with_outcome(self, *outcomes: Outcome) -> tuple[CheckResult, ...]:
        """The results of these outcomes."""
        return tuple(result for result in self.results if result.outcome in outcomes)

    def to_json(self) -> dict[str, Any]:
        """A mapping that ``json.dumps`` can write."""
        return {
            "kind": self.kind,
            "name": self.name,
            "plugin": self.plugin,
            "passed": self.passed,
            "seconds": self.seconds,
            "checks": [asdict(result) for result in self.results],
        }

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.name} ({self.plugin}): {self.summary}"]
        lines += [str(result) for result in self.with_outcome("failed", "warned")]
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """``20 passed, 1 failed``."""
        order: tuple[Outcome, ...] = ("passed", "failed", "warned", "skipped")
        counts = [(len(self.with_outcome(outcome)), outcome) for outcome in order]
        return ", ".join(f"{count} {outcome}" for count, outcome in counts if count)


def run_checks(
    kind: Kind, name: str, plugin: str, checks: Sequence[Check[Any]], subject: Any
) -> Report:
    """All checks of a list on one subject."""
    return Report(kind, name, plugin, tuple(check(subject) for check in checks))
