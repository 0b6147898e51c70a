"""A loaded cell with a small network, made by hand."""

import numpy as np
import pytest

from harbench.nouns import LoadedCell
from toys.toy_plugin import TOY


@pytest.fixture
def loaded():
    """Makes a cell of a module: 3 channels, windows of 4 samples, classes Null, wave, turn."""

    def make(module, *, n_windows=40, seed=0):
        rng = np.random.default_rng(seed)
        signals = rng.normal(0, 1, (4 * n_windows, 3)).astype(np.float32)
        starts = np.arange(0, 4 * n_windows, 4)
        labels = np.arange(n_windows) % 3
        labels[labels == 2] = 1
        return LoadedCell(
            module=module.eval(),
            fresh=lambda seed: module,
            signals=signals,
            length=4,
            starts={"train": starts, "test": starts},
            labels={"train": np.arange(n_windows) % 3, "test": labels},
            dataset=TOY,
            task=TOY.tasks[0],
            channels=TOY.channels,
            classes=TOY.tasks[0].classes,
            null=0,
        )

    return make
