"""Results are stored beside a run, before anybody is told of them."""

import errno
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from harbench.errors import ResultsError
from harbench.execute import keeping
from harbench.execute.jobs import Failed, Finished, Progress, Started
from harbench.execute.keeping import Keeper
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import efforts_of, train_cells, work_of
from harbench.plan import plan
from harbench.results import Store
from toys.waiting import LIMIT_S
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 12
    models: [small]
"""


class Waits:
    """An executor that has trained each cell already, and says that it waits."""

    def __init__(self, events, after=None):
        self.events = events
        self.after = after
        self.closed = False

    def run(self, jobs, folds=None):
        try:
            yield None
            for job in jobs:
                yield Started(job)
                yield replace(self.events[job.key], job=job)
                if self.after is not None:
                    self.after()
                yield None
        finally:
            self.closed = True


@pytest.fixture
def trained(workplace):
    """A run that has not begun: its work and efforts; and how each of its cells will end."""
    [benchmark] = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    work = work_of([benchmark], workplace.store, plugin_files=(TOY_PLUGIN,))
    events = {}
    for event in InProcessExecutor().run(work.cells):
        if isinstance(event, Finished | Failed):
            events[event.job.key] = event
    return work, efforts_of(work, [benchmark], workplace.store), events


def test_the_same_bytes_as_one_after_the_other(workplace, trained, tmp_path):
    work, efforts, events = trained
    beside, alone = Store(tmp_path / "beside"), Store(tmp_path / "alone")
    for event in train_cells(work, efforts, beside, Waits(events)):
        if isinstance(event, Finished):
            # Who hears of a result finds it.
            assert beside.read(event.job.key).predictions()
    for event in events.values():
        [same] = Keeper(alone).keep(event)
        assert same is event
    for key in events:
        for file in sorted(alone.cell_folder(key).iterdir()):
            assert (beside.cell_folder(key) / file.name).read_bytes() == file.read_bytes()
    assert not list((beside.folder / "locks").iterdir())
    assert not [t for t in threading.enumerate() if t.name.startswith("harbench-keeper")]


def test_a_slow_disk_holds_up_nobody_until_there_is_too_much(
    workplace, trained, tmp_path, monkeypatch
):
    work, efforts, events = trained
    store, go = Store(tmp_path / "slow"), threading.Event()
    real, writers = store.write, set()

    def slow(*arguments):
        writers.add(threading.current_thread().name)
        assert go.wait(30)
        return real(*arguments)

    monkeypatch.setattr(store, "write", slow)
    said, given = [], []

    def noted():
        given.append(1)
        if len(given) == 8:
            assert not [e for e in said if isinstance(e, Finished)]
            threading.Timer(0.2, go.set).start()

    for event in train_cells(work, efforts, store, Waits(events, noted)):
        said.append(event)
        # Results wait in memory: with the ninth there are too many.
        if isinstance(event, Started) and len(given) > 8:
            assert go.is_set()
    assert len(given) == 12
    ended = [event.job.key for event in said if isinstance(event, Finished)]
    assert sorted(ended) == sorted(job.key for job in work.cells)
    assert writers == {"harbench-keeper_0", "harbench-keeper_1"}


def test_a_full_disk_ends_the_run_and_what_was_stored_stays(
    workplace, trained, tmp_path, monkeypatch
):
    work, efforts, events = trained
    store, given = Store(tmp_path / "full"), []
    real, written, ends = store.write, set(), []

    class Noted(ThreadPoolExecutor):
        def submit(self, *arguments):
            ends.append(super().submit(*arguments))
            return ends[-1]

    monkeypatch.setattr(keeping, "ThreadPoolExecutor", Noted)

    def noted():
        given.append(1)
        if len(given) == 4:
            # Until its writer has handed the error on.
            assert isinstance(ends[3].exception(LIMIT_S), ResultsError)

    executor = Waits(events, noted)

    def full(key, *rest):
        if key not in others:
            raise store.unwritable(OSError(errno.ENOSPC, "No space left on device"))
        written.add(key)
        return real(key, *rest)

    others = {job.key for job in work.cells} - {work.cells[3].key}
    monkeypatch.setattr(store, "write", full)
    told = []
    with pytest.raises(ResultsError, match="No space left"):
        for event in train_cells(work, efforts, store, executor):
            told += [event.job.key] if isinstance(event, Finished) else []
    # The two that are written at once may end in either order; nothing is begun after the error.
    assert len(given) == 4
    assert {job.key for job in work.cells[:3]} >= set(told)
    assert set(told) <= written
    assert all(store.has(key) for key in written)
    assert executor.closed
    assert not list((store.folder / "locks").iterdir())


def test_a_run_that_is_stopped_keeps_what_was_trained(workplace, trained, tmp_path, monkeypatch):
    work, efforts, events = trained
    store = Store(tmp_path / "stopped")
    real = store.write

    def slow(*arguments):
        time.sleep(0.05)
        return real(*arguments)

    monkeypatch.setattr(store, "write", slow)
    run = train_cells(work, efforts, store, Waits(events))
    started = 0
    for event in run:
        started += isinstance(event, Started)
        if started == 6:
            break
    run.close()
    # Of the sixth it was only said that it had begun.
    assert [store.has(job.key) for job in work.cells] == [True] * 5 + [False] * 7


def test_failures_are_stored_beside_as_well(workplace, trained, tmp_path):
    work, efforts, events = trained
    store = Store(tmp_path / "failed")
    first = work.cells[0]
    events[first.key] = Failed(first, "it could not", "trace")
    ends = [
        event
        for event in train_cells(work, efforts, store, Waits(events))
        if not isinstance(event, Started | Progress)
    ]
    # The two that are written at once may end in either order.
    assert [event.job for event in ends if isinstance(event, Failed)] == [first]
    assert {event.job.key for event in ends} == {job.key for job in work.cells}
    assert len(ends) == 12
    assert store.failure(first.key)["reason"] == "it could not"
