import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from toys.toy_plugin import write_toy_files
from toys.workplace import Workplace


@pytest.fixture
def workplace(tmp_path, monkeypatch) -> Workplace:
    """Toy files under ``files``, and cache and data folders of its own."""
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HARBENCH_DATA", str(tmp_path / "data"))
    write_toy_files(tmp_path / "files")
    return Workplace(tmp_path)


@pytest.fixture
def one_thread():
    """Training sets torch to one thread and deterministic algorithms; undo it."""
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(before[0])
    torch.use_deterministic_algorithms(before[1])


@pytest.fixture
def quick_latency(monkeypatch):
    """Time three forward passes instead of a second of them, in this process."""
    from harbench.cost import measuring, timing

    def quick(module, n_channels, n_times):
        return timing.latency(module, n_channels, n_times, runs=3, seconds=0)

    monkeypatch.setattr(measuring, "latency", quick)
