"""One large file over a bad line: what is asked for, what is kept, when it is given up."""

import json
import socket

import pytest

from harbench.data import download as room
from harbench.data.disk import DiskFullError
from harbench.data.download import Resuming, UnreachableError

CONTENT = bytes(range(256)) * 400  # 102,400 bytes


class Log:
    def __init__(self):
        self.lines, self.counts = [], []

    def say(self, text):
        self.lines.append(text)

    def bytes_done(self, what, done, total, *, kept=0):
        self.counts.append((what, done, total, kept))


@pytest.fixture
def get(tmp_path):
    log, pauses = Log(), []
    downloader = Resuming(
        tmp_path / "a.part", reporter=log, sleep=pauses.append, timeout=5, room=10
    )
    downloader.log, downloader.pauses = log, pauses
    return downloader


def test_whole_file_at_once(site, get, tmp_path):
    url = site.serve("/a", CONTENT)
    get(url, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]
    assert get.pauses == []
    assert get.log.counts[-1] == ("download", 102_400, 102_400, 0)


def test_cut_connection_is_resumed_where_it_stopped(site, get):
    url = site.serve("/a", CONTENT, cut=[30_000, 20_000, None])
    get.download(url)
    assert get.part.read_bytes() == CONTENT
    served = site.files["/a"]
    assert served.asked_ranges == [None, "bytes=30000-", "bytes=50000-"]
    assert [h.get("If-Range") for h in served.requests] == [None, served.tag, served.tag]
    assert get.pauses == [1, 1]  # each try brought bytes, so the wait does not grow
    assert get.log.lines[0] == (
        "the connection was cut after 30,000 of 102,400 bytes; trying again in 1 s"
    )
    assert get.log.counts[-1] == ("download", 102_400, 102_400, 50_000)


def test_a_later_run_resumes_too(site, get, tmp_path):
    url = site.serve("/a", CONTENT, cut=[70_000, 0])
    with pytest.raises(UnreachableError, match="5 times in a row"):
        get.download(url)
    assert get.part.read_bytes() == CONTENT[:70_000]
    site.files["/a"].cut = [None]
    Resuming(tmp_path / "a.part", sleep=get.pauses.append).download(url)
    assert get.part.read_bytes() == CONTENT
    assert site.files["/a"].asked_ranges[-1] == "bytes=70000-"


def test_a_part_that_is_whole_asks_for_nothing(site, get, tmp_path):
    url = site.serve("/a", CONTENT)
    get.download(url)
    Resuming(tmp_path / "a.part").download(url)
    assert len(site.files["/a"].requests) == 1


def test_cut_in_a_chunked_answer_is_noticed(site, get):
    # UCI answers in chunks and gives no length: only the missing last chunk tells of a cut.
    url = site.serve("/a", CONTENT, cut=[30_000, None], chunked=True, length=False)
    get.download(url)
    assert get.part.read_bytes() == CONTENT
    assert len(site.files["/a"].requests) == 2
    assert get.log.lines[0].startswith("the connection was cut after ")


def test_server_that_ignores_range_starts_again(site, get):
    url = site.serve("/a", CONTENT, cut=[30_000, None], ranges=False)
    get.download(url)
    assert get.part.read_bytes() == CONTENT
    assert site.files["/a"].asked_ranges == [None, "bytes=30000-"]


def test_server_that_ignores_range_and_always_cuts_is_given_up(site, get):
    url = site.serve("/a", CONTENT, cut=[30_000], ranges=False)
    with pytest.raises(UnreachableError, match=r"30,000 of 102,400 bytes \(5 times"):
        get.download(url)
    assert get.pauses == [1, 2, 4, 8]  # the same bytes again are no progress


def test_changed_file_is_never_mixed_with_the_old_one(site, get):
    url = site.serve("/a", CONTENT, cut=[30_000, 0])
    with pytest.raises(UnreachableError):
        get.download(url)
    site.serve("/a", CONTENT[::-1])  # same length, another ETag: If-Range makes the answer a 200
    get.download(url)
    assert get.part.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("other", [CONTENT + b"more", CONTENT[:50_000]])
def test_changed_length_without_etag_starts_again(site, get, other):
    url = site.serve("/a", CONTENT, cut=[30_000, 0], etag=False)
    with pytest.raises(UnreachableError):
        get.download(url)
    site.serve("/a", other, etag=False)
    get.download(url)
    assert get.part.read_bytes() == other
    assert "the server's file has changed; starting again" in get.log.lines[-1]


