"""Fetching from the web as a user meets it: each failure says one thing and can be mended."""

import hashlib
import re
import threading

import pytest

from harbench.data import fetch as room
from harbench.data.fetch import fetch
from harbench.data.unpack import Problem
from harbench.errors import DataError
from toys.archives import (
    EXTRA,
    FILES,
    GOOD,
    MEMBERS,
    NAMES,
    WRONG,
    Spy,
    assert_complete,
    dataset,
    failure,
    left,
    pack,
)
from toys.waiting import until


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
        (pack(EXTRA), f"{MEMBERS[0].path}), and 3 more files are missing or wrong: S1-Drill.dat, "),
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


def test_two_fetches_do_not_collide(site, tmp_path):
    url = site.serve("/a.zip", GOOD, cut=[40_000, None])
    spies, reports, gate = (Spy(), Spy()), [], threading.Barrier(2)

    def slow(seconds):
        # The first to fetch waits here, in the middle of its download, for the other to come.
        until(
            lambda: any("another fetch" in line for spy in spies for line in spy.lines),
            "the other fetch",
        )

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


def test_long_lists_of_names_are_cut():
    problems = [Problem(m, "is not there", "5 bytes") for m in MEMBERS * 3]
    text = room._sentence(problems)
    assert text.startswith("S1-ADL1.dat is not there (expected 5 bytes), and 11 more files are ")
    assert text.endswith(
        ": S1-Drill.dat, S2-ADL1.dat, S2-Drill.dat, S1-ADL1.dat, S1-Drill.dat and 6 more"
    )
