"""What a run on a cluster makes of its news, without a cluster: its link only notes what is asked.

Real workers, and what happens to them, are in test_lost_workers.py and test_chaos.py.
"""

import pickle
import queue
from concurrent.futures import Future
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from harbench.cluster import client as client_module
from harbench.cluster import running as running_module
from harbench.cluster.admission import Admission
from harbench.cluster.connecting import Connected
from harbench.cluster.foreman import without_job
from harbench.cluster.link import Answered, Arrived, Ended, Gone, Said, Seen
from harbench.cluster.preflight import Facts
from harbench.cluster.running import Running
from harbench.cluster.workers import Book
from harbench.config.cluster import ClusterSettings
from harbench.errors import ClusterError, DataError
from harbench.execute.jobs import (
    CellJob,
    CellResult,
    Failed,
    Finished,
    Lost,
    Progress,
    Remark,
    Started,
)
from harbench.plugins import Registry
from toys.seen_workers import seen_worker

FACTS = Facts({"harbench": "1"}, "h" * 64, {}, disk=10**12)


class NotedLink:
    """Does nothing, and notes what it was asked to do."""

    topic = "toys"

    def __init__(self):
        self.news = queue.SimpleQueue()
        self.trained = []
        self.dropped = []
        self.theirs = {}

    def ask(self, address, function, *arguments):
        facts = self.theirs.get(address, FACTS)
        self.news.put(Answered(address, {"facts": asdict(facts), "files": []}))

    def submit(self, address, name, order):
        self.trained.append((address.removeprefix("tcp://"), order.token))

    def drop(self, token):
        self.dropped.append(token)

    def arriving(self, token, arrival):
        arrival.add_done_callback(lambda done: self.news.put(Arrived(token, done.exception())))


class NotedSupply:
    """Brings data at once, unless a test holds it back."""

    def __init__(self):
        self.held = []
        self.hold = False
        self.left = []

    def deliver(self, dataset, digest, worker, files):
        arrival = Future()
        if self.hold:
            self.held.append(arrival)
        else:
            arrival.set_result(None)
        return arrival

    def holders(self, dataset, digest):
        return frozenset()

    def lost(self, worker):
        self.left.append(worker)


class Run:
    """A run of some cells, taken as far as its news go."""

    def __init__(self, n_cells=3, **settings):
        self.settings = ClusterSettings(address="tcp://10.0.0.1:8786", **settings)
        self.link, self.supply, self.said = NotedLink(), NotedSupply(), []
        cluster = Connected(None, self.settings.address, None)
        book = Book(self.settings)
        admission = Admission(
            cluster, self.settings, self.link, book,
            ours=FACTS, files=[], device="cpu", say=self.said.append,
        )  # fmt: skip
        self.jobs = [CellJob(_cell(number)) for number in range(n_cells)]
        self.asked = []
        running = Running(
            cluster, self.settings, self.link, self.supply, admission, book, self.said.append
        )
        self.events = running.work(self._one_by_one())
        self.ended = False

    def _one_by_one(self):
        for job in self.jobs:
            self.asked.append(job.key)
            yield job

    def hear(self, *news):
        """The events up to where it has nothing more to do."""
        for each in news:
            self.link.news.put(each)
        found = []
        # It says that it waits before it has looked at its clock.
        idle = 0
        while idle < 3:
            try:
                event = next(self.events)
            except StopIteration:
                self.ended = True
                return found
            idle = idle + 1 if event is None else 0
            found += [] if event is None else [event]
        return found

    def at(self, worker):
        """Tokens of the cells that the worker has, the oldest first."""
        return [
            token
            for name, token in self.link.trained
            if name == worker and token not in self.link.dropped
        ]

    def first(self, worker):
        """Of the cell that the worker has longest."""
        return self.at(worker)[0]

    def token(self, worker):
        """Of the cell that the worker got last."""
        return next(token for name, token in reversed(self.link.trained) if name == worker)


def _cell(number):
    return SimpleNamespace(
        key=f"{number:064}", benchmark="toy", row="small", dataset="toy", content={"data": "d" * 64}
    )


