"""The executor on a cluster: the same cells, events and results as on one machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from harbench.cluster.admission import Admission
from harbench.cluster.connecting import Connected
from harbench.cluster.link import Link
from harbench.cluster.preflight import facts_of
from harbench.cluster.running import Running
from harbench.cluster.sending import Supply
from harbench.cluster.workers import Book
from harbench.config.cluster import ClusterSettings
from harbench.execute.folds import FoldFiles
from harbench.execute.jobs import CellJob, Event, Failed, Finished, Job
from harbench.plugins import LOCAL_FOLDER, Registry

_SCHEDULER_S = 15.0
"""At least so long may the scheduler be silent: it serves all workers at once."""


class ClusterExecutor:
    """Cells on the workers of a Dask cluster; see :class:`harbench.execute.jobs.Executor`.

    Args:
        cluster: Connected to it.
        settings: What a cell takes, and when a worker is given up.
        registry: The plugins of this process; workers must have the same.
        plugin_files: Single-file plugins, which are sent to the workers.
        device: That cells are trained on; "cuda" refuses workers without a GPU.
        say: Told in one sentence at a time which workers are used, and which are not.
        perform: Called on a worker instead of training: a function of a module, given the job. For
            measurements of what the executor itself takes: no data is sent then, no plugins are
            compared, and no process is started for a cell.
    """

    def __init__(
        self,
        cluster: Connected,
        settings: ClusterSettings,
        *,
        registry: Registry,
        plugin_files: Sequence[Path] = (),
        device: str = "cpu",
        say: Callable[[str], None] = print,
        perform: Callable[[CellJob], Finished | Failed] | None = None,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._registry = registry
        self._plugin_files = tuple(plugin_files)
        self._device = device
        self._say = say
        self._perform = perform

    def run(self, jobs: Iterable[Job], folds: FoldFiles | None = None) -> Generator[Event | None]:
        """See :class:`harbench.execute.jobs.Executor`. Only cells; costs belong to one machine.

        Raises:
            ClusterError: no worker can be used, or the scheduler is gone. What has ended stays.
            PluginError: a plugin file cannot be read.
        """
        client, settings = self._cluster.client, self._settings
        topic = f"harbench-{secrets.token_hex(8)}"
        with (
            closing(Supply(client, settings.shared)) as supply,
            closing(Link(client, topic, max(settings.silence, _SCHEDULER_S))) as link,
        ):
            book = Book(settings)
            admission = Admission(
                self._cluster,
                settings,
                link,
                book,
                # Whether this machine has a GPU says nothing of the workers.
                ours=None if self._perform else facts_of(self._registry),
                files=self._files(),
                device=self._device,
                say=self._say,
            )
            running = Running(
                self._cluster, settings, link, supply, admission, book, self._say, self._perform
            )
            link.open()
            yield from running.work(jobs, folds)

    def _files(self) -> list[Path]:
        # Workers start their cells elsewhere: what lies in a folder here must be sent, too.
        local = sorted(Path(LOCAL_FOLDER).glob("*.py")) if Path(LOCAL_FOLDER).is_dir() else []
        return list({path.resolve(): path for path in [*local, *self._plugin_files]}.values())
