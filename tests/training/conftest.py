import importlib
import pkgutil
from functools import partial

import pytest

import harbench_training
from harbench.data.stream import open_stream
from harbench.nouns import Protocol
from harbench.plugins import Origin, Registry
from toys.folds import prepare_fold
from toys.toy_plugin import TOY, write_toy_files


@pytest.fixture(scope="session")
def toy_stream(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    patch = pytest.MonkeyPatch()
    patch.setenv("HARBENCH_CACHE", str(folder / "cache"))
    write_toy_files(folder / "files")
    stream = open_stream(TOY, folder / "files")
    patch.undo()
    return stream


@pytest.fixture
def toy_fold(toy_stream):
    return prepare_fold(toy_stream, Protocol(split="fixed"))


@pytest.fixture(scope="session")
def methods_registry():
    """The plugins of harbench_training, and nothing else."""
    registry = Registry()
    for info in pkgutil.iter_modules(harbench_training.__path__):
        module = importlib.import_module(f"harbench_training.{info.name}")
        origin = Origin(info.name, "harbench", "0", module.__name__)
        if hasattr(module, "register_losses"):
            module.register_losses(partial(registry.losses.add, origin=origin))
        if hasattr(module, "register_augmentations"):
            module.register_augmentations(partial(registry.augmentations.add, origin=origin))
    return registry
