import errno
import json
from dataclasses import replace

import numpy as np
import pytest

from harbench.data import stream as stream_module
from harbench.data.prepared import prepare
from harbench.data.splits import folds_of
from harbench.data.stream import open_stream
from harbench.errors import DataError, DataMissingError
from harbench.nouns import Protocol, SourceFile
from toys.toy_plugin import TOY, read, sources, write_toy_files


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    write_toy_files(tmp_path / "toy")
    return tmp_path / "toy"


def cached(tmp_path):
    return sorted(p.name for p in (tmp_path / "cache/streams/toy").iterdir() if p.is_dir())


def test_the_stream_is_the_recordings_one_after_another(files):
    found = open_stream(TOY, files)
    assert [r.name for r in found.recordings] == [f"s{i}{s}" for i in range(1, 5) for s in "ab"]
    for span, source in zip(found.recordings, sources(files), strict=True):
        (recording,) = read(source)
        np.testing.assert_array_equal(found.signals[span.start : span.stop], recording.signals)
        for task, labels in recording.labels.items():
            np.testing.assert_array_equal(found.labels[task][span.start : span.stop], labels)


def test_the_second_start_reads_no_file(files):
    first = open_stream(TOY, files)

    def never(source):
        raise AssertionError("read again")

    second = open_stream(replace(TOY, read=never), files)
    assert first.digest == second.digest


def test_a_changed_file_is_read_anew(files, tmp_path):
    first = open_stream(TOY, files)
    write_toy_files(files, seed=1)
    second = open_stream(TOY, files)
    assert first.digest != second.digest
    assert len(cached(tmp_path)) == 2
    assert open_stream(replace(TOY, reader_version=2), files).digest != second.digest


def test_files_that_are_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DataMissingError, match="harbench datasets fetch toy"):
        open_stream(TOY, tmp_path)


def test_other_bytes_than_the_dataset_states_are_refused(files):
    def stated(folder):
        return [
            replace(s, files=tuple(SourceFile(f.path, "0" * 64) for f in s.files))
            for s in sources(folder)
        ]

    with pytest.raises(DataError, match=r"s1a\.npz: this is not the file that 'toy' names"):
        open_stream(replace(TOY, sources=stated), files)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: replace(r, signals=r.signals[:, :2]), "signals are float32 .600, 2."),
        (lambda r: replace(r, signals=r.signals.astype(float)), "signals are float64"),
        (lambda r: replace(r, labels={"gestures": r.labels["gestures"]}), "labels of task 'any'"),
        (
            lambda r: replace(r, labels={**r.labels, "any": r.labels["any"] + np.int16(5)}),
            "reach from 5 to 6",
        ),
    ],
)
def test_a_reader_that_breaks_its_word(files, tmp_path, spoil, message):
    bad = replace(TOY, read=lambda source: [spoil(r) for r in read(source)])
    with pytest.raises(DataError, match=message):
        open_stream(bad, files)
    assert cached(tmp_path) == []


def test_a_full_disk_leaves_nothing_half_made(files, tmp_path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stream_module, "_sync", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        open_stream(TOY, files)
    assert cached(tmp_path) == []
    monkeypatch.undo()
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    assert len(open_stream(TOY, files).recordings) == 8


def test_a_torn_cache_is_noticed_and_made_again(files, tmp_path):
    open_stream(TOY, files)
    (home,) = (tmp_path / "cache/streams/toy").glob("[0-9a-f]*[0-9a-f]")
    with (home / "signals.f32").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(DataError, match="damaged and has been removed"):
        open_stream(TOY, files)
    assert len(open_stream(TOY, files).recordings) == 8


@pytest.mark.parametrize(
    ("old", "new"),
    [('"stop": 600', '"stop": 500'), ('"s1a"', '"s9a"'), ("{", "[" * 100_000), ("}", ""),
     ('"sha256"', '"sha25"'), ('"name"', '"mane"')],
)  # fmt: skip
def test_an_edited_cache_is_noticed_and_made_again(files, tmp_path, old, new):
    before = open_stream(TOY, files).recordings
    (path,) = (tmp_path / "cache/streams/toy").glob("[0-9a-f]*/stream.json")
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match="damaged and has been removed"):
        open_stream(TOY, files)
    assert open_stream(TOY, files).recordings == before


