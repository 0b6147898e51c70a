"""HAPT: basic activities and postural transitions under a smartphone on the waist (UCI 341)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harbench import (
    Archive,
    Channel,
    Citation,
    DataMissingError,
    Dataset,
    Member,
    Source,
    SourceFile,
    Task,
    hookimpl,
)
from harbench.nouns import FixedSplit, LeaveOneOutSplit
from harbench_datasets.hapt_files import EXPERIMENTS, FILES, FOLDER, LABELS, best_place, missing_in
from harbench_datasets.hapt_reader import ACTIVITIES, FETCH, N_BASIC, NULL, read

# As in the dataset's Train/subject_id_train.txt and Test/subject_id_test.txt.
TRAIN = (1, 3, 5, 6, 7, 8, 11, 14, 15, 16, 17, 19, 21, 22, 23, 25, 26, 27, 28, 29, 30)
TEST = (2, 4, 9, 10, 12, 13, 18, 20, 24)


def _recordings_of(users: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"*-user{user:02d}" for user in users)


def _channels() -> tuple[Channel, ...]:
    kinds = (("acc", "accelerometer", "g"), ("gyro", "gyroscope", "rad/s"))
    return tuple(
        Channel(f"{short} {axis}", "smartphone", "waist", modality, axis, unit, number)
        for number, (short, modality, unit, axis) in enumerate(
            ((*kind, axis) for kind in kinds for axis in "xyz"), start=1
        )
    )


def sources(folder: Path) -> Sequence[Source]:
    """A source for each experiment: both signal files, and the file of all labels.

    Raises:
        DataMissingError: files are missing; it says how many and which.
    """
    place = best_place(folder)
    if missing := missing_in(place):
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise DataMissingError(
            f"{len(missing)} of the {len(FILES)} files of HAPT are not in {place}: "
            f"{', '.join(missing[:3])}{more}",
            fix=FETCH,
        )
    return [
        Source(
            experiment.name,
            tuple(
                SourceFile(place / file.name, file.sha256)
                for file in (experiment.acc, experiment.gyro, LABELS)
            ),
        )
        for experiment in EXPERIMENTS
    ]


HAPT = Dataset(
    name="hapt",
    title="HAPT: smartphone-based recognition of human activities and postural transitions",
    rate_hz=50.0,
    channels=_channels(),
    tasks=(
        Task("basic6", ACTIVITIES[:N_BASIC]),
        Task("all12", ACTIVITIES),
        Task("all12-null", (NULL, *ACTIVITIES), null=0),
    ),
    splits={
        "official": FixedSplit(train=_recordings_of(TRAIN), test=_recordings_of(TEST)),
        "official-val": FixedSplit(
            train=_recordings_of(TRAIN[:-3]),
            validation=_recordings_of(TRAIN[-3:]),
            test=_recordings_of(TEST),
        ),
        "loso": LeaveOneOutSplit(),
    },
    citation=Citation(
        "Reyes-Ortiz, J.-L., Oneto, L., Samà, A., Parra, X., Anguita, D. (2016). "
        "Transition-aware human activity recognition using smartphones. Neurocomputing 171, "
        "754-767.",
        doi="10.1016/j.neucom.2015.07.085",
    ),
    licence="as UCI lists it (said elsewhere to be CC BY 4.0, not checked); cite the paper",
    url="https://archive.ics.uci.edu/dataset/341/"
    "smartphone+based+recognition+of+human+activities+and+postural+transitions",
    sources=sources,
    read=read,
    archive=Archive(
        urls=(
            "https://archive.ics.uci.edu/static/public/341/"
            "smartphone+based+recognition+of+human+activities+and+postural+transitions.zip",
            "https://archive.ics.uci.edu/ml/machine-learning-databases/00341/HAPT%20Data%20Set.zip",
        ),
        members=tuple(
            Member(f"{FOLDER}/{file.name}", file.size, file.sha256, target=f"{FOLDER}/{file.name}")
            for file in FILES
        ),
    ),
    notes=(
        "30 subjects, 61 experiments of about 6 minutes; 1,122,772 samples at 50 Hz, of which "
        "815,614 are labelled.",
        "Task 'basic6' labels the six basic activities only; 'all12' the six transitions too; "
        "'all12-null' makes a class of what has no label.",
        "The ready-made windows of the dataset are 'window: 128, step: 64, within: segment' of "
        "'all12': 7,767 for training and 3,162 for testing in split 'official'.",
        "The labels' start and end are read as counted from 0, both included: only so do the "
        "windows come out as the official ones.",
        "Split 'official' (21 and 9 subjects) has no validation part: the last epoch's weights "
        "are kept. 'official-val' validates on subjects 28, 29 and 30 of its training part.",
        "How UCI's zip is laid out inside was not looked at: files are found by the end of their "
        "path (RawData/acc_exp01_user01.txt) and checked by sha256.",
    ),
)


@hookimpl
def register_datasets(register: Callable[[Dataset], None]) -> None:
    """Offer HAPT."""
    register(HAPT)
