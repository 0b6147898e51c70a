"""Where real data lie, for the tests that look at some; they skip where it is absent."""

import os
import tarfile
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).parents[3] / "shared" / "data"


def _place(name: str) -> Path:
    folder = Path(os.environ.get("HARBENCH_SHARED_DATA") or _BESIDE_THE_PROJECT)
    if not (folder / name).exists():
        pytest.skip(f"no {name} in {folder}; set HARBENCH_SHARED_DATA")
    return folder / name


def opportunity_values() -> Path:
    """The folder with OPPORTUNITY's column list, its legend, and values of some channels."""
    return _place("opportunity-values")


def actrectut() -> Path:
    """The folder with ActRecTut's four ``data.mat``, each in a folder of its own."""
    return _place("actrectut")


def hapt_archive() -> Path:
    """HAPT in its official layout, packed."""
    return _place("hapt/hapt-rawdata.tar.xz")


def unpacked_hapt(folder: Path) -> Path:
    """The folder, with the recordings in it."""
    with tarfile.open(hapt_archive()) as packed:
        # Python 3.11 knows filters from 3.11.4 on.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(folder)
    return folder
