"""A worker without memory, or killed for it, fails its cell alone; the others finish."""

import json
import multiprocessing
import os
import sys

import pytest

from harbench.execute.children import hear
from harbench.execute.jobs import CostJob, Failed
from harbench.execute.work import reason_of
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 1
    models: [torch-starves, python-starves, build-starves, killed, small]
"""
PLUGIN = '''
import os
import resource
import signal

import harbench


def starved():
    """Leave the process 64 MB more than it has."""
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**26, resource.RLIM_INFINITY))


def by_torch():
    import torch

    starved()
    return [torch.ones(2**22) for _ in range(100)]


def by_python():
    starved()
    return [bytearray(2**22) for _ in range(100)]


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def built_by(at_training, at_building):
    def build(n_channels, n_times, n_classes):
        from torch import nn

        class Hungry(nn.Module):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(n_channels * n_times, n_classes)
                self.kept = at_building() if at_building else None

            def forward(self, x):
                if self.training and at_training:
                    self.kept = at_training()
                return self.out(x.flatten(1))

        return Hungry()

    return build


@harbench.hookimpl
def register_models(register):
    for name, training, building in (
        ("torch-starves", by_torch, None),
        ("python-starves", by_python, None),
        ("build-starves", None, by_torch),
        ("killed", killed, None),
    ):
        build = built_by(training, building)
        register(harbench.Model(name, "hungry", build, harbench.Recipe(), harbench.Citation("")))
'''
OF_TORCH = "[enforce fail at alloc_cpu.cpp:"
KILLED = "failed: its process was ended by SIGKILL; the machine may be out of memory"


def outcomes(err):
    """Row -> what was said of its cell."""
    assert "Traceback" not in err
    lines = [line.split(": ", 1) for line in err.splitlines() if line.startswith("toy ")]
    return {title.removeprefix("toy ").split(",")[0]: text for title, text in lines}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc of Linux")
def test_a_worker_without_memory_fails_its_cell_alone(cli, tmp_path, monkeypatch):
    # Costs would fail as cells do, and take longer.
    monkeypatch.setattr("harbench.execute.run.measure_costs", lambda *_: (e for e in ()))
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)
    (tmp_path / "hungry.py").write_text(PLUGIN)
    plugins = ("--plugin", TOY_PLUGIN, "--plugin", tmp_path / "hungry.py")
    ended = cli(*plugins, "run", "b.yaml", "--jobs", 2)
    assert ended.code == 1, ended.err
    assert "4 of 10 jobs failed" in ended.err
    said = outcomes(ended.err)
    assert said.pop("small").startswith("NF ")
    assert said.pop("torch-starves").startswith(f"failed: out of memory (RuntimeError: {OF_TORCH}")
    reason = said.pop("build-starves")
    assert reason.startswith("failed: out of memory (model 'build-starves' cannot be built")
    assert said == {"python-starves": "failed: out of memory (MemoryError)", "killed": KILLED}
    assert "failed: out of memory (MemoryError)" in ended.out
    table = json.loads(cli("table", "--format", "json").out)[0]["rows"]
    assert [row["cells_done"] for row in table] == [0, 0, 0, 0, 1]
    # The next run tries them again; one at a time it is the same.
    some = ("--models", "killed,python-starves,small", "--set", "seeds=[1]")
    ended = cli(*plugins, "run", "b.yaml", "--jobs", 1, *some)
    assert ended.code == 1, ended.err
    said = outcomes(ended.err)
    assert said.pop("small").startswith("NF ")
    assert said == {"python-starves": "failed: out of memory (MemoryError)", "killed": KILLED}
    ended = cli("verify")
    assert ended.code == 0
    assert "every score, key and hash is right" in ended.out


def test_killed_in_the_middle_of_its_result():
    ours, theirs = multiprocessing.Pipe(duplex=False)
    # The head of a message of 1000 bytes, and no more.
    os.write(theirs.fileno(), (1000).to_bytes(4, "big") + b"xyz")
    theirs.close()

    class Killed:
        exitcode = -9

        def join(self):
            pass

    job = CostJob("k", "m", {}, 3, 20, 3)
    event = hear(ours, Killed(), job)
    ours.close()
    assert event == Failed(job, KILLED.removeprefix("failed: "))


def test_reasons_say_that_memory_was_short():
    import numpy as np
    import torch

    for allocate in (
        lambda: torch.empty(2**46),
        lambda: bytearray(2**60),
        lambda: np.empty(2**46),
    ):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            allocate()
        assert reason_of(caught.value).startswith("out of memory (")
    cuda = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
    assert reason_of(cuda).startswith("out of memory (OutOfMemoryError: CUDA out of memory.")
    assert reason_of(RuntimeError("CUDA error: out of memory")).startswith("out of memory (")
    assert reason_of(RuntimeError("shapes differ\nin line 2")) == "RuntimeError: shapes differ"
    assert reason_of(ValueError()) == "ValueError"
