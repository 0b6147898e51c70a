"""``python -m bench cluster``: what the executor on a cluster takes for each cell, by simulation.

The cells do no work: a worker answers at once with a made-up result of the usual size. All else is
real: the plan, the executor, a scheduler and workers as processes on loopback, and the store.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.kept import Line, put_in, read_csv, write_csv
from bench.scale_page import exponent

FIELDS = (
    "cells", "workers", "rounds", "planned_ms", "run_ms", "writing_ms", "client_cpu_ms",
    "scheduler_cpu_ms", "plain_ms", "client_mb", "scheduler_mb", "worker_mb", "store_kb", "machine",
    "distributed", "date",
)  # fmt: skip
"""Columns of the CSV: a line a size. Milliseconds and KB are of one cell; ``run_ms`` is on the
clock, ``writing_ms`` is the time of the threads that store results meanwhile, all together,
``plain_ms`` is a task of Dask alone with a result of that size, on the same cluster."""

MARK = "overhead"
"""Of the table in its page."""

MARK_THOUSAND = "thousand workers"
"""Of what the measured figures come to for many workers."""

MANY = 1_000
"""Workers, each with a cell at a time."""

_NETWORK = 125e6
"""Bytes a second of the client's network, at 1 Gbit/s."""

SIZES = (1_000, 3_000, 10_000, 30_000)
WORKERS = 3
_PLAIN = 2_000
"""Tasks of Dask alone."""

_SEEDS = 1_000  # as many as a benchmark may have
_START_S = 120.0
_ROOT = Path(__file__).parents[1]


def main(words: Sequence[str]) -> int:
    """Train cells of no work on a cluster of this machine, and write what that took."""
    parser = argparse.ArgumentParser(prog="python -m bench cluster", description=main.__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=list(SIZES), help="sizes")
    parser.add_argument(
        "--rounds", type=int, default=1, help="times each size; that of the median is kept"
    )
    parser.add_argument("--out", type=Path, help="CSV to bring up to date, and the .md beside it")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.one:
        print(json.dumps(_measured_here(asked.cells[0], asked.one)))
        return 0
    for n_cells in asked.cells:
        # Removed at the end only: a file system may be slow for a while after many removals.
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            lines = [_line(n_cells, Path(folder, str(n))) for n in range(asked.rounds)]
        print(text_of(lines), flush=True)
        line = {**middle(lines), "rounds": str(asked.rounds)}
        if asked.out:
            everything = merged(read_csv(asked.out), line)
            write_csv(asked.out, FIELDS, everything)
            page = asked.out.with_suffix(".md")
            put_in(page, MARK, text_of(everything))
            put_in(page, MARK_THOUSAND, text_of_thousand(everything[-1]))
    return 0


def merged(before: Sequence[Line], line: Line) -> list[Line]:
    """The new line in the place of the old one of its size."""
    others = [old for old in before if old["cells"] != line["cells"]]
    return sorted([*others, line], key=lambda each: int(each["cells"]))


