"""MiniRocket's kernels and features, against the paper and against loops."""

import itertools

import numpy as np
import pytest

from harbench.training.estimators import build_estimator
from harbench_models.random_kernels import (
    LENGTH,
    N_KERNELS,
    RandomKernels,
    dilations_of,
    fit_kernels,
    kernel_weights,
)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_kernels_are_all_with_three_twos_among_nine():
    weights = kernel_weights()
    assert weights.shape == (84, 9)
    expected = set(itertools.combinations(range(9), 3))
    assert {tuple(np.flatnonzero(row == 2)) for row in weights} == expected
    assert ((weights == 2) | (weights == -1)).all()
    assert (weights.sum(axis=1) == 0).all()


@pytest.mark.parametrize("n_times", [9, 15, 24, 32, 50, 65, 128, 1000])
@pytest.mark.parametrize("per_kernel", [1, 2, 31, 119])
def test_dilations_fit_into_the_window(n_times, per_kernel):
    found = dilations_of(n_times, per_kernel)
    assert sum(found.values()) == per_kernel
    assert len(found) <= 32
    assert min(found) == 1
    assert all((LENGTH - 1) * dilation <= n_times - 1 for dilation in found)
    if per_kernel == 119:
        # The largest that fits is there.
        assert max(found) == (n_times - 1) // (LENGTH - 1)


def in_loops(kernels: RandomKernels, window) -> list[float]:
    """Each feature by its definition."""
    n_channels, n_times = window.shape
    found = []
    for part in kernels.dilated:
        weights = part.weights.reshape(N_KERNELS, n_channels, LENGTH).astype(np.float64)
        for kernel in range(N_KERNELS):
            values = []
            for centre in range(n_times):
                places = [centre + (tap - 4) * part.dilation for tap in range(LENGTH)]
                whole = all(0 <= place < n_times for place in places)
                if part.padded[kernel] or whole:
                    values.append(
                        sum(
                            weights[kernel, channel, tap] * window[channel, place]
                            for channel in range(n_channels)
                            for tap, place in enumerate(places)
                            if 0 <= place < n_times
                        )
                    )
            found += [np.mean(np.array(values) > bias) for bias in part.biases[kernel]]
    return found


def test_a_feature_is_the_proportion_of_positive_values():
    x = noise(6, 3, 17)
    kernels = fit_kernels(x, 2 * 84, np.random.default_rng(0))
    assert kernels.n_features == 168
    assert [part.dilation for part in kernels.dilated] == [1, 2]
    unseen = noise(2, 3, 17, seed=1)
    found = kernels.features(unseen)
    assert found.shape == (2, 168)
    for window, features in zip(unseen, found, strict=True):
        np.testing.assert_allclose(features, in_loops(kernels, window.astype(np.float64)))


def test_half_of_the_kernels_are_padded_and_each_looks_at_some_channels():
    x = noise(5, 12, 50)
    kernels = fit_kernels(x, 10_000, np.random.default_rng(0))
    assert kernels.n_features == 9996
    sizes = []
    for part in kernels.dilated:
        assert part.padded.sum() == 42
        weights = part.weights.reshape(N_KERNELS, 12, LENGTH)
        used = np.abs(weights).sum(axis=2) > 0
        sizes += used.sum(axis=1).tolist()
        for kernel, channels in enumerate(used):
            assert (weights[kernel, channels] == kernel_weights()[kernel]).all()
    assert min(sizes) == 1
    assert 5 <= max(sizes) <= 9
    assert not np.array_equal(kernels.dilated[0].padded, kernels.dilated[1].padded)


def test_biases_are_quantiles_of_a_training_window():
    x = noise(1, 1, 30)
    kernels = fit_kernels(x, 84 * 20, np.random.default_rng(0))
    # Of the very window that the biases come from, a feature at the quantile q is near 1 - q;
    # quantiles are spread evenly over 0 .. 1.
    features = kernels.features(x)
    assert abs(features.mean() - 0.5) < 0.02
    for part in kernels.dilated:
        outputs = part.convolved(x)[0]
        assert (part.biases <= outputs.max(axis=1, keepdims=True)).all()
        assert (part.biases >= outputs.min(axis=1, keepdims=True)).all()


def test_chunks_change_nothing(monkeypatch):
    x = noise(37, 3, 20)
    kernels = fit_kernels(x, 168, np.random.default_rng(0))
    whole = kernels.features(x)
    monkeypatch.setattr("harbench_models.random_kernels._ELEMENTS", 5 * 84 * 20)
    np.testing.assert_array_equal(kernels.features(x), whole)


def test_the_seed_alone_chooses():
    x = noise(8, 4, 20)
    one, same, other = (
        fit_kernels(x, 168, np.random.default_rng(seed)).features(x) for seed in (0, 0, 1)
    )
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


def test_it_tells_waves_that_differ_in_shape_alone(estimators):
    # A sawtooth and its mirror: the same values equally often, the same power at every frequency.
    rng = np.random.default_rng(0)
    n = 120
    y = np.arange(n) % 2
    ramp = np.arange(60) % 15 / 7 - 1
    x = np.empty((n, 1, 60), np.float32)
    for window, label in zip(x, y, strict=True):
        wave = np.roll(ramp if label else ramp[::-1], rng.integers(15))
        window[0] = wave + rng.normal(0, 0.1, 60)
    model = estimators["minirocket"]
    fitted = build_estimator(model, 1, 60, 2, {"features": 840}, 0).fit(x[:80], y[:80])
    found = fitted.predict_proba(x[80:])
    assert (found.argmax(axis=1) == y[80:]).all()
    assert found.max(axis=1).mean() > 0.8
