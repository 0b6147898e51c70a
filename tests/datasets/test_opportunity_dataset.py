"""The two OPPORTUNITY datasets as harbench sees them: registration, files, splits, windows."""

import json
import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from harbench import DataError, DataMissingError, Source, SourceFile
from harbench_datasets import opportunity
from harbench_datasets.opportunity import OPPORTUNITY, SIMULATED
from harbench_datasets.opportunity_files import FILES, MANIFEST, MARKER

ROWS = {file.session: file.rows for file in FILES}
NAMES = [file.name for file in FILES]


def parts(split):
    """Sessions of the parts of a fixed split."""
    return {
        part: [s for s in ROWS if any(fnmatchcase(s, pattern) for pattern in patterns)]
        for part, patterns in split.model_dump(exclude={"kind"}).items()
    }


def n_windows(rows, window, step):
    return (rows - window) // step + 1


def test_both_datasets_are_registered():
    registered = []
    opportunity.register_datasets(registered.append)
    assert registered == [OPPORTUNITY, SIMULATED]
    assert [d.name for d in registered] == ["opportunity", "opportunity-sim"]
    assert SIMULATED.simulates == "opportunity"
    assert OPPORTUNITY.simulates is None
    assert SIMULATED.archive is None
    assert SIMULATED.channels is OPPORTUNITY.channels
    assert SIMULATED.splits is OPPORTUNITY.splits


def test_tasks():
    assert OPPORTUNITY.task(None).name == "gestures"
    assert len(OPPORTUNITY.task("gestures").classes) == 18
    assert OPPORTUNITY.task("gestures").classes[:2] == ("Null", "Open Door 1")
    assert OPPORTUNITY.task("gestures").classes[17] == "Toggle Switch"
    assert OPPORTUNITY.task("locomotion").classes == ("Null", "Stand", "Walk", "Sit", "Lie")
    assert [task.null for task in OPPORTUNITY.tasks] == [0, 0]


def test_archive_holds_the_24_files():
    members = OPPORTUNITY.archive.members
    assert [m.path for m in members] == [f"OpportunityUCIDataset/dataset/{n}" for n in NAMES]
    assert sum(m.size for m in members) == 885_433_599
    assert OPPORTUNITY.archive.urls == (
        "https://archive.ics.uci.edu/static/public/226/opportunity+activity+recognition.zip",
        "https://archive.ics.uci.edu/ml/machine-learning-databases/00226/OpportunityUCIDataset.zip",
    )


def test_splits():
    assert list(OPPORTUNITY.splits) == [
        "paper",
        "challenge",
        "full-8-1-1",
        "full-8-1-1-blocks",
        "loso",
    ]
    assert [split.kind for split in OPPORTUNITY.splits.values()] == [
        "fixed",
        "fixed",
        "random-windows",
        "blocks",
        "leave-one-out",
    ]
    assert OPPORTUNITY.splits["full-8-1-1"].ratio == (8, 1, 1)
    assert OPPORTUNITY.splits["full-8-1-1-blocks"].ratio == (8, 1, 1)


def test_paper_split_is_the_papers():
    found = parts(OPPORTUNITY.splits["paper"])
    assert found["train"] == (
        [f"S1-ADL{k}" for k in range(1, 6)]
        + ["S1-Drill", "S2-ADL1", "S2-ADL2", "S2-Drill", "S3-ADL1", "S3-ADL2", "S3-Drill"]
    )
    assert found["validation"] == ["S2-ADL3", "S3-ADL3"]
    assert found["test"] == ["S2-ADL4", "S2-ADL5", "S3-ADL4", "S3-ADL5"]
    rows = {part: sum(ROWS[s] for s in sessions) for part, sessions in found.items()}
    assert rows == {"train": 497_014, "validation": 60_949, "test": 118_750}


def test_challenge_split_gives_the_published_rows_and_windows():
    found = parts(OPPORTUNITY.splits["challenge"])
    assert found["validation"] == []
    train, test = (sum(ROWS[s] for s in found[part]) for part in ("train", "test"))
    assert (train, test) == (557_963, 118_750)
    # DeepConvLSTM's notebooks cut over all files put together: T = 24, step 12.
    assert n_windows(train, 24, 12) == 46_495
    assert n_windows(test, 24, 12) == 9_894
    # harbench cuts within recordings: no window lies in two of them.
    assert sum(n_windows(ROWS[s], 24, 12) for s in found["train"]) == 46_475
    assert sum(n_windows(ROWS[s], 24, 12) for s in found["test"]) == 9_890


