"""Each broken dataset fails the check that is meant for it, and no other."""

import pytest
from test_broken_models import PLUGINS, assert_found, report

from harbench.plugins import load_plugins
from harbench.testing import check_dataset, toy_plugin

# Files of one's own making have no sha256: every toy dataset warns.
NO_HASH = {"~files": r"4 of 4 files have no sha256 \(s1.npz, s2.npz, s3.npz ...\)"}

# dataset -> check that must fail -> what it must say. Checks with "~" must warn.
DATASETS = {
    "sound-data": {},
    "subjects-overlap": {
        "split-subjects": "split 'subjects' is by subject, and s3 is in train and in test"
    },
    "subjects-shared-and-said-so": {},
    "two-parts": {
        "splits": "split 'mine': recording 's1' is in train and in test",
    },
    "no-such-recording": {
        "splits": "split 'mine': no recording is called 's9'",
    },
    "too-many-folds": {
        "splits": "split 'mine': 9 folds over 4 subjects",
    },
    "no-split": {"splits-named": "there is no split"},
    "null-out-of-range": {"tasks": "has its NULL class at 3 of 3"},
    "classes-alike": {"tasks": "class name 'opendoor1' is there more than once"},
    "class-never-seen": {"~labels": "no sample is labelled gestures/jump"},
    "no-licence": {"metadata": "the licence of the data is not stated"},
    "no-rate": {"metadata": "rate_hz is nan"},
    "numbers-twice": {"channels": "channel number 1 is there more than once"},
    "names-twice": {"channels": "channel name 'ACC' is there more than once"},
    "column-missing-in-list": {"signals": r"signals of 's1' are float32 \[\d+, 3\]"},
    "any-order": {"files": "lists the files in another order"},
    "wrong-hash": {"files": "s1.npz: this is not the file that 'wrong-hash' names"},
    "says-nothing": {"missing-data": "returns 0 sources, and no DataMissingError"},
    "no-command": {"missing-data": "it says 'the files are not here', and no command"},
    "archive-without-hash": {"archive": "member toys/s1.npz has the sha256 'unknown'"},
    "infinite": {"signals": "signals of 's1' hold 1 infinite values"},
    "double-signals": {"signals": r"signals of 's1' are float64"},
    "label-too-high": {"labels": "labels of 's1' for task 'gestures' reach from 1 to 3"},
    "label-missing": {"labels": r"labels of 's1' for task 'gestures' are int16 \[\d+\]"},
    "nothing-labelled": {"windows": "split 'subjects': fold 'all' has no test window of 20"},
    "one-name": {"names": "2 recordings are called 's1'", "splits": "called 's2'"},
    "two-spellings": {"names": "subjects are written 'S1', 's1'"},
    "counts-in-names": {"reads-the-same": "read again, recording 's1' of s1 is called 's1'"},
    "noisy": {"reads-the-same": "read again, recording 's1' has other samples or labels"},
    "writes-beside": {"writes-nothing": r"'s1.seen' in the folder of the data \(and 3 more\)"},
    "writes-home": {"writes-nothing": r"reading writes '\.toys' in the home folder"},
    "writes-here": {"writes-nothing": "reading writes 'seen.txt' in the working folder"},
    "cannot-read": {"reads": "reading raises KeyError: 'signals'"},
}

SKIPPED = {
    "label-missing": {"windows"},
    "label-too-high": {"windows"},
    "no-rate": {"windows"},
    "two-parts": {"split-subjects", "windows"},
    "no-such-recording": {"split-subjects", "windows"},
    "too-many-folds": {"split-subjects", "windows"},
    "one-name": {"split-subjects", "windows"},
}

# Of this nothing more can be looked at.
DIFFERENT = {"cannot-read"}


@pytest.fixture
def folder(tmp_path):
    toy_plugin.write(tmp_path / "toys", run=40)
    return tmp_path / "toys"


@pytest.mark.parametrize("name", DATASETS)
def test_a_broken_dataset(name, folder):
    results = report("datasets.py", "dataset", name, folder=folder)
    assert len(results) == 19
    expected = {**DATASETS[name], **({} if "files" in DATASETS[name] else NO_HASH)}
    skipped = "all" if name in DIFFERENT else SKIPPED.get(name, ())
    assert_found(results, expected, skipped)


def test_every_broken_dataset_is_tried():
    ours = [d.name for d in load_plugins([PLUGINS / "datasets.py"]).datasets]
    assert set(DATASETS) <= set(ours)


def test_a_dataset_whose_files_are_not_here(tmp_path):
    found = check_dataset("sound-data", files=[PLUGINS / "datasets.py"], folder=tmp_path)
    assert found.passed
    skipped = {r.name for r in found.with_outcome("skipped")}
    assert skipped == {
        "licence", "files", "reads", "signals", "labels", "names", "reads-the-same",
        "writes-nothing", "splits", "split-subjects", "windows",
    }  # fmt: skip
