"""Analyses are run once, kept whole, and run again when anything they depend on changes."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from harbench.errors import ConfigError, PluginError, ResultsError
from harbench.execute.analysing import analyse, check_options
from harbench.nouns import Analysis, AnalysisResult, TrainedCell
from harbench.results import Store


def count(cells, *, size=2, broken=False):
    from matplotlib.figure import Figure

    if broken:
        raise KeyError("nothing")
    count.calls += 1
    figure = Figure()
    figure.add_subplot().plot(range(size))
    table = pd.DataFrame({"seed": [c.seed for c in cells], "x": [float("nan")] * len(cells)})
    return AnalysisResult({"seeds, all": table}, ("a note",), {"line": figure})


def training(cells, train, *, size=2):
    made = train([cells[0]])
    return AnalysisResult({"made": pd.DataFrame({"key": [made[0][0].key]})})


@pytest.fixture
def cells(tmp_path):
    def cell(seed):
        return TrainedCell("r", "all", seed, tmp_path, {}, lambda: None, "toy", f"key{seed}")

    return [cell(0), cell(1)]


@pytest.fixture
def store(tmp_path):
    count.calls = 0
    return Store(tmp_path / "results")


def no_train(wanted):
    raise AssertionError("it trains nothing")


COUNT = Analysis("count", "counts", count)


def test_what_is_found_is_kept_whole(cells, store):
    found = analyse(COUNT, "entry", cells, {"size": 3}, no_train, store)
    assert not found.cached
    names = sorted(path.name for path in found.folder.iterdir())
    assert names == ["01-seeds-all.csv", "line.pdf", "line.png", "line.svg", "result.json"]
    content = json.loads((found.folder / "result.json").read_text())
    hashes, _ = content.pop("sha256"), content.pop("seal")
    assert sorted(hashes) == names[:-1]
    assert content == store.analysis("toy", "entry") == found.content
    assert content["tables"] == {
        "seeds, all": {"columns": ["seed", "x"], "rows": [[0, None], [1, None]]}
    }
    assert content["options"] == {"size": 3, "broken": False}
    assert content["cells"] == ["key0", "key1"]
    assert (found.folder / "01-seeds-all.csv").read_text() == "seed,x\n0,\n1,\n"


@pytest.mark.parametrize("name", ["../up", "/tmp/x", "a\\b", "a\0b", ".hidden", "..", "a\nb"])
def test_no_figure_leads_out_of_its_folder(cells, store, tmp_path, name):
    def escape(cells):
        return AnalysisResult({}, (), {name: None})

    with pytest.raises(PluginError, match="a figure's name is no plain file name"):
        analyse(Analysis("escape", "escapes", escape), "entry", cells, {}, no_train, store)
    assert list(tmp_path.iterdir()) == []


def test_a_table_may_be_called_anything(cells, store, tmp_path):
    def titled(cells):
        return AnalysisResult({"../../up/\0/x": pd.DataFrame({"a": [1]})})

    found = analyse(Analysis("titled", "titles", titled), "entry", cells, {}, no_train, store)
    names = sorted(path.name for path in found.folder.iterdir())
    assert names == ["01-..-..-up-x.csv", "result.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_nothing_is_run_twice_unless_something_changed(cells, store):
    analyse(COUNT, "entry", cells, {}, no_train, store)
    assert analyse(COUNT, "entry", cells, {}, no_train, store).cached
    # A default written out is the same option.
    assert analyse(COUNT, "entry", cells, {"size": 2}, no_train, store).cached
    assert count.calls == 1
    for changed in (cells[:1], [cells[0], replace(cells[1], key="other")]):
        assert not analyse(COUNT, "entry", changed, {}, no_train, store).cached
    assert not analyse(COUNT, "entry", cells, {"size": 4}, no_train, store).cached
    assert count.calls == 4


def test_equal_results_are_equal_bytes(cells, store, tmp_path):
    first = analyse(COUNT, "entry", cells, {}, no_train, store).folder
    second = analyse(COUNT, "entry", cells, {}, no_train, Store(tmp_path / "again")).folder
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_what_it_had_trained_is_noted(cells, store):
    analysis = Analysis("training", "trains", training, trains=True)
    made = replace(cells[0], key="made")
    found = analyse(analysis, "entry", cells, {}, lambda wanted: [[made] for _ in wanted], store)
    assert found.content["trained"] == ["made"]
    assert found.content["tables"]["made"]["rows"] == [["made"]]


def test_one_that_breaks_leaves_nothing(cells, store):
    with pytest.raises(PluginError, match="analysis 'count' broke: KeyError: 'nothing'"):
        analyse(COUNT, "entry", cells, {"broken": True}, no_train, store)
    assert store.analysis("toy", "entry") is None
    assert not store.analysis_folder("toy", "entry").exists()


def test_a_full_or_forbidden_folder_is_said(cells, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        analyse(COUNT, "entry", cells, {}, no_train, Store(tmp_path / "file"))


def test_unknown_options_are_refused():
    with pytest.raises(ConfigError, match="has no option 'sise'; did you mean 'size'"):
        check_options(COUNT, {"sise": 1}, "here")
