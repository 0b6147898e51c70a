"""A run of this process on a toy cluster, and what it leaves in the store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harbench.cluster.client import ClusterExecutor
from harbench.cluster.connecting import connected
from harbench.config import load
from harbench.config.cluster import ClusterSettings
from harbench.execute.jobs import Event
from harbench.execute.local import ProcessExecutor
from harbench.execute.run import efforts_of, train_cells, work_of, write_manifests
from harbench.plan import plan
from harbench.plugins import Registry, load_plugins
from harbench.results import Store
from toys.dask_cluster import DaskCluster
from toys.workplace import TOY_PLUGIN, Workplace

CLUSTER_PLUGIN = Path(__file__).with_name("cluster_plugin.py")
FILES = (TOY_PLUGIN, CLUSTER_PLUGIN)

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {{window: 20, step: 10{more}}}
    recipe: {{epochs: {epochs}, patience: 10000}}
    seeds: {seeds}
    models: {models}
"""


@dataclass
class ClusterPlace:
    """Toy data, a cluster, a store."""

    workplace: Workplace
    cluster: DaskCluster
    said: list[str] = field(default_factory=list)

    @cached_property
    def registry(self) -> Registry:
        return load_plugins(FILES)

    def work(self, store: Store, *, models: str = "[small]", epochs=2, seeds=2, more="", **options):
        """What is to be done of a benchmark, and its plan."""
        text = YAML.format(models=models, epochs=epochs, seeds=seeds, more=more)
        return self.work_of(self.workplace.yaml(text), store, **options)

    def work_of(self, path: Path, store: Store, **options):
        """The same of a file."""
        benchmarks = load(path).benchmarks
        planned = [plan(benchmark, self.registry) for benchmark in benchmarks]
        write_manifests(planned, store)
        return work_of(planned, store, plugin_files=FILES, **options), planned

    def store(self, name: str) -> Store:
        return Store(self.workplace.folder / name)

    def locally(self, store: Store, **what) -> list[Event]:
        return self._alone(store, *self.work(store, **what))

    def locally_from(self, path: Path, store: Store) -> list[Event]:
        return self._alone(store, *self.work_of(path, store))

    def _alone(self, store: Store, work, planned) -> list[Event]:
        return list(train_cells(work, efforts_of(work, planned, store), store, ProcessExecutor(2)))

    def command(
        self,
        *words: str,
        on_cluster: bool = True,
        inside: tuple[str, ...] = (),
        err: Path | None = None,
    ) -> subprocess.Popen[str]:
        """``harbench WORDS --cluster ADDRESS`` as a process of its own, ended with the cluster."""
        where = ("--cluster", self.cluster.address) if on_cluster else ()
        plugins = [word for file in FILES for word in ("--plugin", str(file))]
        main = [sys.executable, "-c", "from harbench.cli import main; main()"]
        command = [*inside, *main, *plugins, *words, *where]
        return self.cluster.start_client(command, self.workplace.folder, err)

    def on_cluster(
        self,
        store: Store,
        *,
        settings: dict[str, object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        **what,
    ) -> list[Event]:
        """Train on the cluster; the events. ``on_event`` sees each as it comes."""
        work, planned = self.work(store, **what)
        wanted = ClusterSettings(address=self.cluster.address, **(settings or {}))
        heard = []
        with connected(wanted) as connection:
            executor = ClusterExecutor(
                connection,
                wanted,
                registry=self.registry,
                plugin_files=FILES,
                say=self.said.append,
            )
            efforts = efforts_of(work, planned, store)
            with closing(train_cells(work, efforts, store, executor)) as events:
                for event in events:
                    heard.append(event)
                    if on_event:
                        on_event(event)
        return heard


def truth(folder: Path) -> dict[str, bytes]:
    """All that is stored of cells, but for what was measured of them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "cells").rglob("*"))
        if path.is_file() and path.name != "measured.json"
    }
