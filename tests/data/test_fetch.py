"""Fetching as a user meets it: each failure says one thing, leaves nothing, and can be mended."""

import hashlib
import io
import os
import re
import subprocess
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from web_server import running

from harbench.data import disk
from harbench.data import fetch as room
from harbench.data.fetch import fetch
from harbench.errors import DataError
from harbench.nouns import Archive, Citation, Dataset, Member

RANDOM = np.random.default_rng(0)
FILES = {
    f"OpportunityUCIDataset/dataset/S{s}-{run}.dat": RANDOM.bytes(20_000 + 100 * s)
    for s in (1, 2)
    for run in ("ADL1", "Drill")
}
NAMES = sorted(path.rsplit("/", 1)[1] for path in FILES)
MEMBERS = tuple(
    Member(path, len(content), hashlib.sha256(content).hexdigest())
    for path, content in FILES.items()
)
EXTRA = {"OpportunityUCIDataset/README": b"read me", "OpportunityUCIDataset/doc/a.pdf": b"%PDF"}


def pack(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


GOOD = pack({**EXTRA, **FILES})
WRONG = pack({**FILES, MEMBERS[2].path: bytes(MEMBERS[2].size)})


def dataset(*urls):
    return Dataset(
        name="oppo",
        title="",
        rate_hz=30,
        channels=(),
        tasks=(),
        splits={},
        citation=Citation(""),
        licence="",
        sources=lambda folder: [],
        read=lambda source: [],
        archive=Archive(urls, MEMBERS),
    )


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    with running() as site:
        yield site


class Spy:
    def __init__(self):
        self.lines, self.steps = [], []

    def say(self, text):
        self.lines.append(text)

    def bytes_done(self, what, done, total, *, kept=0):
        self.steps.append((what, done, total))


def left(folder):
    """What lies in the folder, apart from the lock file, which says nothing and stays."""
    found = sorted(
        str(p.relative_to(folder))
        for p in Path(folder).rglob("*")
        if p.name not in (".fetch.lock", ".fetch")
    )
    assert not (folder / ".fetch").exists() or any((folder / ".fetch").iterdir())
    return found


def assert_complete(folder):
    assert left(folder) == NAMES
    assert not (folder / ".fetch").exists()
    for path, content in FILES.items():
        assert (folder / path.rsplit("/", 1)[1]).read_bytes() == content


def failure(*args, **how):
    """The text of the DataError that a fetch ends with."""
    with pytest.raises(DataError) as caught:
        fetch(*args, sleep=lambda seconds: None, **how)
    assert caught.value.fix
    return caught.value.what


def test_download_verify_and_clean_up(site, tmp_path):
    spy, folder = Spy(), tmp_path / "new" / "oppo"
    url = site.serve("/a.zip", GOOD)
    report = fetch(dataset(url), folder, reporter=spy)
    assert_complete(folder)
    assert (report.origin, report.kept) == (url, ())
    assert sorted(report.fetched) == NAMES
    total = sum(m.size for m in MEMBERS)
    assert ("download", len(GOOD), len(GOOD)) in spy.steps
    assert spy.steps[-1] == ("unpack and verify", total, total)
    assert spy.lines == []


def test_second_fetch_keeps_all_and_asks_nobody(site, tmp_path):
    url = site.serve("/a.zip", GOOD)
    fetch(dataset(url), tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*.dat")}
    report = fetch(dataset(url), tmp_path)
    assert (report.fetched, report.origin) == ((), "")
    assert sorted(report.kept) == NAMES
    assert len(site.files["/a.zip"].requests) == 1
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("*.dat")} == before


def test_only_what_is_missing_or_wrong_is_written_again(site, tmp_path):
    ours = dataset(site.serve("/a.zip", GOOD))
    fetch(ours, tmp_path)
    (tmp_path / NAMES[0]).unlink()
    (tmp_path / NAMES[1]).write_bytes(bytes((tmp_path / NAMES[1]).stat().st_size))
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in NAMES[2:]}
    report = fetch(ours, tmp_path)
    assert sorted(report.fetched) == NAMES[:2]
    assert sorted(report.kept) == NAMES[2:]
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in NAMES[2:]} == before
    assert_complete(tmp_path)