def there(*names, at=0.0):
    return Seen({f"tcp://{name}": seen_worker(name, threads=1, seen=at) for name in names})


def packed(*events):
    return [without_job(event) for event in events]


def result(job, **measured):
    return Finished(job, CellResult({}, measured, b"", b""))


def done(token):
    return Ended(token, {"said": packed(result(CellJob(None)))})


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(running_module, "_TICK_S", 0.001)


def test_a_job_is_asked_for_when_a_place_is_free():
    run = Run()
    assert run.hear() == []
    assert run.asked == []
    events = run.hear(there("a", "b"))
    assert [(event.job.key, event.where) for event in events] == [
        (run.jobs[0].key, "a"), (run.jobs[1].key, "b"),
    ]  # fmt: skip
    assert len(run.asked) == 2
    # Its place has the third before anybody hears, and stores, what became of the first.
    run.link.news.put(done(run.token("a")))
    ended = next(event for event in run.events if event is not None)
    assert len(run.link.trained) == 3
    assert (type(ended), ended.job, ended.outcome.measured) == (
        Finished, run.jobs[0], {"worker": "a"},
    )  # fmt: skip
    assert [event.job for event in run.hear()] == [run.jobs[2]]
    assert not run.ended
    run.hear(done(run.token("a")), done(run.token("b")))
    assert run.ended


def test_what_is_said_twice_or_too_early_is_passed_on_once_and_in_order():
    run = Run(1)
    run.hear(there("a"))
    token, job = run.token("a"), CellJob(None)
    first, second, third = (Progress(job, epoch, 3, None) for epoch in (1, 2, 3))
    assert run.hear(Said(token, 1, packed(second))) == []
    events = run.hear(Said(token, 0, packed(first)), Said(token, 0, packed(first, second)))
    assert [event.epoch for event in events] == [1, 2]
    assert all(event.job is run.jobs[0] for event in events)
    last = Ended(token, {"said": packed(first, second, third, result(job))})
    events = run.hear(last, last, Said(token, 2, packed(third)))
    assert [type(event) for event in events] == [Progress, Finished]
    assert run.ended


def test_for_its_last_try_a_cell_has_a_worker_for_itself():
    """Two cells share a worker, and one of them ends it each time: the other is not to fail."""
    run = Run(3, tries=3)

    def both(name):
        return Seen({f"tcp://{name}": seen_worker(name, threads=2)})

    run.hear(both("a"))
    assert len(run.at("a")) == 2
    assert len(of(run.hear(both("b")), Lost)) == 2
    assert len(run.at("b")) == 2
    assert len(of(run.hear(both("c")), Lost)) == 2
    # One after the other now, and nobody beside it, although there is room.
    first = run.token("c")
    assert run.at("c") == [first]
    (ended,) = of(run.hear(done(first)), Finished)
    second = run.token("c")
    assert run.at("c") == [second]
    (failed,) = of(run.hear(both("d")), Failed)
    assert failed.reason.startswith("3 workers were lost with it, one after another (a, b, c;")
    assert {ended.job.key, failed.job.key} == {job.key for job in run.jobs[:2]}
    assert of(run.hear(done(run.token("d"))), Finished)[0].job is run.jobs[2]
    assert run.ended


def test_a_lost_worker_gives_its_cell_to_another():
    run = Run(2)
    run.hear(there("a", "b"))
    lost, kept = run.token("a"), run.token("b")
    events = run.hear(there("b"))
    assert of(events, Lost) == [Lost(run.jobs[0], "a", "died or left")]
    assert lost in run.link.dropped and kept not in run.link.dropped
    assert run.supply.left == ["tcp://a"]
    # What it still sends is of no use to anybody.
    assert run.hear(done(lost)) == []
    events = run.hear(done(kept))
    assert [type(event) for event in events] == [Finished, Started]
    assert (events[1].job, events[1].where) == (run.jobs[0], "b")
    events = run.hear(done(run.token("b")))
    assert [event.job.key for event in events] == [run.jobs[0].key]
    assert run.ended


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_a_cell_that_ends_its_workers_fails_and_the_others_go_on(tries):
    run = Run(2, tries=tries)
    events = run.hear(there("a", "b"))
    where = []
    while not of(events, Failed):
        assert len(where) < tries
        where += [event.where for event in of(events, Started) if event.job is run.jobs[0]]
        events = run.hear(Ended(run.token(where[-1]), {"lost": "it fell"}))
        assert len(of(events, Lost)) == (len(where) < tries)
    [failed] = of(events, Failed)
    assert failed.job is run.jobs[0]
    assert len(where) == tries
    if tries == 1:
        assert failed.reason == "a worker was lost with it (a lost its cells: it fell)"
    else:
        assert f"({', '.join(where)}; the last lost its cells: it fell)" in failed.reason
    run.hear(done(run.token("b")))
    assert run.ended


