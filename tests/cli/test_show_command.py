"""harbench show, as a user meets it; and what a terminal without Unicode gets."""

import json
import shutil

import pytest

from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 2}
    models: [small, broken]
"""


@pytest.fixture
def toy(cli, tmp_path):
    """Runs ``harbench --plugin toy_plugin.py ...`` where one cell is trained and one failed."""
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)

    def run(*arguments):
        return cli("--plugin", TOY_PLUGIN, *arguments)

    assert run("run", "b.yaml", "--jobs", "0", "--seeds", "1").code == 1
    return run


def key_of(tmp_path):
    [path] = (tmp_path / "results").glob("cells/*/*")
    return path.name


def test_the_list_and_a_page(toy, tmp_path, cli):
    key = key_of(tmp_path)
    listed = toy("show").out.splitlines()
    assert [line.split() for line in listed[:2]] == [
        ["Record", "Benchmark", "Row", "Fold", "Seed", "NF", "State"],
        [key[:12], "toy", "small", "all", "0", listed[1].split()[5], "done"],
    ]
    assert listed[2].split()[1:] == ["toy", "broken", "all", "0", "failed"]
    page = toy("show", key[:6]).out
    assert page.startswith("toy small, seed 0\n")
    for section in ("learning curve", "classes", "confusion matrix"):
        assert f"\n{section}\n" in page
    assert "2 epochs, weights of epoch" in page
    folder = tmp_path / "results/cells" / key[:2] / key
    for name in (key, key.upper(), folder, folder / "record.json"):
        assert toy("show", name).out.splitlines()[0] == "toy small, seed 0"
    # What is printed again: the command that trains the cell again.
    assert f"harbench reproduce {key[:12]}\n" in page


def test_json(toy, tmp_path):
    key = key_of(tmp_path)
    found = json.loads(toy("show", key, "--json").out)
    assert found["record"]["key"] == found["key"] == key
    assert found["tables"] == [{"benchmark": "toy", "row": "small", "simulates": None}]
    assert (found["saliency"], found["imported"]) == ([], None)
    rows = json.loads(toy("show", "--json").out)
    assert [(row["row"], row["state"]) for row in rows] == [("small", "done"), ("broken", "failed")]
    assert rows[0]["nf"] == found["record"]["scores"]["nf"]


def test_saliency_is_shown_where_an_analysis_covers_the_cell(toy, tmp_path, cli):
    cli.install("saliency", "harbench_analyses.saliency")
    cli.install("confusion", "harbench_analyses.confusion")
    assert toy("saliency", "--class", "wave").code == 0
    page = toy("show", key_of(tmp_path)[:12]).out
    assert "\nsaliency, toy: wave: top 3 channels\nACC " in page
    assert [s["analysis"] for s in json.loads(toy("show", key_of(tmp_path), "--json").out)[
        "saliency"
    ]] == ["saliency"]  # fmt: skip
    (tmp_path / "results/benchmarks/toy.json").unlink()
    assert "saliency" not in toy("show", key_of(tmp_path)).out
    assert toy("show").out.splitlines()[1].split()[-3:] == ["in", "no", "table"]


@pytest.mark.parametrize(
    "word", ["zz", "", " ", "../../etc/passwd", "x" * 5000, "nul\0", "[bold]\x1b[2J", "benchmarks"]
)
def test_what_names_no_cell_is_one_sentence(toy, word):
    ended = toy("show", word)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: results: ")
    assert "cells begin with '" in ended.err
    assert "\n  try: harbench show\n" in ended.err
    assert "\x1b" not in ended.err and len(ended.err) < 400


def test_without_results_and_with_a_damaged_record(toy, cli, tmp_path):
    ended = toy("show", "--out", "nowhere")
    assert (ended.code, "there are no trained cells yet" in ended.err) == (2, True)
    key = key_of(tmp_path)
    record = tmp_path / "results/cells" / key[:2] / key / "record.json"
    record.write_text(record.read_text().replace('"seed": 0', '"seed": 1'))
    for arguments in ([], [key]):
        ended = toy("show", *arguments)
        assert (ended.code, "it was changed after harbench wrote it" in ended.err) == (2, True)


def test_several_cells_that_begin_alike_are_named(toy, tmp_path):
    key = key_of(tmp_path)
    home = tmp_path / "results/cells" / key[:2]
    twin = key[:8] + ("0" if key[8] != "0" else "1") + key[9:]
    shutil.copytree(home / key, home / twin)
    ended = toy("show", key[:8])
    assert ended.code == 2
    assert f"2 cells begin with '{key[:8]}': " in ended.err
    assert key[:12] in ended.err and twin[:12] in ended.err


@pytest.mark.slow
def test_a_pipe_in_ascii_gets_ascii(toy, child, tmp_path):
    for arguments in (["table"], ["show", key_of(tmp_path)], ["run", "b.yaml", "--dry-run"]):
        ended = child(
            "--plugin", TOY_PLUGIN, *arguments, PYTHONIOENCODING="ascii",
            HARBENCH_CACHE=str(tmp_path / "cache"),
        )  # fmt: skip
        assert "bug" not in ended.stderr
        assert ended.stdout.isascii() and "toy" in ended.stdout
        assert "?" not in ended.stdout
        assert not [c for c in ended.stdout if ord(c) < 32 and c != "\n"]
