"""harbench saliency, as a user meets it."""

import csv
import io
import json
import shutil

import pytest

from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

CONFIG = """
benchmarks:
  first:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 2}
    seeds: 1
    models: [small]
  second:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, task: any}
    recipe: {epochs: 2}
    seeds: 1
    models: [small]
"""


@pytest.fixture
def toy(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(CONFIG)
    cli.install("saliency", "harbench_analyses.saliency")
    return lambda *arguments: cli("--plugin", TOY_PLUGIN, *arguments)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the first test's results are kept for the others."""
    return tmp_path_factory.mktemp("trained") / "results"


@pytest.fixture
def trained(toy, kept, tmp_path):
    if kept.is_dir():
        shutil.copytree(kept, tmp_path / "results")
    for name in ("first", "second"):
        ended = toy("run", "b.yaml", name, "--jobs", "0")
        assert (ended.code, "(cached)" in ended.err) == (0, kept.is_dir())
    if not kept.is_dir():
        shutil.copytree(tmp_path / "results", kept)
    return toy


def test_without_a_run_it_says_which_command_makes_one(toy):
    ended = toy("saliency", "--class", "wave")
    assert ended.code == 2
    assert "there is no trained network yet" in ended.err
    assert "try: harbench run benchmarks.yaml" in ended.err


def test_the_latest_run_that_knows_the_class(trained, tmp_path):
    ended = trained("saliency", "--class", "WAVE", "--figures", "figures")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("first: wave: top 3 channels")
    assert "Method gradient" in ended.out
    saved = {path.name for path in (tmp_path / "figures").iterdir()}
    stem = "first-saliency-small-wave"
    kinds = ("", "-column", "-body")
    assert saved == {f"{stem}{kind}.{ending}" for kind in kinds for ending in ("pdf", "svg", "png")}
    assert trained("saliency", "--class", "yes").out.startswith("second: yes: top")
    assert trained("saliency", "--all-classes").out.startswith("second: all classes: top")
    one = trained("saliency", "--all-classes", "--run", "first")
    assert one.out.startswith("first: all classes: top")
    assert "first: by class" in one.out


def test_json_and_csv_hold_the_same(trained):
    given = ("--class", "turn", "--method", "occlusion", "--reduction", "absolute", "--top", "2")
    content = json.loads(trained("saliency", *given, "--json").out)
    assert content["benchmark"] == "first"
    rows = content["tables"]["turn: top 2 channels"]
    assert [row["rank"] for row in rows] == [1, 2]
    assert any("occlusion" in note for note in content["notes"])
    printed = trained("saliency", *given, "--csv").out.splitlines()
    first = list(csv.DictReader(io.StringIO("\n".join(printed[:3]))))
    assert [row["name"] for row in first] == [row["name"] for row in rows]
    assert float(first[0]["value"]) == pytest.approx(rows[0]["value"])


def test_small_values_are_printed_with_three_digits_that_count(trained):
    content = json.loads(trained("saliency", "--class", "wave", "--json").out)
    value = content["tables"]["wave: top 3 channels"][0]["value"]
    shown = trained("saliency", "--class", "wave").out.splitlines()[2].split()
    assert float(shown[-1]) == pytest.approx(value, abs=0.005 * abs(value) + 0.005)
    assert value != 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--class", "wafe"], "no class is called 'wafe'; did you mean 'wave'"),
        (["--class", "wave", "--run", "frist"], "no results of a benchmark 'frist'; did you mean"),
        (["--class", "wave", "--model", "smal"], "is called 'smal'; did you mean 'small'"),
        (["--class", "wave", "--dataset", "tay"], "is called 'tay'; did you mean 'toy'"),
        (["--class", "wave", "--run", "second"], "no class is called 'wave'"),
        (["--class", "wave", "--method", "x"], "no method is called 'x'"),
        (["--class", "wave", "--reduction", "x"], "no reduction is called 'x'"),
        (["--class", "wave", "--split", "x"], "no part is called 'x'"),
        (["--class", "wave", "--all-classes"], "one class and all classes"),
        ([], "either --class NAME or --all-classes"),
        (["--class", "wave", "--csv", "--json"], "one output has one format"),
    ],
)
def test_refusals_are_one_sentence(trained, given, said):
    ended = trained("saliency", *given)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_missing_weights_are_said(trained, tmp_path):
    for path in (tmp_path / "results/cells").rglob("weights.safetensors"):
        path.unlink()
    assert "weights of this cell are not there" in trained("saliency", "--class", "wave").err


def test_without_the_plugin_it_names_the_list_of_plugins(cli):
    ended = cli("saliency", "--class", "wave")
    assert ended.code == 2
    assert "no analysis is called 'saliency'" in ended.err
    assert "try: harbench plugins" in ended.err
