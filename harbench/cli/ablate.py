"""``harbench ablate``: how few channels, sensors or body positions do as well as all.

A short way to the analysis plugin ``ablation``: it finds the run by itself.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from harbench.cli.context import registry
from harbench.cli.options import (
    AsCsv,
    AsJson,
    Cluster,
    Device,
    Figures,
    Jobs,
    OnDataset,
    Out,
    RowName,
    Run,
    Timeout,
    check_timeout,
)


class By(StrEnum):
    """What goes together."""

    channel = "channel"
    sensor = "sensor"
    position = "position"


def ablate(
    by: Annotated[By, typer.Option(help="What is left out as one.")] = By.channel,
    k: Annotated[
        str | None, typer.Option(metavar="K,K,...", help="How many to keep; some if not given.")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME,...", help="Of top, bottom, random, forward, backward; see docs."
        ),
    ] = None,
    draws: Annotated[int | None, typer.Option(min=1, help="Random sets for each seed.")] = None,
    within: Annotated[
        float | None, typer.Option(help="NF that the shortest list may lose, 0.02 is 2 points.")
    ] = None,
    run: Run = None,
    model: RowName = None,
    dataset: OnDataset = None,
    method: Annotated[
        str | None, typer.Option(help="Of the map that ranks: as for harbench saliency.")
    ] = None,
    reduction: Annotated[str | None, typer.Option(help="Of that map.")] = None,
    jobs: Jobs = None,
    device: Device = "cpu",
    cluster: Cluster = None,
    timeout: Timeout = None,
    out: Out = Path("results"),
    figures: Figures = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Train a model again on its most and least important channels, and on random ones.

    Which are important the saliency map of the training recordings says. Printed are NF,
    parameters and MACs for each number of channels, and the shortest list that keeps the NF.
    """
    from harbench.cli.analysing import copy_figures, latest, one_format, perform, show
    from harbench.cli.on_cluster import cluster_asked
    from harbench.results import Store

    one_format(csv=csv, json=json)
    check_timeout(timeout)
    remote = cluster_asked(cluster, None, jobs=jobs, device=device)
    analysis = registry().analyses.get("ablation")
    store = Store(out)
    options: dict[str, Any] = {
        "row": model,
        "by": by.value,
        "k": None if k is None else _numbers(k),
        "orders": None if order is None else [word.strip() for word in order.split(",")],
        "draws": draws,
        "within": within,
        "method": method,
        "reduction": reduction,
    }
    given = {name: value for name, value in options.items() if value is not None}
    cells = latest(store, run, dataset, model)
    entry = f"ablation-{by.value}"
    found = perform(
        analysis,
        entry,
        cells,
        given,
        store,
        jobs=jobs,
        device=device,
        timeout=timeout,
        cluster=remote,
    )
    show(found, store, csv=csv, json=json)
    if figures is not None:
        copy_figures(found, figures)


def _numbers(text: str) -> list[int]:
    from harbench.errors import ConfigError

    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"'{text}' is no list of numbers", where="--k", expected="such as 20,10,5"
        ) from None
