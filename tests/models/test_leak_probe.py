"""No test sample reaches the weights of any registered model: not one bit of them changes."""

from dataclasses import replace

import numpy as np
import pytest

from harbench.data.stream import RecordingSpan, Stream
from harbench.nouns import BlockSplit, FixedSplit, Protocol, RandomWindowSplit, Recipe
from toys.probe import Probe, changed, disturbances
from toys.toy_plugin import TOY

pytestmark = pytest.mark.usefixtures("one_thread")

SPLIT = FixedSplit(train=("r1", "r2"), validation=("r3",), test=("r4",))
QUICK = Recipe(epochs=1, batch_size=16)


def toy_stream(n_samples=200, seed=0):
    rng = np.random.default_rng(seed)
    spans = tuple(
        RecordingSpan(f"r{i + 1}", f"s{i + 1}", "a", i * n_samples, (i + 1) * n_samples)
        for i in range(4)
    )
    signals = rng.normal(0, 1, (4 * n_samples, 3)).astype(np.float32)
    signals[rng.random(signals.shape) < 0.02] = np.nan
    labels = np.repeat(rng.integers(0, 3, 4 * n_samples // 40), 40).astype(np.int16)
    return Stream("d", spans, signals, {"gestures": labels})


def test_no_test_sample_reaches_the_weights(any_model):
    length = max(any_model.min_times, 8)
    protocol = Protocol(split=SPLIT, fill="linear")
    probe = Probe(any_model, TOY, protocol, length, length, QUICK)
    stream = toy_stream()
    weights, predicted = probe.train(stream)
    for what, other in disturbances(probe, stream).items():
        found, _ = probe.train(other)
        assert found == weights, what
    if any_model.name in ("majority", "stratified"):
        # They look at classes alone: at how many there are, not at which window has which.
        relabelled = replace(stream, labels={"gestures": np.zeros_like(stream.labels["gestures"])})
        assert probe.train(relabelled)[0] != weights
        return
    # That the probe would tell: the model is another where a training sample is changed, and
    # says other things of changed test samples.
    training = probe.samples(stream, "train")
    assert probe.train(changed(stream, training[len(training) // 2], 9.0))[0] != weights
    test = probe.samples(stream, "test")
    assert not np.array_equal(probe.train(changed(stream, test, 3.0))[1], predicted)


@pytest.mark.parametrize("fill", ["forward", "linear"])
def test_nor_by_way_of_a_gap(models, fill):
    """Blocks share recordings: a gap at the edge of a training block has test samples beside it."""
    split = BlockSplit(ratio=(2, 1, 1), blocks=5, seed=1)
    probe = Probe(models["resnet-like"], TOY, Protocol(split=split, fill=fill), 20, 10, QUICK)
    stream = toy_stream()
    training, test = (probe.samples(stream, part) for part in ("train", "test"))
    gaps = [i for i in training if i - 1 in test or i + 1 in test]
    assert len(gaps) > 2
    stream.signals[gaps] = np.nan
    weights, _ = probe.train(stream)
    for what, other in disturbances(probe, stream).items():
        assert probe.train(other)[0] == weights, what


def test_a_shared_sample_does(models):
    """The same probe under the leaky split: a sample that both parts hold changes the weights."""
    protocol = Protocol(split=RandomWindowSplit(ratio=(2, 1, 1)))
    probe = Probe(models["resnet-like"], TOY, protocol, 20, 10, QUICK)
    stream = toy_stream()
    shared = np.intersect1d(probe.samples(stream, "test"), probe.samples(stream, "train"))
    assert len(shared)
    assert probe.train(changed(stream, shared[0], 9.0))[0] != probe.train(stream)[0]
