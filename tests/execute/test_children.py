"""Jobs in processes of their own: what becomes of those that take too much, or are stopped."""

import sys

import pytest

from harbench.execute.children import Children, own_memory
from harbench.execute.jobs import Failed, Progress
from harbench.execute.run import work_of
from harbench.plan import plan
from toys.workplace import TOY_PLUGIN

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1000000, patience: 1000000}
    seeds: 2
    models: [small]
"""


@pytest.fixture
def jobs(workplace):
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY)]
    return work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,)).cells


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_job_that_takes_more_memory_than_it_may_is_ended(jobs):
    children = Children(memory=10**6)
    try:
        children.start(jobs[0])
        events = []
        while len(children):
            events += children.heard()
    finally:
        children.stop_all()
    assert isinstance(events[-1], Failed)
    assert events[-1].reason.endswith("GB of memory, and a cell may take 0.00 GB")


def test_one_of_two_is_stopped_and_the_other_goes_on(jobs):
    children = Children()
    try:
        for job in jobs:
            children.start(job)
        heard = set()
        while len(heard) < 2:
            heard |= {event.job.key for event in children.heard() if isinstance(event, Progress)}
        children.stop(jobs[0].key)
        assert len(children) == 1
        while not any(event.job.key == jobs[1].key for event in children.heard()):
            pass
        children.stop(jobs[0].key)
        assert len(children) == 1
    finally:
        children.stop_all()
    assert len(children) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_memory_of_a_process():
    import os

    before = own_memory(os.getpid())
    kept = bytearray(b"x" * (64 << 20))
    assert own_memory(os.getpid()) > before + (32 << 20)
    assert own_memory(None) == 0
    assert len(kept) == 64 << 20
