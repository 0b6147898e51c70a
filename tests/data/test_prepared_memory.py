"""A prepared fold takes one copy of its signals, and the same bits however it is gone through."""

import tracemalloc

import numpy as np
import pytest

from harbench.data import gap_runs as runs_module
from harbench.data import normalise
from harbench.data.prepared import prepare
from harbench.data.splits import Fold
from harbench.data.stream import RecordingSpan, Stream, release
from harbench.data.windows import Windows, label
from harbench.nouns import Channel
from harbench.nouns.protocol import MostOf

N_SAMPLES, N_CHANNELS = 30_000, 100


@pytest.fixture
def stream():
    rng = np.random.default_rng(0)
    signals = rng.normal(50, 9, (N_SAMPLES, N_CHANNELS)).astype(np.float32)
    signals[rng.random(signals.shape) < 0.01] = np.nan
    spans = [(0, 9_000), (9_000, 21_000), (21_000, N_SAMPLES)]
    return Stream(
        "0", tuple(RecordingSpan(f"r{i}", "s", f"{i}", *span) for i, span in enumerate(spans)),
        signals, {},
    )  # fmt: skip


def windows(start, stop):
    starts = np.arange(start, stop - 24)
    return Windows(starts, np.zeros_like(starts))


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["z-score", "min-max", "fixed", "none"])
def test_preparing_takes_one_copy_of_the_signals(stream, kind):
    channels = tuple(Channel(f"c{i}", "C", "", "", "", "", i, (0, 99)) for i in range(N_CHANNELS))
    dataset = type("Wide", (), {"channels": channels})
    fold = Fold(
        "all", windows(0, 21_000), windows(0, 0), windows(21_000, N_SAMPLES), 0, 0, (0,) * 3
    )

    def call():
        prepare(
            stream, dataset, fold, channels=range(N_CHANNELS), length=24, n_classes=2,
            fill="linear", normalise=kind,
        )  # fmt: skip

    # The rest: a recording's gaps as bytes, 512 rows as float64, and which samples windows hold.
    assert peak_of(call) < 1.35 * stream.signals.nbytes


def test_looking_for_gaps_takes_less_than_the_signals(stream):
    sparse = np.array(stream.signals)
    sparse[:, 10:] = 0
    found = Stream("0", stream.recordings, sparse, {})
    assert peak_of(lambda: runs_module.gap_runs(found)) < 0.3 * sparse.nbytes


@pytest.mark.parametrize("training", ["all", "blocks", "scattered"])
@pytest.mark.parametrize("kind", ["z-score", "min-max"])
def test_statistics_do_not_depend_on_how_many_rows_at_a_time(stream, monkeypatch, kind, training):
    rng = np.random.default_rng(1)
    held = {
        "all": np.ones(N_SAMPLES, bool),
        "blocks": np.arange(N_SAMPLES) // 1000 % 3 > 0,
        "scattered": rng.random(N_SAMPLES) < 0.6,
    }[training]
    channels = [Channel(f"c{i}", "C", "", "", "", "", i) for i in range(N_CHANNELS)]
    found = []
    for rows in (7, 512, 40_000):
        monkeypatch.setattr(normalise, "_AT_ONCE", rows)
        normaliser = normalise.fit(kind, stream.signals, held, channels)
        signals = np.array(stream.signals)
        normaliser.apply(signals)
        found.append([signals, normaliser.offset, normaliser.scale, normaliser.missing])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert one.tobytes() == two.tobytes()
    # What is summed at once is under 65,536 rows here: the plain sums in the order of the rows.
    rows = stream.signals[held].astype(np.float64)
    count = (~np.isnan(rows)).sum(axis=0)
    mean = np.nansum(rows, axis=0) / count
    if kind == "z-score":
        std = np.sqrt(np.nansum((rows - mean) ** 2, axis=0) / count)
        assert (found[0][1].tobytes(), found[0][2].tobytes()) == (mean.tobytes(), std.tobytes())
    else:
        assert found[0][1].tobytes() == np.nanmin(rows, axis=0).tobytes()


@pytest.mark.parametrize("rule", ["majority", MostOf(most_of=0.6), MostOf(most_of=1.0)])
def test_windows_of_one_label_and_of_several_are_labelled_alike(rule):
    rng = np.random.default_rng(2)
    labels = np.repeat(rng.integers(-1, 3, 300), rng.integers(1, 12, 300)).astype(np.int16)
    starts = rng.permutation(np.arange(len(labels) - 8))  # in any order
    found = label(labels, starts, 9, rule, 3)
    for start, one in zip(starts, found, strict=True):
        counts = [np.count_nonzero(labels[start : start + 9] == k) for k in (0, 1, 2, -1)]
        winner = int(np.argmax(counts))
        enough = rule == "majority" or max(counts) >= rule.most_of * 9
        assert one == (winner if enough and winner < 3 else -1)


def test_what_was_released_can_still_be_read(tmp_path, stream):
    (tmp_path / "signals.f32").write_bytes(stream.signals.tobytes())
    mapped = np.memmap(tmp_path / "signals.f32", np.float32, "r").reshape(stream.signals.shape)
    before = mapped[::7].copy()
    release(mapped)
    assert before.tobytes() == mapped[::7].tobytes()
    release(stream.signals)  # of an array in memory nothing is given back
