"""Models: the table beside whar-models' own registry, and what the builders promise."""

import importlib.util
import pickle

import pytest

import harbench
from harbench_whar import library, models, networks
from harbench_whar.table import MODELS

HERE = importlib.util.find_spec("whar_models") is not None
needs_whar = pytest.mark.skipif(not HERE, reason="whar-models is not installed")
NETWORKS = [entry for entry in MODELS if not entry.estimator]


def registered():
    found = []
    models.register_models(found.append)
    return {model.name: model for model in found}


def shape_for(entry):
    """Channels and samples that the model takes: 12 divides by 2 and by 3."""
    return 12, max(entry.min_times, 24)


def test_22_models_are_offered_whether_or_not_the_library_is_there():
    found = registered()
    assert len(found) == 22
    assert all(name.startswith("whar-") for name in found)
    assert sorted(name for name, model in found.items() if model.kind == "estimator") == [
        "whar-knn", "whar-random-forest", "whar-svm",
    ]  # fmt: skip
    for model in found.values():
        assert model.citation.text and (model.citation.doi or model.citation.url)
        assert list(model.options) == ["settings", "source"]
        assert "not installed" in model.summary or HERE


def test_models_can_be_sent_to_another_process():
    for name, model in registered().items():
        assert pickle.loads(pickle.dumps(model)).name == name


def test_without_the_library_building_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(library, "folder", lambda: None)
    for name in ("whar-tinyhar", "whar-random-forest"):
        with pytest.raises(harbench.ModelError, match="whar-models is not installed") as caught:
            registered()[name].build(6, 64, 3)
        assert caught.value.fix == library.INSTALL


def test_without_the_library_every_model_says_so(monkeypatch):
    monkeypatch.setattr(models, "folder", lambda: None)
    for model in registered().values():
        assert model.summary.endswith("(whar-models is not installed)")
        assert library.INSTALL in model.notes[-1]


def test_source_tells_two_versions_of_a_model_apart(monkeypatch, tmp_path):
    for place in ("_shared", "tinyhar", "dana"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "model.py").write_text("one")
    monkeypatch.setattr(library, "folder", lambda: tmp_path)
    library.source_of.cache_clear()
    before = library.source_of("tinyhar"), library.source_of("dana")
    (tmp_path / "tinyhar" / "model.py").write_text("two")
    library.source_of.cache_clear()
    after = library.source_of("tinyhar"), library.source_of("dana")
    assert before[0] != after[0] and before[1] == after[1]
    with pytest.raises(harbench.ModelError, match=f"source is '{before[0]}'"):
        library.check_source("tinyhar", before[0])
    library.check_source("tinyhar", after[0])
    library.source_of.cache_clear()


@needs_whar
def test_the_table_is_what_whar_models_says():
    from whar_models import list_models

    theirs = {spec.id: spec for spec in list_models()}
    assert set(theirs) == {entry.id for entry in MODELS}
    for entry in MODELS:
        assert entry.estimator == (theirs[entry.id].framework == "sklearn")


@needs_whar
@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry.id)
def test_a_network_trains_a_step_and_can_be_copied(entry):
    import torch

    from harbench.cost import count

    n_channels, n_times = shape_for(entry)
    model = registered()[entry.name]
    torch.manual_seed(0)
    network = model.build(n_channels, n_times, 5, **model.options)
    logits = network.train()(torch.randn(4, n_channels, n_times))
    assert logits.shape == (4, 5)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 3])).backward()
    assert any(parameter.grad is not None for parameter in network.parameters())
    assert count(network, n_channels, n_times).macs > 0


@needs_whar
@pytest.mark.parametrize(
    "entry", [entry for entry in NETWORKS if entry.min_times > 1], ids=lambda entry: entry.id
)
def test_min_times_is_the_shortest_window_of_whar_models_itself(entry, monkeypatch):
    import torch

    monkeypatch.setattr(networks, "_check_shape", lambda *shape: None)
    model = registered()[entry.name]
    fewest = 2 if entry.id == "triple_cross_domain_attention" else entry.min_channels
    network = model.build(fewest, entry.min_times, 3)
    assert network(torch.zeros(2, fewest, entry.min_times)).shape == (2, 3)
    shorter = entry.min_times - 1
    with pytest.raises((RuntimeError, ValueError, ZeroDivisionError, IndexError)):
        model.build(fewest, shorter, 3)(torch.zeros(2, fewest, shorter))


@needs_whar
@pytest.mark.parametrize(
    ("name", "n_channels"),
    [("whar-deepsense", 9), ("whar-if-conv-transformer", 113), ("whar-mlp-mixer", 1)],
)
def test_channels_that_a_model_cannot_take_are_refused(name, n_channels):
    with pytest.raises(harbench.ModelError, match=f"given {n_channels} channels"):
        registered()[name].build(n_channels, 64, 3)


@needs_whar
def test_global_fusion_uses_every_channel():
    import torch

    torch.manual_seed(0)
    for n_channels in (7, 9):
        network = registered()["whar-global-fusion"].build(n_channels, 32, 3).eval()
        x = torch.randn(1, n_channels, 32)
        changed = x.clone()
        changed[:, -1] += 5
        assert not torch.equal(network(x), network(changed))


@needs_whar
def test_settings_reach_whar_models():
    sizes = [
        sum(p.numel() for p in registered()["whar-tinyhar"].build(6, 64, 3, **options).parameters())
        for options in ({}, {"settings": "filter_num: 20"})
    ]
    assert sizes[1] < sizes[0]


@needs_whar
@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry.id)
def test_all_weights_are_there_before_the_first_window_and_nothing_is_printed(entry, capfd):
    import torch

    n_channels, n_times = shape_for(entry)
    network = registered()[entry.name].build(n_channels, n_times, 3)
    assert network.training
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert not any(torch.nn.parameter.is_lazy(p) for p in network.parameters())
    with torch.no_grad():
        network.eval()(torch.randn(2, n_channels, n_times))
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert capfd.readouterr().out == ""


@needs_whar
@pytest.mark.parametrize("name", ["whar-knn", "whar-random-forest", "whar-svm"])
def test_an_estimator_learns_and_says_probabilities(name):
    import numpy as np

    pytest.importorskip("tsfresh", reason="whar-models' classical models need tsfresh")
    rng = np.random.default_rng(0)
    y = np.repeat([0, 2], 20)
    x = (rng.normal(size=(40, 2, 16)) + 4 * y[:, None, None]).astype(np.float32)
    model = registered()[name].build(2, 16, 3).fit(x, y)
    said = model.predict_proba(x)
    assert model.classes_.tolist() == [0, 2]
    assert said.shape == (40, 2) and np.allclose(said.sum(1), 1) and said.min() >= 0
    assert (model.classes_[said.argmax(1)] == y).mean() > 0.95


def test_settings_are_names_and_values():
    read = library.settings_of
    assert read("tinyhar", "") == {}
    assert read("tinyhar", "filter_num: 20, kind: FC, pool: [8, 6]") == {
        "filter_num": 20, "kind": "FC", "pool": [8, 6],
    }  # fmt: skip
    for text in ("filter_num", "20", "a: [", "a: 1}, {b: 2", "filter_num="):
        with pytest.raises(harbench.ModelError, match="option settings"):
            read("tinyhar", text)
