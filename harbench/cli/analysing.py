"""What the commands that run analyses share: running one on a benchmark, and showing it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from harbench.cli.context import console, plugin_files, registry, remarks

if TYPE_CHECKING:
    from harbench.config import ClusterSettings
    from harbench.execute.analysing import Analysed
    from harbench.nouns import Analysis, TrainedCell, Trainer
    from harbench.plan import PlannedBenchmark
    from harbench.results import Store


def trainer(
    store: Store,
    *,
    jobs: int | None = None,
    device: str = "cpu",
    timeout: float | None = None,
    cluster: ClusterSettings | None = None,
) -> Trainer:
    """What analyses train with: as ``harbench run`` does, into the same store."""
    from harbench.cli.training import carry_out
    from harbench.execute.run import work_of
    from harbench.execute.variants import VariantTrainer

    def train(planned: Sequence[PlannedBenchmark]) -> None:
        work = work_of(
            planned, store, device=device, plugin_files=plugin_files(), time_limit=timeout
        )
        if work.costs or work.cells:
            carry_out(work, planned, store, jobs, cluster)

    return VariantTrainer(store, registry, train)


def perform(
    analysis: Analysis,
    entry: str,
    cells: Sequence[TrainedCell],
    options: Mapping[str, Any],
    store: Store,
    *,
    jobs: int | None = None,
    device: str = "cpu",
    timeout: float | None = None,
    cluster: ClusterSettings | None = None,
) -> Analysed:
    """Run an analysis on a benchmark's cells, and say where its files are."""
    from harbench.execute.analysing import analyse

    train = trainer(store, jobs=jobs, device=device, timeout=timeout, cluster=cluster)
    found = analyse(analysis, entry, cells, options, train, store)
    remarks().print(
        f"tables{' and figures' if found.content['figures'] else ''} are in {found.folder}/",
        soft_wrap=True,
    )
    return found


def show(found: Analysed, store: Store, *, csv: bool = False, json: bool = False) -> None:
    """Print what was found; a benchmark that leaks is marked as in its table."""
    from harbench.report.analyses import csv_of, json_of, print_analysis
    from harbench.report.audit import leaks_of

    leaks = leaks_of(store.benchmark(found.content["benchmark"]))
    if csv:
        typer.echo(csv_of(found.content, leaks), nl=False)
    elif json:
        typer.echo(json_of(found.content, leaks), nl=False)
    else:
        print_analysis(console(), found.content, leaks)


def copy_figures(found: Analysed, folder: Path) -> None:
    """Copy the figures into a folder of the user's, with the benchmark in their names."""
    from harbench.errors import ResultsError
    from harbench.execute.analysing import FIGURE_FORMATS

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in found.content["figures"]:
            for ending in FIGURE_FORMATS:
                target = folder / f"{found.content['benchmark']}-{name}.{ending}"
                shutil.copyfile(found.folder / f"{name}.{ending}", target)
    except OSError as error:
        raise ResultsError(
            f"figures cannot be written: {error.strerror or error}",
            where=str(folder),
            expected="a folder that can be written",
        ) from error


def one_format(*, csv: bool, json: bool) -> None:
    """Refuse two formats at once.

    Raises:
        ConfigError: both are asked for.
    """
    from harbench.errors import ConfigError

    if csv and json:
        raise ConfigError("one output has one format", where="--csv --json", expected="one of them")


def latest(
    store: Store,
    run: str | None,
    dataset: str | None,
    model: str | None,
    class_name: str | None = None,
) -> list[TrainedCell]:
    """The trained cells of the benchmark that was run last among those that fit.

    Args:
        store: Results folder.
        run: A benchmark; None is any.
        dataset, model: The same of datasets and rows.
        class_name: It must know the class; None is any.

    Raises:
        ConfigError: a name that nothing trained has.
        ResultsError: there is no trained network.
    """
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
            return cells
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
