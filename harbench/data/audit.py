"""The leakage audit: what training could have learnt of a fold's validation and test windows.

A **leak** is a raw sample that two parts share: scores then say what a network remembers. What
makes a score easier than it looks, without a shared sample, is a **caution**. All is counted, not
estimated; only where filled values may look ahead or across parts are the signals read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from harbench.data.gap_runs import GapRuns, GapUse, gap_use
from harbench.data.gaps import PARTS
from harbench.data.splits import Fold
from harbench.data.stream import RecordingSpan, Stream
from harbench.data.windows import Windows, covered, overlap_share
from harbench.nouns import Protocol
from harbench.nouns.protocol import MostOf

_NORMALISERS = {
    "z-score": "training windows",
    "min-max": "training windows",
    "fixed": "fixed limits",
    "none": "none",
}


@dataclass(frozen=True)
class Common:
    """Subjects, sessions or recordings of a part, and which of them train too.

    Args:
        n: How many the part has.
        names: Of those that have training windows as well, in the order of the stream.
    """

    n: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class PartAudit:
    """One part of a fold against its training windows.

    Args:
        windows: How many.
        shared: Share of them that hold a sample of a training window; 0 for training itself.
        subjects, sessions, recordings: In common with training. A session is "subject/session":
            two subjects may both have a session "1".
        gaps: What filling did to it; None where it can neither look ahead nor across parts.
    """

    windows: int
    shared: float
    subjects: Common
    sessions: Common
    recordings: Common
    gaps: GapUse | None


@dataclass(frozen=True)
class FoldAudit:
    """All that the audit says of one fold.

    Args:
        fold: Its name.
        parts: "train", "validation", "test", without those that are empty.
        test_in_validation: Share of test windows that hold a sample of a validation window: the
            kept epoch was then chosen on test samples.
        normaliser: Where its numbers come from: "training windows", "fixed limits", "none".
        fill: How gaps are filled: "none", "forward", "linear".
        label: How a window gets its class, in words.
        chosen_by_labels: Ways in which labels decide which windows there are, those of the test
            part too.
        channels: How many are used, and of how many.
    """

    fold: str
    parts: Mapping[str, PartAudit]
    test_in_validation: float
    normaliser: str
    fill: str
    label: str
    chosen_by_labels: tuple[str, ...]
    channels: tuple[int, int]

    @property
    def leaks(self) -> bool:
        """Whether a test or validation window shares a sample with a part it must not know."""
        return self.test_in_validation > 0 or any(p.shared > 0 for p in self.parts.values())

    @property
    def cautions(self) -> tuple[str, ...]:
        """What else makes the scores easier than they look, a few words each."""
        return cautions_of([self])

    def to_json(self) -> dict[str, Any]:
        """As the results folder keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FoldAudit:
        """The audit again; KeyError or TypeError where it is none."""
        parts = {
            name: PartAudit(
                windows=part["windows"],
                shared=part["shared"],
                gaps=None if part["gaps"] is None else GapUse(**part["gaps"]),
                **{
                    kind: Common(part[kind]["n"], tuple(part[kind]["names"]))
                    for kind in ("subjects", "sessions", "recordings")
                },
            )
            for name, part in stored["parts"].items()
        }
        plain = {key: value for key, value in stored.items() if key != "parts"}
        plain |= {key: tuple(plain[key]) for key in ("chosen_by_labels", "channels")}
        return cls(parts=parts, **plain)


