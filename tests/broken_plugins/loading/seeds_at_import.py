"""Seeds the global generators and changes the environment when it is imported."""

import os
import random

import numpy as np

import harbench

random.seed(0)
np.random.seed(0)
os.environ["BROKEN_PLUGIN"] = "1"


def build(n_channels, n_times, n_classes):
    from torch import nn

    return nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(n_channels, n_classes))


@harbench.hookimpl
def register_models(register):
    citation = harbench.Citation("Nobody, 2026.", url="https://example.org/nobody")
    register(harbench.Model("seeds-at-import", "a mean", build, harbench.Recipe(), citation))