def test_cut_connections_are_resumed(site, tmp_path):
    pauses, spy = [], Spy()
    url = site.serve("/a.zip", GOOD, cut=[30_000, 20_000, None])
    fetch(dataset(url), tmp_path, sleep=pauses.append, reporter=spy)
    assert_complete(tmp_path)
    assert site.files["/a.zip"].asked_ranges == [None, "bytes=30000-", "bytes=50000-"]
    assert len(spy.lines) == 2


def test_line_that_breaks_for_good_is_resumed_by_the_next_run(site, tmp_path):
    url = site.serve("/a.zip", GOOD, cut=[30_000, 0])
    what = failure(dataset(url), tmp_path)
    assert what == (
        f"oppo cannot be downloaded: {url}: the connection was cut after 30,000 of "
        f"{len(GOOD):,} bytes (5 times in a row)"
    )
    # Only the consistent beginning stays, and what says which bytes these are.
    assert left(tmp_path) == [".fetch/archive.zip.0.part", ".fetch/archive.zip.0.part.json"]
    site.files["/a.zip"].cut = [None]
    fetch(dataset(url), tmp_path)
    assert_complete(tmp_path)
    assert site.files["/a.zip"].asked_ranges[-1] == "bytes=30000-"


def test_503_is_tried_again(site, tmp_path):
    pauses = []
    url = site.serve("/a.zip", GOOD, status=[503, 503])
    fetch(dataset(url), tmp_path, sleep=pauses.append)
    assert_complete(tmp_path)
    assert pauses == [1, 2]


def test_404_goes_to_the_next_address(site, tmp_path):
    spy = Spy()
    gone, url = site.address + "/gone.zip", site.serve("/a.zip", GOOD)
    report = fetch(dataset(gone, url), tmp_path, reporter=spy)
    assert report.origin == url
    assert spy.lines == [f"{gone}: the server answered 404 Not Found"]
    assert_complete(tmp_path)


def test_no_address_answers(site, tmp_path):
    gone, other = site.address + "/gone.zip", site.address + "/other.zip"
    with pytest.raises(DataError) as caught:
        fetch(dataset(gone, other), tmp_path)
    assert str(caught.value) == (
        f"oppo cannot be downloaded: {gone}: the server answered 404 Not Found; "
        f"{other}: the server answered 404 Not Found\n"
        "  try: harbench datasets fetch oppo --from DIR_OR_ZIP"
    )
    assert left(tmp_path) == []
    fetch(dataset(gone, site.serve("/other.zip", GOOD)), tmp_path)
    assert_complete(tmp_path)


def test_no_connection_says_how_to_do_without(tmp_path, monkeypatch):
    import requests

    def offline(*args, **how):
        raise requests.exceptions.ConnectionError("Name or service not known")

    monkeypatch.setattr(requests, "get", offline)
    with pytest.raises(DataError) as caught:
        fetch(dataset("https://example.invalid/a.zip"), tmp_path, sleep=lambda seconds: None)
    assert caught.value.what == (
        "oppo cannot be downloaded: https://example.invalid/a.zip: "
        "no connection to example.invalid (5 times in a row)"
    )
    assert caught.value.fix == "harbench datasets fetch oppo --from DIR_OR_ZIP"
    assert left(tmp_path) == []


def test_wrong_bytes_are_refused_and_not_resumed(site, tmp_path):
    url = site.serve("/a.zip", WRONG)
    what = failure(dataset(url), tmp_path)
    wrong = hashlib.sha256(bytes(MEMBERS[2].size)).hexdigest()
    assert what == (
        f"oppo cannot be downloaded: {url}: {MEMBERS[2].name} has sha256 {wrong} "
        f"(expected sha256 {MEMBERS[2].sha256})"
    )
    assert left(tmp_path) == sorted(set(NAMES) - {MEMBERS[2].name})
    site.serve("/a.zip", GOOD)
    report = fetch(dataset(url), tmp_path)
    assert report.fetched == (MEMBERS[2].name,)
    assert site.files["/a.zip"].asked_ranges == [None]
    assert_complete(tmp_path)


