"""Planning at the command line: benchmarks narrowed by options, and a bar while data is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harbench.cli.context import registry, remarks

if TYPE_CHECKING:
    from harbench.config import Benchmark
    from harbench.plan import PlannedBenchmark


def narrowed(benchmark: Benchmark, seeds: str | None, models: str | None) -> Benchmark:
    """The benchmark with ``--seeds`` and ``--models`` applied."""
    from harbench.errors import ConfigError, did_you_mean

    update: dict[str, object] = {}
    if seeds is not None:
        try:
            numbers = [int(word) for word in seeds.split(",")]
        except ValueError:
            raise ConfigError(
                f"'{seeds}' is no number of seeds", where="--seeds", expected="3, or 0,7,8"
            ) from None
        given = range(numbers[0]) if len(numbers) == 1 and "," not in seeds else numbers
        if not given or min(given) < 0 or len(set(given)) != len(given):
            raise ConfigError(
                f"'{seeds}' is no set of seeds",
                where="--seeds",
                expected="a number above 0, or different numbers from 0 up",
            )
        update["seeds"] = tuple(given)
    if models is not None:
        rows = {entry.row: entry for entry in benchmark.models}
        wanted = [word.strip() for word in models.split(",") if word.strip()]
        for word in wanted:
            if word not in rows:
                raise ConfigError(
                    f"benchmark '{benchmark.name}' has no row '{word}'{did_you_mean(word, rows)}",
                    where="--models",
                    expected=f"one of {', '.join(rows)}",
                )
        update["models"] = tuple(rows[word] for word in wanted)
    return benchmark.model_copy(update=update)


def plan_one(benchmark: Benchmark, file: Path, jobs: int | None = None) -> PlannedBenchmark:
    """The benchmark of a file, planned; its dataset is read into the cache if need be.

    Args:
        benchmark: Settings.
        file: That they were read from.
        jobs: Processes that read at most; None: as many as there are cores.
    """
    from harbench.plan import Opened, plan

    with read_from(file), reading(benchmark.dataset) as on_source:
        return plan(benchmark, registry(), on_source, Opened(jobs))


@contextmanager
def read_from(file: Path) -> Iterator[None]:
    """Mistakes in settings are told with the file that they were read from."""
    from harbench.errors import ConfigError

    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            error.what,
            where=f"{file}, {error.where}" if error.where else str(file),
            expected=error.expected,
            fix=error.fix,
        ) from error


@contextmanager
def reading(dataset: str) -> Iterator[Callable[[int, int], None]]:
    """A bar while a dataset is read for the first time; one line where there is no terminal."""
    from rich.progress import Progress

    console = remarks()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(f"reading {dataset}", visible=False)

        def on_source(done: int, total: int) -> None:
            if not console.is_terminal and done == total:
                console.print(f"read {dataset}: {total} files")
            bars.update(task, completed=done, total=total, visible=True)

        yield on_source
