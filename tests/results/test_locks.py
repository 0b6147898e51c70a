"""Locks of cells: one process at a time, let go by the kernel, absent where the disk has none."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from harbench.results.locks import CellLocks

fcntl = pytest.importorskip("fcntl")


def test_one_has_it_and_the_other_not(tmp_path):
    one, other = CellLocks(tmp_path / "locks"), CellLocks(tmp_path / "locks")
    assert one.take("a")
    assert not other.take("a")
    assert other.take("b")
    one.release("a")
    assert other.take("a")
    other.release_all()
    assert one.take("a") and one.take("b")
    one.release_all()
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_killed_process_has_nothing(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from harbench.results.locks import CellLocks\n"
        f"CellLocks(Path({str(tmp_path)!r})).take('a'); print('taken', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        assert process.stdout.readline() == b"taken\n"
        locks = CellLocks(tmp_path)
        assert not locks.take("a")
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "a.lock").exists()
    locks.sweep()
    assert list(tmp_path.iterdir()) == []
    assert locks.take("a")
    locks.release_all()


def test_files_are_removed_at_the_end_and_not_those_that_others_have(tmp_path):
    one, other = CellLocks(tmp_path), CellLocks(tmp_path)
    for key in "abc":
        assert one.take(key)
        one.release(key)
    assert other.take("b")
    assert len(list(tmp_path.iterdir())) == 3
    one.release_all()
    assert [path.name for path in tmp_path.iterdir()] == ["b.lock"]
    assert not one.take("b")
    assert one.take("a")
    other.release("b")
    one.release_all()
    other.release_all()
    assert list(tmp_path.iterdir()) == []


def test_sweeping_leaves_what_is_held(tmp_path):
    one, other = CellLocks(tmp_path), CellLocks(tmp_path)
    one.take("a")
    other.sweep()
    assert not other.take("a")
    one.release_all()


def test_a_file_that_was_removed_meanwhile_locks_nothing(tmp_path, monkeypatch):
    holder, late = CellLocks(tmp_path), CellLocks(tmp_path)
    holder.take("a")
    real = fcntl.flock

    def slow(descriptor, how):
        # The holder lets go after the late one has opened its file.
        holder.release_all()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    assert late.take("a")
    monkeypatch.undo()
    assert not holder.take("a")
    late.release_all()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_without_locks_all_is_free(tmp_path, monkeypatch, code):
    def none(descriptor, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", none)
    one, other = CellLocks(tmp_path), CellLocks(tmp_path)
    assert one.take("a") and other.take("a")
    assert one.unsupported == os.strerror(code)
    one.release_all()
    other.release_all()
    assert list(tmp_path.iterdir()) == []


def test_another_error_is_no_missing_lock(tmp_path, monkeypatch):
    def broken(descriptor, how):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"):
        CellLocks(tmp_path).take("a")
