"""The columns, channels and files of OPPORTUNITY against what its own documents say."""

import re
from collections import Counter
from fnmatch import fnmatchcase

import pytest
from real_data import opportunity_values

from harbench_datasets.opportunity_columns import CHANNELS, COLUMNS, GESTURES, LOCOMOTION
from harbench_datasets.opportunity_files import FILES, listed


def test_there_are_250_numbered_columns():
    assert [column.number for column in COLUMNS] == list(range(1, 251))
    assert Counter(column.kind for column in COLUMNS) == {
        "time": 1,
        "body": 133,
        "object": 60,
        "ambient": 37,
        "location": 12,
        "label": 7,
    }


def test_channels_are_those_of_the_challenge():
    # 0-based, half-open: [1,46) + [50,59) + [63,72) + [76,85) + [89,98) + [102,134).
    ranges = [(1, 46), (50, 59), (63, 72), (76, 85), (89, 98), (102, 134)]
    expected = [column for start, stop in ranges for column in range(start, stop)]
    assert [channel.number - 1 for channel in CHANNELS] == expected
    assert len(CHANNELS) == 113
    assert len({channel.name for channel in CHANNELS}) == 113


def test_channel_positions_of_the_table_of_the_challenge():
    sensors = [channel.sensor for channel in CHANNELS]
    places = ["RKN^", "HIP", "LUA^", "RUA_", "LH", "BACK"]
    places += ["RKN_", "RWR", "RUA^", "LUA_", "LWR", "RH"]
    assert sensors[:36] == [f"ACC {place}" for place in places for _ in range(3)]
    jacket = ["BACK", "RUA", "RLA", "LUA", "LLA"]
    assert sensors[36:81] == [f"IMU {place}" for place in jacket for _ in range(9)]
    assert sensors[81:97] == ["IMU L-SHOE"] * 16
    assert sensors[97:] == ["IMU R-SHOE"] * 16


def test_channels_stand_where_the_paper_of_the_saliency_map_has_them():
    # Yan et al. 2022, Table 3, the ten highest: it counts from 1, with the time as column 1.
    table = {
        62: "IMU RLA magneticX",
        40: "IMU BACK accZ",
        56: "IMU RLA accX",
        55: "IMU RUA magneticZ",
        54: "IMU RUA magneticY",
        53: "IMU RUA magneticX",
        44: "IMU BACK magneticX",
        84: "IMU L-SHOE EuY",
        99: "IMU R-SHOE EuX",
        100: "IMU R-SHOE EuY",
    }
    assert {index: CHANNELS[index - 2].name for index in table} == table


def test_names_follow_one_rule():
    names = [channel.name for channel in CHANNELS]
    for pattern, number in {
        "* magneticX": 5,
        "IMU RLA *": 9,
        "ACC *": 36,
        "* BACK accX": 2,
        "* AngVelNavFrame?": 6,
        "* Eu?": 6,
        "* Compass": 2,
        "*Quaternion*": 0,
    }.items():
        assert sum(fnmatchcase(name, pattern) for name in names) == number, pattern
    assert names[15] == "ACC BACK accX"
    assert names[36] == "IMU BACK accX"
    assert names[112] == "IMU R-SHOE Compass"


def test_each_sensor_has_one_position_in_words():
    positions = {(channel.sensor, channel.position) for channel in CHANNELS}
    assert len(positions) == 19
    assert dict(positions) == {
        "ACC RKN^": "right knee, upper",
        "ACC HIP": "hip",
        "ACC LUA^": "left upper arm, upper",
        "ACC RUA_": "right upper arm, lower",
        "ACC LH": "left hand",
        "ACC BACK": "back",
        "ACC RKN_": "right knee, lower",
        "ACC RWR": "right wrist",
        "ACC RUA^": "right upper arm, upper",
        "ACC LUA_": "left upper arm, lower",
        "ACC LWR": "left wrist",
        "ACC RH": "right hand",
        "IMU BACK": "back",
        "IMU RUA": "right upper arm",
        "IMU RLA": "right lower arm",
        "IMU LUA": "left upper arm",
        "IMU LLA": "left lower arm",
        "IMU L-SHOE": "left shoe",
        "IMU R-SHOE": "right shoe",
    }


