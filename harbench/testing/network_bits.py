"""Checks of networks that compare bits or train: seeds, modes, saving, gradients, cost."""

from __future__ import annotations

import random

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from harbench.cost import count
from harbench.errors import ModelError
from harbench.testing.checks import CautionError, CheckList, FailedError, NotCheckedError, said_of
from harbench.testing.network_subject import GOOD, RATES, STEPS, NetworkSubject
from harbench.testing.toy_windows import N_CHANNELS, N_CLASSES
from harbench.training.seeds import seed_everything

BITS: CheckList[NetworkSubject] = CheckList()


@BITS.check("seed", "the same seed gives the same weights, another seed gives others")
def seed(subject: NetworkSubject) -> None:
    """harbench seeds torch, NumPy and Python before it builds."""
    first, again = (_weights(subject.network(seed=7)) for _ in range(2))
    differing = [name for name in first if not torch.equal(first[name], again[name])]
    if differing:
        raise FailedError(
            f"built twice with one seed, '{differing[0]}' has other weights"
            + (f" (and {len(differing) - 1} more)" if len(differing) > 1 else ""),
            expected="equal bits",
            fix="draw all weights from torch's global generator, not from one of your own",
        )
    other = _weights(subject.network(seed=8))
    if first and all(torch.equal(first[name], other[name]) for name in first):
        raise FailedError(
            "two seeds give the same weights",
            expected="other weights for another seed",
            fix="delete torch.manual_seed(...) from the builder",
        )
    builds = []
    for value in (1, 2):
        seed_everything(7, "weights")
        random.seed(value)
        np.random.seed(value)
        builds.append(_weights(subject.thing.build(N_CHANNELS, subject.window, N_CLASSES)))
    if any(not torch.equal(builds[0][name], builds[1][name]) for name in builds[0]):
        raise CautionError(
            "some weights are drawn by random or numpy.random",
            expected="weights of torch's global generator alone",
            fix="draw them with torch.rand or torch.nn.init",
        )


@BITS.check(
    "eval-repeats", "in eval mode the same windows give the same logits, and no state moves"
)
def eval_repeats(subject: NetworkSubject) -> None:
    """Every stored prediction must be that of the stored weights."""
    net = subject.network().eval()
    before = _weights(net)
    with torch.no_grad():
        first, again = (net(subject.x.clone()) for _ in range(2))
    if not torch.equal(first, again):
        raise FailedError(
            "in eval mode two calls with the same windows give other logits",
            expected="equal bits",
            fix="give F.dropout training=self.training, and draw nothing in eval mode",
        )
    moved = [name for name, value in _weights(net).items() if not torch.equal(value, before[name])]
    if moved:
        raise FailedError(
            f"predicting in eval mode changes '{moved[0]}'",
            expected="weights and buffers that stay as they are",
            fix="update buffers only where self.training is true",
        )


@BITS.check(
    "batch-independence", "the logits of a window do not depend on the other windows of the batch"
)
def batch_independence(subject: NetworkSubject) -> None:
    """Else the test set helps to classify itself, and one window alone is told otherwise."""
    net = subject.network().eval()
    with torch.no_grad():
        together = net(subject.x.clone())
        if not torch.equal(together, net(subject.x.clone())):
            raise NotCheckedError("no two predictions are equal; see eval-repeats")
        apart = torch.cat([net(window.clone()) for window in torch.split(subject.x, 2)])
        mixed = net(torch.cat([subject.x[:4], 50 * torch.ones_like(subject.x[4:])]))[:4]
    for other, what in ((apart, "two by two"), (mixed, "beside other windows")):
        far = float((together[: len(other)] - other).abs().max())
        if far > 1e-4 * (1 + float(together.abs().max())):
            raise FailedError(
                f"in eval mode windows predicted {what} get other logits (by up to {far:.3g})",
                expected="logits of each window by itself",
                fix="take no mean, deviation or attention over the batch in eval mode; batch norm "
                "needs running statistics",
            )


@BITS.check("train-and-eval", "train and eval mode differ only by dropout and batch norm")
def train_and_eval(subject: NetworkSubject) -> str:
    """What else differs is a mode that no reader of the network would expect."""
    net = subject.network()
    reasons = [type(part).__name__ for part in net.modules() if _differs_by_mode(part)]
    if reasons:
        return f"by {', '.join(dict.fromkeys(reasons))}"
    with torch.no_grad():
        trained, predicted = (net.train(mode)(subject.x.clone()) for mode in (True, False))
    if not torch.equal(trained, predicted):
        raise CautionError(
            "train and eval mode give other logits, and no dropout or batch norm module says why",
            expected="a module for what differs, so that a reader sees it",
            fix="use nn.Dropout and nn.BatchNorm1d instead of their functional forms",
        )
    return "no difference"


