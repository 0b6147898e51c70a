"""Who of the workers may train: each is asked what it is, and compared with the client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harbench.cluster.calls import check
from harbench.cluster.connecting import Connected
from harbench.cluster.link import Answered, Link
from harbench.cluster.preflight import Difference, Facts, differences
from harbench.cluster.workers import Book, Changes, Worker
from harbench.config.cluster import ClusterSettings
from harbench.errors import ClusterError, PluginError

_PATIENCE_S = 60.0
"""Seconds without a worker after which a run on a cluster that is not to change is given up; or as
long as a silent worker is waited for, where that is longer. A worker that was killed is started
again by its nanny."""


class Admission:
    """Asks workers, and opens the run when all that were there have answered.

    Args:
        cluster: Connected to it.
        settings: What a cell takes, and when a worker is given up.
        link: To the cluster.
        book: Of its workers.
        ours: What this machine is; None takes every worker as it is.
        files: Single-file plugins, which are sent along.
        device: That cells are trained on.
        say: Told who is used and who is not.
    """

    def __init__(
        self,
        cluster: Connected,
        settings: ClusterSettings,
        link: Link,
        book: Book,
        *,
        ours: Facts | None,
        files: Sequence[Path],
        device: str,
        say: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._link = link
        self._book = book
        self._ours = ours
        self._names = [path.stem for path in files]
        self._files = _contents(files)
        self._device = device
        self._say = say
        self._said: set[str] = set()
        self._differences: dict[str, Difference] = {}
        self._began: float | None = None
        self._without: float | None = None
        self.open = False

    def changed(self, changes: Changes) -> None:
        """Workers have come, gone, fallen silent or come back."""
        for worker in changes.silent:
            self._tell(
                f"worker {worker.name} is not used: no sign of life from it for "
                f"{self._settings.silence:g} s"
            )
        for worker in changes.back:
            self._tell(f"worker {worker.name} is back")
        for worker in (*changes.new, *changes.back):
            self._ask(worker)

    def answered(self, news: Answered) -> None:
        """A worker has said what it is."""
        worker = self._book.get(news.address)
        if worker is None or worker.status != "asked":
            return
        assert self._ours is not None
        if news.answer is None or "error" in news.answer:
            error = news.error if news.answer is None else str(news.answer["error"])
            self._refuse(worker, [_of_error(error, self._ours)])
            return
        theirs = Facts.of_json(dict(news.answer["facts"]))
        worker.gpus, worker.files = theirs.gpus, tuple(news.answer["files"])
        worker.sources = theirs.sources
        worker.machine = theirs.memory
        wants_gpu = self._device.startswith("cuda") or self._settings.gpu > 0
        found = differences(self._ours, theirs, self._names, wants_gpu=wants_gpu)
        if not found and self._book.places(worker) < 1:
            found = [Difference(self._book.too_small(worker))]
        if found:
            self._refuse(worker, found)
        else:
            worker.status = "usable"
            worker.unfit.clear()

    def look(self, now: float) -> None:
        """Open the run when all have answered; give it up where no worker can be used.

        Args:
            now: By our clock, in seconds.

        Raises:
            ClusterError: on a cluster whose workers do not come and go, none can be used.
        """
        asked, usable = self._book.of("new", "asked"), self._book.of("usable")
        if self._began is None:
            self._began = now
        patience = max(_PATIENCE_S, self._settings.silence)
        if usable and not self.open and (not asked or now - self._began > patience):
            self.open = True
            places = self._book.all_places()
            self._say(
                f"{self._cluster.address}: {_many(len(usable), 'worker')}, "
                f"{_many(places, 'cell')} at once"
            )
        if usable or asked:
            self._without = None
            return
        if self._without is None:
            self._without = now
        refused = self._book.of("refused")
        if refused and len(refused) == len(self._book.of()) and not self._cluster.come_and_go:
            raise self._all_refused()
        if self._cluster.come_and_go:
            if now - self._without > 1.0:
                self._tell("no worker yet; waiting for one")
            return
        if now - self._without > patience:
            raise ClusterError(
                f"no worker has been there for {patience:g} s",
                where=self._cluster.address,
                expected="at least one",
                fix=f"dask worker {self._cluster.address}",
            )
        if now - self._without > 1.0:
            self._tell(f"no worker is there; waiting for one (for {patience:g} s)")

    def _ask(self, worker: Worker) -> None:
        if self._ours is None:
            worker.status = "usable"
            return
        worker.status = "asked"
        self._link.ask(worker.address, check, self._files, self._device)

    def _refuse(self, worker: Worker, found: Sequence[Difference]) -> None:
        worker.status = "refused"
        self._differences[worker.name] = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        fix = f"\n  try there: {found[0].fix}" if found[0].fix else ""
        self._tell(f"worker {worker.name} is not used: {found[0].text}{more}{fix}")

    def _all_refused(self) -> ClusterError:
        refused = self._book.of("refused")
        first = self._differences[refused[0].name]
        return ClusterError(
            f"none of its {len(refused)} workers can be used; {refused[0].name}: {first.text}"
            if len(refused) > 1
            else f"its one worker, {refused[0].name}, cannot be used: {first.text}",
            where=self._cluster.address,
            expected="workers with the same harbench, plugins and versions as here",
            fix=first.fix and f"{first.fix}   # on the worker",
        )

    def _tell(self, text: str) -> None:
        """Say something; once, however often a nanny brings a worker back."""
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def _contents(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    try:
        return [(path.name, path.read_bytes()) for path in files]
    except OSError as error:
        raise PluginError(
            f"a plugin file cannot be read: {error.strerror or error}", where=str(error.filename)
        ) from error


def _of_error(error: str, ours: Facts) -> Difference:
    version = ours.versions.get("harbench", "")
    if "No module named 'harbench" in error:
        return Difference(
            "harbench (or a version that knows clusters) is missing there",
            f"pip install 'harbench[cluster]=={version}'",
        )
    return Difference(error)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
