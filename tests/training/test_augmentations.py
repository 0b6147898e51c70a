"""Each first-party augmentation against what its paper says, and all of them in common."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harbench.errors import ConfigError
from harbench.nouns import Channel, TrainingBatch
from harbench.nouns.training import whole_sensors
from harbench_training import (
    channel_dropout,
    jitter,
    mixup,
    rotation,
    scaling,
    time_warp,
)


def channel(name, sensor, modality, axis, number=1):
    return Channel(name, sensor, "wrist", modality, axis, "g", number)


def imu(sensor):
    return [
        channel(f"{sensor} {modality} {axis}", sensor, modality, axis)
        for modality in ("accelerometer", "gyroscope")
        for axis in "xyz"
    ]


IMU = imu("A")
EVERY = {
    "jitter": jitter.build,
    "scaling": scaling.build,
    "rotation": rotation.build,
    "time-warp": time_warp.build,
    "channel-dropout": channel_dropout.build,
    "mixup": mixup.build,
}


def batch(n=64, n_channels=6, n_times=30, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, n_channels, n_times, generator=generator)
    return TrainingBatch(x, torch.arange(n) % 3)


def chance(seed=1):
    return torch.Generator().manual_seed(seed)


def test_every_one_is_here(methods_registry):
    assert {augmentation.name for augmentation in methods_registry.augmentations} == set(EVERY)
    for augmentation in methods_registry.augmentations:
        assert augmentation.build is EVERY[augmentation.name]
        assert augmentation.citation.doi or augmentation.citation.url
        assert augmentation.options


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", [(2, 6, 2), (5, 6, 24), (64, 6, 1)])
def test_same_shape_same_draws_same_bits_and_the_input_is_left_alone(name, shape):
    augment = EVERY[name](IMU)
    before = batch(*shape)
    kept = before.x.clone()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, again, other = (augment(before, chance(seed)) for seed in (1, 1, 2))
    assert torch.equal(before.x, kept)
    assert first.x.shape == before.x.shape and first.x.dtype == torch.float32
    assert torch.isfinite(first.x).all()
    assert torch.equal(first.x, again.x)
    # It draws from the generator that it is given, and from no other.
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.y, before.y)
    if shape == (5, 6, 24):
        assert not torch.equal(first.x, before.x) or not torch.equal(other.x, before.x)
        assert not torch.equal(first.x, other.x)


@pytest.mark.parametrize("name", [name for name in EVERY if name != "mixup"])
def test_windows_do_not_see_each_other(name):
    """What one window holds changes no other: only mixup mixes."""
    augment = EVERY[name](IMU)
    one = batch()
    other = one.with_x(one.x.clone())
    other.x[7] += 100
    with_one, with_other = augment(one, chance()).x, augment(other, chance()).x
    changed = [i for i in range(64) if not torch.equal(with_one[i], with_other[i])]
    assert changed == [7]


def test_jitter_has_its_sigma_and_no_mean():
    before = batch(200, 6, 50)
    noise = jitter.build(IMU, sigma=0.3)(before, chance()).x - before.x
    n = noise.numel()
    # Five standard errors of a mean and of a standard deviation.
    assert abs(noise.mean()) < 5 * 0.3 / n**0.5
    assert abs(noise.std() - 0.3) < 5 * 0.3 / (2 * n) ** 0.5
    per_channel = noise.transpose(0, 1).reshape(6, -1)
    assert torch.corrcoef(per_channel).fill_diagonal_(0).abs().max() < 5 / (n / 6) ** 0.5


def test_scaling_is_one_factor_for_each_channel_of_each_window():
    before = batch(400, 6, 30)
    factor = scaling.build(IMU, sigma=0.2)(before, chance()).x / before.x
    torch.testing.assert_close(factor, factor[:, :, :1].expand_as(factor), rtol=1e-4, atol=1e-4)
    factor = factor[:, :, 0]
    n = factor.numel()
    assert abs(factor.mean() - 1) < 5 * 0.2 / n**0.5
    assert abs(factor.std() - 0.2) < 5 * 0.2 / (2 * n) ** 0.5


@pytest.mark.parametrize("name", ["jitter", "scaling"])
def test_sigma_of_zero_changes_nothing(name):
    before = batch()
    assert torch.equal(EVERY[name](IMU, sigma=0)(before, chance()).x, before.x)


def triples(x):
    """[batch, n_triples, 3, n_times]"""
    return x.unflatten(1, (-1, 3))


def test_rotation_keeps_the_length_of_every_triple_at_every_sample():
    before = batch(100)
    after = rotation.build(IMU)(before, chance()).x
    torch.testing.assert_close(
        triples(after).norm(dim=2), triples(before.x).norm(dim=2), rtol=1e-4, atol=1e-5
    )
    assert (after - before.x).abs().mean() > 0.5


def test_rotation_is_one_proper_rotation_for_all_vectors_and_samples_of_a_device():
    before = batch(50)
    after = rotation.build(IMU)(before, chance()).x
    for window in range(50):
        old, new = (triples(x)[window].transpose(0, 1).reshape(3, -1).double().numpy()
                    for x in (before.x, after))  # fmt: skip
        # Least squares: new = R old, over both vectors and all samples.
        turned = new @ old.T @ np.linalg.inv(old @ old.T)
        np.testing.assert_allclose(turned @ old, new, atol=1e-5)
        np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(turned) == pytest.approx(1, abs=1e-5)


def test_rotation_turns_two_devices_apart():
    before = batch(20, 12)
    after = rotation.build([*imu("A"), *imu("B")])(replace(before), chance()).x
    same = before.with_x(torch.cat([before.x[:, :6]] * 2, dim=1))
    after = rotation.build([*imu("A"), *imu("B")])(same, chance()).x
    assert not torch.allclose(after[:, :6], after[:, 6:])


@pytest.mark.parametrize("largest", [0, 30, 180])
def test_rotation_stays_within_its_angle(largest):
    unit = torch.zeros(500, 3, 3)
    unit[:] = torch.eye(3)
    turned = rotation.build(IMU[:3], degrees=largest)(
        TrainingBatch(unit, torch.zeros(500).long()), chance()
    ).x
    cosine = (turned.diagonal(dim1=1, dim2=2).sum(1).clamp(-1, 3) - 1) / 2
    degrees = torch.rad2deg(cosine.double().clamp(-1, 1).acos())
    assert degrees.max() <= largest + 0.1
    assert degrees.max() >= 0.9 * largest
    if largest:
        assert degrees.mean() == pytest.approx(largest / 2, rel=0.15)


def test_rotation_leaves_what_is_no_whole_sensor():
    others = [
        channel("g x", "B", "gyroscope", "x"),
        channel("g y", "B", "gyroscope", "y"),
        *(channel(f"euler {axis}", "A", "orientation", axis) for axis in "xyz"),
        channel("heart", "C", "heart rate", ""),
    ]
    before = batch(30, 9)
    after = rotation.build([*others, *IMU[:3]])(before, chance()).x
    assert torch.equal(after[:, :6], before.x[:, :6])
    assert not torch.equal(after[:, 6:], before.x[:, 6:])
    with pytest.raises(ValueError, match="no sensor has an x, a y and a z axis"):
        rotation.build(others)


def test_whole_sensors_of_a_shoe_that_measures_twice_and_in_any_order():
    shoe = [
        *(channel(f"nav {axis}", "S", "accelerometer", axis) for axis in "xyz"),
        *(channel(f"body {axis}", "S", "accelerometer", axis) for axis in "zyx"),
        *(channel(f"turn {axis}", "S", "gyroscope", axis) for axis in "yxz"),
    ]
    assert whole_sensors(shoe) == [[(0, 1, 2), (5, 4, 3), (7, 6, 8)]]
    assert whole_sensors([*shoe[:5], *shoe[6:8]]) == []


ROUNDING = 1e-5
"""Of times up to 60 in float32: a product of matrices adds each column in an order of its own."""


def test_time_warp_keeps_the_ends_and_never_runs_back():
    times = time_warp.warped_times(500, 40, 0.5, 4, chance(), torch.zeros(1))
    assert times.shape == (500, 40)
    assert (times[:, 0] == 0).all() and (times[:, -1] == 39).all()
    assert (times.diff(dim=1) >= -ROUNDING).all()
    # It does warp: some sample is taken more than a sample away from its place.
    assert ((times - torch.arange(40)).abs().amax(dim=1) > 1).float().mean() > 0.9


@settings(max_examples=40, deadline=None)
@given(
    n_times=st.integers(1, 60), sigma=st.floats(0, 2), knots=st.integers(1, 8), seed=st.integers(0)
)
def test_time_warp_whatever_the_window(n_times, sigma, knots, seed):
    random = torch.Generator().manual_seed(seed % 2**32)
    times = time_warp.warped_times(7, n_times, sigma, knots, random, torch.zeros(1))
    assert (times[:, 0] == 0).all()
    assert torch.isfinite(times).all()
    assert (times.diff(dim=1) >= -ROUNDING).all()
    if n_times > 1:
        assert (times[:, -1] == n_times - 1).all()


def test_time_warp_takes_the_signal_at_those_times():
    """A straight line at warped times is the warped times themselves."""
    line = torch.arange(40.0).expand(30, 2, 40)
    warp = time_warp.build([], sigma=0.4, knots=3)
    after = warp(TrainingBatch(line, torch.zeros(30).long()), chance()).x
    times = time_warp.warped_times(30, 40, 0.4, 3, chance(), line)
    torch.testing.assert_close(after[:, 0], times, rtol=0, atol=1e-4)
    assert torch.equal(after[:, 0], after[:, 1])
    still = time_warp.build([], sigma=0)(batch(), chance()).x
    torch.testing.assert_close(still, batch().x, rtol=1e-4, atol=1e-4)


def test_channel_dropout_silences_whole_channels_as_often_as_it_says():
    before = batch(1000)
    after = channel_dropout.build(IMU, p=0.3)(before, chance()).x
    silent = (after == 0).all(dim=2)
    assert torch.equal(after[~silent], before.x[~silent])
    assert abs(silent.float().mean() - 0.3) < 5 * (0.3 * 0.7 / 6000) ** 0.5


def test_mixup_mixes_windows_and_classes_alike():
    before = batch(50)
    after = mixup.build(IMU, alpha=1.0)(before, chance())
    share = after.share[0]
    assert 0 < share < 1
    assert (after.share == share).all() and after.share.shape == (50,)
    assert torch.equal(after.y, before.y)
    # Who was mixed in is what is left: (x - share * own) / (1 - share) is a window of the batch.
    rest = (after.x - share * before.x) / (1 - share)
    far = torch.cdist(rest.flatten(1).double(), before.x.flatten(1).double())
    partners = far.argmin(dim=1)
    assert far.amin(dim=1).max() < 1e-3
    assert sorted(partners.tolist()) == list(range(50))
    assert torch.equal(after.other, before.y[partners])


def test_mixups_share_follows_beta():
    """Mean and variance of Beta(a, a): 1/2 and 1 / (4 (2 a + 1))."""
    random, small = chance(), batch(2, 1, 1)
    for alpha in (0.2, 1.0, 8.0):
        mix = mixup.build(IMU, alpha=alpha)
        shares = np.array([float(mix(small, random).share[0]) for _ in range(2000)])
        variance = 1 / (4 * (2 * alpha + 1))
        assert shares.min() >= 0 and shares.max() <= 1
        assert abs(shares.mean() - 0.5) < 5 * (variance / 2000) ** 0.5
        assert shares.var() == pytest.approx(variance, rel=0.12)


def test_a_batch_is_mixed_once():
    mix = mixup.build(IMU)
    with pytest.raises(ConfigError, match="two augmentations of the recipe mix windows"):
        mix(mix(batch(), chance()), chance())


@pytest.mark.parametrize(
    ("build", "options", "said"),
    [
        (jitter.build, {"sigma": -1}, "option sigma is -1 .expected a number of at least 0"),
        (jitter.build, {"sigma": "x"}, "option sigma is 'x'"),
        (jitter.build, {"sigma": True}, "option sigma is True"),
        (jitter.build, {"sigma": float("nan")}, "option sigma is nan"),
        (jitter.build, {"sigma": float("inf")}, "option sigma is inf"),
        (scaling.build, {"sigma": None}, "option sigma is None"),
        (rotation.build, {"degrees": 181}, "at most 180"),
        (time_warp.build, {"knots": 0}, "a whole number from 1 on"),
        (time_warp.build, {"knots": 2.0}, "option knots is 2.0"),
        (time_warp.build, {"sigma": 2.1}, "at most 2"),
        (channel_dropout.build, {"p": 1}, "at most 0.99"),
        (mixup.build, {"alpha": 0}, "expected a number above 0, at most 100"),
    ],
)
def test_options_that_cannot_be(build, options, said):
    with pytest.raises(ValueError, match=said):
        build(IMU, **options)
