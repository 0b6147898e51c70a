"""verify names every edited field and every flipped bit, and nothing in a store that is whole."""

import hashlib
import json
import random
import shutil

import numpy as np
import pytest

from harbench.errors import ResultsError
from harbench.metrics import confusion, score
from harbench.plan.keys import harbench_digest, key_of
from harbench.results import Predictions, Store
from harbench.results.sealed import sealed_text
from harbench.results.verifying import verify

CLASSES = ("Null", "wave", "turn")


def add_cell(store, seed, harbench=None):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), 40).astype(np.float32)
    predictions = Predictions(
        recording=np.array(["s1"] * 40),
        start=np.arange(40) * 10,
        true=rng.integers(0, 3, 40).astype(np.int16),
        predicted=probabilities.argmax(1).astype(np.int16),
        probabilities=probabilities,
    )
    matrix = confusion(predictions.true, predictions.predicted, 3)
    cell = {"model": "m", "fold": "all", "seed": seed, "harbench": harbench or harbench_digest()}
    record = {
        "cell": cell,
        "settings": {"window": 20, "step": 10, "split": {"kind": "fixed"}},
        "classes": list(CLASSES),
        "null": 0,
        "windows": {"train": 80, "validation": 40, "test": 40},
        "overlap": {"test": 0.0, "validation": 0.0},
        "normaliser": {"offset": [0.1], "scale": [1.5], "missing": [0.0], "clip": None},
        "confusion": matrix.tolist(),
        "scores": score(matrix, CLASSES, 0).to_json(),
        "kept_epoch": 2,
        "stopped_early": False,
        "curve": [{"epoch": 1, "learning_rate": 1e-05, "train_loss": 1.25}],
    }
    measured = {"seconds": {"train": 1.0}, "environment": {"versions": {"torch": "2"}}, "é": 1e-05}
    return store.write(key_of(cell), record, measured, predictions.packed(), b"weights" * 9)


@pytest.fixture
def store(tmp_path):
    """Two cells of one table, a cost, a failure and an analysis."""
    store = Store(tmp_path / "results")
    keys = [add_cell(store, seed).key for seed in (0, 1)]
    cells = [{"fold": "all", "seed": s, "key": key} for s, key in enumerate(keys)]
    store.write_benchmark("toy", {"name": "toy", "rows": [
        {"row": "r", "model": "m", "cost": "c", "cells": cells}
    ]})  # fmt: skip
    store.write_cost("c" * 64, {"macs": 7, "latency": 0.25})
    store.write_failure("f" * 64, {"reason": "the loss is nan", "detail": ""})
    store.write_analysis(
        "toy", "confusion", {"cells": keys, "trained": []}, {"a.csv": b"x\n1\n", "b.png": b"\x89"}
    )
    return store


def findings(store):
    return [(f.kind, f.where, f.what) for f in verify(store).findings]


def cell_folder(store):
    return sorted((store.folder / "cells").glob("*/*"))[0]


def test_a_whole_store_is_clean(store):
    found = verify(store)
    assert (found.findings, found.damaged) == ([], False)
    assert (found.cells, found.windows) == (2, 80)
    # Four a cell, the table, the cost, the failure, and the analysis with its two.
    assert found.files == 2 * 4 + 3 + 3
    assert len([p for p in store.folder.rglob("*") if p.is_file()]) == found.files


