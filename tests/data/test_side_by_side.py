"""Sources read side by side: the same bytes, the same errors, and nothing left behind."""

import hashlib
import importlib.util
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from harbench.data import reader_process, side_by_side
from harbench.data.file_hashes import FileHashes
from harbench.data.stream import open_stream
from harbench.errors import DataError
from harbench.nouns import Source, SourceFile
from toys import slow_reader
from toys.slow_reader import SLOW
from toys.toy_plugin import TOY, write_toy_files
from toys.waiting import LIMIT_S, until


@pytest.fixture
def files(tmp_path, monkeypatch):
    write_toy_files(tmp_path / "toy")
    monkeypatch.setattr(side_by_side, "MUCH", 0)
    # So small files this process would have read before another has started.
    monkeypatch.setattr(side_by_side, "READS_TOO", False)
    return tmp_path / "toy"


@pytest.fixture
def started(monkeypatch):
    """The processes that are started."""
    found = []
    process = side_by_side._process

    def noted():
        found.append(process())
        return found[-1]

    monkeypatch.setattr(side_by_side, "_process", noted)
    return found


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Makes caches anew: number -> folder."""

    def at(number):
        folder = tmp_path / f"cache-{number}"
        monkeypatch.setenv("HARBENCH_CACHE", str(folder))
        return folder

    return at


def stored(cache):
    """Every file of the streams: its place and hash."""
    return {
        str(path.relative_to(cache)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((cache / "streams").rglob("*"))
        if path.is_file()
    }


def test_the_bytes_are_those_of_one_after_the_other(files, cache, started):
    heard = {}
    found = {}
    for jobs in (1, 2, 3):
        folder = cache(jobs)
        heard[jobs] = []
        open_stream(TOY, files, lambda done, total, to=heard[jobs]: to.append((done, total)), jobs)
        found[jobs] = stored(folder)
        assert len(started) == {1: 0, 2: 2, 3: 5}[jobs]
    assert found[1] == found[2] == found[3]
    assert sum(name.endswith(("f32", "i16", "json")) for name in found[1]) == 4
    assert heard[1] == heard[2] == heard[3] == [(i, 8) for i in range(1, 9)]
    assert all(process.poll() is not None for process in started)


def test_this_process_reads_too(files, cache, started, monkeypatch, tmp_path):
    alone = stored_by(cache("alone"), replace(TOY, name="slow"), files, 1)
    monkeypatch.setattr(side_by_side, "READS_TOO", True)
    monkeypatch.setenv("HARBENCH_TEST_MARKS", str(tmp_path / "marks"))
    (tmp_path / "marks").mkdir()
    heard = []
    folder = cache("two")
    slow = replace(SLOW, read=slow_reader.meet)
    open_stream(slow, files, lambda done, total: heard.append(done), 2)
    assert stored(folder) == alone
    assert heard == list(range(1, 9))
    readers = {int(path.name) for path in (tmp_path / "marks").iterdir()}
    assert readers == {os.getpid(), started[0].pid}
    assert len(started) == 1


def test_what_cannot_be_pickled_is_read_here(files, cache, started):
    cache("local")
    here = replace(TOY, read=lambda source: TOY.read(source))
    assert len(open_stream(here, files, jobs=2).recordings) == 8
    assert started == []


def test_a_reader_that_the_processes_cannot_import_is_read_here(files, cache, started, monkeypatch):
    alone = stored_by(cache("alone"), TOY, files, 1)
    module = type(sys)("harbench_no_such_module")
    module.read = lambda source: TOY.read(source)
    module.read.__module__, module.read.__qualname__ = module.__name__, "read"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert stored_by(cache("two"), replace(TOY, read=module.read), files, 2) == alone
    assert len(started) == 2


def stored_by(cache, dataset, files, jobs):
    open_stream(dataset, files, jobs=jobs)
    return stored(cache)


@pytest.mark.parametrize("number", [0, 5])
@pytest.mark.parametrize("reads_too", [False, True])
def test_the_first_refusal_in_the_order_of_the_sources_is_raised(
    files, cache, number, started, monkeypatch, reads_too
):
    monkeypatch.setattr(side_by_side, "READS_TOO", reads_too)
    # Later sources are refused too, and sooner.
    refusing = replace(SLOW, read=slow_reader.refuse)
    for k, file in enumerate(sorted(files.iterdir())):
        if k >= number:
            file.write_bytes(b"refused" if k == number else b"refused at once")
    errors = []
    for jobs in (1, 2):
        folder = cache(jobs)
        with pytest.raises(DataError) as caught:
            open_stream(refusing, files, jobs=jobs)
        errors.append(str(caught.value))
        assert [p.name for p in (folder / "streams/slow").iterdir() if p.is_dir()] == []
    name = sorted(p.name for p in files.iterdir())[number]
    assert errors[0] == errors[1] == f"{files / name}:1:2: refused\n  try: harbench fetch"
    assert len(started) == 2 - reads_too


def test_a_fault_of_the_reader_is_raised_as_if_it_were_read_here(files, cache, started):
    sorted(files.iterdir())[2].write_bytes(b"fault")
    cache("fault")
    with pytest.raises(ZeroDivisionError):
        open_stream(replace(SLOW, read=slow_reader.refuse), files, jobs=2)
    assert len(started) == 2


def test_a_source_whose_process_is_killed_is_read_here(files, cache, started):
    alone = stored_by(cache("alone"), replace(TOY, name="slow"), files, 1)
    dying = replace(SLOW, read=slow_reader.die_elsewhere)
    os.environ["HARBENCH_TEST_HERE"] = str(os.getpid())
    try:
        assert stored_by(cache("two"), dying, files, 2) == alone
    finally:
        del os.environ["HARBENCH_TEST_HERE"]
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2


def test_what_a_reader_prints_does_no_harm(files, cache, started, capfd):
    alone = stored_by(cache("alone"), replace(TOY, name="slow"), files, 1)
    printing = replace(SLOW, read=slow_reader.shout)
    assert stored_by(cache("two"), printing, files, 2) == alone
    assert capfd.readouterr().err.count("shouted") == 8
    assert len(started) == 2


def test_a_slow_reader_of_small_files_is_helped_once_it_is_known(tmp_path):
    (tmp_path / "small").write_bytes(b"1")
    sources = [Source("s", (SourceFile(tmp_path / "small"),))] * 6
    assert not side_by_side.pays(sources, 0, 0.0)
    assert not side_by_side.pays(sources, 1, 0.3)
    assert side_by_side.pays(sources, 1, 0.5)
    assert side_by_side.pays(sources, 4, 5.0)
    assert not side_by_side.pays(sources, 5, 100.0)


def test_much_is_read_side_by_side_at_once(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(side_by_side.MUCH // 2 + 1)  # takes no room
    source = Source("s", (SourceFile(tmp_path / "large"),))
    assert side_by_side.pays([source, source], 0, 0.0)
    assert not side_by_side.pays([source], 0, 0.0)


def test_plugins_that_are_single_files_are_found(files, cache, started, tmp_path, monkeypatch):
    alone = stored_by(cache("alone"), TOY, files, 1)
    plugin = tmp_path / "my-plugin.py"
    plugin.write_text(
        "import os\nfrom pathlib import Path\nfrom toys import toy_plugin\n"
        "def read(source):\n"
        f"    (Path({str(tmp_path)!r}) / f'read-by-{{os.getpid()}}').touch()\n"
        "    return toy_plugin.read(source)\n"
    )
    name = "harbench_file_my-plugin"
    spec = importlib.util.spec_from_file_location(name, plugin)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    assert stored_by(cache("two"), replace(TOY, read=module.read), files, 2) == alone
    readers = {f"read-by-{process.pid}" for process in started}
    assert {path.name for path in tmp_path.glob("read-by-*")} <= readers
    assert list(tmp_path.glob("read-by-*"))


@pytest.mark.parametrize("room", [5_000, 20_000])  # too little for a part, and for the whole
def test_where_there_is_no_room(files, cache, started, room):
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    errors = []
    for jobs in (1, 2):
        folder = cache(jobs)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))  # the processes have it too
        try:
            with pytest.raises(DataError, match="cannot be written: File too large") as caught:
                open_stream(TOY, files, jobs=jobs)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        errors.append(str(caught.value).replace(str(folder), "cache"))
        assert not [path for path in (folder / "streams/toy").iterdir() if path.is_dir()]
    assert errors[0] == errors[1]
    assert len(started) == 2
    open_stream(TOY, files, jobs=2)


_SCRIPT = """
import signal, sys
# A shell without job control starts what runs in the background deaf to it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from dataclasses import replace
sys.path[:0] = {path!r}
from harbench.data import side_by_side
from harbench.data.stream import open_stream
from toys import slow_reader
side_by_side.MUCH = 0
# No guard against being imported again: a user's script need not have one.
print("begun", flush=True)
open_stream(replace(slow_reader.SLOW, read=slow_reader.sleep), Path({files!r}), jobs=2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle_it_ends_soon_and_its_processes_too(files, cache, tmp_path, how):
    folder = cache("stopped")
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT.format(path=sys.path, files=str(files)))
    marks = tmp_path / "marks"
    marks.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "HARBENCH_TEST_MARKS": str(marks)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: len(list(marks.iterdir())) == 2, "both readers")
    readers = [int(mark.name) for mark in marks.iterdir()]
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does
    else:
        os.kill(process.pid, how)
    # A second, where the machine is not busy; a reader would sleep for ten minutes.
    out, err = process.communicate(timeout=LIMIT_S)
    until(lambda: not any(alive(pid) for pid in readers), "the readers to end")
    assert out == "begun\n"
    assert err.count("KeyboardInterrupt") == (how == signal.SIGINT)
    streams = folder / "streams/slow"
    assert not [p for p in streams.iterdir() if p.is_dir() and not p.name.startswith(".")]
    if how == signal.SIGINT:
        assert not [p for p in streams.iterdir() if p.is_dir()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("threads", [1, 4])
def test_files_hashed_side_by_side(tmp_path, monkeypatch, threads):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("harbench.data.file_hashes.usable_processors", lambda: threads)
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.bin" for i in range(5)]
    for i, path in enumerate(paths):
        path.write_bytes(rng.bytes(i * 700_000))
    hashes = FileHashes.load()
    hashes.learn([*paths, tmp_path / "missing", tmp_path])
    assert [hashes.of(p) for p in paths] == [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in paths
    ]
    hashes.save()
    paths[1].write_bytes(b"changed")
    again = FileHashes.load()
    again.learn(paths)
    assert again.of(paths[1]) == hashlib.sha256(b"changed").hexdigest()


def test_a_reading_process_has_a_plugin_file_as_it_stands(tmp_path, monkeypatch):
    """Of the same length and time as before: compiled code of before would count as its own."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "mine.py"
    for number in (1, 2):
        path.write_text(f"number = {number}")
        os.utime(path, (1e9, 1e9))
        spec = reader_process._SingleFiles({"a_file": str(path)}).find_spec("a_file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.number == number
