"""OPPORTUNITY: gestures in a kitchen, with sensors all over the body; and its simulation.

Two datasets with the same channels, tasks and splits. ``opportunity`` reads the 24 official
files and no others. ``opportunity-sim`` reads what the simulator wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harbench import (
    Archive,
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
from harbench.nouns import BlockSplit, FixedSplit, LeaveOneOutSplit, RandomWindowSplit
from harbench_datasets.opportunity_columns import CHANNELS, GESTURES, LOCOMOTION
from harbench_datasets.opportunity_files import (
    ARCHIVE_FOLDER,
    FILES,
    MANIFEST,
    MARKER,
    best_place,
    listed,
    missing_in,
)
from harbench_datasets.opportunity_reader import READER_VERSION, read_recording

FETCH = "harbench datasets fetch opportunity"
SIMULATE = "harbench datasets simulate opportunity"


def sources(folder: Path) -> Sequence[Source]:
    """The 24 official files, in the folder or where the archive has them below it.

    Raises:
        DataMissingError: files are missing; it says how many and which.
        DataError: the files are simulated ones.
    """
    place = best_place(folder)
    if any((place / name).exists() for name in (MANIFEST, MARKER)):
        raise DataError(
            "these files are simulated, and 'opportunity' is the real recordings",
            where=str(place),
            expected="the official files; simulated ones are dataset 'opportunity-sim'",
            fix=FETCH,
        )
    _refuse_missing(place, "OPPORTUNITY", FETCH)
    return [Source(file.session, (SourceFile(place / file.name, file.sha256),)) for file in FILES]


def sources_simulated(folder: Path) -> Sequence[Source]:
    """The 24 simulated files that the folder's manifest lists.

    Raises:
        DataMissingError: there is no manifest, or files are missing.
        DataError: the manifest cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataMissingError(
            f"no simulated OPPORTUNITY is in {folder} (it has no {MANIFEST})", fix=SIMULATE
        )
    try:
        hashes = {
            name: str(file["sha256"])
            for name, file in json.loads(path.read_bytes())["files"].items()
        }
        found = [Source(f.session, (SourceFile(folder / f.name, hashes[f.name]),)) for f in FILES]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"the manifest of the simulation cannot be read ({type(error).__name__}: {error})",
            where=str(path),
            fix=SIMULATE,
        ) from None
    _refuse_missing(folder, "the simulated OPPORTUNITY", SIMULATE)
    return found


def _refuse_missing(place: Path, what: str, fix: str) -> None:
    if missing := missing_in(place):
        raise DataMissingError(
            f"{len(missing)} of the {len(FILES)} files of {what} are not in {place}: "
            f"{listed(missing)}",
            fix=fix,
        )


def read(source: Source) -> Iterable[Recording]:
    """The recording of one official file.

    Raises:
        DataError: naming file, line and column.
    """
    return [read_recording(source, fix=FETCH)]


def read_simulated(source: Source) -> Iterable[Recording]:
    """The recording of one simulated file.

    Raises:
        DataError: naming file, line and column.
    """
    return [read_recording(source, fix=SIMULATE)]


def simulate(folder: Path, scale: float, seed: int) -> None:
    """Write a simulated OPPORTUNITY: see :mod:`harbench_datasets.opportunity_simulator`."""
    from harbench_datasets.opportunity_simulator import simulate

    simulate(folder, scale, seed)


_TEST = ("S2-ADL4", "S2-ADL5", "S3-ADL4", "S3-ADL5")
_ADL3 = ("S2-ADL3", "S3-ADL3")
_TRAIN = ("S1-*", "S2-ADL1", "S2-ADL2", "S2-Drill", "S3-ADL1", "S3-ADL2", "S3-Drill")

