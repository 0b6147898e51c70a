"""harbench export-model on trained cells: files that run without harbench, or nothing at all."""

import hashlib
import importlib.util
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import harbench.plugins
from harbench.cli import context, main
from harbench.cost import measuring, timing
from harbench.data.normalise import Normaliser
from harbench.execute.exporting import exporting, graphs, normalised
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import work_of
from harbench.metrics import confusion, score
from harbench.plan import plan
from harbench.plugins import load_plugins
from toys import toy_estimators
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN, Workplace, carry_out

ESTIMATORS = Path(toy_estimators.__file__)
TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, channels: [ACC x, ACC z], fill: none, split: fixed}
    recipe: {epochs: 3}
    seeds: 1
    models: [small, toy-prior]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A trained network and a fitted estimator."""
    folder = tmp_path_factory.mktemp("exporting")
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARBENCH_CACHE", str(folder / "cache"))
        patch.setenv("HARBENCH_DATA", str(folder / "data"))
        patch.setattr(harbench.plugins, "entry_points", lambda group: [])
        patch.setattr(exporting, "RUNS", 5)
        patch.setattr(exporting, "SECONDS", 0.0)

        def quick(module, n_channels, n_times):
            return timing.latency(module, n_channels, n_times, runs=3, seconds=0)

        patch.setattr(measuring, "latency", quick)
        patch.setattr(exporting, "latency", quick)
        torch.set_num_threads(1)
        write_toy_files(folder / "files")
        place = Workplace(folder)
        vars(place)["registry"] = load_plugins([TOY_PLUGIN, ESTIMATORS])
        planned = [plan(b, place.registry) for b in place.benchmarks(TOY)]
        work = work_of(planned, place.store, plugin_files=(TOY_PLUGIN, ESTIMATORS))
        list(carry_out(work, planned, place.store, InProcessExecutor()))
        yield place
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@dataclass
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def export(ran, capsys):
    def run(record, out, *options, command="export-model"):
        given = [command, record, "--out", out, "--results", ran.store.folder, *options]
        with pytest.raises(SystemExit) as ended:
            main(["--plugin", str(TOY_PLUGIN), "--plugin", str(ESTIMATORS), *map(str, given)])
        context.use(context.Settings())
        return Ended(ended.value.code or 0, *capsys.readouterr())

    return run


def cell_of(ran, row):
    (found,) = [r for r in ran.store.benchmark("toy")["rows"] if r["row"] == row]
    return ran.store.read(found["cells"][0]["key"])


@pytest.fixture
def cell(ran):
    return cell_of(ran, "small")


def recorded(ran, cell):
    """The test windows straight from the files, with their gaps."""
    said = cell.predictions()
    windows = []
    for name, start in zip(said.recording, said.start, strict=True):
        with np.load(ran.folder / "files" / f"{name}.npz") as file:
            windows.append(file["signals"][start : start + 20][:, [0, 2]].T)
    raw = np.ascontiguousarray(windows, np.float32)
    assert np.isnan(raw).any()
    return raw, said


@pytest.fixture(scope="module")
def written(ran, tmp_path_factory):
    """Both ONNX files, and what the command printed as JSON."""
    out = tmp_path_factory.mktemp("written") / "deep" / "net.onnx"
    key = cell_of(ran, "small").key
    given = ["export-model", key[:9], "--out", out, "--results", ran.store.folder, "--int8"]
    text = io.StringIO()
    errors = io.StringIO()
    from contextlib import redirect_stderr, redirect_stdout

    with redirect_stdout(text), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        main(["--plugin", str(TOY_PLUGIN), *map(str, given), "--json"])
    context.use(context.Settings())
    assert (ended.value.code or 0) == 0
    assert errors.getvalue() == ""
    return out, json.loads(text.getvalue())


def test_the_file_says_of_recorded_windows_what_was_stored(ran, cell, written):
    path, _ = written
    raw, said = recorded(ran, cell)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.shape, given.type) == ("windows", ["batch", 2, 20], "tensor(float)")
    assert [out.name for out in session.get_outputs()] == ["logits", "probabilities"]
    logits, probabilities = session.run(None, {"windows": raw})
    np.testing.assert_array_equal(logits.argmax(1), said.predicted)
    np.testing.assert_allclose(probabilities, said.probabilities, rtol=0, atol=1e-5)
    alone = session.run(None, {"windows": raw[:1]})[0]
    np.testing.assert_allclose(alone, logits[:1], rtol=0, atol=1e-5)
    onnx.checker.check_model(onnx.load(path), full_check=True)


def test_the_file_says_what_it_is(ran, cell, written):
    path, _ = written
    proto = onnx.load(path)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    assert facts["key"] == cell.key
    assert json.loads(facts["classes"]) == ["Null", "wave", "turn"]
    channels = json.loads(facts["channels"])
    assert [(c["name"], c["unit"], c["position"]) for c in channels] == [
        ("ACC x", "g", "wrist"),
        ("ACC z", "g", "wrist"),
    ]
    assert (facts["sampling_rate_hz"], facts["window_samples"]) == ("20.0", "20")
    assert (facts["dataset"], facts["dataset_licence"]) == ("toy", "CC0-1.0")
    assert facts["dataset_citation"] == facts["model_citation"] == "Nobody, 2026"
    assert facts["harbench"] == proto.producer_version == harbench.__version__
    assert json.loads(facts["protocol"])["fill"] == "none"
    assert {"commit", "split", "fold", "weights_sha256"} <= facts.keys()
    assert "[batch, 2 channels, 20 samples]" in proto.doc_string
    content = path.read_bytes()
    assert str(ran.folder).encode() not in content
    assert b".py" not in content


def test_integers_come_with_their_nf(ran, cell, written):
    path, printed = written
    small = path.with_name("net.int8.onnx")
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.int8.onnx", "net.onnx"]
    raw, said = recorded(ran, cell)
    proto = onnx.load(small)
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in proto.graph.node}
    assert "int8" in {e.key: e.value for e in proto.metadata_props}["quantisation"]
    session = onnxruntime.InferenceSession(small, providers=["CPUExecutionProvider"])
    predicted = session.run(["logits"], {"windows": raw})[0].argmax(1)
    matrix = confusion(said.true.astype(np.int64), predicted, 3)
    nf = score(matrix, ("Null", "wave", "turn"), 0).nf
    loss = printed["files"][1]["loss"]
    assert loss["nf_int8"] == pytest.approx(nf, abs=1e-12)
    assert loss["nf_float"] == cell.record["scores"]["nf"]
    assert loss["other"] == int((predicted != said.predicted).sum())
    assert abs(nf - loss["nf_float"]) < 0.05


def test_what_was_measured_is_kept_and_shown(ran, cell, written, export):
    path, printed = written
    kept = ran.store.exported(cell.key)
    # Another test of this module keeps one as "torch".
    assert {*kept} - {"torch"} == {"onnx", "onnx-int8"}
    assert [file["kind"] for file in printed["files"]] == ["onnx", "onnx-int8"]
    assert kept["onnx"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept["onnx"]["size_bytes"] == path.stat().st_size
    assert kept["onnx"]["agreement"]["windows"] == len(cell.predictions().true)
    assert 0 <= kept["onnx"]["agreement"]["largest"] <= 1e-4
    assert kept["onnx"]["latency"]["median_ms"] > 0
    assert kept["onnx"]["path"] == "net.onnx"

    from harbench.report.table import comparison_table
    from harbench.results.verifying import verify

    table = comparison_table(ran.store, "toy")
    keys = [column.key for column in table.columns]
    assert keys[keys.index("latency") + 1] == "onnx_latency"
    texts = {values["row"].text: values["onnx_latency"].text for values in table.rows}
    median = kept["onnx"]["latency"]["median_ms"]
    assert texts["small"] == f"{median:.2f} ms"
    assert texts["toy-prior"] == "–"
    assert any("small in int8: " in note for note in table.footnotes)
    assert table.records[0]["onnx_latency_median_ms"] == median
    assert not verify(ran.store).findings
    file = ran.store.folder / "exported" / f"{cell.key}.json"
    content = file.read_text()
    file.write_text(content.replace('"runs": 5', '"runs": 6', 1))
    assert [f.kind for f in verify(ran.store).findings] == ["edited"]
    file.unlink()
    assert "onnx_latency" not in [c.key for c in comparison_table(ran.store, "toy").columns]
    file.write_text(content)


def test_a_torch_file_does_the_same(ran, cell, export, tmp_path):
    path = tmp_path / "net.pt2"
    ended = export(cell.folder, path, "--format", "torch")
    assert (ended.code, ended.err) == (0, "")
    assert f"{len(cell.predictions().true)} test windows: logits within" in ended.out
    extra = {"harbench.json": ""}
    module = torch.export.load(path, extra_files=extra).module()
    facts = json.loads(extra["harbench.json"])
    assert (facts["classes"], facts["key"]) == (["Null", "wave", "turn"], cell.key)
    raw, said = recorded(ran, cell)
    with torch.inference_mode():
        logits, _ = module(torch.from_numpy(raw))
    np.testing.assert_array_equal(logits.argmax(1), said.predicted)
    assert "torch" in ran.store.exported(cell.key)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_says_something_else_is_not_written(cell, export, tmp_path, monkeypatch):
    right = normalised.NormalisedNetwork.__init__

    def wrong(self, network, normaliser):
        other = Normaliser(normaliser.offset + 0.01, normaliser.scale, normaliser.missing)
        right(self, network, other)

    monkeypatch.setattr(normalised.NormalisedNetwork, "__init__", wrong)
    ended = export(cell.key, tmp_path / "net.pt2", "--format", "torch")
    assert ended.code == 2
    assert "does not say what the network says: logits differ by up to 0.0" in ended.err
    assert "nothing was written" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_an_estimator_is_not_exported(ran, export, tmp_path):
    ended = export(cell_of(ran, "toy-prior").key, tmp_path / "net.onnx")
    assert ended.code == 2
    assert "model 'toy-prior' is an estimator; not exported" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_the_extra_is_named_where_it_is_missing(cell, export, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        graphs.importlib.util, "find_spec", lambda name: None if "onnx" in name else found(name)
    )
    ended = export(cell.key, tmp_path / "net.onnx")
    assert ended.code == 2
    assert "onnx and onnxscript and onnxruntime are not installed" in ended.err
    assert "try: pip install 'harbench[onnx]'" in ended.err


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("net.pt2", ["--format", "torch", "--int8"], "int8 is made of ONNX files"),
        ("net.onnx", ["--format", "torch"], "the name says another format"),
        ("", [], "that is a folder"),
    ],
)
def test_what_does_not_fit_together_is_said(cell, export, tmp_path, name, options, text):
    ended = export(cell.key, tmp_path / name, *options)
    assert ended.code == 2
    assert text in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(cell, export, tmp_path):
    (tmp_path / "file").write_text("")
    ended = export(cell.key, tmp_path / "file" / "net.pt2", "--format", "torch")
    assert ended.code == 2
    assert "the file cannot be written" in ended.err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
