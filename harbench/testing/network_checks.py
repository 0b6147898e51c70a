"""Checks of networks: what goes in, what comes out, and what stays as it was."""

from __future__ import annotations

import torch
from torch import nn

from harbench.errors import HarbenchError
from harbench.testing.checks import CautionError, CheckList, FailedError, NotCheckedError, said_of
from harbench.testing.global_state import generator_states, settings_changed, torch_settings
from harbench.testing.network_subject import NetworkSubject
from harbench.testing.toy_windows import N_CHANNELS, N_CLASSES

NETWORK: CheckList[NetworkSubject] = CheckList()

_RETURN = "[batch, n_classes]: one logit a class"


def sizes_of(subject: NetworkSubject) -> list[tuple[int, int, int]]:
    """(channels, samples, classes) that a network is built for; the shortest has its own check."""
    window = subject.window
    return [
        (N_CHANNELS, window, N_CLASSES),
        (1, window, 2),
        (3, window + 1, 5),
        (9, 2 * window + 13, 2),
        (45, window, 12),
        (113, window, 18),
    ]


@NETWORK.check("builds", "the builder returns a torch.nn.Module with weights of known size")
def builds(subject: NetworkSubject) -> str:
    """With the options' defaults, for 6 channels, the paper's window and 3 classes."""
    net = subject.build(N_CHANNELS, subject.window, N_CLASSES)
    if not isinstance(net, nn.Module):
        raise FailedError(
            f"the builder returns {type(net).__name__}",
            expected="a torch.nn.Module",
            fix="return the network itself, not its class or its output",
        )
    for name, parameter in net.named_parameters():
        if nn.parameter.is_lazy(parameter):
            raise FailedError(
                f"the size of parameter '{name}' is not known yet",
                expected="a network that is ready to train",
                fix="run one window through lazy layers before returning the network",
            )
    return f"{sum(p.numel() for p in net.parameters()):,} parameters"


