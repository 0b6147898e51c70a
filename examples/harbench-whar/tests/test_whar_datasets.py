"""Datasets: the list beside whar-datasets' own, and sessions read with known answers."""

import json
import subprocess
import sys

import numpy as np
import pytest

import harbench
from harbench_whar import datasets
from harbench_whar.__main__ import main, parsers_names, prepare


def registered():
    found = []
    datasets.register_datasets(found.append)
    return {dataset.name: dataset for dataset in found}


def recordings(dataset, folder):
    return [recording for source in dataset.sources(folder) for recording in dataset.read(source)]


def test_37_datasets_have_names_channels_classes_and_citations():
    found = registered()
    assert len(found) == 37
    for dataset in found.values():
        names = [channel.name for channel in dataset.channels]
        assert len(set(names)) == len(names) > 0
        assert len(set(dataset.tasks[0].classes)) == len(dataset.tasks[0].classes) >= 3
        assert dataset.citation.url.startswith("http")
        assert "Burzer" in dataset.citation.text
        assert dataset.rate_hz >= 20
    assert list(found["whar-skoda"].splits) == ["blocks"]  # one subject
    assert list(found["whar-uci-har"].splits) == ["loso", "groups", "blocks"]
    assert found["whar-pamap2"].tasks[0].null == 0
    assert found["whar-uci-har"].tasks[0].null is None


@pytest.mark.parametrize(
    ("name", "sensor", "axis", "modality"),
    [
        ("hand_acc_2_x", "hand_acc_2", "x", "accelerometer"),
        ("IMU_RSHOE_angvel_nav_z", "IMU_RSHOE_angvel_nav", "z", "unknown"),
        ("T_xgyro", "T_xgyro", "", "gyroscope"),
        ("GyroZ", "Gyro", "z", "gyroscope"),
        ("rotationRate.y", "rotationRate", "y", "unknown"),
        ("acc_1_y", "acc_1", "y", "accelerometer"),
        ("heart_rate", "heart_rate", "", "unknown"),
        ("lankle_mag_z", "lankle_mag", "z", "magnetometer"),
    ],
)
def test_a_channels_name_says_what_is_known_of_it(name, sensor, axis, modality):
    found = datasets.channel(name, 3)
    assert (found.sensor, found.axis, found.modality) == (sensor, axis, modality)
    assert (found.position, found.unit, found.number) == ("unknown", "unknown", 3)


def test_sessions_become_recordings(wisdm):
    found = recordings(registered()["whar-wisdm"], wisdm)
    assert [r.name for r in found] == [
        "s01-00000", "s01-00001", "s02-00002.0", "s02-00002.1", "s02-00003",
    ]  # fmt: skip
    assert [r.subject for r in found] == ["s01", "s01", "s02", "s02", "s02"]
    assert [len(r.signals) for r in found] == [40, 8, 10, 5, 3]
    assert [int(r.labels["activity"][0]) for r in found] == [1, 4, 0, 0, 5]
    first, gap, *_, last = found
    assert np.array_equal(first.signals, np.arange(120, dtype=np.float32).reshape(40, 3))
    assert first.signals.dtype == np.float32 and first.labels["activity"].dtype == np.int16
    # The sample at 150 ms is not there: nothing is made up for it.
    assert np.isnan(gap.signals[3]).all() and not np.isnan(np.delete(gap.signals, 3, 0)).any()
    # 0 and 20 ms fall on one point of the 50 ms grid, 101 ms on the point at 100 ms.
    assert np.array_equal(last.signals, [[2, 3, 4], [4, 4, 4], [6, 6, 6]])


def test_the_datasets_own_folder_is_taken_too(wisdm):
    dataset = registered()["whar-wisdm"]
    assert len(recordings(dataset, wisdm / "wisdm")) == len(recordings(dataset, wisdm)) == 5


def test_a_folder_without_sessions_says_which_command_makes_them(tmp_path):
    with pytest.raises(harbench.DataMissingError) as caught:
        registered()["whar-hapt"].sources(tmp_path)
    assert caught.value.fix == f"python -m harbench_whar prepare hapt {tmp_path}"


def test_an_unknown_activity_is_named(wisdm):
    file = wisdm / "wisdm" / "metadata" / "activity_df.csv"
    file.write_text(file.read_text().replace("Jogging", "Hopping"))
    with pytest.raises(harbench.DataError, match="session 0 has the activity 'Hopping'"):
        recordings(registered()["whar-wisdm"], wisdm)