def _differs_by_mode(part: nn.Module) -> bool:
    if isinstance(part, nn.modules.batchnorm._NormBase):
        return part.track_running_stats
    if isinstance(part, nn.RNNBase):
        return part.dropout > 0
    kinds = (nn.modules.dropout._DropoutNd, nn.RReLU, nn.MultiheadAttention)
    return isinstance(part, kinds)


@BITS.check(
    "save-and-load", "saved as the store saves it and loaded again, it predicts the same bits"
)
def save_and_load(subject: NetworkSubject) -> str:
    """The store keeps parameters and buffers as safetensors, and nothing else of a network."""
    net = subject.network(seed=1)
    with torch.no_grad():
        net.train()(subject.x.clone())  # so that running statistics are not the initial ones
    weights = {name: value.detach().contiguous() for name, value in net.state_dict().items()}
    try:
        content = save(weights)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise FailedError(
            f"its weights cannot be saved as safetensors: {said_of(error)}",
            expected="a state_dict of tensors that share no memory",
            fix="tie weights in forward() instead of sharing a parameter; keep no other objects in "
            "the state_dict",
        ) from error
    twin = subject.network(seed=2)
    twin.load_state_dict(load(content))
    with torch.no_grad():
        first, second = _answers(net, subject.x), _answers(twin, subject.x)
    if not torch.equal(first, second):
        raise FailedError(
            "loaded into a new network, the saved weights give other logits",
            expected="equal bits",
            fix="make every tensor that the network keeps a parameter, or a buffer with "
            "register_buffer",
        )
    return f"{len(content):,} bytes"


def _answers(net: nn.Module, x: Tensor) -> Tensor:
    # Seeded: a network that draws in eval mode fails eval-repeats, and not this check too.
    torch.manual_seed(0)
    logits: Tensor = net.eval()(x.clone())
    return logits


@BITS.check("gradients", "a gradient that is not zero reaches every parameter in some step")
def gradients(subject: NetworkSubject) -> str:
    """A parameter that never gets one is counted and printed, and does nothing."""
    toy = subject.toy
    if toy.not_finite:
        raise FailedError(
            f"the gradient of {toy.not_finite} is not finite",
            expected="finite gradients",
            fix="look for a root or logarithm of 0, or a norm of a constant window (add eps)",
        )
    dead = [name for name, size in toy.gradients.items() if not size]
    if dead:
        more = f" (and of {len(dead) - 1} more)" if len(dead) > 1 else ""
        raise FailedError(
            f"no gradient ever reaches parameter '{dead[0]}'{more}",
            expected="every parameter used by forward() and changed by training",
            fix="use it, delete it, or set requires_grad_(False) where it is meant to stay",
        )
    return f"{len(toy.gradients)} parameter tensors"


@BITS.check("learns", "it learns a task of three separable classes in seconds")
def learns(subject: NetworkSubject) -> str:
    """Adam at three learning rates, 48 windows; judged on 48 others."""
    toy = subject.toy
    if not toy.gradients:
        raise FailedError(
            "the network has no parameter that could be trained",
            expected="a network that learns",
            fix="register it as kind='estimator' if it has its own way to fit",
        )
    if toy.not_finite:
        raise NotCheckedError("its gradients are not finite; see gradients")
    if toy.accuracy < GOOD:
        raise FailedError(
            f"after {STEPS} steps of Adam at {', '.join(f'{rate:g}' for rate in RATES)} it tells "
            f"{100 * toy.accuracy:.0f} % of unseen windows right (chance is 33 %)",
            expected=f"{100 * GOOD:.0f} % of a task that is easy by design",
            fix="look whether the logits depend on the input, and for a softmax before the loss",
        )
    return f"{100 * toy.accuracy:.0f} % right at a learning rate of {toy.rate:g}"


@BITS.check("cost", "MACs can be counted, and the two counters agree")
def cost(subject: NetworkSubject) -> str:
    """They disagree where thop does not see an operation; torch's counter counts then."""
    try:
        found = count(subject.network(), N_CHANNELS, subject.window)
    except ModelError as error:
        raise FailedError(
            error.what,
            expected=error.expected or "a network whose MACs can be counted",
            fix="let copy.deepcopy copy the network, and let forward() take a batch of one",
        ) from error
    if not found.counters_agree:
        raise CautionError(
            found.counters_note,
            expected="two counters that agree",
            fix="nothing, if the operation is meant so: tables print the note",
        )
    return f"{found.macs:,} MACs a window of {N_CHANNELS} channels x {subject.window} samples"


def _weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in net.state_dict().items()}
