import os
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from hypothesis import settings

# Of examples drawn anew each time one fails now and then, on a machine that is busy some take long.
settings.load_profile("ci")

# Read when numpy and torch are first imported: hence before the imports below. The threads of
# several test processes wait for one another in busy loops, at several times the processor time.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from toys.toy_plugin import write_toy_files  # noqa: E402
from toys.workplace import Workplace  # noqa: E402

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Slow tests run without coverage, which would double their time; what they run, others do."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")


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


@pytest.fixture(scope="session")
def installed_environment(tmp_path_factory):
    """The environment of a child process in which harbench is installed.

    Where the tests run from a plain checkout, its metadata is made from pyproject.toml.
    """
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "HARBENCH_DATA")}
    try:
        distribution("harbench")
    except PackageNotFoundError:
        site = tmp_path_factory.mktemp("site")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        info = site / "harbench-0.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: harbench\nVersion: 0.0.0\n")
        lines = [f"{k} = {v}" for k, v in project["entry-points"]["harbench"].items()]
        (info / "entry_points.txt").write_text("[harbench]\n" + "\n".join(lines))
        paths = [str(ROOT), str(ROOT / "plugins"), str(site)]
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([*paths, *([before] if before else [])])
    return environment
