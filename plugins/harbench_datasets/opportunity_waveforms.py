"""What the simulated sensors say: background in every column, and the planted waveforms.

Every gesture has five channels of its own choice, and each locomotion state four, that carry it;
in all other channels nothing depends on the label. So it is known which channels a model, a
saliency map or an ablation should find. The planted channels never lose data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harbench_datasets.opportunity_columns import (
    BLUETOOTH,
    CHANNELS,
    COLUMNS,
    GESTURES,
    LOCOMOTION,
    Column,
)
from harbench_datasets.opportunity_script import Script, Segment
from harbench_datasets.opportunity_text import MISSING

# The right arm and the back, all of the motion jacket. For Open Door 1 these are the first five
# of the channels that Yan et al. 2022, Table 3, found with their saliency map.
_GESTURE_CHANNELS = {
    "Open Door 1": "RLA magneticX, BACK accZ, RLA accX, RUA magneticZ, RUA magneticY",
    "Open Door 2": "RLA magneticY, BACK gyroZ, RLA accY, RUA gyroX, BACK magneticX",
    "Close Door 1": "RLA magneticZ, BACK accX, RLA gyroX, RUA magneticX, RUA accZ",
    "Close Door 2": "RLA accZ, BACK magneticY, RUA gyroY, RLA gyroY, BACK gyroX",
    "Open Fridge": "RLA gyroZ, RUA accX, BACK magneticZ, RLA magneticX, RUA gyroZ",
    "Close Fridge": "RLA accX, RUA accY, BACK accY, RUA magneticX, RLA gyroX",
    "Open Dishwasher": "BACK accX, BACK gyroY, RLA accZ, RUA accX, RLA magneticZ",
    "Close Dishwasher": "BACK accZ, BACK gyroX, RLA gyroY, RUA accY, RUA magneticZ",
    "Open Drawer 1": "RLA accY, RUA gyroX, RLA gyroZ, BACK accY, RUA magneticY",
    "Close Drawer 1": "RLA accX, RUA gyroY, RLA magneticY, BACK gyroY, RUA accZ",
    "Open Drawer 2": "RLA accZ, RUA gyroZ, RLA gyroX, BACK gyroZ, RUA magneticX",
    "Close Drawer 2": "RLA magneticX, RUA accX, RLA gyroY, BACK magneticX, BACK accX",
    "Open Drawer 3": "RLA accY, RUA accZ, RLA magneticZ, BACK magneticY, RUA gyroX",
    "Close Drawer 3": "RLA gyroZ, RUA accY, RUA gyroY, BACK magneticZ, BACK accZ",
    "Clean Table": "RLA gyroX, RLA gyroY, RUA gyroZ, RUA magneticY, BACK gyroY",
    "Drink from Cup": "RLA accX, RLA magneticY, RUA accX, RUA magneticZ, BACK accY",
    "Toggle Switch": "RLA accY, RLA gyroZ, RUA accY, RUA gyroX, BACK gyroX",
}
# The shoes: apart from the arm, so that neither task gives the other away.
_LOCOMOTION_CHANNELS = {
    "Stand": "L-SHOE EuX, L-SHOE Nav_Ax, R-SHOE EuZ, R-SHOE Body_Ay",
    "Walk": "L-SHOE Body_Ax, L-SHOE AngVelBodyFrameX, R-SHOE Body_Ax, R-SHOE AngVelBodyFrameX",
    "Sit": "L-SHOE EuZ, L-SHOE Body_Az, R-SHOE EuX, R-SHOE Nav_Ay",
    "Lie": "L-SHOE Compass, L-SHOE Nav_Ay, R-SHOE Compass, R-SHOE Nav_Ax",
}


def _full_names(table: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(f"IMU {short}" for short in text.split(", ")) for name, text in table.items()
    }


PLANTED: dict[str, dict[str, tuple[str, ...]]] = {
    "gestures": _full_names(_GESTURE_CHANNELS),
    "locomotion": _full_names(_LOCOMOTION_CHANNELS),
}
"""Task -> class -> names of the channels that carry the class."""


class _Level(NamedTuple):
    """Rest value and spread of a kind of column, in its unit, near those of the real files."""

    rest: float
    spread: float
    low: float
    high: float


_ACC_REST = {"X": -100.0, "Y": 700.0, "Z": -300.0}
_EULER_REST = {"EuX": 0.0, "EuY": -30.0, "EuZ": 0.0}
_FIRST_SENSOR, _LAST_SENSOR = 2, 243  # 1-based columns
_SWITCHED = np.array([column.unit.startswith("logical") for column in COLUMNS[1:_LAST_SENSOR]])


def _level(column: Column) -> _Level:
    name = column.name.split()[-1]
    limits = column.channel.limits if column.channel else None
    low, high = limits or (-2000.0, 2000.0)
    if column.channel and column.channel.unit == "mm/s":
        return _Level(0, 1200, low, high)
    if name.startswith("Eu"):
        spread = 5 if name == "EuY" else 25
        return _Level(_EULER_REST[name], spread, low, high)
    if name == "Compass":
        return _Level(20, 25, low, high)
    if "_A" in name:
        return _Level(0, 350, low, high)
    if name.startswith("magnetic"):
        return _Level(100, 120, low, high)
    if name.startswith("Quaternion"):
        return _Level(0, 350, -1000, 1000)
    if column.kind == "location":
        return _Level(2500, 600, -10000, 10000)
    if column.kind == "body" and name.startswith("gyro"):
        return _Level(0, 600, low, high)
    if name.startswith("acc"):
        spread = 250 if column.kind == "body" else 30
        return _Level(_ACC_REST[name[-1]], spread, low, high)
    return _Level(0, 30, low, high)


_LEVELS = np.array([_level(column) for column in COLUMNS[1:_LAST_SENSOR]], np.float32)
_REST, _SPREAD, _LOW, _HIGH = (np.ascontiguousarray(part) for part in _LEVELS.T)
_COLUMN_OF = {channel.name: channel.number for channel in CHANNELS}

# The background of a channel, in units of its spread: fast noise, slow drift, and what differs
# between subjects and between runs. The squares of the first two add up to 1.
_NOISE, _DRIFT, _OF_SUBJECT, _OF_RUN = 0.9, 0.44, 0.3, 0.1
_MEMORY = 0.9  # of the noise, from one sample to the next
# A waveform in units of the spread: it stays for a gesture on one side of the background.
_OFFSET, _SWING = 4.0, 2.5
_RAMP = 4  # samples to rise and to fall
_PERIODS_OF_DRIFT = (1800, 9000)  # samples: 1 to 5 minutes


def sensor_table(
    script: Script, strength: float, of_subject: np.random.Generator, of_run: np.random.Generator
) -> NDArray[np.int32]:
    """The 242 sensor columns of a run, int32 [n_rows, 242], MISSING where data are lost.

    Args:
        script: What is done.
        strength: Factor of all planted waveforms; at 0 nothing depends on the labels.
        of_subject: The same for all runs of a subject.
        of_run: Another for each run.
    """
    n_rows, n_columns = script.n_rows, len(_REST)
    signals = _background(n_rows, of_subject, of_run)
    for task, codes, segments in (
        ("gestures", GESTURES, script.gestures),
        ("locomotion", LOCOMOTION, script.locomotion),
    ):
        order = list(codes)
        for segment in segments:
            if segment.code:
                _plant(signals, segment, task, order.index(segment.code), strength, of_run)
    signals *= _SPREAD
    signals += _REST
    np.clip(signals, _LOW, _HIGH, out=signals)
    signals[:, _SWITCHED] = signals[:, _SWITCHED] > 20
    table = np.rint(signals, out=signals).astype(np.int32)
    _lose_data(table, of_run)
    table[script.n_recorded :] = MISSING
    assert table.shape == (n_rows, n_columns)
    return table


def _background(
    n_rows: int, of_subject: np.random.Generator, of_run: np.random.Generator
) -> NDArray[np.float32]:
    """In units of the spread: autoregressive noise, a slow sine, offsets; float32."""
    from scipy.signal import lfilter

    n_columns = len(_REST)
    level = _OF_SUBJECT * of_subject.standard_normal(n_columns)
    level += _OF_RUN * of_run.standard_normal(n_columns)
    period = of_run.uniform(*_PERIODS_OF_DRIFT, n_columns)
    phase = of_run.uniform(0, 2 * math.pi, n_columns)
    # The filter's innovations have the variance that gives its output a variance of 1.
    noise = of_run.standard_normal((n_rows, n_columns), dtype=np.float32)
    gain = np.float32(_NOISE * math.sqrt(1 - _MEMORY**2))
    filtered = lfilter([gain], np.array([1, -_MEMORY], np.float32), noise, axis=0)
    signals: NDArray[np.float32] = np.asarray(filtered, np.float32)
    # A drift of minutes is straight between points a second apart.
    knots = np.arange(0, n_rows + 30, 30, dtype=np.float64)
    drift = _DRIFT * math.sqrt(2) * np.sin(2 * math.pi * knots[:, None] / period + phase) + level
    for k, knot in enumerate(knots[:-1].astype(int)):
        part = signals[knot : knot + 30]
        along = (np.arange(len(part)) / 30)[:, None]
        part += ((1 - along) * drift[k] + along * drift[k + 1]).astype(np.float32)
    return signals


def _plant(
    signals: NDArray[np.float32],
    segment: Segment,
    task: str,
    index: int,
    strength: float,
    of_run: np.random.Generator,
) -> None:
    """Add the waveform of class ``index`` to its channels: an offset and a swing.

    Frequencies go from 1.5 to 5 Hz, so that half a second holds the better part of a period; each
    channel has its own sign and its own place in the period. From one time to the next the
    waveform varies in size by 15 % and in frequency by 5 %, and begins anywhere in its period.
    """
    names = list(PLANTED[task].values())[index - 1]
    hertz = 1.5 + 3.5 * ((index - 1) * 5 % 17) / 16
    time = np.arange(segment.stop - segment.start)
    edge = np.minimum(time + 1, time[::-1] + 1) / (_RAMP + 1)
    envelope = np.minimum(edge, 1.0) * of_run.uniform(0.85, 1.15) * strength
    angle = 2 * math.pi * hertz * of_run.uniform(0.95, 1.05) * time / 30
    angle += of_run.uniform(0, 2 * math.pi)
    for k, name in enumerate(names):
        sign = 1 if (index >> (k % 4)) & 1 else -1
        wave = sign * _OFFSET + _SWING * np.sin(angle + 2 * math.pi * k * index / 5)
        signals[segment.start : segment.stop, _COLUMN_OF[name] - 2] += envelope * wave


def _lose_data(table: NDArray[np.int32], of_run: np.random.Generator) -> None:
    """Gaps in the wireless accelerometers (1-based columns 2-37), all axes of a sensor at once.

    Many of a few samples, and a few of one to ten seconds.
    """
    n_rows = len(table)
    for sensor in range(len(BLUETOOTH)):
        short = of_run.geometric(0.2, max(1, n_rows // 150))
        long = of_run.integers(30, 301, n_rows // 6000)
        lengths = np.concatenate([short, long])
        for start, length in zip(of_run.integers(0, n_rows, len(lengths)), lengths, strict=True):
            table[start : start + length, 3 * sensor : 3 * sensor + 3] = MISSING
