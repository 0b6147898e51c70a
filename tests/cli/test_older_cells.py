"""A model's source changes by one character: what runs again, and what the table says of it."""

import csv
import io
import json
import shutil

import pytest

from harbench.execute.run import write_manifests
from harbench.plan import plan
from harbench.report.table import comparison_table
from harbench.results import Store
from harbench.results.sealed import sealed_text
from harbench.results.verifying import verify
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 2
    models: [small, mine]
"""
MINE = """
import harbench


def mine(n_channels, n_times, n_classes):
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(n_channels * n_times, n_classes))


@harbench.hookimpl
def register_models(register):
    recipe = harbench.Recipe(epochs=1)
    register(harbench.Model("mine", "one layer", mine, recipe, harbench.Citation("Me")))
"""
TWO_ROWS = YAML.replace(", mine", ", {other: {model: small, options: {hidden: 4}}}")
SAID = "2 older cells of another source or version of the model are kept and not counted here"


def trained(err):
    return sorted(line.split(": NF")[0] for line in err.splitlines() if ": NF" in line)


@pytest.mark.slow
def test_one_character_runs_that_model_again_and_its_row_says_so(cli, child, tmp_path):
    # Each run in a process of its own, as a user's are: sources are read once a process.
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)
    plugin = tmp_path / "harbench_plugins" / "mine.py"
    plugin.parent.mkdir()
    plugin.write_text(MINE)

    def run():
        ended = child("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0",
                      HARBENCH_CACHE=str(tmp_path / "cache"))  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended

    first = run()
    assert len(trained(first.stderr)) == 4
    assert "older" not in first.stdout
    plugin.write_text(MINE.replace("0.1", "0.2"))
    second = run()
    assert trained(second.stderr) == ["toy mine, seed 0", "toy mine, seed 1"]
    assert "2 cells were in results/ already (cached)" in second.stderr

    def shown(*how):
        ended = cli("table", *how)
        assert ended.code == 0, ended.err
        return ended.out

    assert shown() == second.stdout
    for text in (second.stdout, shown("--format", "markdown"), shown("--format", "latex")):
        assert text.count(SAID) == 1
    rows = list(csv.DictReader(io.StringIO(shown("--format", "csv"))))
    assert [(row["row"], row["older_cells"]) for row in rows] == [("small", "0"), ("mine", "2")]
    (content,) = json.loads(shown("--format", "json"))
    assert [row["older_cells"] for row in content["rows"]] == [0, 2]
    # The mark stands at the row that it is about.
    table = comparison_table(Store(tmp_path / "results"), "toy")
    noted = {
        values["row"].text: any(SAID in table.footnotes[n - 1] for n in values["row"].notes)
        for values in table.rows
    }
    assert noted == {"small": False, "mine": True, "(commonest class)": False}
    stale = [f.what for f in verify(Store(tmp_path / "results")).findings]
    assert stale == ["in no table and no analysis"] * 2


def run_with(workplace, monkeypatch, source, text=TWO_ROWS):
    """What the store knows after a run of models with this source; nothing is trained."""
    monkeypatch.setattr("harbench.plan.contents.source_digest", lambda build: source)
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(text)]
    write_manifests(planned, workplace.store)
    for cell in planned[0].cells:
        home = workplace.store.cell_folder(cell.key)
        home.mkdir(parents=True, exist_ok=True)
        scores = dict.fromkeys(("nf", "macro_f1"), 0.5)
        (home / "record.json").write_text(sealed_text({"scores": scores}))
        measured = {"peak_memory_bytes": 1, "seconds": {"train_and_predict": 1.0}}
        (home / "measured.json").write_text(sealed_text(measured))
    return planned[0]


def older(workplace):
    table = comparison_table(workplace.store, "toy")
    return {record["row"]: record["older_cells"] for record in table.records}


def test_what_earlier_runs_had_is_remembered_without_reading_records(workplace, monkeypatch):
    first = run_with(workplace, monkeypatch, "one")
    assert older(workplace) == {"small": 0, "other": 0}
    assert "earlier" not in workplace.store.benchmark("toy")
    run_with(workplace, monkeypatch, "two")
    assert older(workplace) == {"small": 2, "other": 2}
    run_with(workplace, monkeypatch, "three")
    assert older(workplace) == {"small": 4, "other": 4}
    # Fewer seeds or another recipe of the same source are no older source.
    run_with(workplace, monkeypatch, "three", YAML.replace(", mine", ""))
    few = TWO_ROWS.replace("epochs: 1", "epochs: 2").replace("seeds: 2", "seeds: 1")
    run_with(workplace, monkeypatch, "three", few)
    assert older(workplace) == {"small": 4, "other": 4}
    # With the old source back its cells are used, and the others are the older ones.
    run_with(workplace, monkeypatch, "one")
    assert older(workplace) == {"small": 5, "other": 5}
    # What is deleted is not counted, and forgotten by the next run.
    now = {cell.key for cell in first.cells}
    for path in list((workplace.store.folder / "cells").glob("*/*")):
        if path.name not in now:
            shutil.rmtree(path)
    assert older(workplace) == {"small": 0, "other": 0}
    run_with(workplace, monkeypatch, "one")
    assert "earlier" not in workplace.store.benchmark("toy")


def test_a_damaged_or_older_file_of_a_benchmark_is_no_obstacle(workplace, monkeypatch):
    run_with(workplace, monkeypatch, "one")
    path = workplace.store.folder / "benchmarks" / "toy.json"
    whole = workplace.store.benchmark("toy")
    for row in whole["rows"]:
        del row["code"]
    workplace.store.write_benchmark("toy", whole)
    run_with(workplace, monkeypatch, "two")
    # Of which source those cells were nobody wrote down.
    assert older(workplace) == {"small": 0, "other": 0}
    for damage in ("{", "[]", '{"rows": [1]}', '{"rows": [], "earlier": [2]}', "{}"):
        path.write_text(damage if damage in ("{", "[]") else sealed_text(json.loads(damage)))
        run_with(workplace, monkeypatch, "two")
        assert older(workplace) == {"small": 0, "other": 0}
