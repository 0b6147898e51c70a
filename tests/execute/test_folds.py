"""Cells of a fold share what is prepared: the same bits, once, and nothing is left behind."""

import dataclasses
import errno
import hashlib
import os
import pickle
import signal
from types import SimpleNamespace

import numpy as np
import pytest

from harbench.data.normalise import Normaliser
from harbench.data.prepared import PreparedFold
from harbench.data.splits import Fold
from harbench.data.windows import Windows
from harbench.execute import folds as folds_module
from harbench.execute import work as work_module
from harbench.execute.folds import FoldFile, FoldFiles, shared
from harbench.execute.jobs import Failed, Finished
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import train_cells, work_of
from harbench.plan import plan
from toys.workplace import TOY_PLUGIN

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {{split: {split}, window: 20, step: 10, normalise: {normalise}, fill: linear}}
    recipe: {{epochs: 1}}
    seeds: {seeds}
    models: [small, {{wide: {{model: small, options: {{hidden: 9}}}}}}]
"""


def a_fold(n_samples=301, n_channels=3, clip=(0.0, 0.99)):
    rng = np.random.default_rng(n_samples)
    signals = rng.normal(size=(n_samples, n_channels)).astype(np.float32)
    signals[rng.random(signals.shape) < 0.1] = np.nan
    parts = [Windows(rng.integers(0, 200, n), rng.integers(0, 4, n)) for n in (70, 0, 31)]
    fold = Fold("S2", *parts, 0.1 + 0.2, 0.0, (3, 2, 1))
    extreme = np.array([np.nan, np.inf, 1 / 3])[:n_channels]
    normaliser = Normaliser(np.arange(n_channels), extreme, -extreme, clip)
    return fold, PreparedFold(signals, 20, *parts, 4, normaliser)


def bits(value):
    """All that a fold or prepared fold consists of, as bytes and plain values."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if dataclasses.is_dataclass(value):
        return [bits(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [bits(one) for one in value] if isinstance(value, tuple) else (type(value), value)


@pytest.fixture
def file(tmp_path):
    with (tmp_path / "fold").open("w+b") as opened:
        yield FoldFile(opened.fileno())


def never():
    raise AssertionError("it was prepared already")


@pytest.mark.parametrize("shape", [(301, 3), (300, 2), (24, 1)])
@pytest.mark.parametrize("clip", [None, (0.0, 0.99)])
def test_what_is_mapped_is_what_was_made_bit_for_bit(file, shape, clip):
    made = a_fold(*shape, clip)
    first, second = shared(file, lambda: made), shared(file, never)
    assert bits(first) == bits(second) == bits(made)
    # Nobody has the memory of what was made any more.
    assert not np.shares_memory(first[1].signals, made[1].signals)


def test_what_one_cell_changes_stays_its_own(file):
    made = a_fold()
    shared(file, lambda: made)
    mine = shared(file, never)[1]
    mine.signals[:] = 7
    mine.train.labels[:] = 7
    assert bits(shared(file, never)) == bits(made)


def test_an_error_is_passed_on_and_the_next_cell_tries(file):
    with pytest.raises(ZeroDivisionError):
        shared(file, lambda: 1 / 0)
    made = a_fold()
    shared(file, lambda: made)
    assert bits(shared(file, never)) == bits(made)


def full(monkeypatch, after):
    """The disk is full after so many bytes."""
    real, left = os.pwrite, [after]

    def pwrite(descriptor, content, place):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= len(content)
        return real(descriptor, content, place)

    monkeypatch.setattr(os, "pwrite", pwrite)


@pytest.mark.parametrize("after", [0, 1, 5_000])
def test_a_full_disk_costs_the_speed_alone(file, monkeypatch, after):
    made = a_fold()
    with monkeypatch.context() as disk:
        full(disk, after)
        assert bits(shared(file, lambda: made)) == bits(made)
    # The room is given back, and nobody tries again.
    assert os.fstat(file.descriptor).st_size == 1
    assert shared(file, lambda: made) is made


def test_a_disk_that_it_would_fill_by_half_is_left_alone(file, monkeypatch):
    made = a_fold()
    room = SimpleNamespace(f_bavail=2 * made[1].signals.nbytes // 512, f_frsize=512)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fstatvfs", lambda descriptor: room)
        assert shared(file, lambda: made) is made
    assert os.fstat(file.descriptor).st_size == 1


def test_what_was_not_written_to_its_end_is_not_taken(file):
    made, other = a_fold(), a_fold(99)
    shared(file, lambda: made)
    size = os.fstat(file.descriptor).st_size
    for short in (size - 1, size - 100, 41, 40, 3, 1):
        os.ftruncate(file.descriptor, short)
        assert shared(file, lambda: other) is other
        assert os.fstat(file.descriptor).st_size == short


def test_where_files_cannot_be_locked_each_prepares(file, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folds_module.fcntl, "lockf", refuse)
    made = a_fold()
    assert shared(file, lambda: made) is made
    assert os.fstat(file.descriptor).st_size == 0


def test_cells_that_begin_together_prepare_once_even_if_the_first_is_killed(file):
    """Three processes: one dies while it prepares, the next prepares, the last is given it."""
    ready, begin = os.pipe()

    def child(make) -> int:
        process = os.fork()
        if process == 0:
            try:
                os._exit(0 if len(shared(file, make)[1].signals) == 301 else 1)
            finally:
                os._exit(2)
        return process

    def dies():
        os.write(begin, b".")
        os.kill(os.getpid(), signal.SIGSTOP)  # it holds the lock until it is killed

    first = child(dies)
    os.read(ready, 1)
    second = child(a_fold)
    os.kill(first, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) == -signal.SIGKILL
    assert os.waitstatus_to_exitcode(os.waitpid(second, 0)[1]) == 0
    assert os.waitstatus_to_exitcode(os.waitpid(child(never), 0)[1]) == 0
    for end in (ready, begin):
        os.close(end)


def test_a_file_goes_to_a_process_only_as_it_starts(file):
    with pytest.raises(RuntimeError, match="inheritance"):
        pickle.dumps(file)


# In a run


def planned_work(workplace, seeds=2, split="loso", normalise="z-score"):
    text = TOY.format(seeds=seeds, split=split, normalise=normalise)
    planned = [plan(one, workplace.registry) for one in workplace.benchmarks(text)]
    return work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def results(events) -> dict[str, str]:
    """Key -> hash of all that the seed determines."""
    found = {}
    for event in events:
        assert not isinstance(event, Failed), event.detail
        if isinstance(event, Finished):
            outcome = event.outcome
            everything = pickle.dumps((repr(outcome.record), outcome.predictions, outcome.weights))
            found[event.job.key] = hashlib.sha256(everything).hexdigest()
    return found


@pytest.mark.parametrize("normalise", ["z-score", "fixed"])
@pytest.mark.usefixtures("one_thread")
def test_a_run_prepares_each_fold_once_and_gets_the_same_bytes(workplace, monkeypatch, normalise):
    work = planned_work(workplace, normalise=normalise)
    assert len(work.cells) == 4 * 2 * 2
    alone = results(InProcessExecutor().run(work.cells))
    prepared = []
    real = work_module.prepare
    monkeypatch.setattr(
        work_module, "prepare", lambda *given, **named: prepared.append(1) or real(*given, **named)
    )
    before = open_files(), sorted(workplace.folder.rglob("*"))
    folds = FoldFiles(work.cells)
    together = results(InProcessExecutor().run(work.cells, folds))
    folds.forget()
    assert together == alone
    assert len(prepared) == 4
    assert (open_files(), sorted(workplace.folder.rglob("*"))) == before


@pytest.mark.usefixtures("one_thread")
def test_a_run_keeps_the_bytes_and_ends_without_files(workplace, tmp_path):
    work = planned_work(workplace, split="fixed")
    before = open_files()
    assert len(results(train_cells(work, {j.key: 1 for j in work.cells}, workplace.store,
                                   InProcessExecutor()))) == 4  # fmt: skip
    assert open_files() == before
    # Nothing but the stream and the hashes of its files.
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"streams", "file-hashes.json"}


def test_only_folds_of_several_cells_have_a_file(workplace):
    work = planned_work(workplace, seeds=1, split="fixed")
    few = FoldFiles(work.cells[:1])
    assert few.of(work.cells[0]) is None
    both = FoldFiles(work.cells)
    first, second = both.of(work.cells[0]), both.of(work.cells[1])
    assert first is not None
    assert first == second
    both.forget()


def test_a_file_is_given_back_when_the_last_of_its_cells_has_it(workplace):
    work = planned_work(workplace, seeds=1)  # four folds, two cells each
    folds, before = FoldFiles(work.cells), open_files()
    by_fold = sorted(work.cells, key=lambda job: job.cell.fold)
    for number, job in enumerate(by_fold):
        assert folds.of(job) is not None
        # Its own: that of the fold before it has been closed.
        assert open_files() == before + 1, number
    folds.forget()
    assert open_files() == before


def test_disk_use_has_a_bound(workplace, monkeypatch):
    monkeypatch.setattr(folds_module, "AT_MOST", 10_000)
    work = planned_work(workplace, seeds=3)
    one_of_each = {job.cell.fold: job for job in work.cells}.values()
    assert len(one_of_each) == 4
    folds, before = FoldFiles(work.cells), open_files()
    for job, held in zip(one_of_each, (1, 2, 2, 2), strict=True):
        file = folds.of(job)
        os.ftruncate(file.descriptor, 6_000)
        assert open_files() == before + held
    folds.forget()


@pytest.mark.parametrize("cache", ["a file", "no rights"])
@pytest.mark.usefixtures("one_thread")
def test_without_a_place_to_write_each_cell_prepares(workplace, tmp_path, monkeypatch, cache):
    work = planned_work(workplace, split="fixed")
    if cache == "a file":
        (tmp_path / "no folder").touch()
        monkeypatch.setattr(folds_module, "cache_root", lambda: tmp_path / "no folder")
    else:

        def refuse(**named):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(folds_module.tempfile, "TemporaryFile", refuse)
    folds = FoldFiles(work.cells)
    assert [folds.of(job) for job in work.cells] == [None] * 4
    assert len(results(InProcessExecutor().run(work.cells[:1], folds))) == 1


@pytest.mark.usefixtures("one_thread")
def test_data_that_changes_under_a_run_is_noticed_by_who_did_not_prepare_it(workplace):
    from toys.toy_plugin import write_toy_files

    work = planned_work(workplace, split="fixed")
    events = InProcessExecutor().run(work.cells[:2], FoldFiles(work.cells))
    assert isinstance(next(e for e in events if isinstance(e, Finished | Failed)), Finished)
    write_toy_files(workplace.folder / "files", seed=3)
    (failed,) = [e for e in events if isinstance(e, Failed)]
    assert "the data changed between planning and training" in failed.reason