OPPORTUNITY = Dataset(
    name="opportunity",
    title="OPPORTUNITY Activity Recognition Dataset, 113 on-body channels",
    rate_hz=30.0,
    channels=CHANNELS,
    tasks=(
        Task("gestures", tuple(GESTURES.values()), null=0),
        Task("locomotion", tuple(LOCOMOTION.values()), null=0),
    ),
    splits={
        "paper": FixedSplit(train=_TRAIN, validation=_ADL3, test=_TEST),
        "challenge": FixedSplit(train=(*_TRAIN, *_ADL3), test=_TEST),
        "full-8-1-1": RandomWindowSplit(),
        "full-8-1-1-blocks": BlockSplit(),
        "loso": LeaveOneOutSplit(),
    },
    citation=Citation(
        "Chavarriaga, R., Sagha, H., Calatroni, A., Digumarti, S. T., Tröster, G., "
        "Millán, J. d. R., Roggen, D. (2013). The Opportunity challenge: A benchmark database "
        "for on-body sensor-based activity recognition. Pattern Recognition Letters 34(15), "
        "2033-2042.",
        doi="10.1016/j.patrec.2012.12.014",
        url="https://archive.ics.uci.edu/dataset/226/opportunity+activity+recognition",
    ),
    licence="CC BY 4.0 (as UCI lists it)",
    url="https://archive.ics.uci.edu/dataset/226/opportunity+activity+recognition",
    sources=sources,
    read=read,
    reader_version=READER_VERSION,
    archive=Archive(
        urls=(
            "https://archive.ics.uci.edu/static/public/226/opportunity+activity+recognition.zip",
            "https://archive.ics.uci.edu/ml/machine-learning-databases/00226/"
            "OpportunityUCIDataset.zip",
        ),
        members=tuple(
            Member(f"{ARCHIVE_FOLDER}/{file.name}", file.size, file.sha256) for file in FILES
        ),
    ),
    simulate=simulate,
    notes=(
        "4 subjects, 6 runs each: ADL1-ADL5 (daily activities, free) and Drill (20 repetitions "
        "of a fixed sequence of gestures); 869,387 samples at 30 Hz, 885 MB of text.",
        "The 113 channels are those of the OPPORTUNITY challenge: 12 wireless accelerometers, 5 "
        "IMUs in a jacket, 2 IMUs on the shoes; quaternions, objects and furniture are left out.",
        "The wireless accelerometers lose data, and at the end of a run all sensors can be "
        "missing; such values are NaN until the protocol fills them.",
        "Splits 'paper' and 'challenge' leave subject 4 out; 'challenge' trains on ADL3 of "
        "subjects 2 and 3 too, which 'paper' validates on.",
        "Split 'full-8-1-1' is leaky where windows overlap, as published; 'full-8-1-1-blocks' "
        "has the same ratio without shared samples.",
        "Channel limits (normalise: fixed) are those in the code of DeepConvLSTM.",
        "The unit mm/s of the shoes' angular velocities is what the dataset's documents say.",
        "Also to be cited: Roggen, D. et al. (2010). Collecting complex activity datasets in "
        "highly rich networked sensor environments. INSS 2010, doi:10.1109/INSS.2010.5573462; "
        "the data: UCI Machine Learning Repository, doi:10.24432/C5M027.",
    ),
)

SIMULATED = replace(
    OPPORTUNITY,
    name="opportunity-sim",
    title="Simulated OPPORTUNITY: the format and sizes of the real one, with known answers",
    licence="made by harbench on this machine; no rights of others",
    url="",
    sources=sources_simulated,
    read=read_simulated,
    archive=None,
    simulates="opportunity",
    notes=(
        "No person was recorded: scores on these files say nothing about any method.",
        "Each gesture is carried by five channels of the right arm and the back, each locomotion "
        f"state by four of the shoes; {MANIFEST} lists them. No other channel depends on a label.",
        "At a small scale a file still has 2,400 samples or more: every gesture once, and about "
        "three quarters NULL.",
    ),
)


@hookimpl
def register_datasets(register: Callable[[Dataset], None]) -> None:
    """Offer OPPORTUNITY and its simulation."""
    register(OPPORTUNITY)
    register(SIMULATED)
