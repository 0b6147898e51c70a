"""Imports torch when it is imported, and sets a flag of it."""

import torch

import harbench

torch.set_default_dtype(torch.float64)


def build(n_channels, n_times, n_classes):
    return torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten(), torch.nn.Linear(n_channels, n_classes)
    )


@harbench.hookimpl
def register_models(register):
    citation = harbench.Citation("Nobody, 2026.", url="https://example.org/nobody")
    register(harbench.Model("imports-torch", "a mean", build, harbench.Recipe(), citation))
