"""``--cluster`` and the ``cluster:`` block: which of the two counts, and the executor there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harbench.cli.context import plugin_files, registry
from harbench.errors import ConfigError

if TYPE_CHECKING:
    from harbench.cluster.connecting import Connected
    from harbench.config import ClusterSettings
    from harbench.execute.jobs import Event, Executor


def cluster_asked(
    address: str | None, block: ClusterSettings | None, *, jobs: int | None, device: str
) -> ClusterSettings | None:
    """Where cells are to be trained; None is this machine.

    Args:
        address: Of ``--cluster``, which wins over the block.
        block: Of the file.
        jobs: Of ``--jobs``, which says how many cells this machine trains side by side.
        device: Of ``--device``.

    Raises:
        ConfigError: that is no address, or goes with neither the block nor the other options.
    """
    from harbench.config.cluster import at_address

    settings = block if address is None else at_address(address, block)
    if settings is None or not settings.says_where:
        return None
    if jobs is not None:
        raise ConfigError(
            "how many cells run side by side is up to the workers of the cluster",
            where="--jobs",
            expected="none with a cluster; --cluster none trains on this machine",
        )
    if settings.gpu and device == "cpu":
        raise ConfigError(
            f"a cell takes {settings.gpu:g} of a GPU, and yet is trained on the CPU",
            where="cluster.gpu",
            expected="--device cuda",
        )
    return settings


@dataclass(frozen=True)
class OnCluster:
    """An executor on a cluster that is connected.

    Args:
        executor: Of cells.
        cluster: That it is on.
    """

    executor: Executor
    cluster: Connected

    def followed(self, events: Generator[Event], n_cells: int) -> Generator[Event]:
        """The events as they are; the cluster hears how many cells are left."""
        from harbench.execute.jobs import ENDS

        self.cluster.want(n_cells)
        try:
            for event in events:
                if isinstance(event, ENDS):
                    n_cells -= 1
                    self.cluster.want(n_cells)
                yield event
        finally:
            # Who stops listening stops what is running.
            events.close()


@contextmanager
def on_cluster(
    settings: ClusterSettings, device: str, say: Callable[[str], None]
) -> Iterator[OnCluster]:
    """An executor on the cluster that the settings name.

    Args:
        settings: That say where.
        device: That cells are trained on.
        say: Told where the dashboard is, and what the executor has to say of workers.

    Raises:
        ClusterError: nobody answers there, or what it takes is not installed.
        ConfigError: Dask or dask-jobqueue refuses the settings.
    """
    from harbench.cluster.connecting import connected

    with connected(settings) as cluster:
        from harbench.cluster.client import ClusterExecutor

        shown = f", dashboard {cluster.dashboard}" if cluster.dashboard else ""
        say(f"cluster: scheduler {cluster.address}{shown}")
        executor = ClusterExecutor(
            cluster,
            settings,
            registry=registry(),
            plugin_files=plugin_files(),
            device=device,
            say=say,
        )
        yield OnCluster(executor, cluster)
