"""Bundles: what goes along, what is refused, and that one's own results stay as they are."""

import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harbench.errors import ConfigError, ResultsError
from harbench.results import Store, bundle, imports, unpacking
from harbench.results.archive import write_archive
from harbench.results.bundle import MANIFEST, export
from harbench.results.imports import import_archive, remove_import, verify_imports
from harbench.results.sealed import sealed_text
from harbench.results.verifying import verify
from toys.whole_store import whole_store


def nothing(unpacked):
    """A table can be made of everything."""


@pytest.fixture
def theirs(tmp_path):
    store = whole_store(tmp_path / "theirs")
    keys = [cell["key"] for row in store.benchmark("toy")["rows"] for cell in row["cells"]]
    store.write_analysis(
        "toy", "confusion", {"cells": keys, "trained": [], "figures": ["b"]},
        {"01-a.csv": b"x\n1\n", "b.svg": b"<svg/>"},
    )  # fmt: skip
    return store


@pytest.fixture
def archive(theirs, tmp_path):
    export(theirs, tmp_path / "lab.harbench.zip")
    return tmp_path / "lab.harbench.zip"


@pytest.fixture
def own(tmp_path):
    return Store(tmp_path / "own")


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refusal(archive, own, check=nothing):
    before = tree(own.folder)
    with pytest.raises(ResultsError) as refused:
        import_archive(archive, own, check)
    assert tree(own.folder) == before
    return refused.value.what.removesuffix("; nothing was imported")


def members(archive):
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def headers(archive):
    """Name of each member -> where it begins."""
    with zipfile.ZipFile(archive) as file:
        return {info.filename: info.header_offset for info in file.infolist()}


def sealed(content):
    content.pop("seal", None)
    return sealed_text(content).encode()


def forged(archive, change, *, resealed=True):
    """The archive with its members changed, all hashes of the manifest put right."""
    found = members(archive)
    change(found)
    if resealed:
        manifest = json.loads(found.pop(MANIFEST))
        manifest["members"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in sorted(found.items())
        }
        found = {MANIFEST: sealed(manifest), **dict(sorted(found.items()))}
    folder = archive.with_name("forged")
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    file = io.BytesIO()
    write_archive(file, folder, found)
    other = archive.with_name("forged.zip")
    other.write_bytes(file.getvalue())
    return other


def json_changed(name, change):
    def changed(found):
        full = next(member for member in found if member.endswith(name))
        content = json.loads(found[full])
        change(content)
        found[full] = sealed(content)

    return changed


# Export


def test_a_bundle_holds_what_it_says(theirs, tmp_path):
    found = export(theirs, tmp_path / "a.zip")
    assert found.sha256 == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()
    inside = members(tmp_path / "a.zip")
    assert list(inside) == [MANIFEST, *sorted(set(inside) - {MANIFEST})]
    manifest = json.loads(inside[MANIFEST])
    assert manifest["format"] == 1
    assert manifest["benchmarks"] == {"toy": ["small", "wide"]}
    assert (len(manifest["cells"]), manifest["weights"]) == (4, False)
    assert [(p["kind"], p["name"]) for p in manifest["plugins"]] == [
        ("dataset", "toy"), ("model", "small"), ("model", "wide"),
    ]  # fmt: skip
    assert manifest["members"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in inside.items()
        if name != MANIFEST
    }
    # Records and predictions as they are; 3 files a cell, 2 costs, table, settings, analysis.
    assert len(inside) == 1 + 4 * 3 + 2 + 1 + 1 + 2
    for name, data in inside.items():
        if name.endswith(("record.json", "predictions.npz")):
            assert data == (theirs.folder / name).read_bytes()
    assert b"somebody" not in b"".join(inside.values())
    assert b"svg" not in b"".join(inside.values())


