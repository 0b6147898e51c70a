"""Statistics of windows against NumPy, SciPy, and answers that can be written down."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

import harbench
from harbench_models.window_statistics import (
    STATISTICS,
    statistic_names,
    statistics_step,
    window_statistics,
)


def of(x, name):
    """[n_windows, n_channels]"""
    return window_statistics(x, (name,))


def crossings(x):
    return np.array([[np.mean(np.diff(c >= 0)) for c in w] for w in x])


def dominant(x):
    def one(c):
        power = np.abs(np.fft.fft(c - c.mean())) ** 2
        best = max(range(1, len(c) // 2 + 1), key=lambda k: power[k])
        return np.fft.fftfreq(len(c))[best] % 1.0

    return np.array([[one(c) for c in w] for w in x])


def entropy(x):
    def one(c):
        power = np.abs(np.fft.rfft(c - c.mean()))[1:] ** 2
        return stats.entropy(power) / np.log(len(power))

    return np.array([[one(c) for c in w] for w in x])


BY_OTHERS = {
    "mean": lambda x: np.mean(x, axis=2),
    "std": lambda x: np.std(x, axis=2),
    "min": lambda x: np.min(x, axis=2),
    "max": lambda x: np.max(x, axis=2),
    "median": lambda x: np.median(x, axis=2),
    "iqr": lambda x: stats.iqr(x, axis=2),
    "rms": lambda x: np.linalg.norm(x, axis=2) / np.sqrt(x.shape[2]),
    "mean_absolute_difference": lambda x: np.mean(np.abs(np.diff(x, axis=2)), axis=2),
    "zero_crossings": crossings,
    "mean_crossings": lambda x: crossings(x - x.mean(axis=2, keepdims=True)),
    "skewness": lambda x: stats.skew(x, axis=2),
    "kurtosis": lambda x: stats.kurtosis(x, axis=2),
    "dominant_frequency": dominant,
    "spectral_entropy": entropy,
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("n_times", [5, 24, 51])
def test_each_is_what_numpy_and_scipy_say(name, n_times):
    x = np.random.default_rng(n_times).gamma(2, 1, (40, 3, n_times)).astype(np.float32) - 1.5
    expected = BY_OTHERS[name](x.astype(np.float64))
    np.testing.assert_allclose(of(x, name), expected, rtol=2e-6, atol=1e-6)


def test_columns_go_channel_by_channel_and_have_names():
    x = np.random.default_rng(0).normal(size=(4, 2, 10)).astype(np.float32)
    found = window_statistics(x)
    assert found.dtype == np.float32
    assert found.shape == (4, 28)
    names = statistic_names(["ACC x", "ACC y"])
    assert len(names) == 28
    for channel, title in enumerate(("ACC x", "ACC y")):
        for name in STATISTICS:
            column = found[:, names.index(f"{title} {name}")]
            np.testing.assert_array_equal(column, of(x, name)[:, channel])


def test_a_sine_has_its_own_frequency_and_no_entropy():
    t = np.arange(50)
    x = np.stack([np.sin(2 * np.pi * 7 * t / 50), np.where(t % 2, 1.0, -1.0)])[None]
    np.testing.assert_allclose(of(x, "dominant_frequency"), [[0.14, 0.5]], rtol=1e-6)
    assert of(x, "spectral_entropy").max() < 1e-5
    np.testing.assert_allclose(of(x, "zero_crossings")[0, 1], 1)
    one = np.zeros((1, 1, 50))
    one[..., 10] = 1  # all frequencies alike
    np.testing.assert_allclose(of(one, "spectral_entropy"), 1, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3, 1e30, -3.4e38, 1e-40])
@pytest.mark.parametrize("n_times", [1, 2, 7, 24])
def test_a_constant_window_has_no_spread_and_no_shape(value, n_times):
    x = np.full((3, 2, n_times), value, np.float32)
    for name in STATISTICS:
        found = of(x, name)
        assert np.isfinite(found).all()
        if name in ("mean", "min", "max", "median", "rms"):
            expected = np.abs(x[..., 0]) if name == "rms" else x[..., 0]
            np.testing.assert_allclose(found, expected, rtol=1e-6)
        elif name == "std":
            assert (found <= 1e-6 * abs(value)).all()
        else:
            assert (found == 0).all(), name


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 12)),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
    )
)
def test_whatever_finite_comes_in_finite_comes_out(x):
    assert np.isfinite(window_statistics(x)).all()


def test_chunks_change_nothing_and_bound_the_memory(monkeypatch):
    x = np.random.default_rng(0).normal(size=(4000, 3, 50)).astype(np.float32)
    whole = window_statistics(x)
    monkeypatch.setattr("harbench_models.window_statistics._ELEMENTS", 20 * 150)
    tracemalloc.start()
    chunked = window_statistics(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(chunked, whole)
    assert peak < whole.nbytes + 2**20


def test_a_pipeline_can_be_cloned_and_pickled():
    import pickle

    from sklearn.base import clone

    x = np.random.default_rng(0).normal(size=(4, 2, 10)).astype(np.float32)
    step = statistics_step(("std", "mean"))
    for copied in (clone(step), pickle.loads(pickle.dumps(step))):
        np.testing.assert_array_equal(
            copied.fit_transform(x), window_statistics(x, ("std", "mean"))
        )
    assert statistics_step().fit_transform(x).shape == (4, 28)


def test_what_has_no_statistics_is_refused():
    with pytest.raises(harbench.ModelError, match="one of mean, std"):
        window_statistics(np.zeros((1, 1, 5)), ("mode",))
    for shape in ((5, 5), (2, 2, 0)):
        with pytest.raises(harbench.ModelError, match="n_windows, n_channels, n_times"):
            window_statistics(np.zeros(shape))
