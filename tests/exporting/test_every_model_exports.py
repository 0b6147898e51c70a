"""Every first-party network as a file: it says what torch says, on windows as recorded."""

import importlib
import io
import pkgutil

import numpy as np
import pytest
import torch

import harbench_models
from harbench.data.normalise import CLIP, Normaliser, fit
from harbench.errors import ModelError
from harbench.execute.exporting.agreement import TOLERANCE, _ties
from harbench.execute.exporting.graphs import (
    onnx_of,
    predict_with_onnxruntime,
    predict_with_torch,
    program_of,
    pt2_of,
    quiet,
)
from harbench.execute.exporting.normalised import NormalisedNetwork
from harbench.nouns import Channel

# Coverage would double its time, most of it in torch's own Python.
pytestmark = pytest.mark.no_cover

FACTS = {"harbench": "0", "description": "a test", "classes": ["a", "b"]}


def networks():
    found = []
    for info in pkgutil.iter_modules(harbench_models.__path__):
        module = importlib.import_module(f"harbench_models.{info.name}")
        getattr(module, "register_models", lambda register: None)(register=found.append)
    return {model.name: model for model in found if model.kind == "network"}


ALL = networks()


@pytest.fixture(autouse=True)
def _one_thread_and_a_seed(one_thread):
    torch.set_num_threads(1)
    torch.manual_seed(0)


def normaliser_for(n_channels, clip=None):
    rng = np.random.default_rng(1)
    offset = rng.normal(0, 1000, n_channels)
    return Normaliser(offset, rng.uniform(0.5, 30, n_channels), rng.normal(size=n_channels), clip)


def raw_windows(normaliser, n_windows, n_times):
    """As recorded: some thousands, and 3 % missing."""
    rng = np.random.default_rng(2)
    shape = (n_windows, len(normaliser.offset), n_times)
    raw = rng.normal(size=shape) * normaliser.scale[:, None] + normaliser.offset[:, None]
    raw[rng.random(shape) < 0.03] = np.nan
    return raw.astype(np.float32)


def normalised(normaliser, raw):
    """By the code that prepares a training."""
    rows = np.ascontiguousarray(raw.transpose(0, 2, 1)).reshape(-1, raw.shape[1])
    normaliser.apply(rows)
    shape = (len(raw), raw.shape[2], raw.shape[1])
    return np.ascontiguousarray(rows.reshape(shape).transpose(0, 2, 1))


def case_of(model, n_channels, n_times, n_classes):
    """A network with running statistics of its own, and what it says of some windows."""
    network = model.build(n_channels, n_times, n_classes)
    with torch.no_grad():
        network.train()(torch.randn(8, n_channels, n_times))
    network.eval()
    normaliser = normaliser_for(n_channels)
    raw = raw_windows(normaliser, 5, n_times)
    with torch.inference_mode():
        said = network(torch.from_numpy(normalised(normaliser, raw))).numpy()
    return NormalisedNetwork(network, normaliser).eval(), raw, said


def check(predict, raw, said):
    # Untrained logits may lie within 1e-5 of each other, where 1e-4 would allow anything.
    spread = float(np.ptp(said))
    assert spread > 0
    allowed = TOLERANCE * min(1, spread)
    for some in (slice(0, 1), slice(0, 5), slice(1, 3)):
        logits, probabilities = predict(raw[some])
        assert logits.shape == said[some].shape
        np.testing.assert_allclose(logits, said[some], rtol=0, atol=allowed)
        softmax = torch.softmax(torch.from_numpy(said[some]), 1).numpy()
        np.testing.assert_allclose(probabilities, softmax, rtol=0, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ALL))
def test_as_onnx_at_the_size_of_its_paper(name):
    model = ALL[name]
    whole, raw, said = case_of(model, 113, model.window, 18)
    program = program_of(whole, 113, model.window, model=name)
    check(predict_with_onnxruntime(onnx_of(program, FACTS, model=name)), raw, said)


@pytest.mark.parametrize("name", list(ALL))
def test_as_a_torch_program_at_the_smallest_size(name):
    model = ALL[name]
    n_times = max(model.min_times, 2)
    whole, raw, said = case_of(model, 3, n_times, 2)
    program = program_of(whole, 3, n_times, model=name)
    check(predict_with_torch(pt2_of(program, FACTS)), raw, said)


