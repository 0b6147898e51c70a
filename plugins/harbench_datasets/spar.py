"""spar: shoulder exercises under a smartwatch, as they come with the package seglearn.

The file is a pickle. It is read once into memory, those bytes are hashed, and only bytes with the
one known sha256 are unpickled. seglearn itself is never imported: that would import scikit-learn.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from harbench import (
    Channel,
    Citation,
    DataError,
    DataMissingError,
    Dataset,
    Recording,
    Source,
    SourceFile,
    Task,
    hookimpl,
)
from harbench.nouns import FixedSplit, LeaveOneOutSplit, RandomWindowSplit

FILE = "watch_dataset.npy"
SHA256 = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"

# The file's code -> what the exercise is called, in the order of the file's integers.
EXERCISES = {
    "PEN": "pendulum",
    "ABD": "abduction",
    "FEL": "forward elevation",
    "IR": "internal rotation",
    "ER": "external rotation",
    "TRAP": "lower trapezius row",
    "ROW": "bent-over row",
}
SIDES = ("left", "right")


def _channels() -> tuple[Channel, ...]:
    kinds = (("a", "accelerometer", "g"), ("w", "gyroscope", "rad/s"))
    return tuple(
        Channel(f"{letter}{axis}", "smartwatch", "wrist", modality, axis, unit, number)
        for number, (letter, modality, unit, axis) in enumerate(
            ((*kind, axis) for kind in kinds for axis in "xyz"), start=1
        )
    )


def sources(folder: Path) -> Sequence[Source]:
    """The one file: in ``folder`` where it lies there, else in the installed seglearn.

    Raises:
        DataMissingError: seglearn is not installed, or comes without the file.
    """
    path = folder / FILE
    if not path.is_file():
        try:
            path = Path(str(distribution("seglearn").locate_file(f"seglearn/data/{FILE}")))
        except PackageNotFoundError:
            raise DataMissingError(
                "spar's recordings come with the package seglearn, which is not installed",
                fix="pip install seglearn",
            ) from None
    if not path.is_file():
        raise DataMissingError(
            f"the installed seglearn lacks spar's recordings ({path} is not there)",
            fix="pip install --force-reinstall --no-deps seglearn==1.2.5",
        )
    return [Source("watch", (SourceFile(path, SHA256),))]


def read(source: Source) -> Iterator[Recording]:
    """140 recordings, one for each subject, side and exercise, by subject, then side.

    Raises:
        DataError: the file's bytes are not the published ones; nothing is unpickled then.
    """
    file = source.files[0]
    content = file.path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DataError(
            f"this is not the file that seglearn 1.2.5 brings (sha256 {found}, {len(content):,} "
            "bytes); it is a pickle and is not opened",
            where=str(file.path),
            expected=f"sha256 {SHA256}, 18,118,091 bytes",
            fix="pip install --force-reinstall --no-deps seglearn==1.2.5",
        )
    # The bytes that were hashed, not the file again: it may have changed since.
    watch = np.load(io.BytesIO(content), allow_pickle=True).item()
    keys = zip(watch["subject"], watch["side"], watch["y"], strict=True)
    order = sorted((int(s), int(side), int(y), row) for row, (s, side, y) in enumerate(keys))
    for subject, side, exercise, row in order:
        signals = np.asarray(watch["X"][row], dtype=np.float32)
        who, where = f"s{subject:02d}", SIDES[side]
        yield Recording(
            name=f"{who}-{where}-{watch['y_labels'][exercise].lower()}",
            subject=who,
            session=f"{who}-{where}",
            signals=signals,
            labels={"exercise": np.full(len(signals), exercise, dtype=np.int16)},
        )


SPAR = Dataset(
    name="spar",
    title="Shoulder physiotherapy activity recognition, the part that seglearn brings",
    rate_hz=50.0,
    channels=_channels(),
    tasks=(Task("exercise", tuple(EXERCISES.values())),),
    splits={
        "subjects": FixedSplit(
            train=tuple(f"s{subject:02d}-*" for subject in range(1, 7)),
            validation=("s07-*", "s08-*"),
            test=("s09-*", "s10-*"),
        ),
        "loso": LeaveOneOutSplit(),
        "random-windows": RandomWindowSplit(),
    },
    citation=Citation(
        "Burns, D. M., Leung, N., Hardisty, M., Whyne, C. M., Henry, P., McLachlin, S. (2018). "
        "Shoulder physiotherapy exercise recognition: machine learning the inertial signals from "
        "a smartwatch. arXiv 1802.01489.",
        url="https://arxiv.org/abs/1802.01489",
    ),
    licence="BSD-3-Clause (seglearn)",
    url="https://github.com/dmbee/seglearn",
    sources=sources,
    read=read,
    notes=(
        "10 healthy subjects, 7 exercises of about 20 repetitions on each side: 140 recordings, "
        "244,102 samples, no NULL class.",
        "The watch is on the wrist of the active arm: the side is in the recording's name.",
        "The file states no units. At rest the acceleration has a norm of 1.007 (median), so it "
        "is in g and includes gravity; turn rates agree in size with the turning of gravity in "
        "rad/s (in degrees they would be 57 times as large).",
        "Split 'subjects' takes the subjects in plain order: 1-6 train, 7-8 validation, 9-10 test.",
        "Split 'random-windows' is leaky where windows overlap; it is there to be measured.",
    ),
)


@hookimpl
def register_datasets(register: Callable[[Dataset], None]) -> None:
    """Offer spar."""
    register(SPAR)
