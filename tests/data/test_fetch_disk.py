"""Fetching onto a full disk, and from the user's own files."""

import hashlib
import os
import subprocess

import pytest

from harbench.data import disk
from harbench.data.fetch import fetch
from harbench.errors import DataError
from toys.archives import EXTRA, FILES, GOOD, MEMBERS, assert_complete, dataset, left


class NearlyFull:
    """Writes as a disk does that has some bytes left, for all files together."""

    def __init__(self, room):
        self.room = room

    def __call__(self, file, content):
        taken = content[: self.room]
        file.write(taken)
        self.room -= len(taken)
        if len(taken) < len(content):
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("where", ["download", "unpack"])
def test_full_disk_is_one_sentence_and_leaves_nothing_half_made(site, tmp_path, monkeypatch, where):
    monkeypatch.setattr(f"harbench.data.{where}.write_all", NearlyFull(45_000))
    url = site.serve("/a.zip", GOOD)
    with pytest.raises(DataError) as caught:
        fetch(dataset(url), tmp_path)
    assert "the disk is full: " in str(caught.value)
    assert "\n" not in str(caught.value)
    complete = {"download": [], "unpack": sorted(m.name for m in MEMBERS[:2])}[where]
    assert left(tmp_path) == complete
    assert not (tmp_path / ".fetch").exists()
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    fetch(dataset(url), tmp_path)
    assert_complete(tmp_path)


def test_room_is_asked_for_before_the_download(site, tmp_path, monkeypatch):
    asked = []

    class Usage:
        free = 50_000

    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: asked.append(path) or Usage)
    url = site.serve("/a.zip", GOOD)
    with pytest.raises(DataError) as caught:
        fetch(dataset(url), tmp_path)
    needed = sum(m.size for m in MEMBERS) + len(GOOD)
    assert caught.value.what == (
        f"the disk is too full: 50.0 kB are free and {needed / 1000:.1f} kB are needed"
    )
    assert left(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 128 KiB, where the machine lets us mount one."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=131072", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(os.name != "posix", reason="tmpfs is of Linux")
@pytest.mark.parametrize("source", ["web", "zip", "folder"])
def test_really_full_disk(site, tmp_path, small_disk, monkeypatch, source):
    # The disk says that it has room, as a disk with a quota does.
    monkeypatch.setattr("harbench.data.fetch.check_room", lambda *args: None)
    monkeypatch.setattr("harbench.data.download.check_room", lambda *args: None)
    (small_disk / "ballast").write_bytes(bytes(70_000))
    folder = small_disk / "oppo"
    url, given = site.serve("/a.zip", GOOD), None
    if source == "zip":
        given = tmp_path / "a.zip"
        given.write_bytes(GOOD)
    elif source == "folder":
        given = tmp_path / "unpacked"
        for path, content in FILES.items():
            (given / path).parent.mkdir(parents=True, exist_ok=True)
            (given / path).write_bytes(content)
    with pytest.raises(DataError) as caught:
        fetch(dataset(url), folder, source=given)
    assert "the disk is full: " in str(caught.value)
    assert not (folder / ".fetch").exists()
    for name in left(folder):
        [member] = [m for m in MEMBERS if m.name == name]
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == member.sha256
    (small_disk / "ballast").unlink()
    if source == "web":  # 81 kB of zip and 81 kB of files do not fit even then
        with pytest.raises(DataError, match="the disk is full"):
            fetch(dataset(url), folder)
        return
    fetch(dataset(url), folder, source=given)
    assert_complete(folder)


def test_from_a_zip_file(tmp_path):
    given, folder = tmp_path / "a.zip", tmp_path / "oppo"
    given.write_bytes(GOOD)
    report = fetch(dataset(), folder, source=given)
    assert report.origin == str(given)
    assert_complete(folder)
    assert given.read_bytes() == GOOD  # the user's own file stays


def test_from_a_folder(tmp_path):
    given, folder = tmp_path / "mine", tmp_path / "oppo"
    for path, content in {**FILES, **EXTRA}.items():
        (given / path).parent.mkdir(parents=True, exist_ok=True)
        (given / path).write_bytes(content)
    fetch(dataset(), folder, source=given)
    assert_complete(folder)


def test_from_a_folder_with_a_wrong_and_a_missing_file(tmp_path):
    given, folder = tmp_path / "mine", tmp_path / "oppo"
    given.mkdir()
    for path, content in FILES.items():
        (given / path.rsplit("/", 1)[1]).write_bytes(content)
    (given / "S1-ADL1.dat").write_bytes(b"0 87 975")
    (given / "S2-Drill.dat").unlink()
    with pytest.raises(DataError) as caught:
        fetch(dataset(), folder, source=given)
    assert str(caught.value) == (
        f"{given}: S1-ADL1.dat has 8 bytes (expected 20,100 bytes), and 1 more file is missing "
        "or wrong: S2-Drill.dat\n  try: harbench datasets fetch oppo"
    )
    assert left(folder) == ["S1-Drill.dat", "S2-ADL1.dat"]
    (given / "whole.zip").write_bytes(GOOD)
    report = fetch(dataset(), folder, source=given / "whole.zip")
    assert sorted(report.kept) == ["S1-Drill.dat", "S2-ADL1.dat"]
    assert_complete(folder)


def test_from_a_folder_that_holds_the_zip_names_it(tmp_path):
    (tmp_path / "oppo.zip").write_bytes(GOOD)
    with pytest.raises(DataError) as caught:
        fetch(dataset(), tmp_path / "oppo", source=tmp_path)
    assert caught.value.fix == f"harbench datasets fetch oppo --from '{tmp_path}/oppo.zip'"


def test_from_something_that_is_no_zip(tmp_path):
    given = tmp_path / "a.tar"
    given.write_bytes(b"ustar" * 100)
    with pytest.raises(DataError) as caught:
        fetch(dataset(), tmp_path / "oppo", source=given)
    assert caught.value.where == str(given)
    assert caught.value.what == (
        "the archive cannot be used: it is not a zip file, or its end is missing"
    )
    assert left(tmp_path / "oppo") == []


def test_from_nowhere_makes_nothing(tmp_path):
    with pytest.raises(DataError, match="there is no") as caught:
        fetch(dataset(), tmp_path / "oppo", source=tmp_path / "absent")
    assert caught.value.where == "--from"
    assert not (tmp_path / "oppo").exists()


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="oppo cannot be written"):
        fetch(dataset("http://127.0.0.1:9/a.zip"), tmp_path / "file" / "oppo")


def test_dataset_without_an_archive(tmp_path):
    from dataclasses import replace

    with pytest.raises(DataError, match="oppo has nothing to fetch"):
        fetch(replace(dataset(), archive=None), tmp_path)
