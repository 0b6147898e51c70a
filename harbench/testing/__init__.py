"""The conformance suite: what harbench's own plugins are held to, for anybody's.

On the command line it is ``harbench check NAME``. In the tests of a plugin package it is a test
file of two lines, and pytest shows one item for each check::

    from harbench.testing import conformance

    test_my_model = conformance("model", "my-model")

The name must be registered: the package is installed, or the plugin is one file, which
``conformance("model", "my-model", files=["my_model.py"])`` loads. From Python, each check's outcome
is in a report::

    from harbench.testing import check_model

    report = check_model("my-model")
    assert report.passed, report

:func:`check_dataset` and :func:`check_analysis` do the same for the other kinds of plugins. What is
checked, and what each failure means, stands in docs/conformance.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harbench.testing.checking import check_analysis as check_analysis
    from harbench.testing.checking import check_dataset as check_dataset
    from harbench.testing.checking import check_model as check_model
    from harbench.testing.checks import Check as Check
    from harbench.testing.checks import CheckResult as CheckResult
    from harbench.testing.checks import ConformanceWarning as ConformanceWarning
    from harbench.testing.checks import Report as Report
    from harbench.testing.pytest_items import conformance as conformance

_HOME = {
    "Check": "checks",
    "CheckResult": "checks",
    "ConformanceWarning": "checks",
    "Report": "checks",
    "check_analysis": "checking",
    "check_dataset": "checking",
    "check_model": "checking",
    "conformance": "pytest_items",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
