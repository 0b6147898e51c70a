"""The generated OPPORTUNITY that several rows work on, made once a folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bench.rows import Place
from harbench.data.stream import Stream, open_stream
from harbench.nouns import Dataset


def files_in(place: Place) -> Path:
    """Folder with the 24 files, at the place's scale."""
    folder = place.folder / f"opportunity-{place.scale:g}"
    if not folder.is_dir():
        work = place.scratch / "simulation"
        work.mkdir()
        simulated().simulate(work, place.scale, 0)  # type: ignore[misc]
        shutil.move(work, folder)
    return folder


def simulated() -> Dataset:
    """The dataset that reads them."""
    from harbench.plugins import load_plugins

    return load_plugins().datasets.get("opportunity-sim")


def columns() -> list[int]:
    """0-based columns that harbench keeps: 113 channels and two labels."""
    from harbench_datasets.opportunity_columns import CHANNELS, GESTURE_COLUMN, LOCOMOTION_COLUMN

    numbers = [channel.number for channel in CHANNELS] + [LOCOMOTION_COLUMN, GESTURE_COLUMN]
    return [number - 1 for number in numbers]


def cached_stream(place: Place) -> Stream:
    """The files as harbench's stream, in a cache that the rounds share."""
    os.environ["HARBENCH_CACHE"] = str(place.folder / "cache")
    return open_stream(simulated(), files_in(place))
