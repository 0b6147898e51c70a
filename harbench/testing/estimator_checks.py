"""Checks of estimators: fit and predict_proba on windows, as scikit-learn has them."""

from __future__ import annotations

import pickle

import numpy as np

from harbench.errors import HarbenchError
from harbench.testing.checks import (
    CautionError,
    CheckList,
    FailedError,
    NotCheckedError,
    said_of,
)
from harbench.testing.estimator_subject import N_WINDOWS, EstimatorSubject
from harbench.testing.toy_windows import N_CHANNELS, N_CLASSES, toy_windows

ESTIMATOR: CheckList[EstimatorSubject] = CheckList()


@ESTIMATOR.check("builds", "the builder returns an object with fit and predict_proba, not fitted")
def builds(subject: EstimatorSubject) -> str:
    """With the options' defaults, for 6 channels, the paper's window and 3 classes."""
    estimator = subject.build(N_CHANNELS, subject.window, N_CLASSES)
    for method in ("fit", "predict_proba"):
        if isinstance(estimator, type) or not callable(getattr(estimator, method, None)):
            raise FailedError(
                f"the builder returns {_a(estimator)}, which has no method '{method}'",
                expected="an object with fit(x, y) and predict_proba(x)",
                fix="wrap a classifier that only decides in CalibratedClassifierCV",
            )
    return type(estimator).__name__


@ESTIMATOR.check("predicts", "probabilities are [windows, known classes], for several sizes")
def predicts(subject: EstimatorSubject) -> str:
    """For 1 to 113 channels; the columns are those of ``classes_``."""
    if not callable(getattr(subject.build(N_CHANNELS, subject.window, 2), "predict_proba", None)):
        raise NotCheckedError("it has no predict_proba; see builds")
    window = subject.window
    for n_channels, n_times in ((N_CHANNELS, window), (1, window + 1), (113, window)):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(24, n_channels, n_times)).astype(np.float32)
        y = np.arange(24, dtype=np.int64) % N_CLASSES
        at = f"for {n_channels} channels and {n_times} samples"
        try:
            estimator = subject.fitted(x, y)
            found = estimator.predict_proba(x[:5].copy())
            classes = np.asarray(estimator.classes_)
        except (Exception, SystemExit) as error:
            raise FailedError(
                f"{at} it raises {said_of(error)}",
                expected="fit(x, y) and predict_proba(x) on windows [windows, channels, samples], "
                "and classes_ after fit",
                fix="make features of the windows in a pipeline's first step",
            ) from error
        if np.shape(found) != (5, len(classes)):
            raise FailedError(
                f"{at} it returns {list(np.shape(found))} for 5 windows of {len(classes)} classes",
                expected=f"[5, {len(classes)}]: a probability of each class of classes_",
                fix="return one column for each entry of classes_",
            )
        if classes.tolist() != list(range(N_CLASSES)):
            raise FailedError(
                f"classes_ is {classes.tolist()} after a fit to classes 0, 1, 2",
                expected="the class numbers, in ascending order",
                fix="set classes_ = np.unique(y) in fit",
            )
    return "3 sizes"


@ESTIMATOR.check("probabilities", "each row is finite, not negative, and sums to 1")
def probabilities(subject: EstimatorSubject) -> None:
    """Also of a window that stands still, and of large values."""
    estimator = subject.estimator()
    x = subject.unseen[0]
    cases = {"noise": x, "zeros": np.zeros_like(x), "values of 100": np.full_like(x, 100)}
    for what, windows in cases.items():
        found = np.asarray(estimator.predict_proba(windows.copy()), np.float64)
        if not np.isfinite(found).all():
            raise FailedError(
                f"probabilities of windows of {what} are not finite",
                expected="finite numbers",
                fix="look for a deviation of 0 in the features (add a small number)",
            )
        if found.min() < 0 or abs(found.sum(axis=1) - 1).max() > 1e-4:
            raise FailedError(
                f"for windows of {what}, rows sum to {found.sum(axis=1).min():.3g} to "
                f"{found.sum(axis=1).max():.3g}, the smallest number is {found.min():.3g}",
                expected="probabilities: none below 0, each row's sum 1",
                fix="return a softmax of the scores, or counts over their sum",
            )


