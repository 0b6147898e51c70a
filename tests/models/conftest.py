"""Every registered first-party model, however many there are: a new file needs no new test.

Tests that take ``model`` run for each network, ``estimator`` for each estimator, ``any_model`` for
both: estimators have no layers, weights or gradients.
"""

import importlib
import pkgutil

import pytest
import torch

import harbench
import harbench_models


def registered() -> dict[str, harbench.Model]:
    found: list[harbench.Model] = []
    for info in pkgutil.iter_modules(harbench_models.__path__):
        module = importlib.import_module(f"harbench_models.{info.name}")
        if hasattr(module, "register_models"):
            module.register_models(register=found.append)
    names = [model.name for model in found]
    assert len(set(names)) == len(names)
    return {model.name: model for model in found}


EVERY = registered()
ALL = {name: model for name, model in EVERY.items() if model.kind == "network"}
ESTIMATORS = {name: model for name, model in EVERY.items() if model.kind == "estimator"}
CHANNELS = (3, 113)


def sizes(model: harbench.Model, n_channels: int) -> set[int]:
    # The dense layer of ordonez2016-cnn grows with channels times samples: 20 M weights at 113x37.
    more = {model.min_times + 1, 37} if n_channels < 45 else set()
    return {model.min_times, model.window} | more


def pytest_generate_tests(metafunc):
    if {"n_channels", "n_times"} <= set(metafunc.fixturenames):
        cases = [
            pytest.param(model, n_channels, n_times, id=f"{model.name}-{n_channels}x{n_times}")
            for model in ALL.values()
            for n_channels in CHANNELS
            for n_times in sorted(sizes(model, n_channels))
        ]
        metafunc.parametrize(("model", "n_channels", "n_times"), cases)
    for name, those in (("model", ALL), ("estimator", ESTIMATORS), ("any_model", EVERY)):
        if name in metafunc.fixturenames and "n_times" not in metafunc.fixturenames:
            metafunc.parametrize(name, list(those.values()), ids=list(those))


@pytest.fixture(scope="session")
def models() -> dict[str, harbench.Model]:
    return ALL


@pytest.fixture(scope="session")
def estimators() -> dict[str, harbench.Model]:
    return ESTIMATORS


@pytest.fixture(autouse=True)
def _one_thread_and_a_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