@pytest.fixture
def official(tmp_path):
    """Fill a folder with files of the official names, without content."""

    def fill(folder, names=NAMES):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).touch()
        return folder

    return fill


@pytest.mark.parametrize("below", ["", "OpportunityUCIDataset/dataset", "dataset"])
def test_sources_are_found_where_the_archive_puts_them(tmp_path, official, below):
    official(tmp_path / below)
    found = OPPORTUNITY.sources(tmp_path)
    assert [source.name for source in found] == list(ROWS)
    assert [source.files for source in found] == [
        (SourceFile(tmp_path / below / file.name, file.sha256),) for file in FILES
    ]


def test_missing_files_are_counted_and_named(tmp_path, official):
    with pytest.raises(DataMissingError) as caught:
        OPPORTUNITY.sources(tmp_path / "nowhere")
    assert caught.value.what == (
        f"24 of the 24 files of OPPORTUNITY are not in {tmp_path / 'nowhere'}: S1-ADL1.dat, "
        "S1-ADL2.dat, S1-ADL3.dat, S1-ADL4.dat, S1-ADL5.dat and 19 more"
    )
    assert caught.value.fix == "harbench datasets fetch opportunity"
    place = official(tmp_path / "dataset", [n for n in NAMES if n != "S3-Drill.dat"])
    with pytest.raises(DataMissingError, match=r"1 of the 24 .* not in .*dataset: S3-Drill\.dat"):
        OPPORTUNITY.sources(tmp_path)
    (place / "S3-Drill.dat").mkdir()
    with pytest.raises(DataMissingError, match="1 of the 24"):
        OPPORTUNITY.sources(tmp_path)


@pytest.mark.parametrize("sign", [MANIFEST, MARKER])
def test_simulated_files_are_never_opened_as_real_ones(tmp_path, official, sign):
    official(tmp_path)
    (tmp_path / sign).write_text("{}")
    with pytest.raises(DataError) as caught:
        OPPORTUNITY.sources(tmp_path)
    assert not isinstance(caught.value, DataMissingError)
    assert "these files are simulated" in caught.value.what
    assert "'opportunity-sim'" in caught.value.expected
    assert caught.value.fix == "harbench datasets fetch opportunity"


def test_real_files_are_never_opened_as_simulated_ones(tmp_path, official):
    official(tmp_path)
    with pytest.raises(DataMissingError) as caught:
        SIMULATED.sources(tmp_path)
    assert caught.value.fix == "harbench datasets simulate opportunity"


def test_simulated_sources_carry_the_hashes_of_the_manifest(tmp_path, official):
    official(tmp_path)
    manifest = {"files": {name: {"sha256": f"hash of {name}"} for name in NAMES}}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    assert SIMULATED.sources(tmp_path)[7] == Source(
        "S2-ADL2", (SourceFile(tmp_path / "S2-ADL2.dat", "hash of S2-ADL2.dat"),)
    )
    (tmp_path / "S2-ADL2.dat").unlink()
    with pytest.raises(DataMissingError, match="1 of the 24 files of the simulated") as caught:
        SIMULATED.sources(tmp_path)
    assert caught.value.fix == "harbench datasets simulate opportunity"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"files": {}}',
        '{"files": []}',
        '{"files": {"S1-ADL1.dat": 3}}',
        "\xff",
    ],
)
def test_broken_manifests_are_refused(tmp_path, official, text):
    official(tmp_path)
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="the manifest of the simulation cannot be read") as caught:
        SIMULATED.sources(tmp_path)
    assert caught.value.where == str(tmp_path / MANIFEST)


def test_registration_imports_nothing_heavy():
    code = (
        "import sys, harbench_datasets.opportunity as o; o.register_datasets(lambda d: None)\n"
        "heavy = 'torch', 'pandas', 'scipy', 'sklearn', 'filelock'\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": str(Path(sys.executable).parent)},
    )
    assert done.stdout == "[]\n"
