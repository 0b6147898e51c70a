"""An archive has one right content to the byte, which zip programs can read."""

import io
import random
import zipfile

import pytest

from harbench.errors import ResultsError
from harbench.results import archive
from harbench.results.archive import ArchiveReader, write_archive

FILES = {"a.txt": b"", "b/c.json": b"{}\n", "b/d.bin": bytes(range(256)) * 5}


def written(tmp_path, files=FILES):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(content)
    file = io.BytesIO()
    write_archive(file, tmp_path, files)
    return file.getvalue()


def read(data, allowed=lambda name: not name.startswith((".", "/"))):
    reader = ArchiveReader(io.BytesIO(data), "it.zip", allowed)
    return {member.name: b"".join(content) for member, content in reader.members()}


def refusal(data):
    with pytest.raises(ResultsError) as refused:
        read(data)
    assert refused.value.where == "it.zip"
    return refused.value.what.removesuffix("; nothing was imported")


def zipped(*members, **options):
    """What Python's own zip module writes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as out:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            out.writestr(info, content)
    return file.getvalue()


def test_what_is_written_is_read(tmp_path):
    data = written(tmp_path)
    assert read(data) == FILES
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


def test_it_is_to_the_byte_what_another_zip_writer_makes_of_the_same(tmp_path):
    assert written(tmp_path) == zipped(*FILES.items())


def test_every_bit_counts(tmp_path):
    data = written(tmp_path)
    rng = random.Random(7)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(8)
        with pytest.raises(ResultsError, match="nothing was imported"):
            read(bytes(changed))


def test_a_cut_archive_and_a_longer_one_are_refused(tmp_path):
    data = written(tmp_path)
    for length in range(len(data)):
        with pytest.raises(ResultsError, match="the archive ends within"):
            read(data[:length])
    assert refusal(data + b"x") == "something follows its end"
    assert refusal(b"") == "the archive ends within its next file"
    assert refusal(b"\x7fELF" + bytes(100)) == "its end was changed"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (zipped(("../x", b"")), "../x: this is no name of a file of a bundle"),
        (zipped(("/etc/x", b"")), "/etc/x: this is no name of a file of a bundle"),
        (zipped(("é", b"")), "a file's name holds what no name of harbench's holds"),
        (zipped(("\x1b[2J", b"")), "\\x1b[2J: this is no name of a file of a bundle"),
        (zipped(("a" * 500, b"")), "a file's name has 500 letters"),
        (zipped(("a", b"1"), ("A", b"2")), "A: it is there twice"),
    ],
)
def test_hostile_names(data, what):
    def allowed(name):
        return name.isprintable() and not name.startswith((".", "/"))

    with pytest.raises(ResultsError) as refused:
        read(data, allowed)
    assert refused.value.what == f"{what}; nothing was imported"


def test_compressed_members_are_refused_unopened():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("bomb", bytes(10_000_000))
    assert len(file.getvalue()) < 20_000
    assert refusal(file.getvalue()) == "bomb: it is compressed or encrypted"


def test_a_link_is_refused(tmp_path):
    data = written(tmp_path).replace((0o100644 << 16).to_bytes(4, "little"),
                                     (0o120777 << 16).to_bytes(4, "little"), 1)  # fmt: skip
    assert refusal(data) == "a.txt: it is a link"


def test_a_comment_is_refused():
    file = io.BytesIO(zipped(("a", b"1")))
    with zipfile.ZipFile(file, "a") as out:
        out.comment = b"hello"
    assert refusal(file.getvalue()) == "its end was changed"


def test_a_header_that_promises_much_is_refused_without_memory():
    data = bytearray(zipped(("a", b"1")))
    data[18:26] = b"\xff" * 8
    assert refusal(bytes(data)) == "the archive ends within a"


def test_too_much_for_one_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    with pytest.raises(ResultsError, match="too large for one bundle"):
        written(tmp_path)
    assert refusal(zipped(("a", b""), ("b", b""), ("c", b""))) == "there are more than 2 files"
    monkeypatch.setattr(archive, "MOST_BYTES", 100)
    with pytest.raises(ResultsError, match="too large for one bundle"):
        written(tmp_path, {"a": bytes(99)})