def audit_fold(
    fold: Fold,
    stream: Stream,
    protocol: Protocol,
    *,
    length: int,
    channels: Sequence[int],
    null: int | None,
    runs: Callable[[], GapRuns],
) -> FoldAudit:
    """Audit one fold.

    Args:
        fold: Its windows.
        stream: That they were cut from.
        protocol: By which.
        length: Samples of a window.
        channels: Indices of those that are used.
        null: NULL of the task, whatever the protocol does with it; None where it has none.
        runs: Gives :func:`~harbench.data.gap_runs.gap_runs` of the stream, if it is needed.
    """
    windows = {name: part for name in PARTS if len(part := getattr(fold, name)) or name == "train"}
    inside = {name: _recordings_of(part, stream) for name, part in windows.items()}
    names = {name: {r.name for r in found} for name, found in inside.items()}
    n_names = sum(map(len, names.values()))
    apart = len(set().union(*names.values())) == n_names
    in_validation = 0.0
    if not apart:
        in_validation = overlap_share(
            fold.test.starts, fold.validation.starts, length, stream.recordings[-1].stop
        )
    # Each recording is filled by itself, so where no two parts share one, nothing crosses.
    gaps: dict[str, GapUse] = {}
    if protocol.fill == "linear" or (protocol.fill == "forward" and not apart):
        n_samples = stream.recordings[-1].stop
        held = {name: covered(part.starts, length, n_samples) for name, part in windows.items()}
        gaps = gap_use(runs(), stream, protocol.fill, held, channels)
    shared = {"train": 0.0, "validation": fold.validation_overlap, "test": fold.test_overlap}
    parts = {
        name: PartAudit(
            windows=len(part),
            shared=shared[name],
            subjects=_common(inside, name, lambda r: r.subject),
            sessions=_common(inside, name, lambda r: f"{r.subject}/{r.session}"),
            recordings=_common(inside, name, lambda r: r.name),
            gaps=gaps.get(name),
        )
        for name, part in windows.items()
    }
    return FoldAudit(
        fold=fold.name,
        parts=parts,
        test_in_validation=in_validation,
        normaliser=_NORMALISERS[protocol.normalise],
        fill=protocol.fill,
        label=_label(protocol),
        chosen_by_labels=_chosen_by_labels(protocol, null),
        channels=(len(channels), stream.signals.shape[1]),
    )


def cautions_of(audits: Sequence[FoldAudit]) -> tuple[str, ...]:
    """The cautions of several folds as one list: each once, with its worst number."""
    found = []
    for kind in ("recordings", "sessions", "subjects"):
        # Who shares a recording shares its session and subject: the nearest is said.
        parts = [a.parts["test"] for a in audits if getattr(a.parts["test"], kind).names]
        if parts:
            worst: Common = max((getattr(p, kind) for p in parts), key=lambda c: len(c.names) / c.n)
            found.append(f"{len(worst.names)} of {worst.n} test {kind} train too")
            break
    ahead = max((_share(a, "test", "ahead") for a in audits), default=0.0)
    if ahead > 0:
        found.append(f"linear fill looks ahead in {_percent(ahead)} of the test values")
    across = max((_share(a, "test", "across") for a in audits), default=0.0)
    if across > 0:
        found.append(f"gaps are filled from other parts in {_percent(across)} of the test values")
    found += dict.fromkeys(way for a in audits for way in a.chosen_by_labels)
    chosen = dict.fromkeys(a.channels for a in audits if a.channels[0] < a.channels[1])
    found += [f"{kept} of {every} channels, chosen by hand" for kept, every in chosen]
    return tuple(found)


def _share(audit: FoldAudit, part: str, what: str) -> float:
    gaps = audit.parts[part].gaps
    return getattr(gaps, what) / gaps.values if gaps is not None and gaps.values else 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "under 0.1 %"


def _recordings_of(windows: Windows, stream: Stream) -> list[RecordingSpan]:
    """Those that hold at least one of the windows, in order."""
    stops = np.array([recording.stop for recording in stream.recordings])
    which = np.unique(np.searchsorted(stops, windows.starts, side="right"))
    return [stream.recordings[i] for i in which]


def _common(
    inside: Mapping[str, Iterable[RecordingSpan]], part: str, key: Callable[[RecordingSpan], str]
) -> Common:
    own = dict.fromkeys(map(key, inside[part]))
    training = set(map(key, inside["train"])) if part != "train" else set()
    return Common(len(own), tuple(name for name in own if name in training))


def _label(protocol: Protocol) -> str:
    if isinstance(protocol.label, MostOf):
        return f"majority of the window's own samples, at least {protocol.label.most_of:g} of it"
    return f"{protocol.label} of the window's own samples"


def _chosen_by_labels(protocol: Protocol, null: int | None) -> tuple[str, ...]:
    ways = []
    if protocol.within == "segment":
        ways.append("segments are cut by labels")
    if isinstance(protocol.label, MostOf) and protocol.within != "segment":
        ways.append("windows of mixed labels are left out")
    if protocol.null == "drop" and null is not None:
        ways.append("NULL is left out by labels")
    return tuple(ways)
