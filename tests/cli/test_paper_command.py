"""harbench paper, as a user meets it."""

import csv
import io
import json
import os

import pytest

from harbench.execute import work
from harbench.results import Store
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

NAMES = ("table1", "table2", "table3", "table4")


def benchmarks(dataset, *, model="resnet-like", protocol="{window: paper}", more=""):
    return "benchmarks:\n" + "".join(
        f"  {name}: {{title: Title {name}, dataset: {dataset}, {more} protocol: {protocol}, "
        f"recipe: {{epochs: 1}}, seeds: 2, models: [{model}]}}\n"
        for name in NAMES
    )


@pytest.fixture
def paper(cli, tmp_path):
    """Runs ``harbench paper`` in a folder with a benchmarks.yaml and without data."""
    cli.install("resnet-like", "harbench_models.resnet_like")
    cli.install("opportunity", "harbench_datasets.opportunity")
    (tmp_path / "benchmarks.yaml").write_text(benchmarks("opportunity"))
    # Workers in this process remember the plugins of an earlier test.
    work._registry.cache_clear()
    yield lambda *arguments: cli("paper", "--jobs", "0", *arguments)
    work._registry.cache_clear()


def test_without_data_the_counts_are_measured_and_nothing_is_trained(paper, tmp_path):
    ended = paper()
    assert ended.code == 0, ended.err
    assert ended.err.splitlines() == [
        "cost of resnet-like, 113 x 15: 24,146 parameters, 240,656 MACs",
        "cost of resnet-like, 20 x 15: 19,682 parameters, 173,696 MACs",
        "cost of resnet-like, 10 x 15: 19,202 parameters, 166,496 MACs",
    ]
    for name in NAMES:
        assert f"{name}: Title {name}\n" in ended.out
        told = f"harbench datasets fetch opportunity, then harbench run benchmarks.yaml {name}"
        assert f"not measured: {told}\n" in ended.out
    (top_20,) = [line.split() for line in ended.out.splitlines() if line.startswith(" Top 20")]
    assert top_20 == [
        "Top", "20", "88.1", "–", "–", "19650", "⁴", "19,682", "/", "20,130", "173,696",
    ]  # fmt: skip
    (own,) = [line for line in ended.out.splitlines() if line.startswith(" resnet-like")]
    assert "24,146 / 24,594" in own and "89.2" in own and "0.024M" in own
    assert "What in the paper does not add up" in ended.out
    assert "(24594 - 19650) / (113 - 20) = 53.16, not a whole number" in ended.out
    assert not (tmp_path / "results/cells").exists()
    assert Store(tmp_path / "results").benchmark("table4")["missing"] is not None


def test_the_second_time_nothing_is_measured_or_written(paper, tmp_path):
    first = paper()
    files = sorted((tmp_path / "results").rglob("*.json"))
    before = {file: file.stat().st_mtime_ns for file in files}
    (tmp_path / "benchmarks.yaml").unlink()  # all that is needed is in the store
    second = paper()
    assert (second.code, second.out, second.err) == (0, first.out, "")
    assert {file: file.stat().st_mtime_ns for file in files} == before


def test_piped_output_is_plain(paper):
    ended = paper()
    assert not [c for c in ended.out if ord(c) < 32 and c != "\n"]
    assert not [line for line in ended.out.splitlines() if line.endswith(" ")]


