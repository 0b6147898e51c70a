"""A folder with toy data, a benchmarks.yaml and a store of its own."""

from __future__ import annotations

import signal
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harbench.config import Benchmark, load
from harbench.execute.run import efforts_of, measure_costs, train_cells, write_manifests
from harbench.plugins import Registry, load_plugins
from harbench.results import Store

TOY_PLUGIN = Path(__file__).with_name("toy_plugin.py")


@dataclass
class Workplace:
    folder: Path

    @cached_property
    def registry(self) -> Registry:
        return load_plugins([TOY_PLUGIN])

    @cached_property
    def store(self) -> Store:
        return Store(self.folder / "results")

    def yaml(self, text: str) -> Path:
        path = self.folder / "benchmarks.yaml"
        path.write_text(textwrap.dedent(text))
        return path

    def benchmarks(self, text: str) -> tuple[Benchmark, ...]:
        return load(self.yaml(text)).benchmarks


def hear_interrupts() -> None:
    """Before a child starts: a shell that put us into the background made us deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def carry_out(work, planned, store, executor):
    """All of a run, as the command does it; its events one after another."""
    write_manifests(planned, store)
    yield from measure_costs(work, store, executor)
    yield from train_cells(work, efforts_of(work, planned, store), store, executor)
