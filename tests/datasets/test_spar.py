"""spar: what is read, and that nothing but the published bytes is ever unpickled."""

import hashlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

import harbench_datasets.spar as spar
from harbench import DataError, DataMissingError, Source, SourceFile
from harbench_datasets.spar import SPAR


@pytest.fixture(scope="module")
def recordings():
    [source] = SPAR.sources(Path("/nowhere"))
    return list(SPAR.read(source))


def test_counts_are_those_of_the_published_file(recordings):
    assert len(recordings) == 140
    assert sum(len(r.signals) for r in recordings) == 244_102
    assert {r.subject for r in recordings} == {f"s{k:02d}" for k in range(1, 11)}
    assert len({r.session for r in recordings}) == 20


def test_names_are_unique_and_say_subject_side_and_exercise(recordings):
    names = [r.name for r in recordings]
    assert len(set(names)) == 140
    assert names[:3] == ["s01-left-pen", "s01-left-abd", "s01-left-fel"]
    assert names[-1] == "s10-right-row"
    assert names == [r.name for r in SPAR.read(SPAR.sources(Path("/nowhere"))[0])]


def test_each_recording_is_finite_float32_and_holds_one_exercise(recordings):
    for recording in recordings:
        labels = recording.labels["exercise"]
        assert recording.signals.dtype == np.float32
        assert recording.signals.shape == (len(labels), 6)
        assert np.isfinite(recording.signals).all()
        assert labels.dtype == np.int16
        assert len(set(labels.tolist())) == 1
    counts = np.bincount([int(r.labels["exercise"][0]) for r in recordings])
    assert counts.tolist() == [20] * 7


def test_values_are_those_of_the_file(recordings):
    # Row 0 of the file is subject 7, right, PEN; its first sample, as numpy prints it.
    first = next(r for r in recordings if r.name == "s07-right-pen")
    assert len(first.signals) == 1333
    expected = [-1.083608, -0.018609, -0.02726, 0.41141, -1.603097, -2.488642]
    assert np.array_equal(first.signals[0], np.array(expected, dtype=np.float32))


def test_acceleration_at_rest_is_one_g(recordings):
    all_samples = np.concatenate([r.signals for r in recordings])
    still = np.linalg.norm(all_samples[:, 3:], axis=1) < 0.1
    assert np.median(np.linalg.norm(all_samples[still, :3], axis=1)) == pytest.approx(1, abs=0.01)
    assert [c.unit for c in SPAR.channels] == ["g"] * 3 + ["rad/s"] * 3


def test_description_agrees_with_the_file(recordings):
    watch = np.load(SPAR.sources(Path("/nowhere"))[0].files[0].path, allow_pickle=True).item()
    assert watch["X_labels"] == [c.name for c in SPAR.channels]
    assert watch["y_labels"] == list(spar.EXERCISES)
    assert [c.number for c in SPAR.channels] == [1, 2, 3, 4, 5, 6]
    assert len(SPAR.task("exercise").classes) == 7
    assert SPAR.task(None).null is None


def test_default_split_is_by_subject(recordings):
    from fnmatch import fnmatchcase

    split = next(iter(SPAR.splits.values()))
    parts = {
        part: {r.name for r in recordings if any(fnmatchcase(r.name, p) for p in patterns)}
        for part, patterns in (
            ("train", split.train),
            ("validation", split.validation),
            ("test", split.test),
        )
    }
    assert [len(names) for names in parts.values()] == [84, 28, 28]
    assert len(set.union(*parts.values())) == 140
    assert {name[:3] for name in parts["test"]} == {"s09", "s10"}


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def test_other_bytes_are_refused_before_unpickling(tmp_path):
    target = tmp_path / "exploded"
    np.save(tmp_path / spar.FILE, np.array(Bomb(target), dtype=object), allow_pickle=True)
    [source] = SPAR.sources(tmp_path)  # a file in the user's folder is preferred
    assert source.files[0].path == tmp_path / spar.FILE
    with pytest.raises(DataError, match="is a pickle and is not opened"):
        list(SPAR.read(source))
    assert not target.exists()
    # The same file does go off where it is loaded without the check.
    np.load(tmp_path / spar.FILE, allow_pickle=True)
    assert target.exists()


def test_one_changed_byte_is_refused(tmp_path):
    content = bytearray(SPAR.sources(tmp_path)[0].files[0].path.read_bytes())
    content[9_000_000] ^= 1
    path = tmp_path / spar.FILE
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(SPAR.read(Source("watch", (SourceFile(path, spar.SHA256),))))
    assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert spar.SHA256 in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_package_names_the_command(monkeypatch, tmp_path):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spar, "distribution", absent)
    with pytest.raises(DataMissingError) as caught:
        SPAR.sources(tmp_path)
    assert caught.value.fix == "pip install seglearn"


def test_package_without_the_file_names_the_command(monkeypatch, tmp_path):
    class Empty:
        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr(spar, "distribution", lambda name: Empty())
    with pytest.raises(DataMissingError, match="lacks spar's recordings"):
        SPAR.sources(tmp_path)


def test_neither_seglearn_nor_torch_is_imported():
    code = (
        "import sys, pathlib, harbench_datasets.spar as s\n"
        "list(s.SPAR.read(s.SPAR.sources(pathlib.Path('/nowhere'))[0]))\n"
        "print([m for m in ('seglearn', 'sklearn', 'scipy', 'torch', 'pandas') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
