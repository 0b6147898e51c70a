"""Workers are compared with the client before the first cell; one that differs is not used."""

import json
import os
from dataclasses import asdict, replace

import pytest

from harbench.cluster.admission import Admission
from harbench.cluster.link import Answered
from harbench.cluster.preflight import Facts, PluginFacts, differences, facts_of, package_sha256
from harbench.cluster.workers import Book
from harbench.config.cluster import ClusterSettings
from harbench.errors import ClusterError
from harbench.execute.jobs import Finished, Started
from harbench.plugins import load_plugins
from toys.shared_toys import shared_toys

OURS = Facts(
    versions={"python": "3.11", "harbench": "1.0", "torch": "2.4.0+cpu", "numpy": "2.1.0"},
    harbench="a" * 64,
    plugins={"toy": PluginFacts("toys 1.0", "b" * 64)},
    disk=10**12,
    cache="/cache",
)


def told(theirs, files=(), **more):
    return [(d.text, d.fix) for d in differences(OURS, theirs, files, **more)]


def test_nothing_is_said_of_a_worker_that_is_equal():
    assert told(OURS) == []
    # Another build of the same torch, another plugin, of something that nobody asks for.
    versions = {**OURS.versions, "torch": "2.4.0+cu121"}
    plugins = {**OURS.plugins, "other": PluginFacts("others 2", "c" * 64)}
    assert told(replace(OURS, versions=versions, plugins=plugins, broken={"x": "y"})) == []


@pytest.mark.parametrize(
    ("changes", "text", "fix"),
    [
        (
            {"versions": {**OURS.versions, "torch": "2.3.1"}},
            "torch 2.3.1 there, 2.4.0+cpu here",
            "pip install 'torch==2.4.0'",
        ),
        (
            {"versions": {k: v for k, v in OURS.versions.items() if k != "numpy"}},
            "numpy is missing there, 2.1.0 here",
            "pip install 'numpy==2.1.0'",
        ),
        ({"versions": {**OURS.versions, "python": "3.12"}}, "python 3.12 there, 3.11 here", None),
        (
            {"versions": {**OURS.versions, "harbench": "0.9"}, "harbench": "z" * 64},
            "harbench 0.9 there, 1.0 here",
            "pip install 'harbench==1.0'",
        ),
        (
            {"harbench": "z" * 64},
            "harbench has the same version there and other sources "
            "(zzzzzzzzzzzz... there, aaaaaaaaaaaa... here)",
            "pip install --force-reinstall 'harbench==1.0'",
        ),
        ({"plugins": {}}, "plugin toy (toys 1.0) is missing", "pip install 'toys==1.0'"),
        (
            {"plugins": {"toy": PluginFacts("toys 0.9", "b" * 64)}},
            "plugin toy is toys 0.9 there, toys 1.0 here",
            "pip install 'toys==1.0'",
        ),
        (
            {"plugins": {"toy": PluginFacts("toys 1.0", "d" * 64)}},
            "plugin toy (toys 1.0) has the same version there and other sources "
            "(dddddddddddd... there, bbbbbbbbbbbb... here)",
            "pip install --force-reinstall 'toys==1.0'",
        ),
        (
            {"plugins": {}, "broken": {"toy": "ImportError: no"}},
            "plugin toy cannot be loaded: ImportError: no",
            "pip install 'toys==1.0'",
        ),
        (
            {"disk": 10**8},
            "100 MB are free in /cache (expected 524 MB)",
            "HARBENCH_CACHE=/a/folder/with/room dask worker ...",
        ),
    ],
)
def test_what_differs_is_said_and_what_mends_it(changes, text, fix):
    assert told(replace(OURS, **changes)) == [(text, fix)]


def test_a_file_that_does_not_load_there_and_a_gpu_that_is_not_there():
    assert told(replace(OURS, broken={"mine": "ImportError: x"}), ["mine"]) == [
        ("plugin mine cannot be loaded: ImportError: x", None)
    ]
    assert told(OURS, wants_gpu=True) == [("it has no GPU that torch can use", "nvidia-smi")]
    assert told(replace(OURS, gpus=("0",)), wants_gpu=True) == []


