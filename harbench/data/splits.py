"""Splits: which windows train, validate and test, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from harbench.data.stream import RecordingSpan, Stream
from harbench.data.windows import Windows, cut, label, overlap_share, segments
from harbench.errors import ConfigError, did_you_mean
from harbench.nouns import (
    BlockSplit,
    Dataset,
    FixedSplit,
    GroupSplit,
    LeaveOneOutSplit,
    Protocol,
    RandomWindowSplit,
    Split,
    Task,
)

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Parts:
    """One fold as stretches [start, stop) of the stream.

    Args:
        name: Of the fold: "S2", "fold-3", or "all" where there is only one.
        train, validation, test: Stretches of each part.
        draw: Set for a random split: windows of the ``train`` stretches are dealt to the parts.
    """

    name: str
    train: Spans
    validation: Spans
    test: Spans
    draw: RandomWindowSplit | None = None


@dataclass(frozen=True)
class Fold:
    """One fold as windows.

    Args:
        name: Of the fold.
        train, validation, test: Windows of each part; validation may be empty.
        test_overlap: Share of test windows that hold a sample of a training window.
        validation_overlap: The same of the validation windows.
        concatenated: Windows of train, validation and test if each part were cut as one stream,
            across the borders of its recordings, as some papers do; for comparing counts only.
    """

    name: str
    train: Windows
    validation: Windows
    test: Windows
    test_overlap: float
    validation_overlap: float
    concatenated: tuple[int, int, int]


def split_named(dataset: Dataset, protocol: Protocol, where: str | None = None) -> Split:
    """The split that the protocol means: written out, or one of the dataset's own by name.

    Raises:
        ConfigError: the dataset has no split of that name.
    """
    if protocol.split is None:
        return next(iter(dataset.splits.values()))
    if not isinstance(protocol.split, str):
        return protocol.split
    if protocol.split not in dataset.splits:
        # "loso" is what the field says; a dataset may mean something of its own by it.
        if protocol.split.lower() == "loso":
            return dataset.splits.get("loso", LeaveOneOutSplit())
        raise ConfigError(
            f"dataset '{dataset.name}' has no split '{protocol.split}'"
            f"{did_you_mean(protocol.split, dataset.splits)}",
            where=where,
            expected=f"one of {', '.join(dataset.splits)}, loso, or a split written out",
            fix=f"harbench datasets show {dataset.name}",
        )
    return dataset.splits[protocol.split]


def parts_of(split: Split, recordings: Sequence[RecordingSpan]) -> list[Parts]:
    """The folds of a split over these recordings, as stretches of the stream.

    Raises:
        ConfigError: a pattern names no recording, or a recording would be in two parts.
    """
    if isinstance(split, FixedSplit):
        return [_fixed(split, recordings)]
    if isinstance(split, LeaveOneOutSplit):
        groups = _groups(recordings, split.by)
        names = list(groups)
        return _circle([[name] for name in names], groups, split.validation, names)
    if isinstance(split, GroupSplit):
        groups = _groups(recordings, split.by)
        names = list(groups)
        if split.seed is not None:
            names = [names[i] for i in np.random.default_rng(split.seed).permutation(len(names))]
        if len(names) < split.folds:
            raise ConfigError(
                f"{split.folds} folds over {len(names)} {split.by}s",
                expected=f"at most {len(names)} folds",
            )
        dealt = [names[i :: split.folds] for i in range(split.folds)]
        return _circle(
            dealt, groups, split.validation, [f"fold-{i}" for i in range(1, split.folds + 1)]
        )
    if isinstance(split, BlockSplit):
        return [_blocks(split, recordings)]
    everything = tuple((r.start, r.stop) for r in recordings)
    return [Parts("all", everything, (), (), draw=split)]


def folds_of(
    stream: Stream, dataset: Dataset, task: Task, protocol: Protocol, length: int, step: int
) -> list[Fold]:
    """The windows of every fold: cut, labelled, and rid of those without a class.

    Args:
        stream: Of the dataset.
        dataset: For its named splits.
        task: Whose labels.
        protocol: Split, label rule, whether windows stay within segments, and whether NULL is
            kept; dropped, the classes behind NULL move down by one (see :func:`classes_of`).
        length, step: Of the windows, in samples.

    Raises:
        ConfigError: a fold would have no training or no test window.
    """
    split = split_named(dataset, protocol)
    labels = np.asarray(stream.labels[task.name])
    null = task.null if protocol.null == "drop" else None

    def windows(spans: Spans) -> Windows:
        inside = segments(labels, spans) if protocol.within == "segment" else spans
        starts = cut(inside, length, step)
        found = label(labels, starts, length, protocol.label, len(task.classes))
        if null is not None:
            found = np.where(found == null, -1, found - (found > null))
        return Windows(starts, found)[found >= 0]

    return [
        _fold(parts, windows, length, step, len(labels), f"split of '{dataset.name}'")
        for parts in parts_of(split, stream.recordings)
    ]


def classes_of(task: Task, protocol: Protocol) -> tuple[tuple[str, ...], int | None]:
    """Class names that the model tells apart, and the index of NULL among them (None if none)."""
    if protocol.null == "drop" and task.null is not None:
        kept = tuple(name for i, name in enumerate(task.classes) if i != task.null)
        return kept, None
    return task.classes, task.null


def _fold(
    parts: Parts,
    windows: Callable[[Spans], Windows],
    length: int,
    step: int,
    n_samples: int,
    where: str,
) -> Fold:
    if parts.draw is not None:
        every = windows(parts.train)
        order = np.random.default_rng(parts.draw.seed).permutation(len(every))
        shares = np.cumsum(parts.draw.ratio) / sum(parts.draw.ratio)
        first, second = (round(share * len(every)) for share in shares[:2])
        # Sorted, so that the order of the windows says nothing about the draw.
        train, validation, test = (
            every[np.sort(piece)] for piece in np.split(order, [first, second])
        )
    else:
        train, validation, test = (
            windows(spans) for spans in (parts.train, parts.validation, parts.test)
        )
    for name, part in (("training", train), ("test", test)):
        if len(part) == 0:
            raise ConfigError(
                f"fold '{parts.name}' has no {name} window of {length} samples",
                where=where,
                expected="recordings longer than a window, with labelled samples",
            )
    return Fold(
        parts.name,
        train,
        validation,
        test,
        test_overlap=overlap_share(test.starts, train.starts, length, n_samples),
        validation_overlap=overlap_share(validation.starts, train.starts, length, n_samples),
        concatenated=(
            _as_one_stream(parts.train, length, step),
            _as_one_stream(parts.validation, length, step),
            _as_one_stream(parts.test, length, step),
        ),
    )


def _as_one_stream(spans: Spans, length: int, step: int) -> int:
    n_samples = sum(stop - start for start, stop in spans)
    return max(0, (n_samples - length) // step + 1)


def _fixed(split: FixedSplit, recordings: Sequence[RecordingSpan]) -> Parts:
    taken: dict[str, str] = {}
    parts: dict[str, Spans] = {}
    for part in ("train", "validation", "test"):
        chosen: list[RecordingSpan] = []
        for pattern in getattr(split, part):
            matched = [r for r in recordings if fnmatchcase(r.name, pattern)]
            if not matched:
                raise ConfigError(
                    f"no recording is called '{pattern}'"
                    f"{did_you_mean(pattern, [r.name for r in recordings])}",
                    where=f"split, {part}",
                    expected=f"names or patterns such as '{recordings[0].name}'",
                )
            chosen += [r for r in matched if r not in chosen]
        for recording in chosen:
            if recording.name in taken:
                raise ConfigError(
                    f"recording '{recording.name}' is in {taken[recording.name]} and in {part}",
                    where="split",
                    expected="each recording in one part",
                )
            taken[recording.name] = part
        parts[part] = tuple((r.start, r.stop) for r in chosen)
    return Parts("all", parts["train"], parts["validation"], parts["test"])


def _groups(recordings: Sequence[RecordingSpan], by: str) -> dict[str, list[RecordingSpan]]:
    groups: dict[str, list[RecordingSpan]] = {}
    for recording in recordings:
        key = {
            "subject": recording.subject,
            # Two subjects may both have a session called "1".
            "session": f"{recording.subject}/{recording.session}",
            "recording": recording.name,
        }[by]
        groups.setdefault(key, []).append(recording)
    return groups


def _circle(
    dealt: list[list[str]],
    groups: dict[str, list[RecordingSpan]],
    n_validation: int,
    names: Sequence[str],
) -> list[Parts]:
    """Each deal tests once; the ``n_validation`` groups that follow it validate."""
    if len(dealt) < 2 or sum(map(len, dealt)) <= max(map(len, dealt)) + n_validation:
        raise ConfigError(
            f"{sum(map(len, dealt))} groups are too few to test one, validate on {n_validation} "
            "and train on the rest",
            where="split",
            expected="more groups, or a smaller 'validation'",
        )

    def spans(chosen: Sequence[str]) -> Spans:
        return tuple((r.start, r.stop) for name in chosen for r in groups[name])

    folds = []
    for i, tested in enumerate(dealt):
        following = [
            name for shift in range(1, len(dealt)) for name in dealt[(i + shift) % len(dealt)]
        ]
        folds.append(
            Parts(
                names[i],
                spans(following[n_validation:]),
                spans(following[:n_validation]),
                spans(tested),
            )
        )
    return folds


def _blocks(split: BlockSplit, recordings: Sequence[RecordingSpan]) -> Parts:
    shares = np.array(split.ratio) / sum(split.ratio)
    counts = np.maximum(np.round(shares * split.blocks), shares > 0).astype(int)
    counts[0] = split.blocks - counts[1:].sum()
    if counts[0] < 1:
        raise ConfigError(
            f"{split.blocks} blocks cannot be dealt {split.ratio}",
            where="split",
            expected="more blocks",
        )
    rng = np.random.default_rng(split.seed)
    stretches: list[list[tuple[int, int]]] = [[], [], []]
    for recording in recordings:
        part_of = rng.permutation(np.repeat(np.arange(3), counts))
        edges = np.linspace(recording.start, recording.stop, split.blocks + 1).round().astype(int)
        block = 0
        while block < split.blocks:
            # Neighbouring blocks of one part are one stretch: windows may cross between them.
            end = block + 1
            while end < split.blocks and part_of[end] == part_of[block]:
                end += 1
            stretches[part_of[block]].append((int(edges[block]), int(edges[end])))
            block = end
    return Parts("all", tuple(stretches[0]), tuple(stretches[1]), tuple(stretches[2]))
