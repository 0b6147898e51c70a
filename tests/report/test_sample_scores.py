"""Scores of samples and events in the tables of old runs, without training."""

import json
import shutil
import statistics

import numpy as np
import pytest
from sklearn.metrics import f1_score
from typer.testing import CliRunner

from harbench.cli.app import app
from harbench.errors import ResultsError
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import work_of
from harbench.execute.trained import trained_cells
from harbench.metrics import METRICS, SAMPLE_METRICS, find_metric
from harbench.plan import plan
from harbench.report.table import comparison_table
from harbench.results.sampled import scores_of, stretches_of
from toys.workplace import TOY_PLUGIN, carry_out

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 20, split: loso}
    recipe: {epochs: 1}
    seeds: 1
    models: [small]
  dropped:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, null: drop}
    recipe: {epochs: 1}
    seeds: 1
    models: [small]
"""


@pytest.fixture
def ran(workplace):
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
    list(carry_out(work, planned, workplace.store, InProcessExecutor()))
    return workplace


def cells_of(workplace, name="toy"):
    cells = workplace.store.benchmark(name)["rows"][0]["cells"]
    return [workplace.store.read(cell["key"]) for cell in cells]


def test_windows_side_by_side_are_scored_as_their_samples(ran):
    # No sample lies in two windows, so every window counts as its 20 samples.
    for cell in cells_of(ran):
        found = cell.predictions()
        expected = f1_score(found.true, found.predicted, average="weighted", zero_division=0)
        assert scores_of(cell, ["sample_nf", "nf"]) == {
            "nf": pytest.approx(expected),
            "sample_nf": pytest.approx(expected),
        }
        stretches = stretches_of(cell.folder, cell.record)
        assert sum(map(len, stretches)) == 20 * len(found.true)


def test_the_table_prints_them_without_training_or_data(ran):
    shutil.rmtree(ran.folder / "files")
    metrics = ["nf", *SAMPLE_METRICS]
    table = comparison_table(ran.store, "toy", metrics)
    assert [c.key for c in table.columns][2:7] == metrics
    every = [scores_of(cell, metrics) for cell in cells_of(ran)]
    for metric in metrics:
        mean = statistics.mean(scores[metric] for scores in every)
        assert table.records[0][f"{metric}_mean"] == pytest.approx(mean)
        assert table.records[0][f"{metric}_n"] == 4
    note = next(n for n in table.footnotes if n.startswith("each sample has the class"))
    marked = [c.key for c in table.columns if table.footnotes.index(note) + 1 in c.notes]
    assert marked == list(SAMPLE_METRICS)
    # Always guessing the commonest class: sample by sample as window by window.
    baseline = table.rows[-1]
    assert baseline["sample_nf"].text == baseline["nf"].text
    assert float(baseline["segment_f1_50"].text) < 50


def test_the_command_knows_them(ran):
    out = str(ran.store.folder)
    options = ["--metric", "segment_f1_25", "--metric", "sample_nf", "--format", "json"]
    done = CliRunner().invoke(app, ["table", "toy", "--out", out, *options])
    assert done.exit_code == 0
    row = json.loads(done.stdout)[0]["rows"][0]
    assert 0 <= row["segment_f1_25_mean"] <= 1
    assert find_metric("segment_f1_10", of_samples=True) is SAMPLE_METRICS["segment_f1_10"]
    assert not set(METRICS) & set(SAMPLE_METRICS)


def test_labels_of_samples_come_with_a_loaded_cell(ran):
    for name, dropped in (("toy", False), ("dropped", True)):
        cell = trained_cells(ran.store, name, lambda: ran.registry)[0]
        loaded = cell.load()
        subject = "s1" if name == "toy" else "s4"
        assert list(loaded.samples) == [f"{subject}a", f"{subject}b"]
        for recording, labels in loaded.samples.items():
            with np.load(ran.folder / "files" / f"{recording}.npz") as content:
                stored = content["labels"].astype(int)
            assert labels.tolist() == (stored - dropped).tolist()
        assert cell.rate_hz == 20.0
        # Where windows are left out, so are the samples: no NULL is made up.
        stretches = stretches_of(cell.folder, cell.record, labels=loaded.samples)
        for stretch in stretches:
            stop = stretch.start + len(stretch)
            expected = loaded.samples[stretch.recording][stretch.start : stop]
            assert stretch.true.tolist() == expected.tolist()
            assert stretch.true.min() >= 0
        assert (len(stretches) > 2) == dropped


def test_predictions_that_cannot_be_read_are_one_sentence(ran):
    cell = cells_of(ran)[0]
    for content in (b"", b"PK\x03\x04 torn", b"\x93NUMPY"):
        (cell.folder / "predictions.npz").write_bytes(content)
        with pytest.raises(ResultsError, match=r"predictions"):
            comparison_table(ran.store, "toy", ["sample_nf"])
    # Scores of the record need none of it.
    assert comparison_table(ran.store, "toy", ["nf"]).records[0]["nf_mean"] is not None