def test_416_for_a_file_that_became_shorter_starts_again(site, get):
    url = site.serve("/a", CONTENT, cut=[90_000, 0], etag=False)
    with pytest.raises(UnreachableError):
        get.download(url)
    site.serve("/a", CONTENT[:80_000], etag=False)
    get.download(url)
    assert get.part.read_bytes() == CONTENT[:80_000]
    assert site.files["/a"].asked_ranges == ["bytes=90000-", None]


def test_416_for_a_file_that_is_whole_is_enough(site, get):
    # Without a length the notes cannot know that all bytes are here; the server does.
    url = site.serve("/a", CONTENT, length=False)
    get.download(url)
    assert get.part.read_bytes() == CONTENT
    get.download(url)
    assert get.part.read_bytes() == CONTENT
    assert site.files["/a"].asked_ranges == [None, "bytes=102400-"]


def test_other_address_starts_afresh(site, get):
    first = site.serve("/a", CONTENT, cut=[30_000, 0])
    with pytest.raises(UnreachableError):
        get.download(first)
    get.download(site.serve("/b", CONTENT[::-1]))
    assert get.part.read_bytes() == CONTENT[::-1]
    assert site.files["/b"].asked_ranges == [None]


@pytest.mark.parametrize("notes", ["", "[1]", "{", '{"url": 3}'])
def test_part_without_good_notes_is_not_trusted(site, get, notes):
    url = site.serve("/a", CONTENT)
    get.part.write_bytes(b"x" * 500)
    get.notes.write_text(notes)
    get.download(url)
    assert get.part.read_bytes() == CONTENT


def test_busy_server_is_asked_again_when_it_says(site, get):
    url = site.serve("/a", CONTENT, status=[503, 500, 429], headers={"Retry-After": "7"})
    get.download(url)
    assert get.part.read_bytes() == CONTENT
    assert get.pauses == [7, 7, 7]
    assert get.log.lines[0].startswith("the server answered 503 Service Unavailable; trying again")


def test_waits_grow_and_end(site, get):
    url = site.serve("/a", CONTENT, status=[503] * 9)
    with pytest.raises(UnreachableError) as caught:
        get.download(url)
    assert str(caught.value) == "the server answered 503 Service Unavailable (5 times in a row)"
    assert get.pauses == [1, 2, 4, 8]
    assert not get.part.exists()


def test_crumbs_are_no_reason_to_go_on_for_ever(site, get):
    url = site.serve("/a", CONTENT, cut=[100])
    with pytest.raises(UnreachableError, match=r"10,000 of 102,400 bytes \(after 100 tries\)"):
        get.download(url)
    assert get.part.read_bytes() == CONTENT[:10_000]


@pytest.mark.parametrize("status", [404, 403, 410])
def test_refusal_is_final_at_once(site, get, status):
    url = site.serve("/a", CONTENT, status=[status])
    with pytest.raises(UnreachableError, match=f"the server answered {status}"):
        get.download(url)
    assert get.pauses == []


def test_nobody_listens(get):
    # Taken, so that nobody else takes it, but not listened at.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(UnreachableError) as caught:
            get.download(f"http://127.0.0.1:{port}/a")
    assert str(caught.value) == f"no connection to 127.0.0.1:{port} (5 times in a row)"
    assert get.pauses == [1, 2, 4, 8]


def test_server_that_never_answers(get):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        get.timeout = 0.05
        with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s \(5 times"):
            get.download(f"http://127.0.0.1:{silent.getsockname()[1]}/a")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/a", "http://"])
def test_no_address(get, url):
    with pytest.raises(UnreachableError, match="not an address"):
        get.download(url)
    assert get.pauses == []


def test_too_little_room_is_said_before_a_byte_is_written(site, get, monkeypatch):
    url = site.serve("/a", CONTENT)
    asked = []
    monkeypatch.setattr(room, "check_room", lambda folder, needed: asked.append(needed))
    get.download(url)
    assert asked == [102_410]
    get.discard()

    def refuse(folder, needed):
        raise DiskFullError("full")

    monkeypatch.setattr(room, "check_room", refuse)
    with pytest.raises(DiskFullError):
        get.download(url)
    assert not get.part.exists()


def test_notes_say_which_bytes_these_are(site, get):
    url = site.serve("/a", CONTENT, cut=[10, 0])
    with pytest.raises(UnreachableError):
        get.download(url)
    assert json.loads(get.notes.read_text()) == {
        "url": url,
        "total": 102_400,
        "etag": site.files["/a"].tag,
        "modified": None,
    }
