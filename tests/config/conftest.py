"""A folder to write settings files in, and what load says of a text."""

from pathlib import Path

import pytest

from harbench.config import load
from harbench.errors import ConfigError


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty current folder, so that places read ``b.yaml:1:1``."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(here):
    """Write a text as ``b.yaml``."""

    def write(text: str | bytes) -> Path:
        path = Path("b.yaml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def loaded(write):
    """The benchmarks of a text, by name."""

    def loaded(text, *overrides):
        file = load(write(text), overrides)
        return {benchmark.name: benchmark for benchmark in file.benchmarks}

    return loaded


@pytest.fixture
def refused(write):
    """The lines of what load says against a text."""

    def refused(text, *overrides) -> list[str]:
        path = write(text)
        with pytest.raises(ConfigError) as caught:
            load(path, overrides)
        return [line.strip() for line in str(caught.value).splitlines()]

    return refused
