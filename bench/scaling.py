"""Time and memory as work grows: the same work at several sizes, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.cells import _TOY, _toys
from bench.opportunity import cached_stream, simulated
from bench.reading import _alone
from bench.rows import OURS, Done, Place, Row, Side, Work
from harbench.nouns import Protocol

if TYPE_CHECKING:
    from harbench.data.prepared import PreparedFold
    from harbench.data.splits import Fold

_LENGTH, _CLASSES, _BATCH = 24, 18, 256
_SAMPLES = 24_000  # that all windows of a training are cut from
_SCALE = 0.4  # of OPPORTUNITY, where windows and channels grow


@dataclass(frozen=True)
class Series:
    """One kind of work at growing sizes.

    Args:
        name: On the command line.
        title: In the table, with what stays the same.
        unit: What grows.
        points: The sizes, as rows of the benchmark, each with the scale of OPPORTUNITY.
        explained: Why it is not linear, or what is fixed.
    """

    name: str
    title: str
    unit: str
    points: tuple[tuple[Row, float], ...]
    explained: str


def _series(
    name: str, title: str, unit: str, work: Callable[[int], Any], sizes: Sequence[int], why: str
) -> Series:
    points = tuple(
        (Row(f"scale-{name}-{size}", title, unit, "cpu", (Side(OURS, work(size)),)), _SCALE)
        for size in sizes
    )
    return Series(name, title, unit, points, why)


def _read(scale: float) -> tuple[Row, float]:
    title = "read OPPORTUNITY's files into the cache, in one process"
    return Row(f"scale-rows-{scale:g}", title, "rows", "cpu", (Side(OURS, _alone),)), scale


def _fold(place: Place, step: int, channels: int) -> tuple[Callable[[], Fold], Any]:
    """How the challenge's windows are cut, and how its signals are prepared for them."""
    from harbench.data.prepared import prepare
    from harbench.data.splits import folds_of

    stream, dataset = cached_stream(place), simulated()
    protocol = Protocol(task="gestures", split="challenge", window=_LENGTH, step=step)
    task = dataset.task("gestures")

    def cut() -> Fold:
        (fold,) = folds_of(stream, dataset, task, protocol, _LENGTH, step)
        return fold

    def prepared(fold: Fold) -> PreparedFold:
        return prepare(
            stream, dataset, fold, channels=range(channels), length=_LENGTH,
            n_classes=_CLASSES, fill="forward", normalise="z-score",
        )  # fmt: skip

    return cut, prepared


def _epoch(data: PreparedFold) -> int:
    """Gather every batch of an epoch."""
    import torch

    from harbench.training.batches import WindowBatches

    batches = WindowBatches(data, torch.device("cpu"))
    order = torch.Generator().manual_seed(0)
    return sum(len(x) for x, _ in batches.shuffled(data.train, _BATCH, order))


def _windows(step: int) -> Any:
    def prepare(place: Place) -> Work:
        import numpy as np
        import torch

        torch.set_num_threads(1)
        cut, prepared = _fold(place, step, 113)
        data = prepared(cut())
        few = replace(data, train=data.train[np.arange(2 * _BATCH)])
        _epoch(few)

        def work() -> Done:
            return Done(_epoch(replace(data, train=cut().train)))

        return work

    return prepare


def _channels(number: int) -> Any:
    def prepare(place: Place) -> Work:
        import torch

        torch.set_num_threads(1)
        cut, prepared = _fold(place, 12, number)
        fold = cut()

        def work() -> Done:
            _epoch(prepared(fold))
            return Done(number)

        return work

    return prepare


def _training(n_windows: int, channels: int, amount: int) -> Any:
    def prepare(place: Place) -> Work:
        import numpy as np
        import torch

        from harbench.data.normalise import Normaliser
        from harbench.data.prepared import PreparedFold
        from harbench.data.windows import Windows
        from harbench.nouns import Recipe
        from harbench.plugins import load_plugins
        from harbench.training.cell import train_cell

        torch.set_num_threads(1)
        rng = np.random.default_rng(0)
        signals = rng.normal(size=(_SAMPLES, channels)).astype(np.float32)
        starts = rng.integers(0, _SAMPLES - _LENGTH, n_windows)
        windows = Windows(starts, rng.integers(0, _CLASSES, n_windows))
        none, some = (windows[np.arange(n)] for n in (0, 64))
        zero, one = np.zeros(channels), np.ones(channels)
        normaliser = Normaliser(zero, one, zero)
        data = PreparedFold(signals, _LENGTH, windows, none, some, _CLASSES, normaliser)
        model = load_plugins().models.get("resnet-like")
        recipe = Recipe(batch_size=_BATCH, epochs=1, keep="last")
        train = partial(
            train_cell, model, recipe=recipe, options=model.options, seed=0, device="cpu"
        )
        train(replace(data, train=some))

        def work() -> Done:
            train(data)
            return Done(amount)

        return work

    return prepare


