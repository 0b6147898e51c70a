"""How every method and reduction does where the answer is known.

In the simulated OPPORTUNITY five channels carry each gesture, and nothing else does. A map is
scored by the share of the planted channels among its top ones, as many as were planted. The
numbers are the mean over 17 gestures and three networks; ``tests/analyses/test_known_answers.py``
measures them again, and prints them.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from harbench_analyses.trust import top

CHANCE = 5 / 113
KNOWN_ANSWERS: dict[tuple[str, str], float] = {
    ("gradient", "signed"): 0.4824,
    ("gradient", "absolute"): 0.8549,
    ("gradient", "mean-absolute"): 0.8549,
    ("input-x-gradient", "signed"): 1.0,
    ("input-x-gradient", "absolute"): 1.0,
    ("input-x-gradient", "mean-absolute"): 1.0,
    ("integrated-gradients", "signed"): 1.0,
    ("integrated-gradients", "absolute"): 1.0,
    ("integrated-gradients", "mean-absolute"): 1.0,
    ("smooth-grad", "signed"): 0.4824,
    ("smooth-grad", "absolute"): 0.8549,
    ("smooth-grad", "mean-absolute"): 0.8549,
    ("occlusion", "signed"): 1.0,
    ("occlusion", "absolute"): 1.0,
    ("occlusion", "mean-absolute"): 1.0,
}
"""(method, reduction) -> share of planted channels found, resnet-like, simulation of scale 0.01."""


def best() -> tuple[str, str]:
    """The method and reduction that find most; of equals the first."""
    return max(KNOWN_ANSWERS, key=lambda pair: KNOWN_ANSWERS[pair])


def found_share(values: NDArray[np.float64], planted: Collection[int]) -> float:
    """Share of the planted channels among as many of the map's top channels.

    Args:
        values: [n_channels].
        planted: Indices of the channels that carry the class.
    """
    return len(set(top(values, len(planted)).tolist()) & set(planted)) / len(planted)
