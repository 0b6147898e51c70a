import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harbench.data.gaps import fill_gaps
from harbench.data.normalise import fit
from harbench.errors import ConfigError
from harbench.nouns import Channel

values = st.one_of(st.just(float("nan")), st.floats(-1e3, 1e3, width=32))
signals = st.tuples(st.integers(1, 30), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=values)
)


def channels(n, limits=(-2.0, 2.0)):
    return [Channel(f"c{i}", "s", "p", "m", "x", "g", i + 1, limits) for i in range(n)]


@given(signals)
def test_forward_fill_is_pandas_ffill(x):
    expected = pd.DataFrame(x).ffill().to_numpy()
    fill_gaps(x, "forward")
    np.testing.assert_array_equal(x, expected)


@given(signals)
def test_linear_fill_is_what_the_literature_calls(x):
    # Ordóñez & Roggen: pandas Series.interpolate(), forward only, leading gaps stay.
    expected = pd.DataFrame(x.astype(np.float64)).interpolate().to_numpy()
    fill_gaps(x, "linear")
    np.testing.assert_allclose(x, expected, rtol=1e-5, atol=1e-3)


@given(signals, st.integers(1, 29))
def test_forward_fill_sees_no_future(x, at):
    changed = x.copy()
    changed[at:] = 7
    fill_gaps(x, "forward")
    fill_gaps(changed, "forward")
    np.testing.assert_array_equal(x[:at], changed[:at])


def test_none_leaves_gaps():
    x = np.array([[1.0], [np.nan]], np.float32)
    fill_gaps(x, "none")
    assert np.isnan(x[1, 0])


@given(signals, st.data())
def test_z_score_is_numpys_over_training_samples_only(x, data):
    training = np.array(data.draw(st.lists(st.booleans(), min_size=len(x), max_size=len(x))))
    found = fit("z-score", x, training, channels(x.shape[1]))
    for c in range(x.shape[1]):
        seen = x[training, c].astype(np.float64)
        seen = seen[~np.isnan(seen)]
        mean = seen.mean() if len(seen) else 0.0
        std = seen.std() if len(seen) else 0.0
        assert found.offset[c] == pytest.approx(mean, abs=1e-6)
        assert found.scale[c] == pytest.approx(std if std > 1e-8 else 1.0, rel=1e-6, abs=1e-6)
    changed = x.copy()
    changed[~training] = 1e6
    again = fit("z-score", changed, training, channels(x.shape[1]))
    np.testing.assert_array_equal(found.offset, again.offset)
    np.testing.assert_array_equal(found.scale, again.scale)


def test_what_stays_missing_becomes_the_training_mean():
    x = np.array([[np.nan], [1.0], [3.0], [100.0]], np.float32)
    training = np.array([True, True, True, False])
    for kind in ("z-score", "min-max"):
        y = x.copy()
        normaliser = fit(kind, x, training, channels(1))
        normaliser.apply(y)
        mean = np.array([[2.0]], np.float32)
        normaliser.apply(mean)
        assert y[0] == mean
    assert y[1:3, 0].tolist() == [0.0, 1.0]  # min-max of the training samples


def test_fixed_limits_are_those_of_the_literature():
    x = np.array([[-2.0], [0.0], [2.0], [3.0], [-3.0], [np.nan]], np.float32)
    fit("fixed", x, np.ones(6, bool), channels(1)).apply(x)
    # Above the limit 0.99, below 0; a missing value is raw 0.
    np.testing.assert_allclose(x[:, 0], [0.0, 0.5, 1.0, 0.99, 0.0, 0.5])


def test_fixed_without_limits_is_refused():
    with pytest.raises(ConfigError, match="no fixed limits are known for channel 'c0' and 1 other"):
        fit("fixed", np.zeros((2, 2), np.float32), np.ones(2, bool), channels(2, None))


def test_none_only_replaces_what_is_missing():
    x = np.array([[5.0, np.nan]], np.float32)
    fit("none", x, np.ones(1, bool), channels(2)).apply(x)
    assert x.tolist() == [[5.0, 0.0]]