@NETWORK.check("shapes", "logits are [batch, classes] for 1 to 113 channels and several windows")
def shapes(subject: NetworkSubject) -> str:
    """A benchmark may ask for any of these."""
    for n_channels, n_times, n_classes in sizes_of(subject):
        at = f"for {n_channels} channels, {n_times} samples and {n_classes} classes"
        try:
            net = subject.build(n_channels, n_times, n_classes)
            logits = net(torch.zeros(2, n_channels, n_times))
        except (Exception, SystemExit) as error:
            raise FailedError(
                f"{at} it raises {said_of(error)}",
                expected=f"logits {_RETURN}",
                fix="use n_channels, n_times and n_classes; no size may be written as a number",
            ) from error
        if not isinstance(logits, torch.Tensor) or logits.shape != (2, n_classes):
            got = list(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
            raise FailedError(
                f"{at} it returns {got} for a batch of 2 windows",
                expected=f"logits {_RETURN}, here [2, {n_classes}]",
                fix="make the last layer n_classes wide, and return its output alone",
            )
    return f"{len(sizes_of(subject))} sizes"


@NETWORK.check("finite", "logits are finite float32, of ordinary, constant and large windows")
def finite(subject: NetworkSubject) -> None:
    """A sensor that stands still gives a constant window; normalised values reach 100."""
    try:
        net = subject.build(N_CHANNELS, subject.window, N_CLASSES)
        net(subject.x.clone())
    except (Exception, SystemExit) as error:
        raise NotCheckedError("it has no logits to look at; see the checks that failed") from error
    windows = {
        "noise": subject.x,
        "zeros": torch.zeros_like(subject.x),
        "values of 100": torch.full_like(subject.x, 100.0),
    }
    for mode in ("train", "eval"):
        for what, x in windows.items():
            logits = net.train(mode == "train")(x.clone())
            if not isinstance(logits, torch.Tensor):
                raise NotCheckedError("it returns no tensor; see shapes")
            if logits.dtype != torch.float32:
                raise FailedError(
                    f"logits are {logits.dtype}",
                    expected="torch.float32, as the windows are",
                    fix="build no layer with another dtype, and leave the default dtype alone",
                )
            if not torch.isfinite(logits).all():
                bad = "NaN" if torch.isnan(logits).any() else "infinite"
                raise FailedError(
                    f"logits are {bad} for windows of {what}, in {mode} mode",
                    expected="finite numbers",
                    fix="look for a logarithm, a root or a division by a deviation of 0 (add eps)",
                )


@NETWORK.check("min-times", "min_times is the shortest window: one less raises ModelError")
def min_times(subject: NetworkSubject) -> str:
    """At min_times it must train on two windows and predict one."""
    subject.network()
    shortest = subject.thing.min_times
    try:
        works = _works_at(subject, shortest)
    except (Exception, SystemExit) as error:
        raise FailedError(
            f"at its stated minimum of {shortest} samples it raises {said_of(error)}",
            expected="a network that trains and predicts at min_times",
            fix=f"set min_times to the shortest window that works: {_shortest(subject)}",
        ) from error
    if not works:
        raise FailedError(
            f"at its stated minimum of {shortest} samples its logits are not finite",
            expected="a network that trains and predicts at min_times",
            fix=f"set min_times to the shortest window that works: {_shortest(subject)}",
        )
    if shortest == 1:
        return "any window"
    try:
        works = _works_at(subject, shortest - 1)
    except HarbenchError:
        return f"{shortest} samples"
    except (Exception, SystemExit) as error:
        raise CautionError(
            f"a window of {shortest - 1} samples raises {said_of(error)}",
            expected="a ModelError that says how long a window must be",
            fix="raise harbench.ModelError in the builder where n_times is below min_times",
        ) from error
    if works:
        raise CautionError(
            f"min_times is {shortest}, and a window of {shortest - 1} samples works too",
            expected="the shortest window that works, or a builder that refuses what it should not",
            fix=f"set min_times={_shortest(subject)}, or raise harbench.ModelError below it",
        )
    raise CautionError(
        f"a window of {shortest - 1} samples gives logits that are not finite",
        expected="a ModelError that says how long a window must be",
        fix="raise harbench.ModelError in the builder where n_times is below min_times",
    )


def _works_at(subject: NetworkSubject, n_times: int) -> bool:
    net = subject.build(N_CHANNELS, n_times, N_CLASSES)
    x = torch.randn(2, N_CHANNELS, n_times, generator=torch.Generator().manual_seed(0))
    trained, predicted = net.train()(x.clone()), net.eval()(x[:1].clone())
    return bool(torch.isfinite(trained).all() and torch.isfinite(predicted).all())


def _shortest(subject: NetworkSubject) -> str:
    for n_times in range(1, subject.window + 1):
        try:
            if _works_at(subject, n_times):
                return str(n_times)
        except (Exception, SystemExit):  # noqa: BLE001 - too short, whatever it says
            continue
    return f"none up to {subject.window} does"


@NETWORK.check("batch-of-one", "a single window can be predicted")
def batch_of_one(subject: NetworkSubject) -> None:
    """On a wrist there is one window at a time."""
    net = subject.network().eval()
    try:
        with torch.no_grad():
            logits = net(subject.x[:1].clone())
    except (Exception, SystemExit) as error:
        raise FailedError(
            f"a batch of one window raises {said_of(error)}",
            expected=f"logits [1, {N_CLASSES}]",
            fix="look for squeeze() without a dimension, or batch norm that stays in train mode",
        ) from error
    if logits.shape != (1, N_CLASSES):
        raise FailedError(
            f"a batch of one window gives {list(logits.shape)}",
            expected=f"logits [1, {N_CLASSES}]",
            fix="look for squeeze() without a dimension",
        )


@NETWORK.check("input-unchanged", "the windows that it is given stay as they are")
def input_unchanged(subject: NetworkSubject) -> None:
    """A window belongs to the stream: what changes it changes every later epoch."""
    for mode in ("train", "eval"):
        net = subject.network().train(mode == "train")
        given = subject.x.clone()
        net(given)
        if not torch.equal(given, subject.x):
            raise FailedError(
                f"the network changes its input in {mode} mode",
                expected="the same bits before and after",
                fix="replace in-place operations on x (x += ..., x.mul_(), ReLU(inplace=True) on "
                "the input) by ones that return a new tensor",
            )


@NETWORK.check(
    "global-state", "building and running it leaves torch's settings and generators alone"
)
def global_state(subject: NetworkSubject) -> None:
    """A builder that reseeds, or changes threads or dtype, changes every model after it."""
    settings = torch_settings()
    subject.network()
    # Another seed than a builder would choose, so that it shows if it chooses one.
    torch.manual_seed(987_654_321)
    states = generator_states()
    net = subject.thing.build(N_CHANNELS, subject.window, N_CLASSES)
    changed = settings_changed(settings)
    if generator_states()["torch"][0] != states["torch"][0]:
        changed.append("the seed of torch's generator")
    states = generator_states()
    with torch.no_grad():
        net.eval()(subject.x.clone())
    changed += [f"{name} while predicting" for name in settings_changed(settings)]
    now = generator_states()
    if now["torch"][0] != states["torch"][0]:
        changed.append("the seed of torch's generator while predicting")
    changed += [
        f"the state of {name} while predicting"
        for name in ("random", "numpy.random")
        if now[name] != states[name]
    ]
    if changed:
        raise FailedError(
            f"it changes {', '.join(dict.fromkeys(changed))}",
            expected="a network that changes nothing outside itself",
            fix="delete that line: harbench seeds and sets torch before it builds",
        )