def test_the_spelling_of_an_activity_makes_no_difference(wisdm):
    file = wisdm / "wisdm" / "metadata" / "activity_df.csv"
    file.write_text(file.read_text().replace("Jogging", "JOGGING "))
    assert len(recordings(registered()["whar-wisdm"], wisdm)) == 5


def test_a_broken_number_is_named_with_its_line(wisdm):
    file = wisdm / "wisdm" / "metadata" / "session_df.csv"
    file.write_text(file.read_text().replace("2,2,1,0", "2,2,?,0"))
    with pytest.raises(harbench.DataError, match=r"subject_id is '\?'") as caught:
        recordings(registered()["whar-wisdm"], wisdm)
    assert caught.value.where == f"{file}:4"


def test_a_missing_column_is_named(common_format, tmp_path):
    sessions = [(0, 0, 0, 20 * np.arange(4), np.zeros((4, 2)))]
    common_format(tmp_path, "uci_har", ["Walking"], sessions, ["total_acc_x", "total_acc_y"])
    with pytest.raises(harbench.DataError, match="there is no column total_acc_z, body_acc_x"):
        recordings(registered()["whar-uci-har"], tmp_path)


def test_the_list_is_what_whar_datasets_says():
    getter = pytest.importorskip(
        "whar_datasets.config.getter", reason="whar-datasets is not installed"
    )
    listed = {row["id"]: row for row in datasets.listed()}
    assert set(listed) == {dataset.value for dataset in getter.WHARDatasetID}
    for dataset, config in getter.har_dataset_dict.items():
        row = listed[dataset.value]
        assert row["channels"] == list(config.available_channels)
        assert row["activities"] == list(config.available_activities)
        assert (row["rate_hz"], row["subjects"]) == (config.sampling_freq, config.num_of_subjects)
        assert config.dataset_id == dataset.value


def test_registering_imports_no_torch_pandas_or_pyarrow():
    code = (
        "import sys, harbench_whar.datasets as d, harbench_whar.models as m\n"
        "d.register_datasets(lambda thing: None); m.register_models(lambda thing: None)\n"
        "heavy = {'torch', 'pandas', 'pyarrow', 'sklearn', 'whar_models', 'whar_datasets'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert json.loads(run.stdout.replace("'", '"')) == []


def test_prepare_without_whar_datasets_says_how_to_install_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("harbench_whar.__main__.find_spec", lambda name: None)
    assert main(["prepare", "hapt", str(tmp_path)]) == 2
    assert "git+https://github.com/teco-kit/whar-datasets.git" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_versions_names_the_commits(capsys):
    assert main(["versions"]) == 0
    out = capsys.readouterr().out
    assert "c64f359" in out and "06c181c" in out


def test_names_of_the_parser_are_kept_and_spelt_as_configured():
    configured = ["Walking", "Lie To Sit", "Standing"]
    said = {0: "STANDING", 1: "WALKING", 2: "LIE_TO_SIT"}
    assert parsers_names(said, configured) == {0: "Standing", 1: "Walking", 2: "Lie To Sit"}
    assert parsers_names({0: "A", 1: "B"}, configured) is None


def test_prepare_gives_hapts_activities_their_own_names(tmp_path):
    """Tiny files in HAPT's own format; the first activity that comes is STANDING, number 5."""
    pytest.importorskip("whar_datasets", reason="whar-datasets is not installed")
    raw = tmp_path / "hapt" / "data" / "RawData"
    raw.mkdir(parents=True)
    order = [5, 7, 4, 8, 11, 6, 10, 9, 12, 1, 3, 2]
    signal = np.repeat(np.array(order, float), 10)[:, None] * np.ones((1, 3))
    for kind in ("acc", "gyro"):
        np.savetxt(raw / f"{kind}_exp01_user01.txt", signal)
    lines = [f"1 1 {a} {10 * i + 1} {10 * i + 10}" for i, a in enumerate(order)]
    (raw / "labels.txt").write_text("\n".join(lines) + "\n")
    assert prepare("hapt", tmp_path, download=False) == tmp_path / "hapt"
    dataset = registered()["whar-hapt"]
    official = [
        "Walking", "Walking Upstairs", "Walking Downstairs", "Sitting", "Standing", "Laying",
        "Stand To Sit", "Sit To Stand", "Sit To Lie", "Lie To Sit", "Stand To Lie", "Lie To Stand",
    ]  # fmt: skip
    found = recordings(dataset, tmp_path)
    assert len(found) == 12 and all(len(recording.signals) == 10 for recording in found)
    for recording in found:
        # The value of every sample is its activity's official number.
        name = official[int(recording.signals[0, 0]) - 1]
        assert dataset.tasks[0].classes[recording.labels["activity"][0]] == name
