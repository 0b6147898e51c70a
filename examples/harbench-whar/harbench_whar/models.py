"""Registers the 22 models of whar-models under ``whar-<name>``; imports none of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import harbench
from harbench_whar.estimators import build_estimator
from harbench_whar.library import INSTALL, folder, source_of
from harbench_whar.networks import build_network
from harbench_whar.table import MODELS, Entry

RECIPE = harbench.Recipe(
    optimizer="adamw", learning_rate=1e-3, weight_decay=0.01, batch_size=64, epochs=100
)
"""AdamW at 1e-3 is the example of whar-models' README (0.01 is torch's decay); batch and epochs
are the defaults of whar-datasets' configuration. whar-models states no recipe of its papers."""


def model_of(entry: Entry) -> harbench.Model:
    """A row of the table as a model of harbench."""
    build = build_estimator if entry.estimator else build_network
    here = folder() is not None
    return harbench.Model(
        name=entry.name,
        summary=entry.summary if here else f"{entry.summary} (whar-models is not installed)",
        build=partial(build, entry.id, source=source_of(entry.id)),
        recipe=None if entry.estimator else RECIPE,
        citation=entry.citation,
        min_times=entry.min_times,
        stand_in=entry.stand_in,
        notes=(
            *entry.notes,
            "As whar-models builds it; option settings goes to its builder, option source names "
            "the installed files and is not to be set.",
            *(() if here else (f"whar-models is not installed: {INSTALL}",)),
        ),
        kind="estimator" if entry.estimator else "network",
    )


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer all models of whar-models."""
    for entry in MODELS:
        register(model_of(entry))
