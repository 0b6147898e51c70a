import errno
import json
import os

import numpy as np
import pytest

from harbench.errors import ResultsError
from harbench.results import Predictions, Store
from harbench.results.verifying import verify

KEY = "ab" + "0" * 62


def predictions(n=5):
    rng = np.random.default_rng(0)
    return Predictions(
        recording=np.array(["S1-ADL1"] * n),
        start=np.arange(n) * 12,
        true=np.arange(n, dtype=np.int16) % 3,
        predicted=np.zeros(n, np.int16),
        probabilities=rng.random((n, 3)).astype(np.float32),
    )


def write(store, value=1.0):
    record = {"scores": {"nf": value}}
    return store.write(KEY, record, {"seconds": 1}, predictions().packed(), b"weights")


def test_what_is_written_is_read(tmp_path):
    store = Store(tmp_path / "results")
    assert not store.has(KEY)
    stored = write(store)
    assert store.has(KEY)
    assert stored.key == KEY
    assert stored.record["scores"] == {"nf": 1.0}
    assert stored.measured == {"seconds": 1}
    assert (stored.folder / "weights.safetensors").read_bytes() == b"weights"
    again = stored.predictions()
    for name in Predictions.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(again, name), getattr(predictions(), name))
    assert not list((tmp_path / "results/tmp").iterdir())


def test_the_same_cell_is_the_same_bytes(tmp_path):
    folders = [write(Store(tmp_path / name)).folder for name in "ab"]
    for name in ("record.json", "predictions.npz", "weights.safetensors"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_the_record_names_the_hashes_of_its_files(tmp_path):
    import hashlib

    stored = write(Store(tmp_path))
    for name, found in stored.record["sha256"].items():
        assert hashlib.sha256((stored.folder / name).read_bytes()).hexdigest() == found


def test_written_again_the_new_one_stands(tmp_path):
    store = Store(tmp_path)
    write(store)
    write(store, 0.5)
    assert store.read(KEY).record["scores"]["nf"] == 0.5
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("at", range(7))
def test_a_full_disk_at_any_step_leaves_the_store_as_it_was(tmp_path, monkeypatch, at):
    store = Store(tmp_path)
    calls = iter(range(100))

    def full(descriptor, _fsync=os.fsync):
        if next(calls) == at:
            raise OSError(errno.ENOSPC, "No space left on device")
        _fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    if at < 6:  # four files, their folder, and the one that it is moved to
        with pytest.raises(ResultsError, match="cannot be written: No space left on device"):
            write(store)
    else:
        write(store)
    monkeypatch.undo()
    assert not list((tmp_path / "tmp").iterdir())
    if store.has(KEY):
        store.read(KEY).predictions()
    write(store)


def test_what_killed_runs_left_is_swept_and_what_is_being_written_is_not(tmp_path):
    store = Store(tmp_path)
    write(store)
    old, new = tmp_path / "tmp/old.1", tmp_path / "tmp/new.2"
    for folder in (old, new):
        folder.mkdir()
        (folder / "record.json").write_text("{")
    os.utime(old, (0, 0))
    (tmp_path / "tmp/file.3").write_text("{")
    os.utime(tmp_path / "tmp/file.3", (0, 0))
    store.sweep()
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["new.2"]
    assert store.has(KEY)


def test_no_number_that_json_does_not_know(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write(Store(tmp_path), float("nan"))
    assert not Store(tmp_path).has(KEY)


def test_a_failure_is_remembered_until_the_cell_succeeds(tmp_path):
    store = Store(tmp_path)
    assert store.failure(KEY) is None
    store.write_failure(KEY, {"reason": "the loss is nan"})
    assert store.failure(KEY) == {"reason": "the loss is nan"}
    write(store)
    assert store.failure(KEY) is None


def test_benchmarks_and_costs(tmp_path):
    store = Store(tmp_path)
    assert store.benchmarks() == []
    with pytest.raises(ResultsError, match=r"harbench run benchmarks\.yaml quickstart"):
        store.benchmark("quickstart")
    store.write_benchmark("quickstart", {"rows": []})
    assert store.benchmark("quickstart") == {"rows": []}
    with pytest.raises(ResultsError, match="did you mean 'quickstart'"):
        store.benchmark("quikstart")
    assert store.cost(KEY) is None
    store.write_cost(KEY, {"macs": 7})
    assert store.cost(KEY) == {"macs": 7}


@pytest.mark.parametrize("name", ["record.json", "measured.json"])
@pytest.mark.parametrize(
    "change",
    [{"more": 1}, {"seal": None}, {"seal": "0" * 64}, {"x": "\ud800"}, {"x": float("nan")}],
)
def test_what_was_changed_is_not_read(tmp_path, name, change):
    store = Store(tmp_path)
    path = write(store).folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ResultsError) as caught:
        store.read(KEY)
    assert caught.value.what == "it was changed after harbench wrote it"
    assert caught.value.fix == f"delete it and run again: rm -r {path.parent}"


def test_other_predictions_than_the_records_are_not_read(tmp_path):
    stored = write(Store(tmp_path))
    (stored.folder / "predictions.npz").write_bytes(predictions(6).packed())
    with pytest.raises(ResultsError, match="not those of the record"):
        stored.predictions()


def test_names_that_are_no_utf8_can_be_kept(tmp_path):
    store = Store(tmp_path)
    store.write_failure(KEY, {"reason": "no file 'caf\udce9.npz' é"})
    assert store.failure(KEY) == {"reason": "no file 'caf\udce9.npz' é"}
    assert verify(store).findings == []


@pytest.mark.parametrize("name", ["../costs/x", "/etc/x", "a\0b", "x" * 5000, "", ".", ".."])
def test_no_name_leads_out_of_the_benchmarks(tmp_path, name):
    store = Store(tmp_path)
    store.write_benchmark("toy", {"rows": []})
    store.write_cost("x", {"rows": []})
    with pytest.raises(ResultsError, match="no results of a benchmark"):
        store.benchmark(name)


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00", "[" * 100_000, "9" * 5000])
def test_a_torn_record_is_named(tmp_path, content):
    store = Store(tmp_path)
    path = write(store).folder / "record.json"
    path.write_text(content)
    with pytest.raises(ResultsError, match=r"record\.json"):
        store.read(KEY)
    with pytest.raises(ResultsError, match="not there"):
        store.read("c" * 64)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        Store(tmp_path / "file" / "results").write_cost(KEY, {})


def test_predictions_load_no_pickle(tmp_path):
    path = tmp_path / "predictions.npz"
    np.savez(path, recording=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ResultsError, match="pickle"):
        Predictions.load(path)


def test_benchmarks_are_listed_in_the_order_of_their_runs_whatever_the_clock_says(tmp_path):
    store = Store(tmp_path / "results")
    store.write_benchmark("b", {})
    # As if the clock was set back after that.
    os.utime(store.folder / "benchmarks" / "b.json", (4e9, 4e9))
    store.write_benchmark("a", {})
    store.write_benchmark("c", {})
    assert store.benchmarks() == ["b", "a", "c"]
    store.write_benchmark("b", {})
    assert store.benchmarks() == ["a", "c", "b"]
