"""Checks of what every model says of itself, network or estimator."""

from __future__ import annotations

import inspect
from typing import Any

from harbench.nouns import Model
from harbench.testing.checks import CautionError, CheckList, FailedError, NotCheckedError
from harbench.testing.plugin_checks import (
    check_citation,
    check_one_line,
    check_options,
    check_source,
)
from harbench.testing.subject import Subject

MODEL: CheckList[ModelSubject] = CheckList()
LAST: CheckList[ModelSubject] = CheckList()
"""After the checks of the kind: dearer, and of use only where those passed."""


class ModelSubject(Subject[Model]):
    """A model of either kind under check."""

    @property
    def window(self) -> int:
        """The paper's window, or one of 24 samples where it states none."""
        return self.thing.window or max(self.thing.min_times, 24)


@MODEL.check("metadata", "summary, citation, window and published rows are complete")
def metadata(subject: ModelSubject) -> str:
    """What tables and ``harbench models`` print."""
    model = subject.thing
    check_one_line("summary", model.summary)
    if model.min_times < 1:
        raise FailedError(
            f"min_times is {model.min_times}",
            expected="the shortest window in samples, at least 1",
            fix="set min_times=1 where any window will do",
        )
    if model.window is not None and model.window < model.min_times:
        raise FailedError(
            f"the paper's window has {model.window} samples, and min_times is {model.min_times}",
            expected="a window that the model can take",
            fix="correct window= or min_times=",
        )
    for result in model.published:
        stray = set(result.defects) - set(result.printed)
        if stray:
            raise FailedError(
                f"published row '{result.row}' has a defect of {', '.join(sorted(stray))}, which "
                "it does not print",
                expected="defects of columns that are in printed=",
                fix="use the same column name in both",
            )
    check_citation(model.citation)
    return model.summary


@MODEL.check("options", "the builder takes (n_channels, n_times, n_classes) and named options")
def options(subject: ModelSubject) -> str:
    """benchmarks.yaml sets options by name, and each must have a default."""
    check_signature(subject.thing.build, 3, "builder", "(n_channels, n_times, n_classes, *, ...)")
    return check_options(subject.thing.options, "builder")


@MODEL.check("source", "the builder's source can be read, so that a change trains cells again")
def source(subject: ModelSubject) -> str:
    """Content keys hold the source of the builder and of the modules that it imports."""
    return check_source(subject.thing.build)


@LAST.check("worker", "a worker process finds it by name and trains a small cell")
def worker(subject: ModelSubject) -> str:
    """As ``harbench run`` does: the plugins are loaded anew in another process."""
    if subject.origin is None:
        raise NotCheckedError("it was handed in and is not registered by a plugin")
    from harbench.testing.tiny_cells import plan_cells, registry_with_toys, train_in_worker

    epochs = 1 if subject.thing.kind == "network" else None
    with subject.at_work() as folder:
        planned = plan_cells(
            registry_with_toys(subject.files),
            subject.thing.name,
            folder / "cell",
            window=subject.window,
            epochs=epochs,
        )
        reason = train_in_worker(planned, subject.files, folder / "cache")
    if reason:
        raise FailedError(
            f"in a worker process a small cell fails: {reason}",
            expected="a cell that trains, predicts and can be stored",
            fix="let the builder need nothing but its arguments: no state of the parent process",
        )
    windows = planned.rows[0].folds[0].windows
    return f"{windows['train']} windows to train on, {windows['test']} to predict"


def check_signature(function: Any, n_given: int, what: str, wanted: str) -> None:
    """The first parameters are given by position; all that follow have defaults.

    Raises:
        FailedError: another signature.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise FailedError(
            f"the {what} is {function!r}, whose parameters cannot be told",
            expected=f"a function {wanted}",
            fix=f"wrap it: def {what}(...)",
        ) from error
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = parameters[:n_given]
    if len(given) < n_given or any(p.kind not in positional for p in given):
        raise FailedError(
            f"the {what} takes {inspect.signature(function)}",
            expected=wanted,
            fix=f"give it {n_given} parameters by position, in this order",
        )
    for parameter in parameters[n_given:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            raise CautionError(
                f"the {what} takes **{parameter.name}: options that no one can look up",
                expected="each option by name, with a default",
                fix=f"name the options instead of **{parameter.name}",
            )
        if parameter.default is parameter.empty:
            raise FailedError(
                f"option '{parameter.name}' of the {what} has no default",
                expected="a default for every option",
                fix=f"{parameter.name}=... in the signature",
            )
