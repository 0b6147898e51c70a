"""The book of workers: who is free, who is preferred, who is gone, silent or back."""

import pytest

from harbench.cluster.workers import Book
from harbench.config.cluster import ClusterSettings
from toys.seen_workers import seen_worker


def book_of(*names, now=0.0, has=(2, 0), **settings):
    book = Book(ClusterSettings(address="local", **settings))
    book.see(
        {f"tcp://{name}": seen_worker(name, threads=has[0], memory=has[1]) for name in names}, now
    )
    for worker in book.of():
        worker.status = "usable"
    return book


def names(workers):
    return [worker.name for worker in workers]


def test_workers_come_and_go():
    book = Book(ClusterSettings(address="local"))
    changes = book.see({"tcp://a": seen_worker("a"), "tcp://b": seen_worker("tcp://b")}, 0.0)
    assert names(changes.new) == ["a", "b"]
    changes = book.see({"tcp://b": seen_worker("tcp://b")}, 1.0)
    assert (names(changes.new), names(changes.gone)) == ([], ["a"])
    assert book.get("tcp://a") is None


def test_a_worker_without_a_sign_of_life_is_silent_until_it_has_one():
    book = book_of("a", "b", silence=10)
    seen = {"tcp://a": seen_worker("a", seen=0.0), "tcp://b": seen_worker("b", seen=5.0)}
    assert book.see(seen, 10.0).silent == ()
    assert names(book.see(seen, 10.5).silent) == ["a"]
    assert names(book.see(seen, 11.0).silent) == []
    assert book.free(book["tcp://a"]) == 0
    changes = book.see({**seen, "tcp://a": seen_worker("a", seen=11.0)}, 11.5)
    assert names(changes.back) == ["a"]
    # It is to be asked again what it is.
    assert book["tcp://a"].status == "new"


@pytest.mark.parametrize(
    ("settings", "threads", "memory", "gpus", "places"),
    [
        ({}, 4, 0, 0, 4),
        ({"threads": 3}, 4, 0, 0, 1),
        ({"threads": 5}, 4, 0, 0, 0),
        ({"memory": "2GB"}, 4, 5 * 10**9, 0, 2),
        ({"memory": "2GB"}, 4, 0, 0, 4),
        ({"gpu": 0.25}, 16, 0, 2, 8),
        ({"gpu": 0.25}, 3, 0, 2, 3),
        ({"gpu": 1 / 3}, 16, 0, 1, 3),
        ({"gpu": 2}, 16, 0, 5, 2),
        ({"gpu": 1}, 16, 0, 0, 0),
    ],
)
def test_places_of_a_worker(settings, threads, memory, gpus, places):
    book = book_of("a", has=(threads, memory), **settings)
    [worker] = book.of()
    worker.gpus = tuple(str(number) for number in range(gpus))
    assert book.places(worker) == places


def test_workers_of_one_machine_without_limits_share_its_memory():
    """Dask divides a machine's memory among its workers, unless it is told to set no limit."""
    book = book_of("a", "b", has=(4, 0), memory="2GB")
    a, b = book.of()
    a.machine = b.machine = 7 * 10**9
    assert (book.places(a), book.places(b), book.all_places()) == (3, 3, 3)
    book.take(a, "1")
    assert (book.free(a), book.free(b)) == (2, 2)
    book.take(b, "2")
    book.take(b, "3")
    assert not book.any_free(ahead=1)
    book.give_back(a, "1")
    assert (book.free(a), book.free(b)) == (1, 1)
    # One with a limit of its own counts for itself; what is gone takes nothing.
    limited = seen_worker("c", threads=4, memory=5 * 10**9)
    book.see({"tcp://a": seen_worker("a", threads=4), "tcp://c": limited}, 1.0)
    c = book["tcp://c"]
    c.status, c.machine = "usable", a.machine
    assert (book.free(a), book.free(c), book.all_places()) == (3, 2, 5)


def test_one_that_is_to_be_alone_waits_for_an_empty_worker():
    book = book_of("a", "b")
    a, b = book.of()
    book.take(a, "1")
    assert book.pick("toy", (), alone=True) is b
    book.take(b, "2", alone=True)
    assert (book.free(a), book.free(b)) == (1, 0)
    assert book.pick("toy", (), alone=True) is None
    assert book.pick("toy", ()) is a
    book.give_back(b, "1")  # not its own
    assert book.free(b) == 0
    book.give_back(b, "2")
    assert book.free(b) == 2


def test_cells_share_gpus_evenly():
    book = book_of("a", has=(8, 0), gpu=0.5)
    [worker] = book.of()
    worker.gpus = ("4", "7")
    given = [book.take(worker, str(n))["CUDA_VISIBLE_DEVICES"] for n in range(4)]
    assert given == ["4", "7", "4", "7"]
    assert book.free(worker) == 0
    book.give_back(worker, "1")
    assert book.take(worker, "5") == {"CUDA_VISIBLE_DEVICES": "7"}


def test_who_holds_the_data_is_preferred_and_then_the_emptiest():
    book = book_of("a", "b", "c")
    book.take(book["tcp://a"], "1")
    assert book.pick("toy", ()).name == "b"
    book.take(book["tcp://b"], "2")
    assert book.pick("toy", ()).name == "c"
    assert book.pick("toy", {"tcp://a"}).name == "a"
    book.take(book["tcp://a"], "3")
    # Full: who does not hold it is better than to wait.
    assert book.pick("toy", {"tcp://a"}).name == "c"


def test_a_cell_does_not_go_where_it_was_lost_if_there_is_another():
    book = book_of("a", "b")
    assert book.pick("toy", {"tcp://a"}, ["a"]).name == "b"
    assert book.pick("toy", {"tcp://a"}, ["a", "b"]).name == "a"


def test_workers_that_are_paused_refused_or_unfit_get_nothing():
    book = book_of("a", "b", "c")
    book.see({f"tcp://{n}": seen_worker(n, status="paused") for n in "a"} | {
        f"tcp://{n}": seen_worker(n) for n in "bc"
    }, 1.0)  # fmt: skip
    book["tcp://b"].status = "refused"
    book["tcp://c"].unfit["toy"] = "its disk is full"
    assert book.pick("toy", ()) is None
    assert book.pick("other", ()).name == "c"
    assert book.any_free()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"threads": 3}, "it has 2 threads, and a cell takes 3"),
        ({"memory": "4GB"}, "it may take 1.0 GB, and a cell takes 4GB"),
        ({"gpu": 0.5}, "it has 0 GPUs, and a cell takes 0.5"),
    ],
)
def test_why_a_worker_is_too_small(settings, why):
    book = book_of("a", has=(2, 10**9), **settings)
    [worker] = book.of()
    assert book.places(worker) == 0
    assert book.too_small(worker) == why


def test_who_can_begin_at_once_comes_before_who_has_the_data_and_lets_it_wait():
    book = book_of("a", "b", has=(1, 0))
    book.take(book["tcp://a"], "running")
    assert book.pick("toy", {"tcp://a"}, ahead=1) is book["tcp://b"]
    book.take(book["tcp://b"], "running too")
    assert book.pick("toy", {"tcp://a"}) is None
    assert book.pick("toy", {"tcp://a"}, ahead=1) is book["tcp://a"]
    book.take(book["tcp://a"], "waiting")
    assert book.pick("toy", {"tcp://a"}, ahead=1) is book["tcp://b"]
