"""Archives and folders: what is right gets in, what is not stays out, nothing goes elsewhere."""

import hashlib
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harbench.data import disk
from harbench.data.disk import DiskFullError, size
from harbench.data.download import Quiet
from harbench.data.unpack import BadArchiveError, copy_folder, is_verified, unpack_zip
from harbench.errors import DataError
from harbench.nouns import Member
from toys.thorough import examples

FILES = {
    f"Set/dataset/S{k}-ADL1.dat": " ".join(str(k * n % 997) for n in range(2000)).encode()
    for k in range(1, 4)
}


def member(path, content):
    return Member(path, len(content), hashlib.sha256(content).hexdigest())


MEMBERS = [member(path, content) for path, content in FILES.items()]
NAMES = [m.name for m in MEMBERS]


def pack(entries, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as zipped:
        for name, content in entries:
            zipped.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def place(tmp_path):
    """Unpacks bytes; returns (problems, names that lie in the folder afterwards)."""
    folder, work = tmp_path / "folder", tmp_path / "folder" / ".work"
    work.mkdir(parents=True)

    def unpack(content):
        archive = tmp_path / "a.zip"
        archive.write_bytes(content)
        try:
            return unpack_zip(archive, MEMBERS, folder, work, Quiet())
        finally:
            assert list(work.iterdir()) == []
            outside = sorted(p.name for p in tmp_path.iterdir())
            assert outside == ["a.zip", "folder"]
            for path in folder.iterdir():
                if path != work:
                    assert path.read_bytes() == FILES[f"Set/dataset/{path.name}"]

    unpack.folder, unpack.work = folder, work
    unpack.names = lambda: sorted(p.name for p in folder.iterdir() if p != work)
    return unpack


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_get_in_and_others_do_not(place, compression):
    others = [("Set/README", b"hello"), ("Set/doc/", b""), ("Set/scripts/run.m", b"x")]
    assert place(pack([*FILES.items(), *others], compression)) == []
    assert place.names() == NAMES


def test_archive_packed_in_another_folder_will_do(place):
    entries = [(path.replace("Set/dataset", "elsewhere"), c) for path, c in FILES.items()]
    assert place(pack(entries)) == []
    assert place.names() == NAMES


def test_missing_member_is_named_and_others_get_in(place):
    [problem] = place(pack(list(FILES.items())[1:]))
    assert problem.found == "is not there"
    assert problem.expected == f"{MEMBERS[0].size:,} bytes at Set/dataset/S1-ADL1.dat"
    assert place.names() == NAMES[1:]


def test_member_of_another_size_stays_out(place):
    entries = {**FILES, "Set/dataset/S2-ADL1.dat": b"short"}
    [problem] = place(pack(entries.items()))
    assert problem.found == "has 5 bytes"
    assert problem.expected == f"{MEMBERS[1].size:,} bytes"
    assert place.names() == ["S1-ADL1.dat", "S3-ADL1.dat"]


def test_member_with_one_other_byte_stays_out(place):
    wrong = bytearray(FILES["Set/dataset/S2-ADL1.dat"])
    wrong[100] ^= 1
    [problem] = place(pack({**FILES, "Set/dataset/S2-ADL1.dat": bytes(wrong)}.items()))
    assert problem.found == f"has sha256 {hashlib.sha256(wrong).hexdigest()}"
    assert problem.expected == f"sha256 {MEMBERS[1].sha256}"
    assert place.names() == ["S1-ADL1.dat", "S3-ADL1.dat"]


def test_wrong_file_does_not_replace_a_right_one(place):
    assert place(pack(FILES.items())) == []
    entries = {**FILES, "Set/dataset/S2-ADL1.dat": b"short"}
    assert len(place(pack(entries.items()))) == 1
    assert place.names() == NAMES


def test_of_two_files_of_one_name_the_one_at_the_right_path_is_taken_first(place):
    path = "Set/dataset/S1-ADL1.dat"
    other = bytes(MEMBERS[0].size)
    assert place(pack([("old/S1-ADL1.dat", other), *FILES.items()])) == []
    [problem] = place(pack([("old/S1-ADL1.dat", b"older"), *{**FILES, path: other}.items()]))
    assert "has sha256" in problem.found  # that of the file at the right path, not "5 bytes"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_entries_are_tried_in_turn(place):
    path = "Set/dataset/S1-ADL1.dat"
    assert place(pack([(path, bytes(MEMBERS[0].size)), *FILES.items()])) == []
    assert place.names() == NAMES


@pytest.mark.parametrize(
    "name",
    [
        "../S1-ADL1.dat",
        "Set/../../evil",
        "Set/..",
        "/etc/evil",
        "//host/evil",
        "C:/evil",
        "c:evil",
        "..\\evil",
        "Set\\dataset\\S1-ADL1.dat",
        "\\evil",
    ],
)
def test_entry_that_leads_outside_refuses_the_archive(place, name):
    with pytest.raises(BadArchiveError, match="an entry that leads out of the folder"):
        place(pack([*FILES.items(), (name, b"evil")]))
    assert place.names() == []


@pytest.mark.parametrize("name", ["..hidden", "a..b", "Set/...", "Set/a:b", "Set/.."[:-1] + "x"])
def test_odd_names_that_stay_inside_are_left_alone(place, name):
    assert place(pack([*FILES.items(), (name, b"odd")])) == []
    assert place.names() == NAMES


def test_entry_without_a_name_is_left_alone(place):
    class Nameless(zipfile.ZipInfo):
        def is_dir(self):
            return False

    assert place(pack([*FILES.items(), (Nameless(""), b"odd")])) == []
    assert place.names() == NAMES


def test_name_with_a_null_byte_refuses_the_archive(place):
    content = pack([*FILES.items(), ("Set/evilX.dat", b"evil")])
    content = content.replace(b"Set/evilX.dat", b"Set/evil\x00.dat")
    with pytest.raises(BadArchiveError, match="leads out of the folder"):
        place(content)


def test_link_is_not_followed_and_not_made(place):
    link = zipfile.ZipInfo("Set/dataset/S1-ADL1.dat")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    rest = list(FILES.items())[1:]
    [problem] = place(pack([(link, b"/etc/passwd"), *rest]))
    assert problem.found == "is not there"
    assert place.names() == NAMES[1:]


def lie_about_size(content, name, claimed):
    """Set the uncompressed size of an entry in its local header and in the directory."""
    content = bytearray(content)
    local = content.index(b"PK\x03\x04")
    while content[local + 30 : local + 30 + len(name)] != name.encode():
        local = content.index(b"PK\x03\x04", local + 4)
    struct.pack_into("<L", content, local + 22, claimed)
    central = content.index(b"PK\x01\x02")
    while content[central + 46 : central + 46 + len(name)] != name.encode():
        central = content.index(b"PK\x01\x02", central + 4)
    struct.pack_into("<L", content, central + 24, claimed)
    return bytes(content)


def test_bomb_that_states_the_right_size_is_not_inflated(place, monkeypatch):
    # 50 MB of zeros that claim to be as small as the member.
    path = "Set/dataset/S1-ADL1.dat"
    bomb = pack({**FILES, path: bytes(50_000_000)}.items())
    written = []
    real = disk.write_all

    def count(file, content):
        written.append(len(content))
        real(file, content)

    monkeypatch.setattr("harbench.data.unpack.write_all", count)
    [problem] = place(lie_about_size(bomb, path, MEMBERS[0].size))
    assert problem.member == MEMBERS[0]
    assert sum(written) <= sum(m.size for m in MEMBERS) + 1
    assert place.names() == NAMES[1:]


def test_bomb_that_states_its_size_is_not_even_opened(place):
    path = "Set/dataset/S1-ADL1.dat"
    [problem] = place(pack({**FILES, path: bytes(50_000_000)}.items()))
    assert problem.found == "has 50,000,000 bytes"


def test_encrypted_member_is_said_to_be(place):
    content = bytearray(pack(FILES.items()))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    [problem] = place(bytes(content))
    assert problem.found == "cannot be read (encrypted)"


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"PK\x03\x04" + bytes(100)])
def test_no_zip_file(place, content):
    with pytest.raises(BadArchiveError, match="it is not a zip file, or its end is missing"):
        place(content)