def test_equal_results_are_equal_bytes(theirs, tmp_path):
    export(theirs, tmp_path / "a.zip")
    shutil.copytree(theirs.folder, tmp_path / "copy")
    os.utime(tmp_path / "copy", (0, 0))
    export(Store(tmp_path / "copy"), tmp_path / "other name.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "other name.zip").read_bytes()


def test_chosen_rows_with_weights(theirs, tmp_path):
    found = export(theirs, tmp_path / "a.zip", models=["wide"], weights=True)
    assert found.manifest["benchmarks"] == {"toy": ["wide"]}
    assert (len(found.manifest["cells"]), found.manifest["weights"]) == (2, True)
    assert found.left_out == ("benchmark 'toy': analysis 'confusion' is of other cells as well",)
    settings = members(tmp_path / "a.zip")["settings/toy.yaml"].decode()
    assert "wide" in settings and "small" not in settings


def test_cells_that_are_not_finished_are_left_out(theirs, tmp_path):
    key = theirs.benchmark("toy")["rows"][0]["cells"][0]["key"]
    shutil.rmtree(theirs.cell_folder(key))
    found = export(theirs, tmp_path / "a.zip")
    assert found.left_out[0] == "benchmark 'toy': 1 of 4 cells, which are not trained"
    assert len(found.manifest["cells"]) == 3


def test_what_cannot_be_exported(theirs, tmp_path):
    with pytest.raises(ConfigError, match="no row is called 'smal'; did you mean 'small'"):
        export(theirs, tmp_path / "a.zip", models=["smal"])
    with pytest.raises(ResultsError, match="no results of a benchmark 'tow'"):
        export(theirs, tmp_path / "a.zip", only=["tow"])
    with pytest.raises(ResultsError, match="no finished results"):
        export(Store(tmp_path / "empty"), tmp_path / "a.zip")
    with pytest.raises(ResultsError, match="cannot be written: No such file"):
        export(theirs, tmp_path / "absent" / "a.zip")
    next(theirs.folder.rglob("predictions.npz")).write_bytes(b"x")
    with pytest.raises(ResultsError, match=r"damaged: cells/.*predictions\.npz is not the file"):
        export(theirs, tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


# Import


def test_a_bundle_comes_to_lie_beside_what_is_there(archive, theirs, tmp_path):
    own = whole_store(tmp_path / "own", rows=("mine",))
    before = tree(own.folder)
    done = import_archive(archive, own, nothing)
    name = f"lab-{hashlib.sha256(archive.read_bytes()).hexdigest()[:8]}"
    assert (done.new, done.found.name) == (True, name)
    assert (done.verified.cells, done.verified.windows) == (4, 160)
    after = tree(own.folder)
    assert {path: after[path] for path in before} == before
    new = {path.removeprefix(f"imported/{name}/") for path in after.keys() - before.keys()}
    assert new == {*members(archive), "import.json"}
    for row in theirs.benchmark("toy")["rows"]:
        for cell in row["cells"]:
            there = done.found.store.read(cell["key"])
            assert there.record == theirs.read(cell["key"]).record
            assert np.array_equal(
                there.predictions().predicted, theirs.read(cell["key"]).predictions().predicted
            )
    assert verify_imports(own).findings == []
    assert verify(done.found.store, weights=False).findings == []


def test_the_second_time_changes_nothing(archive, own, tmp_path):
    import_archive(archive, own, nothing)
    before = tree(own.folder)
    other = tmp_path / "renamed.zip"
    shutil.copy(archive, other)
    done = import_archive(other, own, nothing)
    assert (done.new, done.found.name[:4]) == (False, "lab-")
    assert tree(own.folder) == before


def test_names(archive, own, tmp_path):
    strange = tmp_path / "-..my  résults (2).zip"
    shutil.copy(archive, strange)
    assert import_archive(strange, own, nothing).found.name[:-9] == "my-r-sults-2"
    (one,) = imports.imports(own)
    remove_import(own, one.name)
    assert imports.imports(own) == []
    assert tree(own.folder) == {}
    assert import_archive(archive, own, nothing, "them").found.name[:-9] == "them"
    with pytest.raises(ResultsError, match="is no name of a bundle"):
        import_archive(archive, own, nothing, "../x")
    with pytest.raises(ResultsError, match=r"no bundle '\.\./x' was imported"):
        remove_import(own, "../x")


def test_every_byte_counts(archive, own):
    data = archive.read_bytes()
    rng = random.Random(11)
    starts = headers(archive).values()
    places = {*range(40), *range(len(data) - 30, len(data)), *starts}
    places |= {rng.randrange(len(data)) for _ in range(150)}
    other = archive.with_name("other.zip")
    for place in sorted(places):
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(8)
        other.write_bytes(changed)
        refusal(other, own)
    for length in [0, 1, len(data) // 2, len(data) - 1]:
        other.write_bytes(data[:length])
        refusal(other, own)
    assert not own.folder.exists()


@pytest.mark.parametrize(
    "name", ["record.json", "measured.json", "predictions.npz", "toy.json", "toy.yaml", "a.csv"]
)
def test_a_changed_byte_is_told_with_the_files_name(archive, own, name):
    data = archive.read_bytes()
    full, content = next((n, c) for n, c in members(archive).items() if n.endswith(name))
    changed = bytearray(data)
    changed[headers(archive)[full] + 30 + len(full) + len(content) // 2] ^= 1
    archive.write_bytes(changed)
    assert refusal(archive, own) == f"{full}: it was changed"

    def edit(found):
        found[full] = found[full][:-1] + b"?"

    # The same where the zip's own sums are right.
    archive.write_bytes(data)
    what = refusal(forged(archive, edit, resealed=False), own)
    assert what == f"{full}: it is not the file that the manifest names"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (json_changed("record.json", lambda r: r["scores"].update(nf=0.99)), "not those of the"),
        (json_changed("record.json", lambda r: r["cell"].update(seed=9)), "not the hash of what"),
        (json_changed("toy.json", lambda m: m.update(title="\x1b[2J")), "control characters"),
        (json_changed("toy.json", lambda m: m.update(title="a\u202eb")), "control characters"),
        (json_changed("toy.json", lambda m: m.update(settings="x")), "not the table's settings"),
        (json_changed("toy.json", lambda m: m["rows"].pop()), "what is there: benchmarks"),
        (
            json_changed("toy.json", lambda m: m["rows"][0].update(row="a b")),
            "what is there: benchmarks",
        ),
        (json_changed("toy.json", lambda m: m.pop("rows")), "what harbench does not write"),
        (
            json_changed("toy.json", lambda m: m["rows"][0]["cells"][0].update(seed=7)),
            "names a cell of another model, fold or seed",
        ),
        (lambda found: found.update({"settings/b.yaml": b""}), "do not hold what is there"),
        (lambda found: found.update({"x.txt": b""}), "x.txt: this is no name of a file"),
        (lambda found: found.update({"cells/../../x": b""}), "this is no name of a file"),
        (lambda found: found.pop("settings/toy.yaml"), "settings/toy.yaml"),
        (
            lambda found: found.pop(next(n for n in found if n.endswith("predictions.npz"))),
            "predictions.npz is not there",
        ),
        (
            lambda found: found.update({f"cells/ab/{'ab' * 32}/weights.safetensors": b"x"}),
            "measured.json, predictions.npz, record.json is not there",
        ),
        (
            lambda found: found.update(
                {next(n for n in found if n.endswith("predictions.npz")): b"no zip"}
            ),
            "predictions.npz: it is not what harbench writes",
        ),
        (
            lambda found: found.update({next(n for n in found if n.startswith("costs/")): b"[]"}),
            "costs/",
        ),
    ],
)
def test_whoever_puts_all_hashes_right_is_found_by_what_does_not_follow(
    archive, own, change, words
):
    assert words in refusal(forged(archive, change), own)


def manifest_changed(change):
    def changed(found):
        content = json.loads(found[MANIFEST])
        change(content)
        found[MANIFEST] = sealed(content)

    return changed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(format=2), "a bundle of format 2"),
        (lambda m: m.update(format="1"), 'a bundle of format "1"'),
        (lambda m: m.pop("format"), "a bundle of format null"),
        (lambda m: m.update(members=[]), "manifest.json: it does not list the files"),
        (lambda m: m.update(weights=True), "weights.safetensors is not there"),
        (lambda m: m.update(harbench=7), "it does not say what is there"),
        (lambda m: m.update(more=7), "it does not say what is there: more"),
        (lambda m: m["plugins"].pop(), "it does not say what is there: plugins"),
        (lambda m: m["cells"].pop(), "it does not say what is there: cells"),
        (lambda m: m["members"].popitem(), "the manifest knows nothing of this file"),
        (
            lambda m: m["members"].update({"costs/x": {"sha256": "", "size": 0}}),
            "costs/x: it is missing",
        ),
        (lambda m: m["members"]["settings/toy.yaml"].update(size=1), "another size"),
    ],
)
def test_a_manifest_that_says_otherwise(archive, own, change, words):
    assert words in refusal(forged(archive, manifest_changed(change), resealed=False), own)