@pytest.fixture
def clock(monkeypatch):
    """Stands still unless a test moves it: cells take no time."""
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(running_module, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_a_worker_that_is_silent_is_left_and_taken_back(clock):
    run = Run(2, silence=10)
    run.hear(there("a", "b"))
    clock.now += 11
    fresh = {"tcp://b": seen_worker("b", threads=1, seen=5.0)}
    both = {"tcp://a": seen_worker("a", threads=1, seen=0.0), **fresh}
    events = run.hear(Seen(both))
    assert [(event.where, event.reason) for event in of(events, Lost)] == [
        ("a", "gave no sign of life for 10 s")
    ]
    assert any("worker a is not used: no sign of life" in text for text in run.said)
    run.hear(done(run.token("b")))
    assert run.token("b").startswith(run.jobs[0].key[:16])
    # Back, and asked anew what it is: it may be another by now.
    run.link.theirs["tcp://a"] = Facts({"harbench": "2"}, "h" * 64, {}, disk=10**12)
    run.hear(Seen({**both, "tcp://a": seen_worker("a", threads=1, seen=6.0)}))
    assert "worker a is back" in run.said
    assert any(text.startswith("worker a is not used: ") and "2" in text for text in run.said)


def test_data_that_does_not_arrive_at_a_worker_keeps_its_dataset_from_it():
    run = Run(1)
    run.supply.hold = True
    assert run.hear(there("a", "b")) == []
    run.supply.held[0].set_exception(OSError("No space left on device"))
    run.hear()
    assert run.said[-1] == "worker a gets no cells of toy: No space left on device"
    assert len(run.supply.held) == 2
    run.supply.held[1].set_result(None)
    [started] = run.hear()
    assert started.where == "b"
    run.hear(done(run.token("b")))
    assert run.ended


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        # No worker's fault: it fails everywhere.
        (DataError("the file is empty"), "the file is empty"),
        (
            OSError("No space left on device"),
            "no worker can take 'toy': a: No space left on device",
        ),
    ],
)
def test_data_that_arrives_nowhere_fails_the_cell_and_says_why(error, reason):
    run = Run(1)
    run.supply.hold = True
    run.hear(there("a"))
    run.supply.held[0].set_exception(error)
    [failed] = run.hear()
    assert (type(failed), failed.reason) == (Failed, reason)
    assert any("gets no cells" in text for text in run.said) == isinstance(error, OSError)
    assert run.ended


def test_a_worker_that_is_lost_while_its_data_arrives_costs_the_cell_nothing():
    run = Run(1, tries=1)
    run.supply.hold = True
    run.hear(there("a"))
    assert run.hear(there()) == []
    run.supply.hold = False
    [started] = run.hear(there("b"))
    assert started.where == "b"
    assert run.hear(done(run.token("b")))
    assert run.ended


def test_a_task_that_ends_in_an_error_says_which():
    run = Run(1, tries=1)
    run.hear(there("a"))
    [failed] = run.hear(Ended(run.token("a"), None, "ValueError: no"))
    assert "a gave an error: ValueError: no" in failed.reason


def test_remarks_pass_through():
    run = Run(1)
    run.hear(there("a"))
    [remark] = run.hear(Said(run.token("a"), 0, packed(Remark(CellJob(None), "slow"))))
    assert (remark.text, remark.job) == ("slow", run.jobs[0])