def test_cut_zip_file(place):
    content = pack(FILES.items())
    with pytest.raises(BadArchiveError):
        place(content[: len(content) // 2])


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_damage_gets_a_wrong_file_in(place, data):
    """Whatever bytes change: no crash, no unverified file, no leftover (checked by ``place``)."""
    content = bytearray(pack(FILES.items()))
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the damage goes to the directory at the end, where the parser is.
        low = data.draw(st.sampled_from([0, len(content) - 300]))
        content[data.draw(st.integers(low, len(content) - 1))] = data.draw(st.integers(0, 255))
    for path in place.folder.glob("*.dat"):
        path.unlink()
    try:
        problems = place(bytes(content))
    except BadArchiveError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert sorted([*(p.member.name for p in problems), *place.names()]) == NAMES


@pytest.fixture
def tree(tmp_path):
    source = tmp_path / "source"
    for path, content in FILES.items():
        file = source / "OpportunityUCI" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    folder, work = tmp_path / "folder", tmp_path / "folder" / ".work"
    work.mkdir(parents=True)
    return source, folder, work


def test_files_are_found_below_a_folder(tree):
    source, folder, work = tree
    assert copy_folder(source, MEMBERS, folder, work, Quiet()) == []
    assert all(is_verified(folder / m.name, m) for m in MEMBERS)
    assert list(work.iterdir()) == []


def test_files_that_lie_flat_are_found(tmp_path, tree):
    _, folder, work = tree
    flat = tmp_path / "flat"
    flat.mkdir()
    for path, content in FILES.items():
        (flat / path.rsplit("/", 1)[1]).write_bytes(content)
    assert copy_folder(flat, MEMBERS, folder, work, Quiet()) == []


def test_right_copy_wins_over_a_wrong_one_elsewhere(tree):
    source, folder, work = tree
    (source / "aaa").mkdir()
    (source / "aaa" / NAMES[0]).write_bytes(b"wrong")
    assert copy_folder(source, MEMBERS, folder, work, Quiet()) == []


def test_wrong_and_missing_files_are_named(tree):
    source, folder, work = tree
    (source / "OpportunityUCI" / MEMBERS[0].path).write_bytes(b"cut")
    (source / "OpportunityUCI" / MEMBERS[1].path).unlink()
    problems = copy_folder(source, MEMBERS, folder, work, Quiet())
    assert str(problems[0]) == f"S1-ADL1.dat has 3 bytes (expected {MEMBERS[0].size:,} bytes)"
    assert [p.found for p in problems] == ["has 3 bytes", "is not there"]
    assert sorted(p.name for p in folder.glob("*.dat")) == [NAMES[2]]


def test_source_inside_the_target_is_not_copied_onto_itself(tree):
    _, folder, work = tree
    (folder / NAMES[0]).write_bytes(b"wrong")
    problems = copy_folder(folder, MEMBERS[:1], folder, work, Quiet())
    assert problems[0].found == "is not there"


def test_unreadable_source_is_said_to_be(tree, monkeypatch):
    source, folder, work = tree

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("harbench.data.unpack._open", refuse)
    problems = copy_folder(source, MEMBERS[:1], folder, work, Quiet())
    assert problems[0].found == "cannot be read (Permission denied)"


def test_full_disk_while_writing(tree, monkeypatch):
    source, folder, work = tree

    def full(file, content):
        file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harbench.data.unpack.write_all", full)
    with pytest.raises(DiskFullError) as caught:
        copy_folder(source, MEMBERS, folder, work, Quiet())
    assert str(caught.value) == f"{folder}: the disk is full: S1-ADL1.dat could not be written"
    assert list(work.iterdir()) == []
    assert list(folder.glob("*.dat")) == []


def test_folder_that_cannot_be_written(tree, monkeypatch):
    source, folder, work = tree
    (folder / NAMES[0]).mkdir()  # a folder stands where the file should go
    with pytest.raises(DataError, match=r"S1-ADL1\.dat cannot be written"):
        copy_folder(source, MEMBERS, folder, work, Quiet())
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (306_636_009, "306.6 MB"),
        (885_433_599, "885.4 MB"),
        (1_192_069_608, "1.2 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes_for_people(count, text):
    assert size(count) == text