def test_a_cache_of_an_earlier_version_is_read(files, tmp_path):
    before = open_stream(TOY, files).recordings
    (path,) = (tmp_path / "cache/streams/toy").glob("[0-9a-f]*/stream.json")
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(content))
    assert open_stream(TOY, files).recordings == before


@pytest.mark.parametrize("content", ["", "[", "3", "{}", "[" * 100_000, "names"])
def test_remembered_hashes_of_any_content_only_cost_time(files, tmp_path, content):
    digest = open_stream(TOY, files).digest
    path = tmp_path / "cache/file-hashes.json"
    names = json.loads(path.read_text())
    path.write_text(json.dumps(dict.fromkeys(names, 7)) if content == "names" else content)
    assert open_stream(TOY, files).digest == digest


@pytest.mark.parametrize("name", ["", "a\0", "a\nb", "\x1b[2J", "x" * 201, 7, None])
@pytest.mark.parametrize("what", ["name", "subject", "session"])
def test_names_of_recordings_are_visible_text(files, tmp_path, what, name):
    bad = replace(TOY, read=lambda source: [replace(r, **{what: name}) for r in read(source)])
    with pytest.raises(DataError) as caught:
        open_stream(bad, files)
    assert str(caught.value).startswith(f"dataset 'toy': the {what} of a recording is ")
    assert str(caught.value).isprintable()
    assert cached(tmp_path) == []


def test_names_of_recordings_lead_nowhere(files, tmp_path):
    def up(source):
        return [replace(r, name=f"../../{r.name}", subject="/etc") for r in read(source)]

    found = open_stream(replace(TOY, read=up), files)
    assert found.recordings[0].name == "../../s1a"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "toy"]


def test_two_recordings_of_one_name_are_refused(files, tmp_path):
    bad = replace(TOY, read=lambda source: [replace(r, name="one") for r in read(source)])
    with pytest.raises(DataError, match="two recordings of 'toy' are called 'one'"):
        open_stream(bad, files)
    assert cached(tmp_path) == []


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_is_one_sentence(tmp_path, monkeypatch, path):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    looked = replace(TOY, sources=lambda folder: [(folder / "x").stat()])
    with pytest.raises(DataError, match="the files of 'toy' cannot be read") as caught:
        open_stream(looked, tmp_path / path)
    assert str(caught.value).isprintable()


def test_progress_is_told(files):
    heard = []
    open_stream(TOY, files, lambda done, total: heard.append((done, total)))
    assert heard == [(i, 8) for i in range(1, 9)]


@pytest.mark.parametrize("kind", ["z-score", "min-max", "fixed", "none"])
def test_changing_test_samples_changes_nothing_that_training_sees(files, tmp_path, kind):
    before = open_stream(TOY, files)
    protocol = Protocol(split="fixed")
    (fold,) = folds_of(before, TOY, TOY.tasks[0], protocol, 20, 10)

    def prepared(source):
        return prepare(
            source,
            TOY,
            fold,
            channels=(0, 2),
            length=20,
            n_classes=3,
            fill="forward",
            normalise=kind,
        )

    disturbed = np.array(before.signals)
    for recording in before.recordings:
        if recording.subject == "s4":
            disturbed[recording.start : recording.stop] = 99
    first, second = prepared(before), prepared(replace(before, signals=disturbed))
    test_begins = before.recordings[6].start
    np.testing.assert_array_equal(first.signals[:test_begins], second.signals[:test_begins])
    assert first.signals.shape == (len(before.signals), 2)
    assert not np.isnan(first.signals).any()
    assert (first.signals[test_begins:] != second.signals[test_begins:]).any()
