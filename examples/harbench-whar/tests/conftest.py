"""A tiny dataset in whar-datasets' common format, made here: nothing is downloaded."""

import csv

import numpy as np
import pytest


def write_common_format(folder, dataset, activities, sessions, channels):
    """``sessions``: (session_id, subject_id, activity_id, times in ms, values) each."""
    pa = pytest.importorskip("pyarrow", reason="whar-datasets keeps sessions as parquet")
    import pyarrow.parquet

    home = folder / dataset
    (home / "metadata").mkdir(parents=True)
    (home / "sessions").mkdir()
    with (home / "metadata" / "activity_df.csv").open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["", "activity_id", "activity_name"])
        table.writerows([index, index, name] for index, name in enumerate(activities))
    with (home / "metadata" / "session_df.csv").open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["", "session_id", "subject_id", "activity_id"])
        table.writerows([row, *session[:3]] for row, session in enumerate(sessions))
    times = np.concatenate([np.asarray(session[3], "datetime64[ms]") for session in sessions])
    values = np.concatenate([session[4] for session in sessions]).astype(np.float32)
    columns = {"timestamp": times}
    columns |= {name: values[:, column] for column, name in enumerate(channels)}
    columns["session_id"] = np.repeat(
        [session[0] for session in sessions], [len(session[3]) for session in sessions]
    )
    pyarrow.parquet.write_table(pa.table(columns), home / "sessions" / "sessions.parquet")
    return home


@pytest.fixture
def common_format():
    return write_common_format


@pytest.fixture
def wisdm(tmp_path):
    """Four sessions of two subjects at 20 Hz: regular, with a missing sample, with a pause."""
    channels = ["accel_x", "accel_y", "accel_z"]
    activities = ["Walking", "Jogging", "Upstairs", "Downstairs", "Sitting", "Standing"]
    regular = 50 * np.arange(40)
    pause = np.concatenate([50 * np.arange(10), 5000 + 50 * np.arange(5)])
    sessions = [
        (0, 0, 1, regular, np.arange(120).reshape(40, 3)),
        (1, 0, 4, np.delete(regular[:8], 3), np.ones((7, 3))),
        (2, 1, 0, pause, np.arange(45).reshape(15, 3)),
        (3, 1, 5, [0, 20, 50, 101], np.array([[1, 1, 1], [3, 5, 7], [4, 4, 4], [6, 6, 6]])),
    ]
    write_common_format(tmp_path, "wisdm", activities, sessions, channels)
    return tmp_path
