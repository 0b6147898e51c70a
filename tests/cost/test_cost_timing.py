"""How a window is timed, and how a cost is stored."""

import dataclasses
import json
import os
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from harbench.cost import Cost, count, latency, measure, timing
from harbench.errors import ResultsError

SEEN: list[tuple] = []


class Probe(nn.Module):
    """Notes how it is called; sleeps, or fails at its 3rd call."""

    def __init__(self, sleep: float = 0.0, *, fails: bool = False) -> None:
        super().__init__()
        self.sleep, self.fails, self.calls = sleep, fails, 0
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        self.calls += 1
        SEEN.append(
            (torch.get_num_threads(), torch.is_inference_mode_enabled(), self.training, x.shape)
        )
        if self.fails and self.calls == 3:
            raise RuntimeError("the third call")
        time.sleep(self.sleep)
        return self.linear(x)


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    SEEN.clear()
    yield
    torch.set_num_threads(threads)


def test_one_window_one_thread_evaluation_and_inference_mode(two_threads):
    net = Probe()
    timed = latency(net, 3, 4, runs=7, seconds=0)
    assert timed.runs == 7
    assert set(SEEN) == {(1, True, False, (1, 3, 4))}
    assert len(SEEN) > timed.runs  # the warm-up is not timed
    assert torch.get_num_threads() == 2
    assert net.training
    assert net.calls == 0


def test_the_threads_come_back_after_a_failure(two_threads):
    with pytest.raises(RuntimeError, match="third call"):
        latency(Probe(fails=True), 3, 4)
    assert torch.get_num_threads() == 2


class Clock:
    """In place of ``time``: it goes on while a :class:`Probe` sleeps, and only then."""

    def __init__(self) -> None:
        self.now = 0

    def sleep(self, seconds):
        self.now += round(1e9 * seconds)

    def perf_counter_ns(self):
        return self.now

    def perf_counter(self):
        return self.now / 1e9


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(timing, "time", found)
    monkeypatch.setattr(sys.modules[__name__], "time", found)
    return found


def test_milliseconds_of_a_known_delay(clock):
    timed = latency(Probe(sleep=0.01), 3, 4, runs=9, seconds=0)
    assert timed == timing.Latency(10.0, 10.0, 9)


def test_it_goes_on_for_the_seconds_asked(clock):
    assert latency(Probe(sleep=0.25), 3, 4, runs=1, seconds=1).runs == 4
    assert latency(Probe(sleep=0.25), 3, 4, runs=6, seconds=1).runs == 6


def test_the_clock_is_one_that_goes():
    timed = latency(Probe(sleep=0.01), 3, 4, runs=9, seconds=0)
    assert 10 <= timed.median_ms <= timed.p95_ms


def test_by_default_at_least_fifty_runs():
    assert latency(Probe(sleep=0.001), 3, 4, seconds=0).runs == 50


def test_measure_adds_the_latency_to_what_count_says():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    counted, measured = count(net, 3, 4), measure(net, 3, 4)
    assert counted.latency_median_ms is None
    assert measure(net, 3, 4, time=False) == counted
    assert 0 < measured.latency_median_ms <= measured.latency_p95_ms
    without = dataclasses.replace(measured, latency_median_ms=None, latency_p95_ms=None)
    assert without == counted


COST = Cost(
    parameters=24_146,
    parameters_with_buffers=24_594,
    macs=240_656,
    macs_second=None,
    counters_agree=True,
    counters_note="One sentence.",
    weight_bytes=98_376,
    latency_median_ms=0.1234567890123,
    latency_p95_ms=None,
)


def test_a_cost_survives_its_json():
    assert Cost.from_json(json.loads(json.dumps(COST.to_json()))) == COST


def test_flops_are_two_a_mac():
    assert COST.flops == 481_312
    assert "flops" not in COST.to_json()


def test_a_cost_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        COST.macs = 1


@pytest.mark.parametrize("change", [{"macs": None}, {"watts": 3}])
def test_a_stored_cost_with_other_fields_is_refused(change):
    stored = COST.to_json()
    for field, value in change.items():
        if value is None:
            del stored[field]
        else:
            stored[field] = value
    with pytest.raises(ResultsError, match=next(iter(change))):
        Cost.from_json(stored)


def test_reading_a_cost_imports_no_torch():
    script = "import sys, harbench.cost; print('torch' in sys.modules, 'thop' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