def leaves(content, path=()):
    """Path of every value that holds no others."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for name, value in items:
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name)


def changed(value):
    if isinstance(value, bool) or value is None:
        return 7
    return value + 1 if isinstance(value, int | float) else f"{value}x"


@pytest.mark.parametrize("name", ["record.json", "measured.json"])
def test_every_field_that_is_edited_is_named(store, name):
    path = cell_folder(store) / name
    original = path.read_text()
    paths = list(leaves(json.loads(original)))
    assert len(paths) > (30 if name == "record.json" else 2)
    for place in paths:
        content = json.loads(original)
        inner = content
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = changed(inner[place[-1]])
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        [(kind, where, what)] = findings(store)
        assert (kind, where) == ("edited", str(path.parent.relative_to(store.folder))), place
        assert name in what, place
    path.write_text(original)
    assert findings(store) == []


def test_a_field_too_few_or_too_many_is_named(store):
    path = cell_folder(store) / "record.json"
    original = json.loads(path.read_text())
    for name in original:
        content = {k: v for k, v in original.items() if k != name}
        path.write_text(json.dumps(content, indent=1) + "\n")
        assert findings(store)[0][0] == "edited", name
    path.write_text(json.dumps({**original, "more": 1}, indent=1) + "\n")
    assert findings(store)[0][0] == "edited"


def resealed(store, change):
    """Forge the record with a right seal, as somebody would who knows how it is made."""
    path = cell_folder(store) / "record.json"
    content = json.loads(path.read_text())
    content.pop("seal")
    change(content)
    path.write_text(sealed_text(content))
    return findings(store)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r["scores"].update(nf=0.99), "scores are not those of the predictions: nf"),
        (lambda r: r["scores"].update(f1=[1, 1, 1]), "predictions: f1"),
        (lambda r: r["scores"].update(more=1), "scores that harbench does not know"),
        (lambda r: r["confusion"][0].__setitem__(0, 40), "confusion matrix is not that"),
        (lambda r: r["cell"].update(seed=9), "not the hash of what the record says"),
        (lambda r: r.update(key="0" * 64), "not the hash of what the record says"),
        (lambda r: r["windows"].update(test=41), "40 windows are predicted"),
        (lambda r: r.update(format=9), "has the format 9"),
        (lambda r: r.update(null=None), "scores are not those"),
        (lambda r: r.update(classes=["a", "b"]), "does not fit the classes"),
        (lambda r: r["sha256"].pop("weights.safetensors"), "does not hold the hashes"),
        (lambda r: r.pop("confusion"), "is not what harbench writes: KeyError: 'confusion'"),
        (lambda r: r.update(scores=3), "is not what harbench writes"),
    ],
)
def test_a_forged_seal_does_not_hide_a_contradiction(store, change, words):
    [(kind, _, what)] = resealed(store, change)
    assert kind == "edited"
    assert words in what


@pytest.mark.parametrize(
    "forged",
    [
        {"rows": 3},
        {"rows": [3]},
        {"rows": [{"cells": [{"key": 3}]}]},
        {"rows": [{"cells": [{"key": "x" * 5000, "fold": 1, "seed": 1}], "model": 1, "row": 1}]},
        {"rows": [{"cells": [{}]}]},
    ],
)
def test_a_forged_table_is_named(store, forged):
    store.write_benchmark("toy", forged)
    kinds = {(kind, where) for kind, where, _ in findings(store)}
    assert ("edited", "benchmarks/toy.json") in kinds


@pytest.mark.parametrize("forged", [{"cells": 3}, {"trained": [[]]}, {"sha256": 3}])
def test_a_forged_analysis_is_named(store, forged):
    path = store.analysis_folder("toy", "confusion") / "result.json"
    content = json.loads(path.read_text())
    content.pop("seal")
    path.write_text(sealed_text({**content, **forged}))
    assert ("edited", "analyses/toy/confusion/result.json") in {f[:2] for f in findings(store)}


def test_a_folder_in_the_place_of_a_table_of_an_analysis_is_named(store):
    path = store.analysis_folder("toy", "confusion") / "a.csv"
    path.unlink()
    path.mkdir()
    assert findings(store) == [("torn", "analyses/toy/confusion/a.csv", "it is no file")]


def test_half_a_character_is_named(store):
    path = cell_folder(store) / "measured.json"
    path.write_text(path.read_text().replace('"torch": "2"', '"torch": "\\ud800"'))
    [(kind, _, what)] = findings(store)
    assert (kind, what[:27]) == ("edited", "measured.json was changed; ")


def test_forged_predictions_are_named(store):
    folder = cell_folder(store)
    predictions = Predictions.load(folder / "predictions.npz")
    predictions.predicted[0] = (predictions.predicted[0] + 1) % 3
    (folder / "predictions.npz").write_bytes(predictions.packed())
    assert "predictions.npz is not the file that the record names" in findings(store)[0][2]
    digest = hashlib.sha256((folder / "predictions.npz").read_bytes()).hexdigest()
    [(_, _, what)] = resealed(store, lambda r: r["sha256"].update({"predictions.npz": digest}))
    assert what == "a predicted class is not the most probable one"


def test_every_flipped_bit_of_small_files_and_many_of_large_ones_is_named(store):
    rng = random.Random(4)
    files = [path for path in sorted(store.folder.rglob("*")) if path.is_file()]
    assert len(files) == 14
    for path in files:
        if path.is_relative_to(store.folder / "cells") and cell_folder(store) not in path.parents:
            continue
        original = path.read_bytes()
        bits = range(8 * len(original))
        for bit in bits if len(bits) < 900 else rng.sample(bits, 60):
            flipped = bytearray(original)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            found = verify(store)
            place = str(path.relative_to(store.folder))
            assert found.damaged, (place, bit)
            assert any(place.startswith(f.where) for f in found.findings), (place, bit)
        path.write_bytes(original)
    assert findings(store) == []


def test_every_file_that_is_cut_or_gone_is_named(store):
    for path in sorted(store.folder.rglob("*")):
        if not path.is_file():
            continue
        original = path.read_bytes()
        for length in (0, len(original) // 2, len(original) - 1):
            path.write_bytes(original[:length])
            assert verify(store).damaged, (path, length)
        if path.parent.parent.parent.name in ("cells", "analyses") and path.name != "result.json":
            path.unlink()
            assert "torn" in {kind for kind, _, _ in findings(store)}, path
        path.write_bytes(original)
    assert findings(store) == []


def test_strange_files_are_named(store):
    (cell_folder(store) / "notes.txt").write_text("mine")
    (store.analysis_folder("toy", "confusion") / "c.csv").write_text("mine")
    (store.folder / "cells" / "file").write_text("mine")
    assert [(kind, what) for kind, _, what in findings(store)] == [
        ("edited", "notes.txt is none of harbench's files"),
        (
            "torn",
            "measured.json, predictions.npz, record.json, weights.safetensors is not there",
        ),
        ("edited", "it is none of harbench's files"),
    ]


def test_a_cell_in_the_wrong_place_is_named(store):
    folder = cell_folder(store)
    folder.rename(folder.with_name("0" * 64))
    assert "not the hash of what the record says" in findings(store)[0][2]


def test_stale_cells_are_named_and_are_no_damage(store):
    old = add_cell(store, 5, harbench="old").key
    unused = add_cell(store, 6).key
    found = verify(store)
    assert not found.damaged
    assert {(f.kind, f.where[-64:], f.what) for f in found.findings} == {
        (
            "stale",
            old,
            "made by other code of harbench than this and in no table and no analysis",
        ),
        ("stale", unused, "in no table and no analysis"),
    }
    store.write_analysis("toy", "ablation", {"cells": [], "trained": [old, unused]}, {})
    assert [what for _, _, what in findings(store)] == ["made by other code of harbench than this"]


def test_a_table_that_lacks_cells_or_names_others_is_named(store):
    folder = cell_folder(store)
    shutil.rmtree(folder)
    store.write_failure(folder.name, {"reason": "", "detail": ""})
    expected = "1 of 2 cells are not trained (1 failed)"
    assert findings(store) == [("unfinished", "benchmarks/toy.json", expected)]
    manifest = store.benchmark("toy")
    for cell in manifest["rows"][0]["cells"]:
        cell["seed"] = 9
    store.write_benchmark("toy", manifest)
    what = "row 'r' names a cell of another model, fold or seed"
    assert ("edited", "benchmarks/toy.json", what) in findings(store)


def test_what_is_being_written_or_trained_is_not_judged(store):
    for place in ("tmp/x.1.ab/record.json", "checkpoints/k.checkpoint", "locks/k.lock"):
        (store.folder / place).parent.mkdir(parents=True, exist_ok=True)
        (store.folder / place).write_text("{")
    assert findings(store) == []


def test_nothing_there(tmp_path):
    with pytest.raises(ResultsError, match="there are no results"):
        verify(Store(tmp_path / "absent"))
    (tmp_path / "empty").mkdir()
    assert verify(Store(tmp_path / "empty")).findings == []
