"""A network that never gives the same bits: refused, trained on request, and marked everywhere."""

import json

import pytest

from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

CONFIG = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 1
    models: [small, restless]
"""
# The clock instead of a GPU whose sums come in any order.
RESTLESS = """
import time
import harbench
from toys import toy_plugin

def restless(n_channels, n_times, n_classes):
    import torch
    from torch import nn

    class Restless(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(n_channels * n_times, n_classes)

        def forward(self, x):
            now = torch.Generator().manual_seed(time.perf_counter_ns())
            where = torch.zeros(1, dtype=torch.int64)
            noise = torch.zeros(1).put_(where, torch.rand(1, generator=now))
            return self.head(x.flatten(1)) * (1 + noise)

    return Restless()

@harbench.hookimpl
def register_models(register):
    cite = harbench.Citation("Nobody, 2026")
    register(harbench.Model("restless", "", restless, toy_plugin.RECIPE, cite))
"""


@pytest.fixture
def toy(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(CONFIG)
    (tmp_path / "restless.py").write_text(RESTLESS)
    return lambda *words: cli("--plugin", TOY_PLUGIN, "--plugin", "restless.py", *words)


def test_it_is_refused_then_trained_marked_and_said_when_it_is_reproduced(toy, tmp_path, recwarn):
    refused = toy("run", "b.yaml", "--jobs", "0")
    assert refused.code == 1
    assert "put_ has no deterministic form on cpu" in refused.err
    assert "--set recipe.algorithms=fast" in refused.err

    ended = toy("run", "b.yaml", "--jobs", "0", "--set", "recipe.algorithms=fast")
    assert ended.code == 0, ended.err
    assert not [w for w in recwarn if "deterministic implementation" in str(w.message)]
    assert "trained by the fastest algorithms: the same seed need not give the same" in ended.out
    (table,) = json.loads(toy("table", "--format", "json").out)
    rows = {row["row"]: row for row in table["rows"]}
    assert rows["small"]["algorithms"] == rows["restless"]["algorithms"] == "fast"

    cells = {path.parent.name: json.loads(path.read_text())["cell"]
             for path in tmp_path.rglob("record.json")}  # fmt: skip
    # What the first run trained of the one that could be is another cell.
    assert len(cells) == 3
    said = {
        facts["model"]: toy("reproduce", key, "--jobs", "0").out
        for key, facts in cells.items()
        if facts["recipe"].get("algorithms") == "fast"
    }
    assert "- its recipe asks for fast algorithms, which promise no bits\n" in said["restless"]
    assert "same bits" in said["small"] and "promise no bits" not in said["small"]
