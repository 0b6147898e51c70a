"""The plugins that docs/hooks.md prints are run as it says."""

import csv
import dataclasses
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from harbench import hookspecs
from harbench.execute.jobs import Progress
from harbench.metrics import METRICS, SAMPLE_METRICS
from harbench.nouns import CellEnd, CellFacts, EpochEnd, Predicted, RunEnd, Score
from harbench.nouns.score import OWN_SCORES
from harbench.training.curve import Epoch
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))
FILE = (
    "benchmarks:\n  toy:\n    dataset: toy\n    path: files\n"
    "    protocol: {window: 20, step: 10}\n    recipe: {epochs: 2}\n    seeds: 2\n"
    "    models: [small]\n"
)

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")


@pytest.fixture
def toy(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(FILE)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)

    def run(plugin, *arguments):
        return cli("--plugin", TOY_PLUGIN, "--plugin", plugin, *arguments)

    return run


def test_the_diary(toy, tmp_path):
    ran = toy("diary.py", "run", "b.yaml", "--set", "models=[small, broken]", "--jobs", "0")
    assert ran.code == 1
    lines = list(csv.reader((tmp_path / "diary.csv").open()))
    for seed in "01":
        mine = [line[1:] for line in lines if line[0] == f"toy/small/all/{seed}"]
        assert [line[0] for line in mine] == ["1", "2", "end"]
        assert all(0 <= float(line[2]) <= 1 for line in mine)
        [failed] = [line for line in lines if line[0] == f"toy/broken/all/{seed}"]
        assert failed[1] == "end" and failed[2].startswith("the model returned [32, 4]")
    assert lines[-1] == ["run", "2", "0", "2"]
    (tmp_path / "diary.csv").unlink()
    toy("diary.py", "run", "b.yaml", "--jobs", "0")
    assert list(csv.reader((tmp_path / "diary.csv").open())) == [["run", "0", "2", "0"]]


def test_what_is_told_is_what_is_stored(toy, tmp_path):
    toy("diary.py", "run", "b.yaml", "--jobs", "0")
    lines = list(csv.reader((tmp_path / "diary.csv").open()))
    for path in (tmp_path / "results").rglob("record.json"):
        record = json.loads(path.read_text())
        mine = [line[1:] for line in lines if line[0] == f"toy/small/all/{record['cell']['seed']}"]
        assert [float(line[1]) for line in mine[:2]] == [e["train_loss"] for e in record["curve"]]
        assert [float(line[2]) for line in mine[:2]] == [
            e["validation_nf"] for e in record["curve"]
        ]
        assert float(mine[2][2]) == record["scores"]["nf"]


def test_what_crosses_from_a_worker_has_the_whole_line():
    line = Epoch(3, 0.1, 0.5, {"nf": 0.9})
    there = pickle.loads(pickle.dumps(Progress(None, 3, 9, 0.9, line)))
    assert there.line == line


def stored(tmp_path):
    names = ("record.json", "predictions.npz", "weights.safetensors")
    return {
        str(path): path.read_bytes()
        for path in (tmp_path / "results").rglob("*")
        if path.name in names
    }


def test_an_observer_that_breaks_is_named_once_and_changes_nothing(toy, tmp_path):
    (tmp_path / "odd.py").write_text(
        "import harbench\n"
        "@harbench.hookimpl\n"
        "def after_epoch(epoch):\n"
        "    print('heard')\n"
        "    epoch.validation['nf'] = 2\n"
        "    raise SystemExit(3)\n"
        "@harbench.hookimpl\n"
        "def after_run(run):\n"
        "    1 / 0\n"
    )
    ran = toy("odd.py", "run", "b.yaml", "--jobs", "0")
    assert ran.code == 0
    assert ran.err.count("warning: plugin odd (odd.py) fails in after_epoch and hears no more") == 1
    assert "ZeroDivisionError" not in ran.err
    assert ran.err.count("heard") == 1 and "heard" not in ran.out
    first = stored(tmp_path)
    assert len(first) == 6
    toy("diary.py", "run", "b.yaml", "--jobs", "0", "--force")
    assert stored(tmp_path) == first


