"""Results that can be drawn."""

import pytest

from harbench.report.table import comparison_table
from toys.drawn_store import HOSTILE, drawn_store


@pytest.fixture
def toys(tmp_path):
    """Store and table of four models."""
    means = {"good": 0.9, "same": 0.899, "cheap": 0.7, "poor": 0.5}
    costs = {"good": 2, "same": 3, "cheap": 0, "poor": 1}
    store = drawn_store(tmp_path / "results", means, costs=costs)
    return store, comparison_table(store, "toys", ["nf"])


@pytest.fixture
def hostile(tmp_path):
    """Store and table whose rows and classes have the names that break things."""
    means = {name: 0.9 - 0.03 * place for place, name in enumerate(HOSTILE)}
    store = drawn_store(tmp_path / "hostile", means, classes=HOSTILE, simulates="$real$ <data>",
                        leaky=HOSTILE[1:2])  # fmt: skip
    return store, comparison_table(store, "toys", ["nf"])
