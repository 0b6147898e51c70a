"""A training that is stopped and goes on from its checkpoint."""

import pytest

from harbench.training.cell import train_cell
from harbench.training.checkpoints import Checkpoint


class StoppedError(Exception):
    """Raised in the middle of an epoch's end."""


def bits(trained):
    """All that must be the same: weights, probabilities, learning curve."""
    weights = [value.numpy().tobytes() for value in trained.weights.values()]
    return weights, trained.probabilities.tobytes(), trained.training.curve


def stopped_and_resumed(model, fold, recipe, folder):
    """Train until the third epoch ends, stop, and train again from the checkpoint of the second."""

    def stop(epoch):
        if epoch.number == 3:
            raise StoppedError

    def saved():
        return Checkpoint(folder / "c", {"key": "k"}, every=0)

    with pytest.raises(StoppedError):
        train_cell(model, fold, recipe, {}, 0, on_epoch=stop, checkpoint=saved())
    resumed = train_cell(model, fold, recipe, {}, 0, checkpoint=saved())
    assert resumed.training.resumed_after == 2
    return resumed
