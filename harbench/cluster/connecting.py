"""Getting at a cluster: one that runs already, one on this machine, or jobs of a queueing system.

What is started here is stopped again, and takes connections from this machine only, unless the
settings name an address: a Dask cluster runs code for whoever reaches it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harbench.config.cluster import ClusterSettings
from harbench.data.processors import usable_processors
from harbench.errors import ClusterError, ConfigError

if TYPE_CHECKING:
    from distributed import Client

_HERE = "127.0.0.1"

_ANSWER_S = 15.0
"""In which a scheduler must answer."""

_GOODBYE_S = 10.0
"""For workers that were started here to end; after that they are killed."""


_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""For workers: Ctrl-C reaches every process of the terminal; the client decides what ends them."""


@dataclass
class _Left:
    """How many cells are to be done: said by the run, read by the scheduler's loop."""

    cells: int = 1


@dataclass(frozen=True)
class Connected:
    """A cluster, and a client of it.

    Args:
        client: Of Dask. It is no default client, and its loop runs in a thread.
        address: Of the scheduler.
        dashboard: Address of the scheduler's pages; None where it has none.
        come_and_go: Whether its workers are asked for as there is work: none may be there yet.
    """

    client: Client
    address: str
    dashboard: str | None
    come_and_go: bool = False
    _left: _Left = field(default_factory=_Left)

    def want(self, cells_left: int) -> None:
        """Say how many cells are still to be done, for clusters that grow and shrink."""
        self._left.cells = cells_left


@contextmanager
def connected(settings: ClusterSettings) -> Iterator[Connected]:
    """A client of the cluster that the settings name; what was started for it ends with it.

    Args:
        settings: That name an address or a jobqueue.

    Raises:
        ClusterError: what it takes is not installed, or nobody answers.
        ConfigError: the settings are not what Dask or dask-jobqueue takes.
    """
    _need("distributed", "harbench[cluster]")
    left = _Left()
    with ExitStack() as stack:
        security = _security(settings)
        cluster: Any = None
        if settings.is_local:
            cluster = _local(settings)
        elif settings.jobqueue is not None:
            cluster = _jobqueue(settings, security)
        if cluster is not None:
            stack.callback(_ended, cluster)
            _sized(cluster, settings, left)
        client = _client(settings, cluster, security)
        stack.callback(_ended, client)
        yield Connected(
            client,
            client.scheduler.address,
            _dashboard(client),
            settings.jobqueue is not None or isinstance(settings.workers, tuple),
            left,
        )


def _need(module: str, package: str) -> None:
    if find_spec(module) is None:
        raise ClusterError(
            f"a cluster needs {module.replace('_', '-')}, which is not installed",
            where="--cluster",
            fix=f"pip install '{package}'",
        )


def _security(settings: ClusterSettings) -> Any:
    from distributed import Security

    if settings.tls is None:
        return None
    files = settings.tls
    for key in ("ca_file", "cert", "key"):
        path = getattr(files, key)
        try:
            path.open("rb").close()
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read: {error.strerror}",
                where=f"cluster.tls.{key}",
                expected="a file in PEM format",
            ) from error
    ca_file, cert, key = str(files.ca_file), str(files.cert), str(files.key)
    return Security(
        require_encryption=True,
        tls_ca_file=ca_file,
        **{f"tls_{who}_cert": cert for who in ("client", "scheduler", "worker")},
        **{f"tls_{who}_key": key for who in ("client", "scheduler", "worker")},
    )


def _client(settings: ClusterSettings, cluster: Any, security: Any) -> Client:
    from distributed import Client

    at = settings.address if cluster is None else cluster
    # Of a cluster that was started here, the security is its own.
    more = {"security": security} if cluster is None and security is not None else {}
    try:
        return Client(at, timeout=_ANSWER_S, set_as_default=False, name="harbench", **more)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        where = settings.address or settings.jobqueue
        raise ClusterError(
            f"no scheduler of Dask answers at {where}: {_first_line(error)}",
            where="--cluster",
            fix=None if cluster is not None else "dask scheduler --host HOST --port 8786",
        ) from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _dashboard(client: Client) -> str | None:
    services = client.scheduler_info().get("services", {})
    return client.dashboard_link if "dashboard" in services else None