def test_formats(paper):
    paper()
    content = json.loads(paper("--json").out)
    assert [table["benchmark"] for table in content["tables"]] == list(NAMES)
    assert len(content["inconsistencies"]) == 26
    assert content["tables"][3]["rows"][1]["parameters_with_buffers"] == 20_130
    assert paper("--format", "json").out == paper("--json").out
    markdown = paper("--markdown").out
    assert markdown.count("\n### ") + markdown.startswith("### ") == 5
    assert paper("--format", "markdown").out == markdown
    rows = list(csv.DictReader(io.StringIO(paper("--csv").out)))
    assert [row["row"] for row in rows if row["benchmark"] == "table4"] == [
        "All 113", "Top 20", "Bottom 20", "Top 10", "Bottom 10",
    ]  # fmt: skip
    assert paper("--format", "latex").out.count(r"\begin{table}") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.yaml"], "nope.yaml"),
        (["other.yaml"], "other.yaml: no benchmark is called 'table1'"),
        (["--json", "--markdown"], "--markdown --json: one output has one format"),
        (["--csv", "--format", "latex"], "one output has one format"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(paper, tmp_path, arguments, message):
    other = benchmarks("opportunity").replace("  table1:", "  mine:")
    (tmp_path / "other.yaml").write_text(other)
    ended = paper(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "results").exists()


def test_a_file_that_is_given_is_to_be_there_even_if_the_store_has_all(paper):
    paper()
    assert paper("nope.yaml").code == 2


def test_no_default_file_is_told(paper, tmp_path):
    (tmp_path / "benchmarks.yaml").unlink()
    ended = paper()
    assert ended.code == 2
    assert "benchmarks.yaml" in ended.err


def test_a_cost_that_cannot_be_measured_is_told(paper, monkeypatch):
    def broken(module, n_channels, n_times):
        raise RuntimeError("no memory for it")

    monkeypatch.setattr(work, "measure", broken)
    ended = paper()
    assert ended.code == 1
    assert "3 costs could not be measured" in ended.err
    (top_20,) = [line for line in ended.out.splitlines() if line.startswith(" Top 20")]
    assert top_20.split() == ["Top", "20", "88.1", "–", "–", "19650", "⁴", "–", "–"]
    monkeypatch.undo()


def test_simulated_data_are_marked_in_every_table(paper, tmp_path):
    (tmp_path / "benchmarks.yaml").write_text(benchmarks("opportunity-sim"))
    content = json.loads(paper("--json").out)
    assert [table["simulated"] for table in content["tables"]] == [True] * 4
    told = content["tables"][0]["missing"]
    assert told.endswith("harbench run benchmarks.yaml table1 --set dataset=opportunity-sim")
    for form in ((), ("--markdown",)):
        assert paper(*form).out.count("SIMULATED DATA - Title table") == 4


def test_a_stored_ablation_is_shown_and_its_networks_are_not_counted_again(paper, tmp_path):
    store = Store(tmp_path / "results")
    columns = ["order", "k", "NF", "±", "macro F1", "parameters", "with buffers", "MACs"]
    rows = [["all", 113, 88.0, 0.5, 50.0, 1130, 1131, 1132]]
    rows += [["top", k, 80.0 + k, 0.5, 40.0, k, k + 1, k + 2] for k in (10, 20)]
    found = {
        "analysis": "ablation", "options": {"by": "channel"}, "notes": [], "simulates": None,
        "key": "x", "cells": [],
        "tables": {"NF by number of channels": {"columns": columns, "rows": rows}},
    }  # fmt: skip
    store.write_analysis("table4", "ablation", found, {})
    ended = paper()
    assert ended.err.splitlines() == [
        "cost of resnet-like, 113 x 15: 24,146 parameters, 240,656 MACs"
    ]
    lines = {line[:10].strip(): line.split() for line in ended.out.splitlines()}
    assert lines["Top 20"][2:] == ["88.1", "100.0", "±", "0.5", "40.0", "19650", "⁴", "20", "/",
                                   "21", "22"]  # fmt: skip
    assert lines["Top 10"][3:6] == ["90.0", "±", "0.5"]


@pytest.fixture
def toy(cli, tmp_path):
    """The same with a dataset that is no OPPORTUNITY, and has three channels."""
    (tmp_path / "benchmarks.yaml").write_text(
        benchmarks("toy", model="small", protocol="{window: 20, step: 10}", more="path: files,")
    )
    return lambda *arguments: cli("--plugin", TOY_PLUGIN, *arguments)


def test_data_that_came_since_are_noticed(toy, tmp_path):
    first = toy("paper", "--jobs", "0")
    assert first.code == 0, first.err
    assert "harbench datasets fetch toy, then harbench run" in first.out
    assert "ANOTHER DATASET, toy - Title table1" in first.out
    # Three channels are neither 20 nor 10.
    assert first.err == "cost of small, 3 x 20: 123 parameters, 1,464 MACs\n"
    write_toy_files(tmp_path / "files")
    second = toy("paper", "--jobs", "0")
    assert "fetch toy" not in second.out
    told = f"harbench run benchmarks.yaml table2 --set dataset=toy --set path={tmp_path}/files"
    assert f"not measured: {told}\n" in second.out
    assert "0 of 2 cells done" in second.out
    assert not (tmp_path / "results/cells").exists()


def test_what_was_run_is_shown(toy, tmp_path):
    write_toy_files(tmp_path / "files")
    assert toy("run", "benchmarks.yaml", "--jobs", "0").code == 0
    ended = toy("paper", "--jobs", "0", "--json")
    assert (ended.code, ended.err) == (0, "")
    one, two, three, four = json.loads(ended.out)["tables"]
    nf = 100 * one["rows"][0]["nf_mean"]
    assert two["rows"][0]["nf_with_null"] == pytest.approx(nf)
    assert four["rows"][0]["nf"] == pytest.approx(nf)
    assert four["rows"][0]["n_channels"] == 3
    assert any("measured with 3 channels" in note for note in four["footnotes"])
    assert one["missing"] is None
    assert three["missing"].startswith("harbench run benchmarks.yaml table3 --set dataset=toy")


@pytest.mark.slow
def test_with_everything_in_the_store_no_torch_is_imported(child, tmp_path):
    (tmp_path / "benchmarks.yaml").write_text(benchmarks("opportunity"))
    cache = str(tmp_path / "cache")
    assert child("paper", "--jobs", "0", HARBENCH_CACHE=cache).returncode == 0
    code = (
        "import sys\nfrom harbench.cli import main\n"
        "try: main()\nfinally: print('torch' in sys.modules, file=sys.stderr)"
    )
    for width in ("80", "120"):
        ended = child("paper", code=code, HARBENCH_CACHE=cache, COLUMNS=width)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.splitlines()[-1] == "False"
        lines = ended.stdout.splitlines()
        assert all(len(line) <= int(width) for line in lines)
        assert not any("…" in line for line in lines)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_full_store_need_not_be_writable(paper, tmp_path):
    first = paper()
    folders = [tmp_path / "results", *(p for p in (tmp_path / "results").rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert paper().out == first.out
    finally:
        for folder in folders:
            folder.chmod(0o755)
