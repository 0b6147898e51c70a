"""``harbench saliency``: which sensors a trained model looks at.

A short way to the analysis plugin of that name: it finds the run by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.context import names_of, registry

if TYPE_CHECKING:
    from harbench.nouns import AnalysisResult, TrainedCell
    from harbench.results import Store


def saliency(
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="OpenDoor1 is Open Door 1.")
    ] = None,
    all_classes: Annotated[
        bool, typer.Option("--all-classes", help="The whole dataset: the mean over its classes.")
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(metavar="BENCHMARK", help="Of the store; the latest that fits if not given."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="ROW", help="A row of its table; the first if not given.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Runs on this dataset only.", autocompletion=names_of("datasets")),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="gradient (the paper's), occlusion ...; see docs.")
    ] = None,
    reduction: Annotated[
        str | None, typer.Option(help="signed (the paper's), absolute, mean-absolute.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Channels to list at either end.")] = 10,
    split: Annotated[str, typer.Option(help="Windows of test, validation or train.")] = "test",
    out: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    figures: Annotated[
        Path | None, typer.Option(help="Save figures into this folder, as PDF, SVG and PNG.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Print which channels a trained network looks at, and how far that can be trusted."""
    from harbench.cli.analyse import save_figures, show
    from harbench.errors import ConfigError
    from harbench.results import Store

    if (class_name is None) != all_classes:
        what = "which class is not said" if class_name is None else "one class and all classes"
        raise ConfigError(what, where="--class", expected="either --class NAME or --all-classes")
    if csv and json:
        raise ConfigError("one output has one format", where="--csv --json", expected="one of them")
    analysis = registry().analyses.get("saliency")
    benchmark, cells = _latest(Store(out), run, dataset, model, class_name)
    options: dict[str, Any] = {
        "class_name": class_name,
        "row": model,
        "method": method,
        "reduction": reduction,
        "top": top,
        "part": split,
    }
    given = {name: value for name, value in options.items() if value is not None}
    result = analysis.run(cells, **given)
    if json:
        typer.echo(_json_text(benchmark, result))
        if figures is not None:
            save_figures(benchmark, result, figures)
    else:
        show(benchmark, result, csv=csv, figures=figures)


def _latest(
    store: Store, run: str | None, dataset: str | None, model: str | None, class_name: str | None
) -> tuple[str, list[TrainedCell]]:
    """The benchmark that was run last among those that fit, and its trained cells."""
    from harbench.errors import ConfigError, ResultsError, did_you_mean
    from harbench.execute.trained import trained_cells
    from harbench.nouns.names import class_named, plain

    datasets: dict[str, None] = {}
    rows: dict[str, None] = {}
    classes: dict[str, None] = {}
    for name in [run] if run is not None else reversed(store.benchmarks()):
        cells = trained_cells(store, name, registry)
        datasets |= dict.fromkeys(cell.record["cell"]["dataset"] for cell in cells)
        cells = [c for c in cells if dataset in (None, c.record["cell"]["dataset"])]
        rows |= dict.fromkeys(cell.row for cell in cells)
        cells = [c for c in cells if model in (None, c.row)]
        of_run = dict.fromkeys(label for cell in cells for label in cell.record["classes"])
        classes |= of_run
        if cells and (class_name is None or plain(class_name) in map(plain, of_run)):
            return name, cells
    if classes and class_name is not None:
        class_named(class_name, list(classes), "--class")
    for option, word, known in (("--dataset", dataset, datasets), ("--model", model, rows)):
        if word is not None and known and word not in known:
            raise ConfigError(
                f"nothing was trained that is called '{word}'{did_you_mean(word, known)}",
                where=option,
                expected=f"one of {', '.join(known)}",
            )
    raise ResultsError(
        "there is no trained network yet",
        where=str(store.folder),
        fix=f"harbench run benchmarks.yaml{f' {run}' if run else ''}",
    )


def _json_text(benchmark: str, result: AnalysisResult) -> str:
    import json

    content = {
        "benchmark": benchmark,
        "tables": {
            title: json.loads(table.to_json(orient="records", double_precision=15))
            for title, table in result.tables.items()
        },
        "notes": list(result.notes),
    }
    return json.dumps(content, indent=1, ensure_ascii=False)