@ESTIMATOR.check("min-times", "min_times is the shortest window: one less raises ModelError")
def min_times(subject: EstimatorSubject) -> str:
    """At min_times it must fit and predict."""
    subject.estimator()
    shortest = subject.thing.min_times

    def works(n_times: int) -> None:
        x, y = toy_windows(N_WINDOWS, n_times, seed=4)
        found = subject.fitted(x, y).predict_proba(x[:1].copy())
        if not np.isfinite(found).all():
            raise ValueError("probabilities are not finite")

    try:
        works(shortest)
    except (Exception, SystemExit) as error:
        raise FailedError(
            f"at its stated minimum of {shortest} samples it raises {said_of(error)}",
            expected="an estimator that fits and predicts at min_times",
            fix="set min_times to the shortest window that works",
        ) from error
    if shortest == 1:
        return "any window"
    try:
        works(shortest - 1)
    except HarbenchError:
        return f"{shortest} samples"
    except (Exception, SystemExit) as error:
        raise CautionError(
            f"a window of {shortest - 1} samples raises {said_of(error)}",
            expected="a ModelError that says how long a window must be",
            fix="raise harbench.ModelError in the builder where n_times is below min_times",
        ) from error
    raise CautionError(
        f"min_times is {shortest}, and a window of {shortest - 1} samples works too",
        expected="the shortest window that works",
        fix="lower min_times, or raise harbench.ModelError below it",
    )


@ESTIMATOR.check("batch-of-one", "a window gets the same probabilities alone as beside others")
def batch_of_one(subject: EstimatorSubject) -> None:
    """Else the test set helps to classify itself."""
    estimator = subject.estimator()
    x = subject.unseen[0][:8]
    together = np.asarray(estimator.predict_proba(x.copy()))
    others = np.concatenate([x[:4], 50 * np.ones_like(x[4:])])
    beside = np.asarray(estimator.predict_proba(others))[:4]
    if np.abs(beside - together[:4]).max() > 1e-4:
        raise FailedError(
            "windows predicted beside other windows get other probabilities",
            expected="probabilities of each window by itself",
            fix="fit scalers in fit, never in predict_proba",
        )
    try:
        apart = np.concatenate([estimator.predict_proba(x[i : i + 1].copy()) for i in range(8)])
    except (Exception, SystemExit) as error:
        raise FailedError(
            f"a batch of one window raises {said_of(error)}",
            expected="a row of probabilities",
            fix="look for squeeze() without an axis",
        ) from error
    if apart.shape != together.shape or np.abs(apart - together).max() > 1e-4:
        # What guesses at random draws a number a window, whatever the windows hold.
        raise CautionError(
            "windows predicted one by one get other probabilities: their place counts",
            expected="probabilities of each window by itself",
            fix="nothing, if it is meant to guess at random; else draw nothing in predict_proba",
        )


@ESTIMATOR.check("absent-class", "a class without a training window does no harm")
def absent_class(subject: EstimatorSubject) -> str:
    """In a fold without subject 3 nobody may open the door."""
    subject.estimator()
    x, y = subject.seen
    kept = y != 1
    try:
        estimator = subject.fitted(x[kept], y[kept])
        found = np.asarray(estimator.predict_proba(x.copy()), np.float64)
        classes = np.asarray(estimator.classes_).tolist()
    except (Exception, SystemExit) as error:
        raise FailedError(
            f"fitted to classes 0 and 2 of 3, it raises {said_of(error)}",
            expected="an estimator that knows the classes that it saw",
            fix="make columns of np.unique(y), not of n_classes",
        ) from error
    if classes not in ([0, 2], [0, 1, 2]) or found.shape != (len(x), len(classes)):
        raise FailedError(
            f"fitted to classes 0 and 2 of 3, classes_ is {classes} and predict_proba gives "
            f"{list(found.shape)} for {len(x)} windows",
            expected="classes_ of [0, 2] (or [0, 1, 2]), and a column for each",
            fix="set classes_ = np.unique(y) in fit",
        )
    # Where they never do, the check of probabilities says so.
    whole = np.asarray(subject.estimator().predict_proba(x.copy()), np.float64)
    if abs(whole.sum(axis=1) - 1).max() <= 1e-4 and not (
        np.isfinite(found).all() and abs(found.sum(axis=1) - 1).max() <= 1e-4
    ):
        raise FailedError(
            "with a class absent, rows of probabilities do not sum to 1",
            expected="each row's sum 1",
            fix="divide by the sum over the classes that were seen",
        )
    return f"classes_ is {classes}"