@pytest.mark.parametrize(
    ("limit", "machine", "status"),
    [(0, 3, "refused"), (0, 9, "usable"), (3, 9, "refused"), (9, 3, "usable")],
)
def test_memory_is_dasks_limit_or_else_the_machines(limit, machine, status):
    settings = ClusterSettings(address="tcp://host:1", memory="4GB")
    book, said = Book(settings), []
    admission = Admission(
        None, settings, None, book, ours=OURS, files=[], device="cpu", say=said.append
    )
    facts = {"name": "w", "nthreads": 1, "memory_limit": limit * 10**9, "last_seen": 1.0}
    (worker,) = book.see({"tcp://w:1": facts}, 0.0).new
    worker.status = "asked"
    theirs = asdict(replace(OURS, memory=machine * 10**9))
    admission.answered(Answered("tcp://w:1", {"facts": theirs, "files": []}))
    assert worker.status == status
    assert said == (
        ["worker w is not used: it may take 3.0 GB, and a cell takes 4GB"]
        if status == "refused"
        else []
    )


def test_facts_survive_json_and_name_what_cells_need():
    found = facts_of(load_plugins())
    assert found.plugins.keys() >= {"spar", "resnet-like", "focal"}
    # An analysis works on the client alone.
    assert "confusion" not in found.plugins
    assert found.disk > 0 and found.memory > 0 and found.gpus == ()
    assert Facts.of_json(json.loads(json.dumps(asdict(found)))) == found


def test_the_hash_of_a_package_is_of_its_names_and_contents(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    hashes = []
    for name, content in (("a.py", "x = 1\n"), ("b.py", "x = 1\n"), ("b.py", "x = 2\n")):
        folder = tmp_path / f"hashed_{len(hashes)}"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / name).write_text(content)
        hashes.append(package_sha256(folder.name))
    assert len(set(hashes)) == 3
    assert package_sha256("hashed_none_of_that_name") == ""


@pytest.fixture
def sites(tmp_path, monkeypatch):
    """The client's site, and two that differ; for a worker's PYTHONPATH."""
    found = {
        "same": shared_toys(tmp_path / "same", "1.0"),
        "newer": shared_toys(tmp_path / "newer", "2.0"),
        "changed": shared_toys(tmp_path / "changed", "1.0", "Changed."),
    }
    monkeypatch.syspath_prepend(str(found["same"]))

    def path(name):
        before = os.environ.get("PYTHONPATH", "")
        return os.pathsep.join(filter(None, [str(found[name]), before]))

    return path


def test_workers_that_differ_are_named_and_not_used(place, sites):
    cluster = place.cluster
    cluster.start_worker("good", PYTHONPATH=sites("same"))
    cluster.start_worker("newer", PYTHONPATH=sites("newer"))
    cluster.start_worker("changed", PYTHONPATH=sites("changed"))
    cluster.await_workers(3)
    events = place.on_cluster(place.store("there"), models="[shared, small]")
    assert sum(isinstance(event, Finished) for event in events) == 4
    assert {event.where for event in events if isinstance(event, Started)} == {"good"}
    said = "\n".join(place.said)
    assert (
        "worker newer is not used: plugin shared is shared-toys 2.0 there, shared-toys 1.0 here\n"
        "  try there: pip install 'shared-toys==1.0'"
    ) in said
    assert "worker changed is not used: plugin shared (shared-toys 1.0) has the same vers" in said
    assert said.count("is not used") == 2
    assert f"{cluster.address}: 1 worker, 1 cell at once" in said

    # The one that is left when the good one has gone differs: there is nobody to wait for.
    cluster.kill("good")
    with pytest.raises(ClusterError) as caught:
        place.on_cluster(place.store("nowhere"), models="[small]")
    assert "none of its 2 workers can be used" in caught.value.what
    assert caught.value.fix.startswith("pip install")
    assert not list((place.workplace.folder / "nowhere").rglob("record.json"))