def test_without_a_scheduler_the_run_ends_and_says_what_is_left():
    run = Run()
    run.hear(there("a"))
    with pytest.raises(ClusterError) as caught:
        run.hear(Gone("the connection to it was lost"))
    assert "the scheduler is gone: the connection to it was lost" in str(caught.value)
    assert "goes on once there is one" in str(caught.value)


def test_events_for_the_way_back_carry_no_job():
    large = CellJob(SimpleNamespace(key="k", content="x" * 10_000))
    assert len(without_job(Remark(large, "said"))) < 500
    assert pickle.loads(without_job(Remark(large, "said"))).job is None


def short(run, worker, number=8):
    """So many short cells end at a worker, one after the other."""
    events = []
    for _ in range(number):
        events += run.hear(done(run.first(worker)))
    return events


def test_where_cells_are_short_a_worker_has_its_next_one_at_hand(clock):
    run = Run(14)
    run.hear(there("a"))
    events = short(run, "a")
    # As ever up to here: one begins when the one before has ended.
    assert len(run.link.trained) == 10
    assert len(of(events, Started)) == len(of(events, Finished)) == 8
    running, waiting = run.at("a")
    # What waits has not begun, and begins when the other ends.
    events = run.hear(done(running))
    assert [type(event) for event in events] == [Finished, Started]
    assert (events[1].job, run.first("a")) == (run.jobs[9], waiting)
    short(run, "a", 5)
    assert run.ended
    assert run.asked == [job.key for job in run.jobs]


def test_a_long_cell_ends_that(clock):
    run = Run(14)
    run.hear(there("a"))
    short(run, "a")
    assert len(run.at("a")) == 2
    clock.now += 1
    run.hear(Seen({"tcp://a": seen_worker("a", threads=1, seen=1.0)}), done(run.first("a")))
    assert len(run.at("a")) == 1


@pytest.mark.parametrize("how", ["gone", "silent"])
def test_a_worker_that_is_lost_costs_nothing_what_waited_there(clock, how):
    run = Run(14, tries=1)
    run.hear(there("a"))
    short(run, "a")
    began, waited = run.at("a")
    clock.now += 61
    events = run.hear(there() if how == "gone" else there("a"))
    assert [type(event) for event in events] == [Failed]
    assert [event.job for event in of(events, Failed)] == [run.jobs[8]]
    assert {began, waited} <= set(run.link.dropped)
    events = run.hear(there("b"))
    assert [(event.job, event.where) for event in events] == [(run.jobs[9], "b")]


def test_at_the_end_what_waits_goes_to_who_has_nothing(clock):
    run = Run(10)
    run.hear(there("a"))
    short(run, "a")
    began, waited = run.at("a")
    events = run.hear(there("a", "b", at=1.0))
    assert [(event.job, event.where) for event in events] == [(run.jobs[9], "b")]
    assert waited in run.link.dropped
    # It may have begun there all the same; what it says is of no use.
    assert run.hear(done(waited)) == []
    run.hear(done(began), done(run.first("b")))
    assert run.ended


def test_where_more_than_threads_limits_a_worker_nothing_waits_at_it(clock):
    run = Run(14, memory="1GB")
    facts = seen_worker("a", threads=2, memory=10**9)
    run.hear(Seen({"tcp://a": facts}))
    short(run, "a")
    assert len(run.at("a")) == 1


@pytest.mark.parametrize(("silence", "patience"), [(3, 15), (60, 60)])
def test_a_scheduler_is_given_more_time_than_an_impatient_worker(monkeypatch, silence, patience):
    """It serves all workers at once."""
    asked = []

    class AskedError(Exception):
        pass

    def link(client, topic, silence):
        asked.append(silence)
        raise AskedError

    monkeypatch.setattr(client_module, "Link", link)
    settings = ClusterSettings(address="tcp://a:8786", silence=silence)
    cluster = SimpleNamespace(client=None)
    with pytest.raises(AskedError):
        next(client_module.ClusterExecutor(cluster, settings, registry=Registry()).run([]))
    assert asked == [patience]