def test_wrong_archive_at_the_first_address_is_mended_by_the_second(site, tmp_path):
    first, second = site.serve("/wrong.zip", WRONG), site.serve("/a.zip", GOOD)
    assert fetch(dataset(first, second), tmp_path).origin == second
    assert_complete(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>Please sign in</html>", "it is not a zip file, or its end is missing"),
        (GOOD[:-30], "it is not a zip file, or its end is missing"),
        (pack({**FILES, "../evil": b"x"}), "an entry that leads out of the folder ('../evil')"),
        (pack(EXTRA), "S1-ADL1.dat is not there, and 3 more files are missing or wrong: "),
    ],
)
def test_useless_archive_is_removed(site, tmp_path, content, why):
    url = site.serve("/a.zip", content)
    assert why in failure(dataset(url), tmp_path)
    assert left(tmp_path) == []
    site.serve("/a.zip", GOOD)
    fetch(dataset(url), tmp_path)
    assert_complete(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".fetch.lock", *NAMES]


def test_one_flipped_byte_in_the_archive_is_found(site, tmp_path):
    flipped = bytearray(GOOD)
    flipped[GOOD.index(b"S2-ADL1.dat") + 5_000] ^= 1
    url = site.serve("/a.zip", bytes(flipped))
    assert re.search(r"S2-ADL1\.dat (cannot be read|has sha256)", failure(dataset(url), tmp_path))
    site.serve("/a.zip", GOOD)
    fetch(dataset(url), tmp_path)
    assert_complete(tmp_path)


def test_download_that_a_kill_left_whole_is_used(site, tmp_path):
    (tmp_path / ".fetch").mkdir()
    (tmp_path / ".fetch" / "archive.zip").write_bytes(GOOD)
    (tmp_path / ".fetch" / "S1-ADL1.dat.part").write_bytes(b"half")
    (tmp_path / ".fetch" / "tmpabc").write_bytes(b"")
    url = site.serve("/a.zip", GOOD)
    fetch(dataset(url), tmp_path)
    assert_complete(tmp_path)
    assert site.files["/a.zip"].requests == []


def test_interrupt_leaves_the_download_and_verified_files_only(site, tmp_path, monkeypatch):
    real, calls = room.unpack_zip, []

    def interrupted(archive, members, folder, work, reporter):
        real(archive, members[:2], folder, work, reporter)
        (work / "S9.dat.part").write_bytes(b"half")
        calls.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "unpack_zip", interrupted)
    url = site.serve("/a.zip", GOOD)
    with pytest.raises(KeyboardInterrupt):
        fetch(dataset(url), tmp_path)
    assert left(tmp_path) == [".fetch/archive.zip", *sorted(m.name for m in MEMBERS[:2])]
    monkeypatch.setattr(room, "unpack_zip", real)
    assert len(fetch(dataset(url), tmp_path).fetched) == 2
    assert len(site.files["/a.zip"].requests) == 1
    assert_complete(tmp_path)


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
        f"{given}: S1-ADL1.dat has 8 bytes, and 1 more file is missing or wrong: S2-Drill.dat "
        "(expected 20,100 bytes)\n  try: harbench datasets fetch oppo"
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


def test_two_fetches_do_not_collide(site, tmp_path):
    url = site.serve("/a.zip", GOOD, cut=[40_000, None])
    spies, reports, gate = (Spy(), Spy()), [], threading.Barrier(2)

    def slow(seconds):
        # The first to fetch waits here, in the middle of its download, for the other to come.
        for _ in range(500):
            if any("another fetch" in line for spy in spies for line in spy.lines):
                return
            threading.Event().wait(0.01)

    def run(spy):
        gate.wait()
        reports.append(fetch(dataset(url), tmp_path, reporter=spy, sleep=slow))

    threads = [threading.Thread(target=run, args=(spy,)) for spy in spies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(report.fetched) for report in reports) == [0, 4]
    waited = [line for spy in spies for line in spy.lines if "another fetch" in line]
    assert waited == [f"another fetch is at work in {tmp_path}; waiting for it"]
    assert len(site.files["/a.zip"].requests) == 2
    assert_complete(tmp_path)
