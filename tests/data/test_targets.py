"""Members that go to sub-folders: four files of one name, each to its own place or nowhere."""

import hashlib
from dataclasses import replace

import pytest

from harbench.data.download import Quiet
from harbench.data.fetch import fetch
from harbench.data.unpack import copy_folder, unpack_zip
from harbench.errors import DataError
from harbench.nouns import Archive, Member
from toys.archives import dataset as flat_dataset
from toys.archives import pack

CONTENT = {
    f"Set-abc/Data/{folder}/data.mat": (folder * 500).encode() for folder in ("a1", "b2", "c33")
}
MEMBERS = tuple(
    Member(path, len(c), hashlib.sha256(c).hexdigest(), target=path.split("/", 2)[2])
    for path, c in CONTENT.items()
)
PLACES = ["a1/data.mat", "b2/data.mat", "c33/data.mat"]


def dataset(*urls):
    return replace(flat_dataset(*urls), archive=Archive(urls, MEMBERS))


def files_in(folder):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".fetch.lock"
    )


def assert_complete(folder):
    assert files_in(folder) == PLACES
    for path, content in CONTENT.items():
        assert (folder / path.split("/", 2)[2]).read_bytes() == content


def write(folder, entries):
    for path, content in entries.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "target", ["/etc/evil", "../evil", "a/../b", "a//b", "a/", "./a", "..", "a\\b", "C:x", "a\0b"]
)
def test_target_that_leads_out_cannot_be_said(target):
    with pytest.raises(ValueError, match="is no path below a dataset's folder"):
        Member("Set/data.mat", 1, "0" * 64, target=target)


def test_name_is_the_target_or_the_last_part():
    assert Member("Set/x/data.mat", 1, "").name == "data.mat"
    assert Member("Set/x/data.mat", 1, "", target="x/data.mat").name == "x/data.mat"
    assert Member("Set/x/data.mat", 1, "", target="x-data.mat").name == "x-data.mat"


def test_download_puts_each_in_its_folder_and_is_kept(site, tmp_path):
    url = site.serve("/a.zip", pack({"Set-abc/README.md": b"read me", **CONTENT}))
    report = fetch(dataset(url), tmp_path)
    assert sorted(report.fetched) == PLACES
    assert_complete(tmp_path)
    again = fetch(dataset(url), tmp_path)
    assert (again.fetched, sorted(again.kept)) == ((), PLACES)
    assert len(site.files["/a.zip"].requests) == 1


def test_only_the_wrong_one_is_fetched_again(site, tmp_path):
    ours = dataset(site.serve("/a.zip", pack(CONTENT)))
    fetch(ours, tmp_path)
    (tmp_path / "b2/data.mat").write_bytes(CONTENT["Set-abc/Data/a1/data.mat"])
    assert fetch(ours, tmp_path).fetched == ("b2/data.mat",)
    assert_complete(tmp_path)


@pytest.mark.parametrize("below", ["", "Data/", "Set-abc/Data/", "somewhere/else/"])
def test_folder_is_matched_by_the_end_of_the_path(tmp_path, below):
    entries = {below + path.split("/", 2)[2]: content for path, content in CONTENT.items()}
    source = write(tmp_path / "source", entries)
    fetch(dataset(), tmp_path / "to", source=source)
    assert_complete(tmp_path / "to")


def test_files_in_wrong_folders_are_told_by_their_bytes(tmp_path):
    (first, one), (second, two), third = CONTENT.items()
    source = write(tmp_path / "source", {first: two, second: one, third[0]: third[1]})
    fetch(dataset(), tmp_path / "to", source=source)
    assert_complete(tmp_path / "to")


def test_missing_one_is_not_called_wrong_because_of_others(tmp_path):
    entries = dict(list(CONTENT.items())[1:])
    source = write(tmp_path / "source", entries)
    with pytest.raises(DataError) as caught:
        fetch(dataset(), tmp_path / "to", source=source)
    assert caught.value.what == (
        "a1/data.mat is not there (expected 1,000 bytes at Set-abc/Data/a1/data.mat)"
    )
    assert files_in(tmp_path / "to") == PLACES[1:]
    assert not (tmp_path / "to/a1").exists()


def test_wrong_one_is_named_by_its_folder(tmp_path):
    source = write(tmp_path / "source", {**CONTENT, "Set-abc/Data/b2/data.mat": b"short"})
    with pytest.raises(DataError) as caught:
        fetch(dataset(), tmp_path / "to", source=source)
    assert caught.value.what == "b2/data.mat has 5 bytes (expected 1,000 bytes)"


def test_source_that_is_the_target_does_not_eat_its_own_files(tmp_path):
    swapped = {"a1/data.mat": CONTENT["Set-abc/Data/b2/data.mat"], "b2/data.mat": b"other"}
    folder = write(tmp_path / "to", swapped)
    (folder / ".work").mkdir()
    problems = copy_folder(folder, MEMBERS[:2], folder, folder / ".work", Quiet())
    assert [problem.found for problem in problems] == ["is not there"] * 2
    assert {path: (folder / path).read_bytes() for path in swapped} == swapped


def test_file_in_the_place_of_a_sub_folder_is_said(tmp_path):
    folder = write(tmp_path / "to", {"a1": b"a file of the user's"})
    (folder / ".work").mkdir()
    archive = tmp_path / "a.zip"
    archive.write_bytes(pack(CONTENT))
    with pytest.raises(DataError, match=r"data\.mat cannot be written"):
        unpack_zip(archive, MEMBERS, folder, folder / ".work", Quiet())
    assert (folder / "a1").read_bytes() == b"a file of the user's"
    assert list((folder / ".work").iterdir()) == []