def middle(lines: Sequence[Line]) -> Line:
    """That of the median time; of an even number, the slower of the two."""
    return sorted(lines, key=together)[len(lines) // 2]


def text_of(lines: Sequence[Line]) -> str:
    """The table, and how it grows where there are several sizes."""
    heads = (
        "cells", "planned", "scheduled and stored", "together", "writing", "client's CPU",
        "scheduler's CPU", "Dask alone", "client's peak", "scheduler's peak", "a worker's peak",
    )  # fmt: skip
    text = [f"| {' | '.join(heads)} |", f"|{'---:|' * len(heads)}"]
    for line in lines:
        cells = (
            f"{int(line['cells']):,}",
            *(f"{float(line[f'{part}_ms']):.2f} ms" for part in ("planned", "run")),
            f"{together(line):.2f} ms",
            *(
                f"{float(line[f'{part}_ms']):.2f} ms"
                for part in ("writing", "client_cpu", "scheduler_cpu")
            ),
            # Lines of before it was measured have none.
            f"{float(line['plain_ms']):.2f} ms" if line.get("plain_ms") else "",
            *(f"{float(line[f'{who}_mb']):.0f} MB" for who in ("client", "scheduler", "worker")),
        )
        text.append(f"| {' | '.join(cells)} |")
    if len({line["cells"] for line in lines}) > 1:
        amounts = [float(line["cells"]) for line in lines]
        seconds = [together(line) * float(line["cells"]) for line in lines]
        text += ["", f"All of it grows as cells to the power of {exponent(amounts, seconds):.2f}."]
    return "\n".join(text) + "\n"


def together(line: Line) -> float:
    """Milliseconds of one cell."""
    return float(line["planned_ms"]) + float(line["run_ms"])


def text_of_thousand(line: Line) -> str:
    """What each part allows, were nothing else in the way; what allows least comes first.

    A part that has a cell for t ms has 1000 / t of them a second, and so keeps workers busy as long
    as their cells take t ms times their number.
    """
    from harbench.execute.keeping import WRITERS

    parts = {
        "client: its processor time": float(line["client_cpu_ms"]),
        f"client: writing, {WRITERS} cells at a time": float(line["writing_ms"]) / WRITERS,
        "scheduler: its processor time": float(line["scheduler_cpu_ms"]),
        "client's network: results, at 1 Gbit/s": float(line["store_kb"]) * 1e3 / _NETWORK * 1e3,
    }
    text = [
        f"| | a cell | cells a second | {MANY:,} workers are busy where cells take |",
        "|---|---:|---:|---:|",
    ]
    for name, cost in sorted(parts.items(), key=lambda part: -part[1]):
        shortest = f"over {cost * MANY / 1e3:.1f} s"
        text.append(f"| {name} | {cost:.2f} ms | {1e3 / max(cost, 1e-6):,.0f} | {shortest} |")
    return "\n".join(text) + "\n"


def _line(n_cells: int, folder: Path) -> Line:
    """One size, measured in a process of its own: its peak memory is nobody else's."""
    folder.mkdir()
    command = [sys.executable, "-m", "bench", "cluster", "--cells", str(n_cells)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(_ROOT), *(path for path in sys.path if path)]),
        "HARBENCH_CACHE": f"{folder}/cache",
    }
    ended = subprocess.run(
        [*command, "--one", str(folder)], env=environment, stdout=subprocess.PIPE, text=True,
        check=True, cwd=_ROOT,
    )  # fmt: skip
    found: Line = json.loads(ended.stdout.splitlines()[-1])
    return found


def _measured_here(n_cells: int, folder: Path) -> Line:
    from bench.no_work import no_work
    from harbench.cluster.client import ClusterExecutor
    from harbench.cluster.connecting import connected
    from harbench.config.cluster import ClusterSettings
    from harbench.cost.processor import processor
    from harbench.execute.jobs import Failed, Finished
    from harbench.execute.run import efforts_of, train_cells, work_of, write_manifests
    from harbench.plan import plan
    from harbench.plugins import load_plugins
    from harbench.results import Store
    from harbench.testing import toy_plugin

    store, in_store = Store(folder / "results"), _Clock()
    store.write = in_store.timed(store.write)  # type: ignore[method-assign]
    benchmarks = _benchmarks(n_cells, folder)
    registry = load_plugins([toy_plugin.FILE], packages=False)
    _ = plan(benchmarks[0], registry)  # reads the toy files into the cache
    begin = time.perf_counter()
    planned = [plan(benchmark, registry) for benchmark in benchmarks]
    work = work_of(planned, store)
    write_manifests(planned, store)
    efforts = efforts_of(work, planned, store)
    seconds_planned = time.perf_counter() - begin
    assert len(work.cells) == n_cells
    with _cluster(folder) as (address, processes):
        settings = ClusterSettings(address=address)
        with connected(settings) as cluster:
            deadline = time.monotonic() + _START_S
            while len(cluster.client.nthreads()) < WORKERS:
                assert time.monotonic() < deadline, "the workers did not start"
                time.sleep(0.05)
            executor = ClusterExecutor(
                cluster, settings, registry=registry, say=lambda text: None, perform=no_work
            )
            cpu = [time.process_time(), *map(_cpu_of, processes)]
            begin = time.perf_counter()
            ends = {Finished: 0, Failed: 0}
            for event in train_cells(work, efforts, store, executor):
                if isinstance(event, Finished | Failed):
                    ends[type(event)] += 1
            seconds = time.perf_counter() - begin
            cpu = [b - a for a, b in zip(cpu, [time.process_time(), *map(_cpu_of, processes)],
                                         strict=True)]  # fmt: skip
            peaks = [_peak_of(pid) / 1e6 for pid in processes]
            assert ends == {Finished: n_cells, Failed: 0}, ends
            some = next(iter(work.cells)).key
            of_one = sum(path.stat().st_size for path in store.cell_folder(some).iterdir())
            seconds_plain = _plain_tasks(cluster.client, of_one)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6

    def of_a_cell(seconds: float) -> str:
        return f"{seconds / n_cells * 1000:.3f}"

    return {
        "cells": str(n_cells),
        "workers": str(WORKERS),
        "planned_ms": of_a_cell(seconds_planned),
        "run_ms": of_a_cell(seconds),
        "writing_ms": of_a_cell(in_store.seconds),
        "client_cpu_ms": of_a_cell(cpu[0]),
        "scheduler_cpu_ms": of_a_cell(cpu[1]),
        "plain_ms": f"{seconds_plain * 1000:.3f}",
        "client_mb": f"{own:.0f}",
        "scheduler_mb": f"{peaks[0]:.0f}",
        "worker_mb": f"{max(peaks[1:]):.0f}",
        "store_kb": f"{of_one / 1e3:.1f}",
        "machine": processor(),
        "distributed": version("distributed"),
        "date": time.strftime("%Y-%m-%d"),
    }