def _local(settings: ClusterSettings) -> Any:
    """A scheduler and workers on this machine, each a process, that nobody else can reach."""
    from distributed import LocalCluster

    cores = usable_processors()
    n_workers = settings.local_workers or max(1, cores // settings.threads)
    threads = settings.threads
    if settings.gpu and settings.local_workers is None:
        # One worker counts the cells on each GPU; several would not know of each other's.
        n_workers, threads = 1, max(cores, settings.threads)
    if settings.workers is not None:
        n_workers = 0
    try:
        return LocalCluster(
            n_workers=n_workers,
            threads_per_worker=threads,
            processes=True,
            host=_HERE,
            # Without bokeh the page would only say so.
            dashboard_address=f"{_HERE}:0" if find_spec("bokeh") else None,
            silence_logs=logging.CRITICAL,
            preload=[_DEAF],
        )
    except (OSError, TimeoutError, RuntimeError) as error:
        raise ClusterError(
            f"no cluster could be started on this machine: {_first_line(error)}",
            where="--cluster",
        ) from error


def _jobqueue(settings: ClusterSettings, security: Any) -> Any:
    """A scheduler in this process, whose workers are jobs; none is asked for yet."""
    _need("dask_jobqueue", "dask-jobqueue")
    import dask
    import dask_jobqueue

    assert settings.jobqueue is not None
    kind = getattr(dask_jobqueue, settings.jobqueue)
    options = dict(settings.options)
    configured = f"jobqueue.{options.get('config_name', kind.job_cls.config_name)}"
    scheduler = {
        "dashboard_address": f"{_HERE}:0",
        **(dask.config.get(f"{configured}.scheduler-options", None) or {}),
        **(options.pop("scheduler_options", None) or {}),
    }
    interface = options.get("interface") or dask.config.get(f"{configured}.interface", None)
    if not interface and not {"host", "interface"} & set(scheduler):
        # Dask's own default is every address that this machine has.
        raise ConfigError(
            "it is not said on which network the nodes reach this machine",
            where="cluster.options",
            expected="interface: ib0, or scheduler_options: {host: ADDRESS}",
        )
    if dask.config.get(f"{configured}.processes", None) is None:
        # Each cell has a process of its own: one worker a job, which counts all its GPUs.
        options.setdefault("processes", 1)
    if security is not None:
        options["security"] = security
    try:
        return kind(**options, scheduler_options=scheduler)
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        raise ConfigError(
            f"{settings.jobqueue} refuses these options: {_first_line(error)}",
            where="cluster.options",
            expected="what dask-jobqueue's documentation says of that class",
        ) from error


def _sized(cluster: Any, settings: ClusterSettings, left: _Left) -> None:
    """Ask for the workers, or have them asked for as there is work."""
    if isinstance(settings.workers, tuple):
        least, most = settings.workers
        cluster.adapt(
            Adaptive=_adaptive(lambda: left.cells, settings.threads), minimum=least, maximum=most
        )
    elif settings.workers is not None:
        cluster.scale(settings.workers)


def _adaptive(cells_left: Callable[[], int], threads: int) -> type[Any]:
    """Dask's adaptive scaling by what the run has left.

    Dask counts the tasks that it was given; it is given no more of them than there are places.
    """
    from distributed import Adaptive

    class ByCells(Adaptive):  # type: ignore[misc]
        async def target(self) -> int:
            workers = list(self.cluster.scheduler.workers.values())
            places = min((worker.nthreads // threads for worker in workers), default=1)
            # A worker with a cell is never one too many: idle ones are closed first.
            busy = sum(bool(worker.processing) for worker in workers)
            return int(max(math.ceil(cells_left() / max(places, 1)), busy))

    return ByCells


def _ended(thing: Any) -> None:
    # Whatever a cluster that is gone says to being closed: it is gone.
    with suppress(Exception):
        thing.close(timeout=_GOODBYE_S)
