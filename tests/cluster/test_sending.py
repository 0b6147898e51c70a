"""Data reaches workers that share nothing: once each, verified, whatever is in the way."""

import hashlib
import io
import json
import os
import signal
import zipfile
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from harbench.cluster.connecting import connected
from harbench.cluster.fetching import PIECE, StreamFacts, copied, facts_of, is_whole
from harbench.cluster.sending import Supply
from harbench.config.cluster import ClusterSettings
from harbench.data.stream import home_of, open_content, open_stream
from harbench.errors import ClusterError, DataError
from toys.toy_plugin import TOY, write_toy_files
from toys.waiting import LIMIT_S, until
from toys.web_server import Served, running
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.slow

# For as long as this Dask tries to reach who is not there; half a minute if it is not told.
IMPATIENT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "8s"}


@pytest.fixture
def digest(workplace):
    """Of the toy data, in this process's cache; its signals are more than one piece."""
    write_toy_files(workplace.folder / "files", n_samples=60_000)
    stream = open_stream(TOY, workplace.folder / "files")
    assert stream.signals.nbytes > PIECE
    return stream.digest


@pytest.fixture
def client(cluster):
    with connected(ClusterSettings(address=cluster.address)) as found:
        yield found.client


@pytest.fixture
def supply(client):
    found = Supply(client)
    yield found
    found.close()


@pytest.fixture
def start(cluster, client):
    """Starts workers, and gives their addresses by name once they are there."""

    def start(*names, **more):
        before = len(client.nthreads())
        for name in names:
            cluster.start_worker(name, **more)
        until(lambda: len(client.nthreads()) == before + len(names), f"workers {names}")
        seen = client.run(lambda dask_worker: dask_worker.name)
        return {name: address for address, name in seen.items()}

    return start


def at(cluster, name, digest):
    return cluster.folder / name / "cache" / "streams" / "toy" / digest[:32]


def sha256s(home):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(home.iterdir())}


def test_sent_once_by_the_client_and_then_from_worker_to_worker(cluster, start, supply, digest):
    workers = start("a", "b", "c")
    coming = [supply.deliver("toy", digest, workers[name]) for name in "abc"]
    how = sorted(arrival.result(LIMIT_S).how for arrival in coming)
    assert how == ["client", "worker", "worker"]
    ours = sha256s(home_of("toy", digest))
    assert len(ours) == 4
    assert [sha256s(at(cluster, name, digest)) for name in "abc"] == [ours] * 3
    assert supply.holders("toy", digest) == set(workers.values())
    # Nothing half-made is left beside it.
    assert [p.name for p in at(cluster, "b", digest).parent.glob(".*.tmp")] == []
    assert supply.deliver("toy", digest, workers["a"]) is coming[0]


def test_what_a_worker_holds_is_not_sent_again_unless_it_is_damaged(
    cluster, start, client, supply, digest
):
    workers = start("a", "b")
    for name in "ab":
        supply.deliver("toy", digest, workers[name]).result(LIMIT_S)
    again = Supply(client)
    assert again.deliver("toy", digest, workers["a"]).result(LIMIT_S).how == "held"
    damaged = at(cluster, "b", digest) / "signals.f32"
    content = bytearray(damaged.read_bytes())
    content[1000] ^= 1
    damaged.write_bytes(content)
    assert again.deliver("toy", digest, workers["b"]).result(LIMIT_S).how == "worker"
    assert sha256s(at(cluster, "b", digest)) == sha256s(home_of("toy", digest))