def test_limits_are_those_of_deepconvlstm():
    # In the order of the 113: the two vectors of its preprocessing code.
    jacket_high = ([3000] * 3 + [10000] * 3 + [1500] * 3) * 5
    shoe_high = [250, 25, 200] + [5000] * 6 + [10000] * 6 + [250]
    jacket_low = ([-3000] * 3 + [-10000] * 3 + [-1000] * 3) * 5
    shoe_low = [-250, -100, -200] + [-5000] * 6 + [-10000] * 6 + [-250]
    assert [c.limits[1] for c in CHANNELS] == [3000] * 36 + jacket_high + shoe_high * 2
    assert [c.limits[0] for c in CHANNELS] == [-3000] * 36 + jacket_low + shoe_low * 2


def test_modality_axis_and_unit():
    by_name = {channel.name: channel for channel in CHANNELS}
    found = {
        name: (by_name[name].modality, by_name[name].axis, by_name[name].unit)
        for name in (
            "ACC RH accY",
            "IMU RLA accZ",
            "IMU LLA gyroX",
            "IMU RUA magneticY",
            "IMU L-SHOE EuZ",
            "IMU L-SHOE Nav_Ax",
            "IMU R-SHOE AngVelBodyFrameZ",
            "IMU R-SHOE Compass",
        )
    }
    assert found == {
        "ACC RH accY": ("accelerometer", "y", "mg"),
        "IMU RLA accZ": ("accelerometer", "z", "mg"),
        "IMU LLA gyroX": ("gyroscope", "x", "unknown"),
        "IMU RUA magneticY": ("magnetometer", "y", "unknown"),
        "IMU L-SHOE EuZ": ("orientation", "z", "deg"),
        "IMU L-SHOE Nav_Ax": ("accelerometer", "x", "mg"),
        "IMU R-SHOE AngVelBodyFrameZ": ("gyroscope", "z", "mm/s"),
        "IMU R-SHOE Compass": ("orientation", "", "deg"),
    }


def test_columns_are_those_of_the_official_list():
    text = (opportunity_values() / "column_names.txt").read_text()
    pattern = r"^Column: (\d+) ([^;\n]+?)(?:; value = (.+?), unit = (.+?))?$"
    official = re.findall(pattern, text, re.MULTILINE)
    assert len(official) == 250
    for number, name, value, unit in official:
        column = COLUMNS[int(number) - 1]
        scaling = re.sub(r"^round\((.*)\)$", r"\1", value).replace("original_value", "x")
        assert (column.name, column.scaling, column.unit) == (name, scaling, unit)


def test_gestures_and_locomotion_are_those_of_the_official_legend():
    text = (opportunity_values() / "label_legend.txt").read_text()
    entries = re.findall(r"^(\d+)\s+-\s+(\w+)\s+-\s+(.+?)\s*$", text, re.MULTILINE)
    legend = {0: "Null"} | {int(c): name for c, track, name in entries if track == "ML_Both_Arms"}
    assert legend == GESTURES
    assert list(legend) == list(GESTURES)  # and in this order
    states = {0: "Null"} | {int(c): name for c, track, name in entries if track == "Locomotion"}
    assert states == LOCOMOTION


def test_files_add_up_to_the_published_totals():
    assert len(FILES) == 24
    assert sum(file.rows for file in FILES) == 869_387
    assert sum(file.size for file in FILES) == 885_433_599
    assert len({file.sha256 for file in FILES}) == 24
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in FILES)
    assert [file.session for file in FILES] == [
        f"S{subject}-{run}"
        for subject in range(1, 5)
        for run in ("ADL1", "ADL2", "ADL3", "ADL4", "ADL5", "Drill")
    ]


@pytest.mark.parametrize(
    ("names", "text"),
    [(["a"], "a"), (list("abcde"), "a, b, c, d, e"), (list("abcdefg"), "a, b, c, d, e and 2 more")],
)
def test_long_lists_of_files_are_cut(names, text):
    assert listed(names) == text
