"""The 250 columns of OPPORTUNITY, its 113 on-body channels, and its labels.

The names are those of the dataset's ``column_names.txt``, built from rules: the columns come in
groups of equal sensors. The 113 channels are those of the OPPORTUNITY challenge (1-based columns
2-46, 51-59, 64-72, 77-85, 90-98 and 103-134: all on-body sensors but the quaternions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from harbench import Channel

Kind = Literal["time", "body", "object", "ambient", "location", "label"]
Limits = tuple[float, float]


@dataclass(frozen=True)
class Column:
    """One column of a ``.dat`` file.

    Args:
        number: 1-based.
        name: As ``column_names.txt`` writes it. Not unique: the three accelerometer axes of an
            object are all called accX there.
        kind: What the sensor is on; "time" and "label" are no sensors.
        scaling: What the authors did to the device's value x before they rounded it.
        unit: As ``column_names.txt`` writes it; "" where it states none.
        channel: Set for the 113 on-body channels of the challenge.
    """

    number: int
    name: str
    kind: Kind
    scaling: str = ""
    unit: str = ""
    channel: Channel | None = None


class _Axis(NamedTuple):
    """One axis of a sensor; without limits it is no channel of the challenge."""

    name: str
    axis: str
    modality: str
    scaling: str
    unit: str
    limits: Limits | None


# Where the sensors sit. ^ and _ are the dataset's signs for the upper and the lower of two.
BLUETOOTH = {
    "RKN^": "right knee, upper",
    "HIP": "hip",
    "LUA^": "left upper arm, upper",
    "RUA_": "right upper arm, lower",
    "LH": "left hand",
    "BACK": "back",
    "RKN_": "right knee, lower",
    "RWR": "right wrist",
    "RUA^": "right upper arm, upper",
    "LUA_": "left upper arm, lower",
    "LWR": "left wrist",
    "RH": "right hand",
}
JACKET = {
    "BACK": "back",
    "RUA": "right upper arm",
    "RLA": "right lower arm",
    "LUA": "left upper arm",
    "LLA": "left lower arm",
}
SHOES = {"L-SHOE": "left shoe", "R-SHOE": "right shoe"}
# fmt: off
OBJECTS = (
    "CUP", "SALAMI", "WATER", "CHEESE", "BREAD", "KNIFE1",
    "MILK", "SPOON", "SUGAR", "KNIFE2", "PLATE", "GLASS",
)
REED_SWITCHES = (
    "DISHWASHER S1", "FRIDGE S3", "FRIDGE S2", "FRIDGE S1", "MIDDLEDRAWER S1",
    "MIDDLEDRAWER S2", "MIDDLEDRAWER S3", "LOWERDRAWER S3", "LOWERDRAWER S2",
    "UPPERDRAWER", "DISHWASHER S3", "LOWERDRAWER S1", "DISHWASHER S2",
)
FURNITURE = (
    "DOOR1", "LAZYCHAIR", "DOOR2", "DISHWASHER",
    "UPPERDRAWER", "LOWERDRAWER", "MIDDLEDRAWER", "FRIDGE",
)
LABEL_TRACKS = (
    "Locomotion", "HL_Activity", "LL_Left_Arm", "LL_Left_Arm_Object",
    "LL_Right_Arm", "LL_Right_Arm_Object", "ML_Both_Arms",
)
# fmt: on

# The limits are those that DeepConvLSTM's code fixes for ``normalise: fixed``.
_G_TO_MG = "x / 9.8 * 1000"
_DEGREES = ("orientation", "x", "degrees")
_ACCELEROMETER = tuple(
    _Axis(f"acc{a}", a.lower(), "accelerometer", "x", "milli g", (-3000, 3000)) for a in "XYZ"
)
_JACKET_IMU = (
    *(axis._replace(scaling=_G_TO_MG) for axis in _ACCELEROMETER),
    *(
        _Axis(f"gyro{a}", a.lower(), "gyroscope", "x * 1000", "unknown", (-10000, 10000))
        for a in "XYZ"
    ),
    *(
        _Axis(f"magnetic{a}", a.lower(), "magnetometer", "x * 1000", "unknown", (-1000, 1500))
        for a in "XYZ"
    ),
    *(_Axis(f"Quaternion{i}", "", "orientation", "x * 1000", "none", None) for i in range(1, 5)),
)
_SHOE_IMU = (
    _Axis("EuX", "x", *_DEGREES, (-250, 250)),
    _Axis("EuY", "y", *_DEGREES, (-100, 25)),
    _Axis("EuZ", "z", *_DEGREES, (-200, 200)),
    *(
        _Axis(f"{frame}_A{a}", a, "accelerometer", _G_TO_MG, "milli g", (-5000, 5000))
        for frame in ("Nav", "Body")
        for a in "xyz"
    ),
    *(
        _Axis(
            f"AngVel{frame}Frame{a}",
            a.lower(),
            "gyroscope",
            "x * 1000",
            "mm/s",
            (-10000, 10000),
        )
        for frame in ("Body", "Nav")
        for a in "XYZ"
    ),
    _Axis("Compass", "", *_DEGREES, (-250, 250)),
)
_SHORT_UNIT = {"milli g": "mg", "degrees": "deg"}


def _columns() -> tuple[Column, ...]:
    columns: list[Column] = []

    def add(name: str, kind: Kind, scaling: str = "", unit: str = "") -> None:
        columns.append(Column(len(columns) + 1, name, kind, scaling, unit))

    def add_worn(device: str, short: str, place: str, position: str, axis: _Axis) -> None:
        number = len(columns) + 1
        sensor = f"{short} {place}"
        unit = _SHORT_UNIT.get(axis.unit, axis.unit)
        channel = axis.limits and Channel(
            # "BACK accX" is a Bluetooth accelerometer and an IMU: the device keeps them apart.
            name=f"{sensor} {axis.name}",
            sensor=sensor,
            position=position,
            modality=axis.modality,
            axis=axis.axis,
            unit=unit,
            number=number,
            limits=axis.limits,
        )
        name = f"{device} {place} {axis.name}"
        columns.append(Column(number, name, "body", axis.scaling, axis.unit, channel))

    add("MILLISEC", "time")
    for place, position in BLUETOOTH.items():
        for axis in _ACCELEROMETER:
            add_worn("Accelerometer", "ACC", place, position, axis)
    for sensors, axes in ((JACKET, _JACKET_IMU), (SHOES, _SHOE_IMU)):
        for place, position in sensors.items():
            for axis in axes:
                add_worn("InertialMeasurementUnit", "IMU", place, position, axis)
    for thing in OBJECTS:
        for _ in range(3):
            add(f"Accelerometer {thing} accX", "object", "x", "milli g")
        add(f"Accelerometer {thing} gyroX", "object", "x", "unknown")
        add(f"Accelerometer {thing} gyroY", "object", "x", "unknown")
    for switch in REED_SWITCHES:
        add(f"REED SWITCH {switch}", "ambient", "x", "logical (0/1)")
    for thing in FURNITURE:
        for a in "XYZ":
            add(f"Accelerometer {thing} acc{a}", "ambient", "x", "milli g")
    for tag in range(1, 5):
        for a in "XYZ":
            add(f"LOCATION TAG{tag} {a}", "location", "x", "millimetres")
    for track in LABEL_TRACKS:
        add(track, "label")
    return tuple(columns)


COLUMNS: tuple[Column, ...] = _columns()
CHANNELS: tuple[Channel, ...] = tuple(column.channel for column in COLUMNS if column.channel)
LOCOMOTION_COLUMN = 244
GESTURE_COLUMN = 250

# Codes of the two tasks, in the order of their classes. A gesture's code is the action of the
# right arm times 1000 plus its object (406 open, 516 Door1).
GESTURES = {
    0: "Null",
    406516: "Open Door 1",
    406517: "Open Door 2",
    404516: "Close Door 1",
    404517: "Close Door 2",
    406520: "Open Fridge",
    404520: "Close Fridge",
    406505: "Open Dishwasher",
    404505: "Close Dishwasher",
    406519: "Open Drawer 1",
    404519: "Close Drawer 1",
    406511: "Open Drawer 2",
    404511: "Close Drawer 2",
    406508: "Open Drawer 3",
    404508: "Close Drawer 3",
    408512: "Clean Table",
    407521: "Drink from Cup",
    405506: "Toggle Switch",
}
# 3 is not used.
LOCOMOTION = {0: "Null", 1: "Stand", 2: "Walk", 4: "Sit", 5: "Lie"}
