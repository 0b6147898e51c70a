"""ActRecTut: arm gestures, and walking, under inertial sensors of two subjects.

The data of the tutorial of Bulling, Blanke and Schiele. Its two tasks were recorded on different
days with different sensors: 15 columns in the one, 24 in the other. A dataset has one list of
channels, so there are two of them: ``actrectut`` (gestures) and ``actrectut-walk``.

The files are MATLAB v5 files, of which :mod:`harbench_datasets.matlab_file` reads the arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harbench import (
    Archive,
    Channel,
    Citation,
    DataError,
    DataMissingError,
    Dataset,
    Member,
    Recording,
    Source,
    SourceFile,
    Task,
    hookimpl,
)
from harbench.nouns import BlockSplit, LeaveOneOutSplit
from harbench_datasets.matlab_file import MatlabFileError, read_arrays

COMMIT = "e122877362f388a9a2a8d1d4b50fb4148c0794f3"
HOME = "https://github.com/andreas-bulling/ActRecTut"

# In the order of the file's labels, as ``settings.m`` of the repository names them; 1 is NULL.
GESTURES = Task(
    "gesture",
    (
        "NULL",
        "open window",
        "drink",
        "water plant",
        "close window",
        "cut",
        "chop",
        "stir",
        "book",
        "forehand",
        "backhand",
        "smash",
    ),
    null=0,
)
WALK = Task(
    "walk",
    ("NULL", "sitting", "standing", "walk horizontal", "walk down", "walk up"),
    null=0,
)
GESTURE_PLACES = ("right hand", "right lower arm", "right upper arm")
WALK_PLACES = ("right hip", "right lower arm", "right ankle", "right upper leg")

# Folder -> bytes and sha256 of its data.mat.
FILES = {
    "subject1_gesture": (
        1570648,
        "667e27583751d0e606cff528461103664452925d221cfd1aed85986b4ab3517b",
    ),
    "subject2_gesture": (
        1750242,
        "2d57311ff382dfdb495b76388d91b98bafbc2e661328c294e82eaff41562c63f",
    ),
    "subject1_walk": (
        771857,
        "8fbedf2cbabcd84faf5cda0de30a4709d49ae59dda9c4e03da718e6853eb0cc8",
    ),
    "subject2_walk": (
        840105,
        "01e727f5855445df547a7abde29c96b3fb43a51ae623ee9878347973f2f68e29",
    ),
}


def _channels(places: Sequence[str], turns: str) -> tuple[Channel, ...]:
    """Sensor by sensor: acceleration, then turn rates; named as in ``settings.m``."""
    axes = [("acc", "accelerometer", axis, "mg") for axis in "xyz"]
    axes += [("gyr", "gyroscope", axis, "ADC counts") for axis in turns]
    return tuple(
        Channel(f"{kind}_{imu}_{axis}", f"IMU {imu}", place, modality, axis, unit, number)
        for number, (imu, place, (kind, modality, axis, unit)) in enumerate(
            ((imu, place, axis) for imu, place in enumerate(places, start=1) for axis in axes),
            start=1,
        )
    )


def _sources(name: str, task: str, folder: Path) -> Sequence[Source]:
    """The two files of a task, in ``folder`` or where the repository has them below it.

    Raises:
        DataMissingError: a file is missing.
    """
    subjects = [subject for subject in FILES if subject.endswith(f"_{task}")]
    found = []
    for subject in subjects:
        paths = [place / subject / "data.mat" for place in (folder, folder / "Data")]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            raise DataMissingError(
                f"{subject}/data.mat of ActRecTut is not in {folder}",
                fix=f"harbench datasets fetch {name}",
            )
        found.append(Source(subject, (SourceFile(path, FILES[subject][1]),)))
    return found


def _read(name: str, task: Task, n_channels: int, source: Source) -> Iterable[Recording]:
    """The one recording of a file.

    Raises:
        DataError: no MATLAB file, or one with other variables, shapes, types or values.
    """
    path = source.files[0].path
    fix = f"harbench datasets fetch {name}"
    variables = _variables(path, fix)

    def wrong(what: str, expected: str) -> DataError:
        return DataError(what, where=str(path), expected=expected, fix=fix)

    data, codes = (_array(variables, name, wrong) for name in ("data", "labels"))
    if data.ndim != 2 or data.shape[1] != n_channels or not len(data):
        raise wrong(f"'data' has shape {list(data.shape)}", f"[n, {n_channels}]")
    if codes.shape != (len(data), 1):
        raise wrong(f"'labels' has shape {list(codes.shape)}", f"[{len(data)}, 1]")
    with np.errstate(over="ignore", invalid="ignore"):
        signals = np.ascontiguousarray(data, dtype=np.float32)
    unfit = np.argwhere(~np.isfinite(signals))
    if len(unfit):
        row, column = unfit[0].tolist()
        raise wrong(
            f"'data' holds {data[row, column]:g} in row {row + 1}, column {column + 1}",
            "a finite number",
        )
    unknown = np.flatnonzero(~np.isin(codes, np.arange(1, len(task.classes) + 1)))
    if len(unknown):
        row = int(unknown[0])
        raise wrong(
            f"'labels' holds {codes[row, 0]:g} in row {row + 1}",
            f"a whole number from 1 to {len(task.classes)}",
        )
    labels = codes[:, 0].astype(np.int16) - np.int16(1)
    subject = source.name.split("_")[0]
    return [Recording(subject, subject, source.name, signals, {task.name: labels})]


def _variables(path: Path, fix: str) -> dict[str, NDArray[Any]]:
    try:
        return read_arrays(path.read_bytes())
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    except MatlabFileError as error:
        raise DataError(
            f"the file cannot be read as a MATLAB v5 file: {error}", where=str(path), fix=fix
        ) from None


def _array(
    variables: dict[str, NDArray[Any]], name: str, wrong: Callable[[str, str], DataError]
) -> NDArray[np.float64]:
    value = variables.get(name)
    if value is None:
        raise wrong(f"the file has no array '{name}'", "'data' and 'labels'")
    if value.dtype != np.float64:
        raise wrong(f"'{name}' is of type {value.dtype}", "float64, as MATLAB's numbers are")
    return value


def _dataset(
    name: str,
    title: str,
    task: Task,
    channels: tuple[Channel, ...],
    blocks: BlockSplit,
    notes: tuple[str, ...],
) -> Dataset:
    return Dataset(
        name=name,
        title=title,
        rate_hz=32.0,
        channels=channels,
        tasks=(task,),
        # Of two subjects one tests and one trains: there is none left to validate on.
        # Not called "loso": that word means one with a validation subject, in every benchmark.
        splits={
            "loso": LeaveOneOutSplit(validation=0),
            "within-subject": blocks,
        },
        citation=Citation(
            "Bulling, A., Blanke, U., Schiele, B. (2014). A tutorial on human activity "
            "recognition using body-worn inertial sensors. ACM Computing Surveys 46(3), 33.",
            doi="10.1145/2499621",
        ),
        licence="GPL-3.0 (of the repository; of the data nothing else is said)",
        url=HOME,
        sources=partial(_sources, name, task.name),
        read=partial(_read, name, task, len(channels)),
        archive=Archive(
            urls=(f"{HOME}/archive/{COMMIT}.zip",),
            members=tuple(
                Member(
                    f"ActRecTut-{COMMIT}/Data/{subject}/data.mat",
                    size,
                    sha256,
                    target=f"{subject}/data.mat",
                )
                for subject, (size, sha256) in FILES.items()
                if subject.endswith(f"_{task.name}")
            ),
        ),
        notes=(
            *notes,
            "Split 'loso' trains on one subject and tests on the other. None is left to validate "
            "on, so the weights of the last epoch are kept.",
            "The files state no units. At rest the acceleration has a norm of about 1000, so it "
            "is in mg and includes gravity. Turn rates are values of a converter of 10 bits (0 "
            "to 1023, about 410 at rest); their scale is not known.",
            "Licence: the repository is under GPL-3.0, and nothing is said of its data apart. "
            "harbench ships none of it.",
        ),
    )


ACTRECTUT = _dataset(
    "actrectut",
    "ActRecTut: eleven gestures of the right arm",
    GESTURES,
    _channels(GESTURE_PLACES, "xy"),
    # As many blocks as there are repetitions of each gesture.
    BlockSplit(ratio=(6.0, 2.0, 2.0), blocks=26, seed=0),
    (
        "2 subjects, 26 repetitions of 11 gestures; 133,258 samples at 32 Hz, 40 % of them NULL.",
        "Split 'within-subject' gives every class windows of both subjects in all three parts.",
    ),
)
ACTRECTUT_WALK = _dataset(
    "actrectut-walk",
    "ActRecTut: sitting, standing and walking, also on stairs",
    WALK,
    _channels(WALK_PLACES, "xyz"),
    # Stairs were walked in four short runs close together: only short blocks spread them.
    BlockSplit(ratio=(2.0, 1.0, 1.0), blocks=100, seed=48),
    (
        "2 subjects; 63,969 samples at 32 Hz. Walking up and down are 4 runs of 5 seconds each.",
        "The repository's settings name 20 columns, its files have 24: each sensor has a sixth "
        "column, which its scripts call the third turn rate. It stays within 8 counts, so it "
        "seems to have measured nothing.",
        "Split 'within-subject' gives every class windows of both subjects in all three parts; "
        "its seed was chosen for that.",
    ),
)


@hookimpl
def register_datasets(register: Callable[[Dataset], None]) -> None:
    """Offer ActRecTut's gestures and its walking."""
    register(ACTRECTUT)
    register(ACTRECTUT_WALK)
