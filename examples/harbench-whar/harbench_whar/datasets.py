"""Registers the 37 datasets of whar-datasets under ``whar-<name>``.

``datasets.json`` lists what whar-datasets' configurations say of each (MIT, Copyright (c) 2026
Technology for Pervasive Computing, Karlsruhe Institute of Technology; commit 06c181c), because
listing must not import it. A test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import harbench
from harbench.nouns import BlockSplit, GroupSplit, LeaveOneOutSplit, Split
from harbench_whar.sessions import FILES, read_sessions

COMMIT = "06c181cb38185b683d46d138b075e7230d241616"
"""Of whar-datasets, that datasets.json was made from."""

NULLS = ("Null", "Unknown", "Other", "No Activity")
MODALITIES = {
    "accelerometer": r"acc|accel|[xyz]acc",
    "gyroscope": r"gyr|gyro|[xyz]gyro",
    "magnetometer": r"mag|[xyz]mag",
}


@cache
def listed() -> tuple[Mapping[str, Any], ...]:
    """What datasets.json says, one mapping a dataset."""
    return tuple(json.loads((files(__package__) / "datasets.json").read_text("utf-8")))


def name_of(dataset: str) -> str:
    """What harbench calls a dataset of whar-datasets: ``whar-uci-har``."""
    return "whar-" + dataset.replace("_", "-")


def channel(name: str, number: int) -> harbench.Channel:
    """A channel from its name alone, which is all that whar-datasets states.

    A last ``x``, ``y`` or ``z`` is its axis, and what stands before names its sensor.
    """
    found = re.fullmatch(r"(.*?)[_.-]?([xyz])", name, re.IGNORECASE)
    sensor, axis = (found[1] or name, found[2].lower()) if found else (name, "")
    words = re.split(r"[_.\-\d]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).casefold())
    modality = next(
        (
            kind
            for kind, pattern in MODALITIES.items()
            if any(re.fullmatch(pattern, word) for word in words)
        ),
        "unknown",
    )
    return harbench.Channel(name, sensor, "unknown", modality, axis, "unknown", number)


def sources(folder: Path, *, dataset: str) -> Sequence[harbench.Source]:
    """The three files that whar-datasets wrote, in ``folder`` or in ``folder/<its name>``.

    Raises:
        DataMissingError: they are in neither; ``fix`` lets whar-datasets make them.
    """
    for home in (folder / dataset, folder):
        paths = [home / file for file in FILES]
        if all(path.is_file() for path in paths):
            return [harbench.Source(dataset, tuple(harbench.SourceFile(path) for path in paths))]
    raise harbench.DataMissingError(
        f"whar-datasets has not prepared {dataset} in {folder}",
        expected=", ".join(f"{dataset}/{file}" for file in FILES),
        fix=f"python -m harbench_whar prepare {dataset} {folder}",
    )


def read(source: harbench.Source, *, dataset: str) -> Iterator[harbench.Recording]:
    """Recordings of the sessions; see :func:`harbench_whar.sessions.read_sessions`."""
    facts = {row["id"]: row for row in listed()}[dataset]
    paths = [file.path for file in source.files]
    yield from read_sessions(paths, facts["channels"], facts["activities"], facts["rate_hz"])


def _splits(subjects: int) -> dict[str, Split]:
    if subjects < 3:
        return {"blocks": BlockSplit()}
    groups: Split = GroupSplit(folds=min(5, subjects))
    return {"loso": LeaveOneOutSplit(), "groups": groups, "blocks": BlockSplit()}


def dataset_of(facts: Mapping[str, Any]) -> harbench.Dataset:
    """An entry of datasets.json as a dataset of harbench."""
    classes = tuple(facts["activities"])
    null = next((index for index, name in enumerate(classes) if name in NULLS), None)
    year = f" ({facts['year']})" if facts["year"] else ""
    return harbench.Dataset(
        name=name_of(facts["id"]),
        title=f"{facts['title']}, as whar-datasets reads it",
        rate_hz=float(facts["rate_hz"]),
        channels=tuple(channel(name, number) for number, name in enumerate(facts["channels"], 1)),
        tasks=(harbench.Task("activity", classes, null),),
        splits=_splits(facts["subjects"]),
        citation=harbench.Citation(
            f"{facts['paper'] or facts['title']}{year}. Read by whar-datasets: Burzer, M., King, "
            "T., Riedel, T., Beigl, M., Röddiger, T. (2025). WHAR Datasets: An Open Source "
            "Library for Wearable Human Activity Recognition. UbiComp Companion 2025, 1315-1322.",
            url=facts["url"],
        ),
        licence="see its home; whar-datasets names none",
        url=facts["url"],
        sources=partial(sources, dataset=facts["id"]),
        read=partial(read, dataset=facts["id"]),
        notes=(
            f"{facts['subjects']} subjects by whar-datasets' configuration.",
            "whar-datasets cuts the streams at every change of label: no window holds a "
            "transition, and which windows there are takes the labels (as within: segment).",
            "Files are not checked by hash: whar-datasets fixes none.",
            "Sessions that whar-datasets made by itself may have names of classes exchanged (HAPT, "
            "UCI-HAR); `python -m harbench_whar prepare` keeps the parser's.",
            "Sensors, axes and modalities are taken from the channels' names; positions and units "
            "are not stated.",
        ),
    )


@harbench.hookimpl
def register_datasets(register: Callable[[harbench.Dataset], None]) -> None:
    """Offer all datasets of whar-datasets."""
    for facts in listed():
        register(dataset_of(facts))