def _of_windows(size: int) -> Any:
    return _training(size, 113, size)


def _of_channels(size: int) -> Any:
    return _training(4096, size, size)


def _toy_benchmark(place: Place) -> tuple[Any, Any]:
    """A benchmark whose cells train a network of 75 parameters, and its plugins."""
    from harbench.config import load
    from harbench.plugins import load_plugins
    from harbench.testing.toy_plugin import NETWORK

    recipe = {"epochs": 1, "patience": None}
    file = _toys(place, models=[NETWORK], seeds=1, recipe=recipe)
    return load(file).benchmarks[0], load_plugins((_TOY,))


def _plan(n_cells: int) -> Any:
    def prepare(place: Place) -> Work:
        import io

        from rich.console import Console

        from harbench.cli.plan_tree import print_plan
        from harbench.execute.run import work_of
        from harbench.plan import plan
        from harbench.results import Store

        benchmark, plugins = _toy_benchmark(place)
        store = Store(place.scratch / "results")

        def listed(seeds: Sequence[int]) -> None:
            planned = [plan(benchmark.model_copy(update={"seeds": tuple(seeds)}), plugins)]
            work = work_of(planned, store)
            print_plan(Console(file=io.StringIO(), width=100), planned, work, store)

        listed(range(1))  # imports, and reads the files

        def work() -> Done:
            listed(range(n_cells))
            return Done(n_cells)

        return work

    return prepare


def _cells(n_cells: int) -> Any:
    def prepare(place: Place) -> Work:
        from harbench.execute.local import InProcessExecutor
        from harbench.execute.run import efforts_of, train_cells, work_of, write_manifests
        from harbench.plan import plan
        from harbench.report.table import comparison_table
        from harbench.results import Store

        benchmark, plugins = _toy_benchmark(place)

        def done(seeds: Sequence[int], folder: str) -> int:
            store = Store(place.scratch / folder)
            planned = [plan(benchmark.model_copy(update={"seeds": tuple(seeds)}), plugins)]
            todo = work_of(planned, store, plugin_files=(_TOY.resolve(),))
            efforts = efforts_of(todo, planned, store)
            list(train_cells(todo, efforts, store, InProcessExecutor()))
            write_manifests(planned, store)
            comparison_table(store, benchmark.name)
            return sum(store.has(job.key) for job in todo.cells)

        done(range(2), "first")

        def work() -> Done:
            return Done(done(range(n_cells), "second"))

        return work

    return prepare


SERIES = (
    Series(
        "rows", "read OPPORTUNITY's files into the cache, in one process", "rows",
        tuple(_read(scale) for scale in (0.1, 0.2, 0.4, 0.8)),
        "A file is read once. Here all 24 grow; memory is that of the largest.",
    ),
    _series(
        "windows", "cut windows of 24 samples and gather an epoch of batches", "windows", _windows,
        (8, 4, 2, 1), "The signals are the same; a smaller step makes more windows of them.",
    ),
    _series(
        "channels", "fill gaps, normalise, and gather an epoch of batches", "channels", _channels,
        (14, 28, 56, 112),
        "Some work is done once a sample or a window, whatever its channels.",
    ),
    _series(
        "training-windows", "train resnet-like for an epoch, 113 channels", "windows", _of_windows,
        (2048, 4096, 8192, 16384), "The comparison of layouts is done once a training.",
    ),
    _series(
        "training-channels", "train resnet-like for an epoch of 4,096 windows", "channels",
        _of_channels, (14, 28, 56, 112),
        "Only a network's first layer grows with the channels.",
    ),
    _series(
        "planning", "plan and list cells", "cells", _plan, (1_000, 10_000, 100_000),
        "What the cells of a fold share is hashed once.",
    ),
    _series(
        "cells", "run cells of a network of 75 parameters for an epoch, and their table", "cells",
        _cells, (10, 20, 40, 80), "Each cell prepares its data; what is cached is opened once.",
    ),
)  # fmt: skip

POINTS: dict[str, Row] = {row.name: row for series in SERIES for row, _ in series.points}
