"""``harbench saliency``: which sensors a trained model looks at.

A short way to the analysis plugin of that name: it finds the run by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from harbench.cli.context import registry
from harbench.cli.options import AsCsv, AsJson, Figures, OnDataset, Out, RowName, Run


def saliency(
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="OpenDoor1 is Open Door 1.")
    ] = None,
    all_classes: Annotated[
        bool, typer.Option("--all-classes", help="The whole dataset: the mean over its classes.")
    ] = False,
    run: Run = None,
    model: RowName = None,
    dataset: OnDataset = None,
    method: Annotated[
        str | None, typer.Option(help="gradient (the paper's), occlusion ...; see docs.")
    ] = None,
    reduction: Annotated[
        str | None, typer.Option(help="signed (the paper's), absolute, mean-absolute.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Channels to list at either end.")] = 10,
    split: Annotated[str, typer.Option(help="Windows of test, validation or train.")] = "test",
    out: Out = Path("results"),
    figures: Figures = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Print which channels a trained network looks at, and how far that can be trusted."""
    from harbench.cli.analysing import copy_figures, latest, one_format, perform, show
    from harbench.errors import ConfigError
    from harbench.nouns.names import plain
    from harbench.results import Store

    if (class_name is None) != all_classes:
        what = "which class is not said" if class_name is None else "one class and all classes"
        raise ConfigError(what, where="--class", expected="either --class NAME or --all-classes")
    one_format(csv=csv, json=json)
    analysis = registry().analyses.get("saliency")
    store = Store(out)
    cells = latest(store, run, dataset, model, class_name)
    options: dict[str, Any] = {
        "class_name": class_name,
        "row": model,
        "method": method,
        "reduction": reduction,
        "top": top,
        "part": split,
    }
    given = {name: value for name, value in options.items() if value is not None}
    entry = "-".join(["saliency", plain(class_name or "all classes") or "class"])
    found = perform(analysis, entry, cells, given, store)
    show(found, store, csv=csv, json=json)
    if figures is not None:
        copy_figures(found, figures)
