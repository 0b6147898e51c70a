"""Datasets that are each broken in one way, made of the suite's own toy dataset.

Their files are what harbench.testing.toy_plugin writes; the tests say where.
"""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

import harbench
from harbench.nouns import FixedSplit, GroupSplit, Task
from harbench.testing.toy_plugin import TOY_DATASET, read, sources

CITATION = harbench.Citation("Nobody, 2026.", url="https://example.org/nobody")
SOUND = replace(TOY_DATASET, name="sound-data", title="Toys", citation=CITATION)
DATASETS = [SOUND]
_calls = itertools.count()


def dataset(name, **facts):
    DATASETS.append(replace(SOUND, name=name, **facts))


def reading(name):
    """Register a dataset whose recordings go through the function: recording -> recording."""

    def add(change):
        def read_changed(source):
            return [change(recording) for recording in read(source)]

        dataset(name, read=read_changed)
        return change

    return add


fixed = SOUND.splits["subjects"]


# Subjects overlap: each has two recordings, and one of them is in another part.
def read_in_halves(source):
    [whole] = read(source)
    half = len(whole.signals) // 2
    return [
        replace(
            whole,
            name=f"{whole.name}-{k}",
            signals=whole.signals[part],
            labels={task: values[part] for task, values in whole.labels.items()},
        )
        for k, part in enumerate((slice(None, half), slice(half, None)), 1)
    ]


dataset(
    "subjects-overlap",
    read=read_in_halves,
    splits={"subjects": FixedSplit(train=("s[123]-1",), test=("s3-2", "s4-*"))},
)
dataset(
    "subjects-shared-and-said-so",
    read=read_in_halves,
    splits={"halves": FixedSplit(train=("*-1",), test=("*-2",))},
)
dataset("two-parts", splits={"mine": FixedSplit(train=("s1", "s2"), test=("s*",))})
dataset("no-such-recording", splits={"mine": FixedSplit(train=("s1",), test=("s9",))})
dataset("too-many-folds", splits={"mine": GroupSplit(folds=9)})
dataset("no-split", splits={})
dataset("null-out-of-range", tasks=(Task("gestures", ("Null", "wave", "turn"), null=3),))
dataset("classes-alike", tasks=(Task("gestures", ("Null", "Open Door 1", "open_door1")),))
dataset("class-never-seen", tasks=(Task("gestures", ("Null", "wave", "turn", "jump"), null=0),))
dataset("no-licence", licence=" ")
dataset("no-rate", rate_hz=float("nan"))
dataset("numbers-twice", channels=tuple(replace(channel, number=1) for channel in SOUND.channels))
dataset("names-twice", channels=tuple(replace(channel, name="ACC") for channel in SOUND.channels))
dataset("column-missing-in-list", channels=SOUND.channels[:2])


def in_any_order(folder):
    """Lists the files in another order each time."""
    found = list(sources(folder))
    return found if next(_calls) % 2 else found[::-1]


dataset("any-order", sources=in_any_order)


def with_a_hash(folder, digest):
    return [
        replace(each, files=tuple(replace(file, sha256=digest) for file in each.files))
        for each in sources(folder)
    ]


dataset("wrong-hash", sources=lambda folder: with_a_hash(folder, 64 * "0"))
dataset("says-nothing", sources=lambda folder: [*_quiet(folder)])


def _quiet(folder):
    """No word where there are no files."""
    return sources(folder) if any(folder.glob("s*.npz")) else []


def no_command(folder):
    if not any(folder.glob("s*.npz")):
        raise harbench.DataMissingError("the files are not here")
    return sources(folder)


dataset("no-command", sources=no_command)
dataset(
    "archive-without-hash",
    archive=harbench.Archive(
        ("https://example.org/toys.zip",), (harbench.Member("toys/s1.npz", 100, "unknown"),)
    ),
)


@reading("infinite")
def infinite(recording):
    signals = recording.signals.copy()
    signals[3, 1] = np.inf
    return replace(recording, signals=signals)


@reading("double-signals")
def double_signals(recording):
    return replace(recording, signals=recording.signals.astype(np.float64))


@reading("label-too-high")
def label_too_high(recording):
    return replace(recording, labels={"gestures": recording.labels["gestures"] + np.int16(1)})


@reading("label-missing")
def label_missing(recording):
    return replace(recording, labels={"gestures": recording.labels["gestures"][:-1]})


@reading("nothing-labelled")
def nothing_labelled(recording):
    # Only the first and the last subject have labels; the second alone is tested by LOSO.
    values = recording.labels["gestures"]
    return (
        recording
        if recording.subject != "s4"
        else replace(recording, labels={"gestures": np.full_like(values, -1)})
    )


@reading("one-name")
def one_name(recording):
    return replace(recording, name="s1" if recording.name == "s2" else recording.name)


@reading("two-spellings")
def two_spellings(recording):
    return replace(recording, subject="S1" if recording.name == "s2" else recording.subject)


@reading("counts-in-names")
def counts_in_names(recording):
    return replace(recording, session=f"session {next(_calls)}")


@reading("noisy")
def noisy(recording):
    noise = np.random.default_rng().normal(size=recording.signals.shape).astype(np.float32)
    return replace(recording, signals=recording.signals + noise)


def writes(name, place):
    """A reader that leaves a file at ``place(source)``."""

    def read_and_write(source):
        path = place(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("seen")
        return read(source)

    dataset(name, read=read_and_write)


writes("writes-beside", lambda source: source.files[0].path.with_suffix(".seen"))
writes("writes-home", lambda source: Path.home() / ".toys" / "seen")
writes("writes-here", lambda source: Path("seen.txt"))


def raises(source):
    raise KeyError("signals")


dataset("cannot-read", read=raises)


@harbench.hookimpl
def register_datasets(register):
    for each in DATASETS:
        register(each)