def _plain_tasks(client: Any, size: int) -> float:
    """Seconds of a task that gives back so many bytes; each worker has one at a time."""
    from distributed import as_completed

    workers = list(client.nthreads())
    at: dict[str, str] = {}

    def submit(worker: str) -> Any:
        future = client.submit(bytes, size, workers=[worker], pure=False)
        at[future.key] = worker
        return future

    begin = time.perf_counter()
    running = as_completed(map(submit, workers), loop=client.loop, with_results=True)
    given = len(workers)
    for future, result in running:
        assert len(result) == size
        if given < _PLAIN:
            running.add(submit(at.pop(future.key)))
            given += 1
    return (time.perf_counter() - begin) / given


class _Clock:
    """Seconds inside a function."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, function: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*arguments, **more)
            finally:
                self.seconds += time.perf_counter() - begin

        return call


def _benchmarks(n_cells: int, folder: Path) -> Any:
    """Benchmarks of toy data with that many cells: one network, many windows and seeds."""
    from harbench.config import load
    from harbench.testing import toy_plugin

    toy_plugin.write(folder / "toys", 40)
    left = n_cells
    groups: dict[str, Any] = {}
    for window in range(10, 40):
        seeds = min(left, _SEEDS)
        if not seeds:
            break
        left -= seeds
        groups[f"window-{window}"] = {
            "dataset": toy_plugin.DATASET,
            "path": "toys",
            "protocol": {"split": "subjects", "window": window, "step": 10},
            "seeds": seeds,
            "models": [toy_plugin.NETWORK],
        }
    assert not left, "at most 30,000 cells"
    path = folder / "benchmarks.yaml"
    # JSON is YAML.
    path.write_text(json.dumps({"benchmarks": groups}))
    return load(path).benchmarks


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """A scheduler and workers, a process each; its address, and their process ids."""
    file = folder / "scheduler.json"
    program = [sys.executable, "-m"]
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    commands = [
        [*program, "distributed.cli.dask_scheduler", "--scheduler-file", str(file), "--port", "0"],
        *(
            [*program, "distributed.cli.dask_worker", "--scheduler-file", str(file),
             "--nthreads", "1", "--no-nanny", "--memory-limit", "0",
             "--local-directory", str(folder / f"dask-{number}")]
            for number in range(WORKERS)
        ),
    ]  # fmt: skip
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(
                    [*command, *here], cwd=_ROOT, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            deadline = time.monotonic() + _START_S
            while not (file.is_file() and file.stat().st_size):
                assert time.monotonic() < deadline, "the scheduler did not start"
                time.sleep(0.05)
        yield json.loads(file.read_text())["address"], [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def _cpu_of(pid: int) -> float:
    """Seconds of a processor that a process has had."""
    # Behind the name, which may hold anything, in parentheses.
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _peak_of(pid: int) -> float:
    """Bytes of resident memory of a process, at the highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024
