"""Where real data lie, for the tests that look at some; they skip where it is absent."""

import os
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).parents[3] / "shared" / "data"


def opportunity_values() -> Path:
    """The folder with OPPORTUNITY's column list, its legend, and values of some channels."""
    folder = Path(os.environ.get("HARBENCH_SHARED_DATA") or _BESIDE_THE_PROJECT)
    if not (folder / "opportunity-values").is_dir():
        pytest.skip(f"no folder opportunity-values in {folder}; set HARBENCH_SHARED_DATA")
    return folder / "opportunity-values"
