"""Estimators from benchmarks.yaml to the table, the analyses and back: beside a network."""

import csv
import io
import json
import shutil

import pytest
from test_execute import truth

from harbench.errors import ConfigError, ResultsError
from harbench.execute.jobs import CellJob, Failed, Finished
from harbench.execute.local import InProcessExecutor, ProcessExecutor
from harbench.execute.reproducing import reproduce
from harbench.execute.run import efforts_of, train_cells, work_of
from harbench.execute.trained import trained_cells
from harbench.execute.variants import VariantTrainer
from harbench.nouns import Variant
from harbench.plan import keys, plan
from harbench.plugins import load_plugins
from harbench.report.table import comparison_table
from harbench.report.text import csv_text
from harbench.results.verifying import verify
from toys.workplace import TOY_PLUGIN, carry_out

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

FILES = (TOY_PLUGIN, TOY_PLUGIN.with_name("toy_estimators.py"))
TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 2
    models: [toy-forest, small, toy-prior]
"""


@pytest.fixture(scope="module")
def registry():
    return load_plugins(FILES, strict=True)


def planned_of(workplace, registry, text=TOY):
    return [plan(b, registry) for b in workplace.benchmarks(text)]


def run(workplace, registry, text=TOY, executor=None, **more):
    planned = planned_of(workplace, registry, text)
    work = work_of(planned, workplace.store, plugin_files=FILES, **more)
    return planned, list(carry_out(work, planned, workplace.store, executor or InProcessExecutor()))


@pytest.fixture(scope="module")
def ran(tmp_path_factory, registry):
    """A workplace where TOY ran; tests of this module only read it."""
    from toys.toy_plugin import write_toy_files
    from toys.workplace import Workplace

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("estimators")
        patch.setenv("HARBENCH_CACHE", str(folder / "cache"))
        patch.setattr("harbench.cost.fitted.RUNS", 3)
        write_toy_files(folder / "files")
        workplace = Workplace(folder)
        workplace.planned, workplace.events = run(workplace, registry)
        yield workplace


def test_cells_of_estimators_hold_truth_and_what_their_fit_took(ran):
    assert not [event for event in ran.events if isinstance(event, Failed)]
    (planned,) = ran.planned
    forest, small, prior = planned.rows
    assert (forest.recipe, small.recipe.epochs, prior.recipe) == (None, 1, None)
    for cell in forest.cells:
        stored = ran.store.read(cell.key)
        assert stored.record["cell"]["recipe"] is None
        assert stored.record["scores"]["nf"] > 0.8
        (line,) = stored.record["curve"]
        assert 0.8 < line["validation_nf"] <= 1
        assert (line["learning_rate"], line["train_loss"]) == (None, None)
        assert stored.measured["seconds"]["fit"] > 0
        assert stored.measured["cost"]["size_bytes"] > 1000
        assert stored.measured["environment"]["versions"]["scikit-learn"]
        assert len((stored.folder / "weights.safetensors").read_bytes()) < 20
        assert not list(stored.folder.glob("*.pkl"))
    costs = {json.loads(p.read_text())["parameters"] for p in ran.folder.rglob("costs/*.json")}
    assert costs == {3 * 3 * 8 + 8 + 16 + 8 * 3 + 3}


def test_the_key_names_the_libraries_of_an_estimator_and_changes_with_them(
    ran, registry, monkeypatch
):
    before = {cell.key: cell for cell in ran.planned[0].cells}
    libraries = ran.planned[0].rows[0].cells[0].content["libraries"]
    assert {"scikit-learn"} <= set(libraries)
    assert "libraries" not in ran.planned[0].rows[1].cells[0].content
    real = keys.version
    monkeypatch.setattr(keys, "version", lambda n: "99" if n == "scikit-learn" else real(n))
    after = {cell.key for cell in planned_of(ran, registry)[0].cells}
    assert {before[key].row for key in before.keys() - after} == {"toy-forest", "toy-prior"}
    assert {before[key].row for key in before.keys() & after} == {"small"}


def test_a_finished_estimator_is_cached_and_force_gives_the_same_bytes(
    ran, workplace, registry, monkeypatch
):
    work = work_of(planned_of(ran, registry), ran.store)
    assert (work.cells, work.costs) == ((), ())
    shutil.copytree(ran.store.folder, workplace.store.folder)
    before = truth(workplace.store)
    only = TOY.replace("toy-forest, small, toy-prior", "toy-forest")
    _, events = run(workplace, registry, only, force=True)
    assert sum(isinstance(e, Finished) for e in events) == 2
    assert truth(workplace.store) == before


def test_the_table_says_what_estimators_cost(ran):
    table = comparison_table(ran.store, "toy")
    rows = {row["row"].text: row for row in table.rows}
    assert [c.key for c in table.columns] == [
        "row", "window", "nf", "macro_f1", "parameters", "macs", "latency", "size", "fit",
        "printed NF", "printed parameters", "printed FLOPs",
    ]  # fmt: skip
    forest, prior = rows["toy-forest"], rows["toy-prior"]
    assert (forest["parameters"].text, forest["macs"].text) == ("n/a", "n/a")
    assert forest["latency"].text.endswith(" ms")
    assert forest["size"].text.endswith(" kB")
    assert forest["fit"].text.endswith(" s")
    assert (prior["parameters"].text, prior["macs"].text) == ("1,234", "567")
    assert [table.footnotes[n - 1] for n in prior["parameters"].notes] == [
        "toy-prior: counted by hand"
    ]
    flops = comparison_table(ran.store, "toy", flops=True)
    assert next(r for r in flops.rows if r["row"].text == "toy-prior")["macs"].text == "1,134"
    assert rows["small"]["size"].text == "556 B"
    lines = {line["row"]: line for line in csv.DictReader(io.StringIO(csv_text([table])))}
    assert (lines["toy-forest"]["kind"], lines["small"]["kind"]) == ("estimator", "network")
    assert int(lines["toy-forest"]["size_bytes"]) > 1000
    assert lines["toy-forest"]["parameters"] == ""
    assert float(lines["small"]["fit_seconds_median"]) > 0


def test_a_table_of_networks_alone_has_the_columns_that_it_had(ran, registry):
    manifest = ran.store.benchmark("toy")
    manifest |= {"name": "nets", "rows": [r for r in manifest["rows"] if r["row"] == "small"]}
    ran.store.write_benchmark("nets", manifest)
    keys_of = [column.key for column in comparison_table(ran.store, "nets").columns]
    assert keys_of[4:7] == ["parameters", "macs", "latency"]
    assert "size" not in keys_of
    (ran.store.folder / "benchmarks/nets.json").unlink()


def test_verify_finds_nothing_and_reproduce_finds_the_same_bits(ran, registry):
    assert verify(ran.store).findings == []
    key = ran.planned[0].rows[0].cells[1].key
    found = reproduce(ran.store, key, registry, InProcessExecutor(), plugin_files=FILES)
    assert (found.verdict, found.results, found.environment) == ("same bits", (), ())


def test_a_changed_library_is_named_when_a_cell_is_reproduced(ran, registry, monkeypatch):
    real = keys.version
    monkeypatch.setattr(keys, "version", lambda n: "99" if n == "scikit-learn" else real(n))
    key = ran.planned[0].rows[0].cells[0].key
    found = reproduce(ran.store, key, registry, InProcessExecutor(), plugin_files=FILES)
    ((name, then, now),) = found.environment
    assert name == "libraries of model 'toy-forest'"
    assert "scikit-learn 99" in now
    assert "scikit-learn 99" not in then


def test_a_recipe_for_all_rows_concerns_no_estimator_and_one_of_its_own_is_refused(
    workplace, registry
):
    (planned,) = planned_of(workplace, registry)
    assert planned.rows[0].recipe is None
    text = TOY.replace("toy-forest,", "{toy-forest: {recipe: {epochs: 3}}},")
    with pytest.raises(ConfigError) as caught:
        planned_of(workplace, registry, text)
    assert "model 'toy-forest' is an estimator" in str(caught.value)
    assert "(epochs)" in str(caught.value)
    assert caught.value.where == "benchmark 'toy', model 'toy-forest', recipe"


def test_an_estimators_options_are_checked_like_a_networks(workplace, registry):
    text = TOY.replace("toy-forest,", "{toy-forest: {options: {tree: 3}}},")
    with pytest.raises(ConfigError, match="no option 'tree'; did you mean 'trees'"):
        planned_of(workplace, registry, text)


def test_windows_of_an_estimators_cell_are_there_and_its_network_is_not(ran, registry):
    import torch

    cell = next(c for c in trained_cells(ran.store, "toy", lambda: registry))
    assert cell.row == "toy-forest"
    loaded = cell.load()
    assert loaded.windows("test").shape == (2 * 59, 3, 20)
    for module in (loaded.module, loaded.fresh(3)):
        with pytest.raises(ResultsError) as caught:
            module(torch.zeros(1, 3, 20))
        assert "row 'toy-forest' has no network: its model 'toy-forest' is an estimator" in str(
            caught.value
        )


def test_saliency_takes_the_first_network_and_says_why_not_an_estimator(ran, registry):
    saliency = registry.analyses.get("saliency")
    cells = trained_cells(ran.store, "toy", lambda: registry)
    result = saliency.run(cells)
    assert any("small" in note for note in result.notes)
    with pytest.raises(ResultsError, match="row 'toy-forest' has no network"):
        saliency.run(cells, row="toy-forest")


@pytest.mark.parametrize("name", ["per-class", "confusion", "events"])
def test_analyses_of_scores_take_estimators(ran, registry, name):
    cells = [c for c in trained_cells(ran.store, "toy", lambda: registry) if c.row == "toy-forest"]
    assert registry.analyses.get(name).run(cells).tables


def test_an_ablation_that_needs_no_map_fits_an_estimator_again(
    ran, workplace, registry, monkeypatch
):
    shutil.copytree(ran.store.folder, workplace.store.folder)
    monkeypatch.setattr("harbench.cost.fitted.RUNS", 3)

    def trained(planned):
        work = work_of(planned, workplace.store, plugin_files=FILES)
        efforts = efforts_of(work, planned, workplace.store)
        list(train_cells(work, efforts, workplace.store, InProcessExecutor()))

    trainer = VariantTrainer(workplace.store, lambda: registry, trained)
    cells = trained_cells(workplace.store, "toy", lambda: registry)
    forest = [cell for cell in cells if cell.row == "toy-forest"]
    ((fewer,),) = trainer([Variant(forest[0], {"channels": ("ACC z",)})])
    assert fewer.record["cell"]["channels"] == ["ACC z"]
    ablation = registry.analyses.get("ablation")
    # Channel 0 carries one class, channel 1 the other, channel 2 nothing.
    result = ablation.run(forest, trainer, orders=("forward", "random"), k=[1, 2])
    text = " ".join(str(table.to_string()) for table in result.tables.values())
    assert "forward" in text
    with pytest.raises(ResultsError, match="row 'toy-forest' has no network"):
        ablation.run(forest, trainer, orders=("top",), k=[1])


@pytest.mark.parametrize("executor", [InProcessExecutor(), ProcessExecutor(1)])
def test_a_fit_that_takes_too_long_fails_and_takes_nothing_along(workplace, registry, executor):
    text = TOY.replace("toy-forest, small, toy-prior", "toy-slow").replace("seeds: 2", "seeds: 1")
    (planned,), events = run(workplace, registry, text, executor, time_limit=0.5)
    (failed,) = [e for e in events if isinstance(e, Failed)]
    assert failed.reason == "it took longer than its time limit of 0.5 s"
    assert isinstance(failed.job, CellJob)
    assert not workplace.store.has(planned.cells[0].key)
    _, events = run(workplace, registry, text, InProcessExecutor())
    assert workplace.store.has(planned.cells[0].key)
