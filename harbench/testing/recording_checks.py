"""Checks of a dataset's recordings and splits, which read its files."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harbench.data.splits import Parts, parts_of
from harbench.data.stream import RecordingSpan
from harbench.data.windows import cut, label
from harbench.errors import ConfigError
from harbench.nouns import FixedSplit, GroupSplit, LeaveOneOutSplit, RandomWindowSplit, Split, Task
from harbench.testing.checks import CautionError, CheckList, FailedError, NotCheckedError, said_of
from harbench.testing.dataset_subject import DatasetSubject, Facts

RECORDINGS: CheckList[DatasetSubject] = CheckList()

_BY_SUBJECT = re.compile(r"subject|user|person|participant|loso|volunteer", re.IGNORECASE)
_PARTS = ("train", "validation", "test")


@RECORDINGS.check("reads", "all its files can be read")
def reads(subject: DatasetSubject) -> str:
    """Each source, in an empty home and working folder."""
    error = subject.error
    if error is not None:
        raise FailedError(
            f"reading raises {said_of(error)}",
            expected="recordings",
            fix="harbench datasets show says where the files are looked for",
        ) from error
    found = subject.recordings()
    if not found:
        raise FailedError("it has no recording", expected="at least one", fix="yield recordings")
    samples = sum(facts.n_samples for facts in found)
    subjects = len({facts.subject for facts in found})
    return f"{len(found)} recordings of {subjects} subjects, {samples:,} samples"


@RECORDINGS.check("signals", "signals are float32 [samples, channels], finite or NaN")
def signals(subject: DatasetSubject) -> None:
    """NaN says that a value is missing; infinity says nothing."""
    width = len(subject.thing.channels)
    for facts in subject.recordings():
        if facts.dtype != "float32" or facts.shape[1:] != (width,) or not facts.n_samples:
            raise FailedError(
                f"signals of '{facts.name}' are {facts.dtype} {list(facts.shape)}",
                expected=f"float32 [samples, {width}], a column for each channel",
                fix="signals.astype(np.float32), and the columns in the order of channels",
            )
        if facts.infinite:
            raise FailedError(
                f"signals of '{facts.name}' hold {facts.infinite} infinite values",
                expected="finite values, and NaN where one is missing",
                fix="signals[~np.isfinite(signals)] = np.nan",
            )


@RECORDINGS.check("labels", "labels are int16, one a sample, -1 or the index of a class")
def labels(subject: DatasetSubject) -> str:
    """Of every task; a class that never occurs is told."""
    never = []
    for task in subject.thing.tasks:
        seen = np.zeros(len(task.classes), bool)
        for facts in subject.recordings():
            values = facts.labels.get(task.name)
            if values is None or values.dtype != np.int16 or values.shape != (facts.n_samples,):
                got = "missing" if values is None else f"{values.dtype} {list(values.shape)}"
                raise FailedError(
                    f"labels of '{facts.name}' for task '{task.name}' are {got}",
                    expected=f"int16 [{facts.n_samples}]",
                    fix="give each task one label a sample: labels.astype(np.int16)",
                )
            low, high = (int(values.min()), int(values.max())) if len(values) else (-1, -1)
            if low < -1 or high >= len(task.classes):
                raise FailedError(
                    f"labels of '{facts.name}' for task '{task.name}' reach from {low} to {high}",
                    expected=f"-1 (not labelled) to {len(task.classes) - 1}",
                    fix="map the file's codes to the indices of classes; what is none is -1",
                )
            seen[values[values >= 0]] = True
        never += [f"{task.name}/{task.classes[i]}" for i in np.flatnonzero(~seen)]
    if never:
        raise CautionError(
            f"no sample is labelled {', '.join(never[:5])}{' ...' if len(never) > 5 else ''}",
            expected="every class somewhere",
            fix="look whether the codes are mapped right, or leave the class out",
        )
    return "every class occurs"


@RECORDINGS.check("names", "recordings have names of their own, and each a subject and a session")
def names(subject: DatasetSubject) -> str:
    """Splits and stored predictions go by these names."""
    found = subject.recordings()
    for facts in found:
        for what in ("name", "subject", "session"):
            value = getattr(facts, what)
            if not isinstance(value, str) or not value.strip():
                raise FailedError(
                    f"the {what} of recording '{facts.name}' is {value!r}",
                    expected="a text",
                    fix=f"{what}=str(...)",
                )
    for name, count in Counter(facts.name for facts in found).items():
        if count > 1:
            raise FailedError(
                f"{count} recordings are called '{name}'",
                expected="a name for each",
                fix="put the session, or a number, into the name",
            )
    spellings = defaultdict(set)
    for facts in found:
        spellings[facts.subject.strip().casefold()].add(facts.subject)
    for ways in spellings.values():
        if len(ways) > 1:
            raise FailedError(
                f"subjects are written {', '.join(sorted(map(repr, ways)))}",
                expected="one spelling for each person: each spelling is a subject to LOSO",
                fix="subject.strip().lower(), or a table of who is who",
            )
    return ", ".join(sorted({facts.subject for facts in found})[:12])


@RECORDINGS.check("reads-the-same", "read again, recordings have the same names and the same bits")
def reads_the_same(subject: DatasetSubject) -> str:
    """Of a large dataset, three of its files."""
    try:
        pairs = subject.again()
    except ValueError:
        raise FailedError(
            "read again, it has another number of recordings",
            expected="the same recordings",
            fix="yield them in the order of the file",
        ) from None
    for first, second in pairs:
        if (first.name, first.subject, first.session) != (
            second.name,
            second.subject,
            second.session,
        ):
            raise FailedError(
                f"read again, recording '{first.name}' of {first.subject} is called "
                f"'{second.name}' of {second.subject}",
                expected="names that come from the data alone",
                fix="take no counter, clock or random number into a name",
            )
        if first.digest != second.digest:
            raise FailedError(
                f"read again, recording '{first.name}' has other samples or labels",
                expected="equal bits",
                fix="draw nothing while reading, and let no reading change what the next one sees",
            )
    return f"{len(pairs)} of {len(subject.recordings())} recordings"


@RECORDINGS.check(
    "writes-nothing", "reading writes nothing: not home, not here, not among the data"
)
def writes_nothing(subject: DatasetSubject) -> None:
    """The core caches what is read; a reader has nothing to keep."""
    subject.recordings()
    if subject.written:
        path = subject.written[0]
        more = f" (and {len(subject.written) - 1} more)" if len(subject.written) > 1 else ""
        raise FailedError(
            f"reading writes {_where(path, subject)}{more}",
            expected="files that are only read",
            fix="keep it in memory; what is read is cached by harbench",
        )


def _where(path: Path, subject: DatasetSubject) -> str:
    for folder, said in (
        (subject.folder / "home", "the home folder"),
        (subject.folder / "work", "the working folder"),
        (subject.data_folder, "the folder of the data"),
    ):
        if path.is_relative_to(folder):
            return f"'{path.relative_to(folder)}' in {said}"
    return str(path)


@RECORDINGS.check("splits", "every split finds its recordings, and its parts share no sample")
def splits(subject: DatasetSubject) -> str:
    """A random split of windows shares samples by design, and is told."""
    leaky = []
    spans = subject.spans()
    for name, split in subject.thing.splits.items():
        for parts in _parts(name, split, spans):
            if parts.draw is not None:
                leaky.append(name)
                continue
            for one, other in combinations(_PARTS, 2):
                for start, stop in getattr(parts, one):
                    for begin, end in getattr(parts, other):
                        if start < end and begin < stop:
                            raise FailedError(
                                f"in split '{name}', {one} and {other} share samples",
                                expected="parts that share nothing",
                                fix="name each recording in one part",
                            )
    return (
        f"leaky by design: {', '.join(leaky)}" if leaky else f"{len(subject.thing.splits)} splits"
    )


def _parts(name: str, split: Split, spans: list[RecordingSpan]) -> list[Parts]:
    try:
        return parts_of(split, spans)
    except ConfigError as error:
        raise FailedError(
            f"split '{name}': {error.what}",
            expected=error.expected or "a split that fits the recordings",
            fix="correct the names or patterns of the split",
        ) from error


def _fitting(name: str, split: Split, spans: list[RecordingSpan]) -> list[Parts]:
    try:
        return parts_of(split, spans)
    except ConfigError as error:
        raise NotCheckedError("a split does not fit the recordings; see splits") from error


@RECORDINGS.check(
    "split-subjects", "where a split is said to be by subject, nobody is in two of its parts"
)
def split_subjects(subject: DatasetSubject) -> str:
    """Said by its kind, or by its name. Of the others it is told who is in several parts."""
    spans = subject.spans()
    shared: dict[str, list[str]] = {}
    for name, split in subject.thing.splits.items():
        if isinstance(split, RandomWindowSplit):
            continue
        by = isinstance(split, LeaveOneOutSplit | GroupSplit) and split.by == "subject"
        for parts in _fitting(name, split, spans):
            said = by or (isinstance(split, FixedSplit) and _BY_SUBJECT.search(name))
            who = {part: _people(parts, part, spans) for part in _PARTS}
            for one, other in combinations(_PARTS, 2):
                both = sorted(who[one] & who[other])
                if both and said:
                    raise FailedError(
                        f"split '{name}' is by subject, and {', '.join(both)} is in {one} and in "
                        f"{other}",
                        expected="each subject in one part",
                        fix="correct the recordings' subject, the split's patterns, or its name",
                    )
                if both:
                    shared.setdefault(name, []).extend(both)
    told = [f"'{name}' shares {', '.join(sorted(set(who)))}" for name, who in shared.items()]
    return "; ".join(told) or "no split shares a subject"


def _people(parts: Parts, part: str, spans: list[RecordingSpan]) -> set[str]:
    return {
        span.subject
        for span in spans
        for start, stop in getattr(parts, part)
        if start < span.stop and span.start < stop
    }


@RECORDINGS.check("windows", "every task gives windows to train and test on, in every fold")
def windows(subject: DatasetSubject) -> str:
    """Windows of one second, half of each new, by the protocol's default label rule."""
    dataset = subject.thing
    found, spans = subject.recordings(), subject.spans()
    if not dataset.rate_hz > 0 or not np.isfinite(dataset.rate_hz):
        raise NotCheckedError("its rate is not in order; see metadata")
    length = max(2, round(dataset.rate_hz))
    starts = cut([(span.start, span.stop) for span in spans], length, max(1, length // 2))
    said = []
    for task in dataset.tasks:
        classes = label(_labels(found, task), starts, length, "majority", len(task.classes))
        usable = starts[classes >= 0]
        said.append(f"{task.name}: {len(usable):,}")
        for name, split in dataset.splits.items():
            for parts in _fitting(name, split, spans):
                needed = ("train",) if parts.draw else ("train", "test")
                for part in needed:
                    inside = [
                        ((usable >= start) & (usable + length <= stop)).any()
                        for start, stop in getattr(parts, part)
                    ]
                    if not any(inside):
                        raise FailedError(
                            f"task '{task.name}', split '{name}': fold '{parts.name}' has no "
                            f"{part} window of {length} samples",
                            expected="recordings longer than a second, with labelled samples",
                            fix="look whether the labels of those recordings are all -1",
                        )
    return f"windows of {length} samples: {', '.join(said)}"


def _labels(found: list[Facts], task: Task) -> NDArray[np.int16]:
    for facts in found:
        values = facts.labels.get(task.name)
        if (
            values is None
            or values.shape != (facts.n_samples,)
            or values.dtype != np.int16
            or not -1 <= values.min(initial=-1) <= values.max(initial=-1) < len(task.classes)
        ):
            raise NotCheckedError("labels are not in order; see labels")
    return np.concatenate([facts.labels[task.name] for facts in found])