@ESTIMATOR.check("seed", "the same seed gives the same probabilities")
def seed(subject: EstimatorSubject) -> None:
    """harbench seeds NumPy, torch, Python and each ``random_state`` that is None."""
    subject.estimator()
    x = subject.unseen[0]
    first, again = (
        np.asarray(subject.fitted(*subject.seen, seed=7).predict_proba(x.copy())) for _ in range(2)
    )
    if first.tobytes() != again.tobytes():
        raise FailedError(
            "fitted twice with one seed, probabilities differ by "
            f"{np.abs(first - again).max():.3g}",
            expected="equal bits",
            fix="take random_state=None as a parameter, or draw from numpy.random's global "
            "generator; set n_jobs=1",
        )


@ESTIMATOR.check("input-unchanged", "the windows and classes that it is given stay as they are")
def input_unchanged(subject: EstimatorSubject) -> None:
    """harbench hands the same windows to the next model."""
    subject.estimator()
    x, y = (part.copy() for part in subject.seen)
    estimator = subject.build(N_CHANNELS, subject.window, N_CLASSES)
    estimator.fit(x, y)
    for what, given, before in (("x", x, subject.seen[0]), ("y", y, subject.seen[1])):
        if given.tobytes() != before.tobytes():
            raise FailedError(
                f"fit changes {what}",
                expected="the same bits before and after",
                fix=f"work on a copy: {what} = {what}.copy()",
            )
    z = subject.unseen[0].copy()
    estimator.predict_proba(z)
    if z.tobytes() != subject.unseen[0].tobytes():
        raise FailedError(
            "predict_proba changes x",
            expected="the same bits before and after",
            fix="work on a copy: x = x.copy()",
        )


@ESTIMATOR.check("pickles", "fitted and pickled, it predicts the same bits")
def pickles(subject: EstimatorSubject) -> str:
    """It crosses from a worker process, and its size is that of its pickle."""
    estimator = subject.estimator()
    try:
        content = pickle.dumps(estimator)
        twin = pickle.loads(content)
    except Exception as error:
        raise FailedError(
            f"it cannot be pickled: {said_of(error)}",
            expected="an object of classes and functions that a module names",
            fix="replace lambdas and functions inside functions by ones of the module",
        ) from error
    x = subject.unseen[0]
    if (
        np.asarray(twin.predict_proba(x.copy())).tobytes()
        != np.asarray(estimator.predict_proba(x.copy())).tobytes()
    ):
        raise FailedError(
            "pickled and back, it predicts otherwise",
            expected="equal bits",
            fix="keep all that fit learns in attributes of the object",
        )
    return f"{len(content):,} bytes"


@ESTIMATOR.check("learns", "it tells three separable classes better than guessing")
def learns(subject: EstimatorSubject) -> str:
    """A baseline that is not meant to learn only gets a warning."""
    x, y = subject.unseen
    right = np.asarray(subject.estimator().predict_proba(x.copy())).argmax(axis=1) == y
    share = f"{100 * right.mean():.0f} % of unseen toy windows right"
    if right.mean() < 0.7:
        raise CautionError(
            f"it tells {share} (chance is 33 %)",
            expected="70 % of a task that is easy by design",
            fix="nothing, if it is meant to guess; else look whether the features see the windows",
        )
    return share


@ESTIMATOR.check("counts", "what it says of its own cost can be told")
def counts(subject: EstimatorSubject) -> str:
    """Parameters and MACs are n/a where the model gives none."""
    if subject.thing.counts is None:
        return "parameters and MACs are n/a"
    from harbench.nouns import Counts

    found = subject.thing.counts(subject.estimator())
    if not isinstance(found, Counts):
        raise FailedError(
            f"counts returns {_a(found)}", expected="harbench.Counts(...)", fix="return a Counts"
        )
    for what in ("parameters", "macs"):
        value = getattr(found, what)
        if value is not None and (not isinstance(value, int) or value < 0):
            raise FailedError(
                f"counts gives {value!r} {what}",
                expected="a whole number, or None where it is not defined",
                fix="round it with int()",
            )
    return f"{found.parameters} parameters, {found.macs} MACs"


def _a(thing: object) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
