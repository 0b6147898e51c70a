"""harbench ablate, as a user meets it."""

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
    recipe: {epochs: 3}
    seeds: 1
    models: [small]
"""


@pytest.fixture
def trained(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(CONFIG)
    cli.install("ablation", "harbench_analyses.ablation")
    assert cli("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0").code == 0
    return lambda *arguments: cli("--plugin", TOY_PLUGIN, "ablate", *arguments)


def test_it_trains_prints_and_keeps(trained, tmp_path):
    given = ("--k", "1,2", "--order", "top,bottom", "--jobs", "0", "--method", "occlusion")
    ended = trained(*given, "--figures", "figures")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("toy: NF by number of channels\n")
    assert "toy small [2 channels], seed 0: NF" in ended.err
    saved = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert saved == [f"toy-ablation-small-channel.{ending}" for ending in ("pdf", "png", "svg")]
    again = trained(*given, "--json")
    # Trained once, and read from the store.
    assert "NF" not in again.err
    content = json.loads(again.out)
    assert content["options"]["k"] == [1, 2]
    rows = content["tables"]["NF by number of channels"]
    assert [(row["order"], row["k"]) for row in rows] == [
        ("all", 3), ("top", 1), ("top", 2), ("bottom", 1), ("bottom", 2),
    ]  # fmt: skip
    # Both gestures are carried by the first two of three channels.
    nf = {(row["order"], row["k"]): row["NF"] for row in rows}
    assert nf["top", 2] > nf["bottom", 1]
    assert trained(*given, "--csv").out.startswith("order,k,channels,NF,")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--k", "1,x"], "'1,x' is no list of numbers"),
        (["--k", "9"], "there are 3 channels, and 9 of them are asked for"),
        (["--order", "tap"], "no order is called 'tap'; did you mean 'top'"),
        (["--by", "position"], "there is only one position"),
        (["--within", "3"], "3.0 is no loss of NF"),
        (["--run", "tay"], "no results of a benchmark 'tay'; did you mean 'toy'"),
        (["--csv", "--json"], "one output has one format"),
    ],
)
def test_refusals_are_one_sentence(trained, given, said):
    ended = trained(*given)
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""


def test_ctrl_c_while_it_trains_is_no_fault_of_the_analysis(trained, monkeypatch, tmp_path):
    def interrupted(*given):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("harbench.execute.run.train_cells", interrupted)
    ended = trained("--k", "1", "--jobs", "0")
    assert ended.code == 130
    assert "stopped; 0 of 2 cells are kept in results/" in ended.err
    assert "broke" not in ended.err
    assert not (tmp_path / "results" / "analyses").exists()


def test_without_a_run_it_says_which_command_makes_one(cli):
    cli.install("ablation", "harbench_analyses.ablation")
    ended = cli("ablate")
    assert ended.code == 2
    assert "try: harbench run benchmarks.yaml" in ended.err
