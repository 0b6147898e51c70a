"""Checks of what a dataset says of itself, which need none of its files."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from harbench.data.stream import digest_of
from harbench.errors import DataError, DataMissingError
from harbench.nouns import FixedSplit, Source
from harbench.nouns.names import plain
from harbench.testing.checks import CautionError, CheckList, FailedError, said_of
from harbench.testing.dataset_subject import DatasetSubject
from harbench.testing.plugin_checks import check_citation, check_one_line, check_source

DATASET: CheckList[DatasetSubject] = CheckList()


@DATASET.check("metadata", "title, rate, licence of the data and citation are complete")
def metadata(subject: DatasetSubject) -> str:
    """What ``harbench datasets show`` prints."""
    dataset = subject.thing
    check_one_line("title", dataset.title)
    if not (math.isfinite(dataset.rate_hz) and dataset.rate_hz > 0):
        raise FailedError(
            f"rate_hz is {dataset.rate_hz}",
            expected="samples a second, above 0",
            fix="give the rate that the recordings have after reading",
        )
    if not dataset.licence.strip():
        raise FailedError(
            "the licence of the data is not stated",
            expected="a licence, or where it is said that there is none",
            fix="licence='not stated by its authors' is honest where that is so",
        )
    check_citation(dataset.citation)
    return f"{dataset.title}, {dataset.rate_hz:g} Hz, {dataset.licence}"


@DATASET.check(
    "channels", "channels have names and numbers of their own, and all say where they sit"
)
def channels(subject: DatasetSubject) -> str:
    """Tables, ablation and body maps group by sensor, position and modality."""
    found = subject.thing.channels
    if not found:
        raise FailedError("there is no channel", expected="at least one", fix="list the columns")
    _unique("channel", "name", (channel.name for channel in found))
    _unique("channel", "number", (channel.number for channel in found))
    for channel in found:
        if channel.number < 1:
            raise FailedError(
                f"channel '{channel.name}' has the number {channel.number}",
                expected="1-based numbers, as the dataset's documents count columns",
                fix="count from 1",
            )
        for what in ("name", "sensor", "position", "modality"):
            if not getattr(channel, what).strip():
                raise FailedError(
                    f"channel {channel.number} ('{channel.name}') has no {what}",
                    expected=f"a {what}",
                    fix="write 'unknown' where the documents do not say",
                )
        if channel.limits is not None and not channel.limits[0] < channel.limits[1]:
            raise FailedError(
                f"channel '{channel.name}' has the limits {channel.limits}",
                expected="(smallest, largest), or None",
                fix="give the limits in ascending order",
            )
    return f"{len(found)} channels of {len({channel.sensor for channel in found})} sensors"


@DATASET.check("tasks", "classes of a task have names of their own, and NULL is one of them")
def tasks(subject: DatasetSubject) -> str:
    """Class names are typed by people: case, spaces and punctuation do not tell two apart."""
    found = subject.thing.tasks
    if not found:
        raise FailedError("there is no task", expected="at least one", fix="add a Task")
    _unique("task", "name", (task.name for task in found))
    for task in found:
        if len(task.classes) < 2:
            raise FailedError(
                f"task '{task.name}' has {len(task.classes)} classes",
                expected="at least two",
                fix="list all classes, in the order of the label integers",
            )
        _unique(f"task '{task.name}': class", "name", map(plain, task.classes))
        if task.null is not None and not 0 <= task.null < len(task.classes):
            raise FailedError(
                f"task '{task.name}' has its NULL class at {task.null} of {len(task.classes)}",
                expected="the index of NULL in classes, or None",
                fix=f"null=0 where '{task.classes[0]}' is NULL, null=None where there is none",
            )
    return ", ".join(f"{task.name}: {len(task.classes)} classes" for task in found)


@DATASET.check("splits-named", "there is a split, and no fixed one names a recording in two parts")
def splits_named(subject: DatasetSubject) -> str:
    """The first is the one that a benchmark gets if it names none."""
    found = subject.thing.splits
    if not found:
        raise FailedError(
            "there is no split",
            expected="at least one named split",
            fix="splits={'loso': LeaveOneOutSplit()} where the dataset has none of its own",
        )
    for name, split in found.items():
        if isinstance(split, FixedSplit):
            parts = [*split.train, *split.validation, *split.test]
            _unique(f"split '{name}': recording", "pattern", parts)
    return ", ".join(found)


@DATASET.check("archive", "files that are downloaded have sizes, hashes and places of their own")
def archive(subject: DatasetSubject) -> str:
    """Every file of a download is verified before it is read."""
    found = subject.thing.archive
    if found is None:
        return "nothing is downloaded"
    for url in found.urls:
        if not url.startswith(("https://", "http://")):
            raise FailedError(
                f"the archive's address is '{url}'",
                expected="https://...",
                fix="give the address of the zip file",
            )
    if not found.urls or not found.members:
        what = "members" if found.urls else "address"
        raise FailedError(f"the archive has no {what}", expected=f"its {what}", fix="list them")
    _unique("archive: file", "place", (member.name for member in found.members))
    for member in found.members:
        if not re.fullmatch("[0-9a-f]{64}", member.sha256) or member.size < 1:
            raise FailedError(
                f"member {member.path} has the sha256 '{member.sha256[:16]}' and {member.size} "
                "bytes",
                expected="64 hexadecimal digits, and its size",
                fix=f"sha256sum {member.path.rsplit('/', 1)[-1]}",
            )
    return f"{len(found.members)} files, {sum(m.size for m in found.members):,} bytes"


@DATASET.check("source", "the reader's source can be read")
def source(subject: DatasetSubject) -> str:
    """So that a reader is told apart from another of the same version."""
    if subject.thing.reader_version < 1:
        raise FailedError(
            f"reader_version is {subject.thing.reader_version}",
            expected="1, raised by one when read returns other samples",
            fix="reader_version=1",
        )
    return check_source(subject.thing.read)


@DATASET.check("missing-data", "without its files it says which command gets them")
def missing_data(subject: DatasetSubject) -> str:
    """Asked of an empty folder. Data that comes with a package is there all the same."""
    empty = subject.folder / "empty"
    empty.mkdir(exist_ok=True)
    try:
        found = list(subject.thing.sources(empty))
    except DataMissingError as error:
        if not error.fix:
            raise FailedError(
                f"of an empty folder it says '{error.what}', and no command",
                expected="DataMissingError(..., fix='one command')",
                fix=f"fix='harbench datasets fetch {subject.thing.name}'",
            ) from error
        return error.fix
    except Exception as error:
        raise FailedError(
            f"sources of an empty folder raises {said_of(error)}",
            expected="harbench.DataMissingError, whose fix is the one command that gets the data",
            fix="look for the files before anything opens them",
        ) from error
    paths = [file.path for each in found for file in each.files]
    if not found or not all(path.is_file() for path in paths):
        raise FailedError(
            f"sources of an empty folder returns {len(found)} sources, and no DataMissingError",
            expected="harbench.DataMissingError, whose fix is the one command that gets the data",
            fix="raise it where a file is not there",
        )
    return "its files come with an installed package"


@DATASET.check("files", "its files are verified by sha256, and listed in the same order every time")
def files(subject: DatasetSubject) -> str:
    """Results are kept by the content of the files."""
    first, again = subject.sources(), subject.sources()
    _unique("source", "name", (each.name for each in first))
    if _listing(first) != _listing(again):
        raise FailedError(
            "sources lists the files in another order, or others, when it is called again",
            expected="a fixed order",
            fix="sort them by name",
        )
    if not first:
        raise FailedError("sources lists none", expected="the files", fix="raise DataMissingError")
    with subject.at_work():
        try:
            digest = digest_of(subject.thing, first)
        except DataError as error:
            raise FailedError(
                f"{Path(error.where or '').name}: {error.what}",
                expected=error.expected or "the file that the dataset names",
                fix=error.fix or "correct the sha256 in SourceFile, or get the right file",
            ) from error
    bare = [file.path.name for each in first for file in each.files if file.sha256 is None]
    if bare:
        raise CautionError(
            f"{len(bare)} of {sum(len(each.files) for each in first)} files have no sha256 "
            f"({', '.join(bare[:3])}{' ...' if len(bare) > 3 else ''})",
            expected="SourceFile(path, sha256), so that nobody reads another file by mistake",
            fix=f"sha256sum {bare[0]}; leave it out only for files that users record themselves",
        )
    where = " (simulated for this check)" if subject.generated else ""
    return f"{len(first)} sources, content {digest[:16]}...{where}"


def _listing(sources: Iterable[Source]) -> list[tuple[object, ...]]:
    return [(each.name, *each.files) for each in sources]


def _unique(what: str, attribute: str, values: Iterable[object]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise FailedError(
            f"{what} {attribute} {twice[0]!r} is there more than once",
            expected=f"a {attribute} for each",
            fix="rename or renumber one of them",
        )