def test_bombs(archive, own, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_PREDICTIONS", 1000)
    assert "predictions.npz: it unfolds to more than 1,000 bytes" in refusal(archive, own)
    monkeypatch.setattr(unpacking, "MOST_TEXT", 5000)
    large = forged(archive, json_changed("record.json", lambda r: r.update(more="x" * 6000)))
    assert "record.json: it is larger than 5,000 bytes" in refusal(large, own)
    monkeypatch.setattr(imports, "MOST_BYTES", 100)
    assert "too large to be a bundle" in refusal(archive, own)


def test_what_cannot_be_shown_is_refused(archive, own):
    def check(unpacked):
        raise KeyError("split")

    assert (
        refusal(archive, own, check) == "it holds what harbench does not write (KeyError: 'split')"
    )


@pytest.mark.parametrize("content", [b"", b"PK", b"text", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle(tmp_path, own, content):
    (tmp_path / "x.zip").write_bytes(content)
    refusal(tmp_path / "x.zip", own)
    with pytest.raises(ResultsError, match="cannot be read: No such file"):
        import_archive(tmp_path / "absent.zip", own, nothing)
    with pytest.raises(ResultsError, match="cannot be read: Is a directory"):
        import_archive(tmp_path, own, nothing)


def test_a_full_disk_leaves_nothing(archive, own, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(imports, "sync", full)
        with pytest.raises(ResultsError, match="cannot be written: No space left"):
            import_archive(archive, own, nothing)
    assert tree(own.folder) == {}
    assert import_archive(archive, own, nothing).new


def test_a_bundle_that_another_process_imports_is_left_to_it(archive, own):
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    locks = own.locks()
    assert locks.take(f"import-{digest}")
    with pytest.raises(ResultsError, match="another process is importing this bundle"):
        import_archive(archive, own, nothing)
    locks.release_all()
    assert import_archive(archive, own, nothing).new


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_killed_while_it_writes_leaves_no_half_bundle(archive, own):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from harbench.results import Store, imports\n"
        "def slow(path): print('now', flush=True); time.sleep(60)\n"
        "imports.sync = slow\n"
        "imports.import_archive(Path(sys.argv[1]), Store(Path(sys.argv[2])), lambda s: None)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, archive, own.folder], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert child.stdout.readline() == b"now\n"
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=30)
    child.stdout.close()
    assert imports.imports(own) == []
    assert import_archive(archive, own, nothing).new
    for path in (own.folder / "tmp").iterdir():
        old = time.time() - 4000
        os.utime(path, (old, old))
    own.sweep()
    assert list((own.folder / "tmp").iterdir()) == []
    assert list((own.folder / "locks").iterdir()) == []


def test_verify_finds_what_was_changed_since(archive, own):
    done = import_archive(archive, own, nothing)
    cost = next(done.found.store.folder.glob("costs/*"))
    cost.write_bytes(cost.read_bytes().replace(b"7", b"8"))
    found = verify_imports(own).findings
    assert {f.where for f in found} == {
        f"imported/{done.found.name}", f"imported/{done.found.name}/costs/{cost.name}",
    }  # fmt: skip
    (done.found.store.folder / MANIFEST).write_text("{}")
    with pytest.raises(ResultsError, match="an imported bundle is damaged") as refused:
        imports.imports(own)
    assert f"--remove {done.found.name}" in refused.value.fix
    assert [f.kind for f in verify_imports(own).findings] == ["torn"]
    remove_import(own, done.found.name)
    assert imports.imports(own) == []


def test_which_names_may_be():
    key = "ab" * 32
    for good in (
        "manifest.json", f"cells/ab/{key}/record.json", f"costs/{key}.json", "benchmarks/a.json",
        "settings/a.yaml", "analyses/a/b/result.json", "analyses/a/b/01-x.csv",
    ):  # fmt: skip
        assert bundle.may_be_member(good), good
    for bad in (
        "", "/", "a", "../manifest.json", "/manifest.json", "manifest.json/", "manifest.json\n",
        f"cells/ab/{key}/../../x", f"cells/ab/{key}/x.json", f"cells\\ab\\{key}\\record.json",
        "benchmarks/../a.json", "benchmarks/.a.json", "analyses/a/../x.csv", "analyses/a/b/x.svg",
        "import.json", "tmp/x", "locks/x", "benchmarks/a.json\x00", "C:/a",
    ):  # fmt: skip
        assert not bundle.may_be_member(bad), bad