def test_the_shared_folder_is_filled_once_and_read_by_all(cluster, start, client, digest, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    workers = start("a", "b")
    supply = Supply(client, shared)
    for name in "ab":
        assert supply.deliver("toy", digest, workers[name]).result(LIMIT_S).how == "shared"
        assert sha256s(at(cluster, name, digest)) == sha256s(home_of("toy", digest))
    left = shared / "streams" / "toy" / digest[:32]
    # What is damaged there is put right, by the next run that needs it.
    (left / "labels-0.i16").write_bytes(bytes((left / "labels-0.i16").stat().st_size))
    [third] = {*start("c").items()} - {*workers.items()}
    assert Supply(client, shared).deliver("toy", digest, third[1]).result(LIMIT_S).how == "shared"
    assert sha256s(left) == sha256s(at(cluster, "c", digest)) == sha256s(home_of("toy", digest))


def test_a_shared_folder_that_only_this_machine_has_is_no_hindrance(
    cluster, start, client, digest, tmp_path
):
    workers = start("a")
    supply = Supply(client, tmp_path / "nowhere")
    assert supply.deliver("toy", digest, workers["a"]).result(LIMIT_S).how == "client"
    assert not (tmp_path / "nowhere").exists()


def test_a_worker_reads_its_own_files_where_they_are_the_same(cluster, start, supply, digest):
    folder = cluster.folder / "a" / "data" / "toy"
    write_toy_files(folder, n_samples=60_000)
    workers = start("a")
    coming = supply.deliver("toy", digest, workers["a"], [str(TOY_PLUGIN)])
    assert coming.result(LIMIT_S).how == "own files"
    assert sha256s(at(cluster, "a", digest)) == sha256s(home_of("toy", digest))


def test_other_files_of_the_same_dataset_are_not_taken(cluster, start, supply, digest):
    write_toy_files(cluster.folder / "a" / "data" / "toy", seed=1, n_samples=60_000)
    workers = start("a")
    coming = supply.deliver("toy", digest, workers["a"], [str(TOY_PLUGIN)])
    assert coming.result(LIMIT_S).how == "client"


PLUGIN = """
import dataclasses, harbench
from harbench.nouns import Archive, Member
from toys import toy_plugin

MEMBERS = {members!r}

def sources(folder):
    return [
        dataclasses.replace(s, files=tuple(
            dataclasses.replace(f, sha256=MEMBERS[f.path.name][1]) for f in s.files
        ))
        for s in toy_plugin.sources(folder)
    ]

DATASET = dataclasses.replace(
    toy_plugin.TOY,
    sources=sources,
    archive=Archive(
        ({url!r},),
        tuple(Member(name, size, sha) for name, (size, sha) in MEMBERS.items()),
    ),
)

@harbench.hookimpl
def register_datasets(register):
    register(DATASET)
"""


def test_a_worker_fetches_from_the_source_once(cluster, start, supply, digest, workplace, tmp_path):
    files = {p.name: p.read_bytes() for p in sorted((workplace.folder / "files").iterdir())}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    members = {name: (len(c), hashlib.sha256(c).hexdigest()) for name, c in files.items()}
    with running() as server:
        server.files["/toy.zip"] = Served(buffer.getvalue())
        plugin = tmp_path / "fetched.py"
        plugin.write_text(PLUGIN.format(url=f"{server.address}/toy.zip", members=members))
        paths = os.pathsep.join(
            [str(Path(__file__).parents[1]), cluster.environment.get("PYTHONPATH", "")]
        )
        workers = start("a", "b", PYTHONPATH=paths)
        coming = [supply.deliver("toy", digest, workers[n], [str(plugin)]) for n in "ab"]
        how = sorted(arrival.result(LIMIT_S).how for arrival in coming)
        assert how == ["source", "worker"]
        assert len(server.files["/toy.zip"].requests) == 1
    assert sha256s(at(cluster, "b", digest)) == sha256s(home_of("toy", digest))


def test_data_arrives_while_cells_have_all_threads(cluster, start, client, supply, digest):
    workers = start("a")
    end = cluster.folder / "end"

    def wait():
        import time

        while not end.exists():
            time.sleep(0.02)

    cell = client.submit(wait, workers=[workers["a"]], pure=False)
    until(lambda: any(client.processing().values()), "the task")
    assert supply.deliver("toy", digest, workers["a"]).result(LIMIT_S).how == "client"
    assert not cell.done()
    end.touch()
    cell.result(LIMIT_S)


def test_a_worker_that_hangs_keeps_nobody_waiting(cluster, start, supply, digest):
    workers = start("a", "b")
    cluster.signal("a", signal.SIGSTOP)
    hung = supply.deliver("toy", digest, workers["a"])
    supply.lost(workers["a"])
    with pytest.raises(CancelledError):
        hung.result(LIMIT_S)
    assert supply.deliver("toy", digest, workers["b"]).result(LIMIT_S).how == "client"


@pytest.mark.parametrize("cluster", [IMPATIENT], indirect=True)
def test_where_the_holder_is_gone_the_client_sends_again(cluster, start, supply, digest):
    workers = start("a", "b")
    supply.deliver("toy", digest, workers["a"]).result(LIMIT_S)
    cluster.kill("a")
    assert supply.deliver("toy", digest, workers["b"]).result(LIMIT_S).how == "client"
    supply.lost(workers["a"])
    assert supply.holders("toy", digest) == {workers["b"]}


def test_a_worker_without_room_says_so_and_may_be_asked_again(cluster, start, supply, digest):
    (cluster.folder / "file").write_text("")
    workers = start("a", HARBENCH_CACHE=str(cluster.folder / "file"))
    coming = supply.deliver("toy", digest, workers["a"])
    with pytest.raises(ClusterError, match="cannot take the data of 'toy'"):
        coming.result(LIMIT_S)
    assert supply.holders("toy", digest) == frozenset()
    assert supply.deliver("toy", digest, workers["a"]) is not coming


def test_without_the_stream_here_nothing_is_sent(start, supply, workplace):
    workers = start("a")
    with pytest.raises(DataError, match="cannot be read"):
        supply.deliver("toy", "0" * 64, workers["a"]).result(LIMIT_S)


@pytest.mark.parametrize("cluster", [IMPATIENT], indirect=True)
def test_a_worker_that_is_not_there(cluster, start, supply, digest):
    start("a")
    with pytest.raises(ClusterError, match="cannot take the data"):
        supply.deliver("toy", digest, "tcp://127.0.0.1:9").result(LIMIT_S)


def test_the_content_opens_by_its_digest_alone(workplace, digest):
    whole = open_stream(TOY, workplace.folder / "files")
    for path in (workplace.folder / "files").iterdir():
        path.unlink()
    again = open_content(TOY, digest)
    assert (
        again.recordings == whole.recordings and (again.labels["any"] == whole.labels["any"]).all()
    )
    with pytest.raises(DataError, match="is not here"):
        open_content(TOY, "1" * 64)
    (home_of("toy", digest) / "stream.json").write_text("{}")
    with pytest.raises(DataError, match="damaged and has been removed"):
        open_content(TOY, digest)


def test_facts_tell_one_bit(workplace, digest, tmp_path):
    facts = facts_of("toy", digest)
    assert {name for name, _, _ in facts.files} == {
        "signals.f32", "labels-0.i16", "labels-1.i16", "stream.json",
    }  # fmt: skip
    assert copied(facts, facts.home, tmp_path / "copy") and is_whole(facts, tmp_path / "copy")
    meta = json.loads((tmp_path / "copy" / "stream.json").read_text())
    (tmp_path / "copy" / "stream.json").write_text(json.dumps(meta, indent=1)[:-1] + " }")
    assert not is_whole(facts, tmp_path / "copy")
    assert not copied(facts, tmp_path / "copy", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert not is_whole(StreamFacts("toy", digest, facts.files[:1]), facts.home)