def test_the_tables_say_all_fields():
    rows = dict(re.findall(r"^\| `(\w+)`.*? \| (`\w+`, .*) \|$", PAGE, re.MULTILINE))
    for noun in (EpochEnd, CellEnd, RunEnd):
        assert re.findall(r"`(\w+)`", rows[noun.__name__]) == [
            field.name for field in dataclasses.fields(noun)
        ]
    cell = re.findall(r"`(\w+)`", rows["CellFacts"])
    assert cell == [*(field.name for field in dataclasses.fields(CellFacts)), "title"]
    for field in dataclasses.fields(Predicted):
        assert f"`{field.name}`" in PAGE.split("`Predicted` has")[1], field.name


def test_every_hook_that_is_called_in_a_run_is_documented():
    for name in hookspecs.OBSERVING:
        [argument] = re.findall(rf"^\| `{name}\((\w+)\)` \|", PAGE, re.MULTILINE)
        assert argument in getattr(hookspecs, name).__annotations__
    hooks = {name for name in vars(hookspecs) if name.startswith("after_")}
    assert hooks == set(hookspecs.OBSERVING)


def test_the_scores(toy, tmp_path):
    toy("kappa.py", "run", "b.yaml", "--jobs", "0")
    [command] = re.findall(r"^harbench --plugin kappa.py (table .*)$", PAGE, re.MULTILINE)
    words = command.replace("quickstart", "toy").split()
    shown = toy("kappa.py", *words)
    assert shown.code == 0, shown.err
    assert "Cohen's κ" in shown.out and "top 2" in shown.out
    assert "score of a plugin: Agreement beyond chance." in shown.out
    found = json.loads(toy("kappa.py", *words, "--format", "json").out)
    from sklearn.metrics import cohen_kappa_score

    kappas, tops = [], []
    for path in (tmp_path / "results").rglob("predictions.npz"):
        with np.load(path) as arrays:
            kappas.append(cohen_kappa_score(arrays["true"], arrays["predicted"]))
            order = np.argsort(arrays["probabilities"], axis=1)
            tops.append(np.mean([t in o[-2:] for t, o in zip(arrays["true"], order, strict=True)]))
    text = json.dumps(found)
    assert len(kappas) == 2
    for name, values in (("kappa", kappas), ("top2", tops)):
        [mean] = re.findall(rf'"{name}_mean": ([\d.e-]+)', text)
        assert float(mean) == pytest.approx(np.mean(values))
    # Guessing one class agrees with the truth as chance does.
    [guess] = [line for line in shown.out.splitlines() if "(commonest class)" in line]
    assert re.search(r"\b0\.0\b", guess)


def test_a_score_that_is_not_there_and_one_that_breaks(toy, tmp_path):
    toy("kappa.py", "run", "b.yaml", "--jobs", "0")
    said = toy("kappa.py", "table", "--metric", "kapa")
    assert said.code == 2
    assert "no metric is called 'kapa'; did you mean 'kappa'?" in said.err
    for body, wanted in (
        ("1 / 0", "score 'odd' broke: ZeroDivisionError: division by zero"),
        ("'high'", "score 'odd' gave 'high' (expected a number, or None where it is not defined)"),
        ("float('inf')", "score 'odd' gave inf"),
    ):
        (tmp_path / "odd.py").write_text(
            "import harbench\n@harbench.hookimpl\ndef register_scores(register):\n"
            f"    register(harbench.Score('odd', 'odd', '', lambda predicted: {body}))\n"
        )
        said = toy("odd.py", "table", "--metric", "odd")
        assert said.code == 2 and wanted in said.err
        assert "Traceback" not in said.err
    undefined = (tmp_path / "odd.py").read_text().replace("float('inf')", "float('nan')")
    (tmp_path / "odd.py").write_text(undefined)
    assert toy("odd.py", "table", "--metric", "odd").code == 0


def test_a_score_takes_no_name_of_harbenchs():
    assert {*METRICS, *SAMPLE_METRICS} == OWN_SCORES
    with pytest.raises(ValueError, match="that of one of harbench's own"):
        Score("nf", "", "", lambda predicted: 0.0)


def test_the_confusion_of_predictions():
    predicted = Predicted(
        ("a", "b", "c"), None, np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0]),
        np.zeros((5, 3), np.float32), np.array(["r"] * 5), np.arange(5), 4,
    )  # fmt: skip
    assert predicted.confusion.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]
