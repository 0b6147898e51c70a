"""Does an exported graph say what the network says, and what was stored when it was trained?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harbench.errors import ModelError
from harbench.execute.exporting.graphs import Predict
from harbench.execute.exporting.recovered import Recovered

TOLERANCE = 1e-4
"""Largest difference between two logits that mean the same."""


@dataclass(frozen=True)
class Agreement:
    """How an exported graph and its network compare, over all test windows.

    Args:
        windows: How many there are.
        largest: Of all differences between a logit of the graph and one of the network.
        ties: Windows whose class is another than the stored one, by logits that are nearer to
            each other than twice the tolerance.
    """

    windows: int
    largest: float
    ties: int


def agree(predict: Predict, cell: Recovered, what: str) -> Agreement:
    """Compare on every test window: the graph on raw windows, the network on normalised ones.

    Args:
        predict: The graph.
        cell: The network, the windows and the stored predictions.
        what: The graph's name in errors.

    Raises:
        ModelError: logits differ by more than :data:`TOLERANCE`, or a class is another than the
            stored one, and that not by a tie.
    """
    import torch

    ours, theirs = [], []
    for raw, normalised in cell.test_batches():
        with torch.inference_mode():
            ours.append(cell.module(torch.from_numpy(normalised)).numpy())
        theirs.append(predict(raw)[0])
    reference, logits = np.concatenate(ours), np.concatenate(theirs)
    stored = cell.stored.predictions().predicted.astype(np.int64)
    where = str(cell.stored.folder)
    _ties(reference, stored, "the network itself", where, "harbench reproduce")
    largest = float(np.abs(logits - reference).max())
    if not largest <= TOLERANCE:
        raise ModelError(
            f"{what} does not say what the network says: logits differ by up to {largest:.2g}",
            where=where,
            expected=f"at most {TOLERANCE:.0e} on all {len(logits)} test windows; nothing was "
            "written",
        )
    ties = _ties(logits, stored, what, where, None)
    return Agreement(len(logits), largest, ties)


def _ties(
    logits: NDArray[np.float32],
    stored: NDArray[np.int64],
    what: str,
    where: str,
    fix: str | None,
) -> int:
    """How many windows have another class than the stored one by a tie.

    Raises:
        ModelError: some have it not by a tie.
    """
    rows = np.arange(len(logits))
    # Written so that a NaN, which compares with nothing, is no tie.
    behind = logits.max(axis=1) - logits[rows, stored]
    others = logits.argmax(axis=1) != stored
    apart = others & ~(behind <= 2 * TOLERANCE)
    if apart.any():
        raise ModelError(
            f"{what} gives {int(apart.sum())} of {len(logits)} test windows another class than "
            "the one that is stored",
            where=where,
            expected="the stored predictions; nothing was written",
            fix=fix and f"{fix} {where}",
        )
    return int(others.sum())
