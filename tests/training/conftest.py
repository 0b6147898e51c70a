import pytest

from harbench.data.stream import open_stream
from harbench.nouns import Protocol
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