@pytest.mark.parametrize("kind", ["z-score", "min-max", "fixed", "none"])
def test_normalisation_in_the_graph_gives_the_same_bits(kind):
    rng = np.random.default_rng(3)
    # A channel that hardly moves about a large mean, one that is constant, one that is missing.
    signals = rng.normal(size=(500, 4)).astype(np.float32) * [1, 0.01, 0, 1] + [0, 5000, 3, 0]
    signals = signals.astype(np.float32)
    signals[:, 3] = np.nan
    signals[::7, 0] = np.nan
    channels = [
        Channel(f"c{i}", "s", "wrist", "accelerometer", "x", "g", i, (low, high))
        for i, (low, high) in enumerate([(-1, 1), (4999.99, 5000.01), (0, 6), (-1, 1)], 1)
    ]
    normaliser = fit(kind, signals, np.arange(500) < 300, channels)
    assert (normaliser.clip == CLIP) == (kind == "fixed")
    windows = np.ascontiguousarray(signals.reshape(50, 10, 4).transpose(0, 2, 1))
    expected = normalised(normaliser, windows)
    found = NormalisedNetwork(torch.nn.Identity(), normaliser).normalise(torch.from_numpy(windows))
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), expected)
    assert not np.isnan(expected).any()


class Branches(torch.nn.Module):
    def forward(self, x):
        return x[:, 0] if x.sum() > 0 else x[:, 1]


def test_a_network_that_looks_before_it_leaps_is_refused_in_one_sentence():
    with pytest.raises(ModelError) as caught:
        program_of(Branches(), 2, 4, model="mine")
    text = str(caught.value)
    assert "model 'mine' cannot be exported" in text
    assert "depend on values" in text
    assert len(text.splitlines()) == 2


def test_exporting_leaves_the_module_as_it_is():
    model = ALL["deepconvlstm"]
    network = model.build(3, model.min_times, 2).eval()
    before = {name: id(value) for name, value in network.named_parameters()}
    again = {name: value.clone() for name, value in network.state_dict().items()}
    program_of(network, 3, model.min_times, model="deepconvlstm")
    assert {name: id(value) for name, value in network.named_parameters()} == before
    assert all(torch.equal(again[name], value) for name, value in network.state_dict().items())
    assert isinstance(network.lstm.weight_ih_l0, torch.nn.Parameter)


def test_the_facts_of_a_torch_file_are_json():
    import json

    program = program_of(torch.nn.Flatten(), 2, 4, model="mine")
    file = pt2_of(program, {**FACTS, "classes": ["<b>", "ü"]})
    extra = {"harbench.json": ""}
    torch.export.load(io.BytesIO(file), extra_files=extra)
    assert json.loads(extra["harbench.json"])["classes"] == ["<b>", "ü"]


@pytest.mark.parametrize(
    ("logits", "stored", "ties"),
    [
        ([[1, 0], [0, 1]], [0, 1], 0),
        ([[1, 1 - 1e-4], [0, 1]], [1, 1], 1),
        ([[1, 1 - 3e-4], [0, 1]], [1, 1], None),
        ([[1, 0], [np.nan, 1]], [0, 1], None),
    ],
)
def test_only_near_logits_are_a_tie(logits, stored, ties):
    given = np.array(logits, np.float32), np.array(stored), "it", "here", None
    if ties is None:
        with pytest.raises(ModelError, match="gives 1 of 2 test windows another class"):
            _ties(*given)
    else:
        assert _ties(*given) == ties


def test_quiet_is_quiet_and_undone(recwarn, caplog):
    import logging
    import warnings

    with quiet():
        warnings.warn("heard", stacklevel=1)
        logging.getLogger("torch.onnx").warning("heard")
    assert not recwarn.list and not caplog.records
    logging.getLogger("harbench.test").warning("heard")
    assert len(caplog.records) == 1
    with quiet(unless=True):
        logging.getLogger("harbench.test").warning("heard")
    assert len(caplog.records) == 2
