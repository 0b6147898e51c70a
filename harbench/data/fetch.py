"""``harbench datasets fetch``: a dataset's files on this machine, each verified or absent."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harbench.data.disk import DiskFullError, check_room, writing
from harbench.data.download import Quiet, Reporter, Resuming, UnreachableError
from harbench.data.unpack import BadArchiveError, Problem, copy_folder, is_verified, unpack_zip
from harbench.errors import DataError
from harbench.nouns import Archive, Dataset, Member

_WORK, _LOCK, _ZIP = ".fetch", ".fetch.lock", "archive.zip"


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did; every file that it names is verified.

    Args:
        dataset: Name.
        folder: Where the files lie.
        origin: Address, zip file or folder that they came from; empty where all were there.
        fetched: Files that were written now.
        kept: Files that were already there, and right.
    """

    dataset: str
    folder: Path
    origin: str
    fetched: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class _Job:
    """What the steps of one fetch share."""

    dataset: str
    wanted: Sequence[Member]
    folder: Path
    work: Path
    reporter: Reporter
    sleep: Callable[[float], None]

    @property
    def bytes_wanted(self) -> int:
        return sum(member.size for member in self.wanted)


def fetch(
    dataset: Dataset,
    folder: Path,
    *,
    source: Path | None = None,
    reporter: Reporter | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> FetchReport:
    """Bring a dataset's files into ``folder``; files that are there and right are kept.

    Args:
        dataset: One with an ``archive``.
        folder: Is made where it does not exist.
        source: A folder that holds the files anywhere below it, or the zip file; None downloads.
        reporter: Is told of progress.
        sleep: Waits between tries; tests pass their own.

    Raises:
        DataError: the files cannot be had, or are not the dataset's; what was right stays,
            nothing half-made does, and the next call goes on from there.
    """
    reporter = reporter or Quiet()
    if dataset.archive is None:
        raise DataError(f"{dataset.name} has nothing to fetch", fix="harbench datasets")
    if source is not None and not source.exists():
        raise DataError(
            f"there is no {source}", where="--from", expected="the zip file, or a folder of files"
        )
    members = dataset.archive.members
    kept = _verified(members, folder)
    if len(kept) == len(members):  # so that a read-only folder that is complete is fine
        return FetchReport(dataset.name, folder, "", (), kept)
    with _locked(folder, reporter), _workplace(folder) as work:
        kept = _verified(members, folder)  # another run may have fetched them while we waited
        wanted = [member for member in members if member.name not in kept]
        job = _Job(dataset.name, wanted, folder, work, reporter, sleep)
        origin = ""
        if wanted:
            origin = str(source) if source else _download(job, dataset.archive)
            if source:
                _take(job, source)
    return FetchReport(dataset.name, folder, origin, tuple(member.name for member in wanted), kept)


def _verified(members: Sequence[Member], folder: Path) -> tuple[str, ...]:
    return tuple(m.name for m in members if is_verified(folder / m.name, m))


def _download(job: _Job, archive: Archive) -> str:
    """Try the addresses in turn; returns the last one asked, when all files are there."""
    failures: list[str] = []
    for number, url in enumerate(archive.urls):
        if failures:
            job.reporter.say(failures[-1])
        part = job.work / f"{_ZIP}.{number}.part"
        get = Resuming(part, room=job.bytes_wanted, reporter=job.reporter, sleep=job.sleep)
        zipped = job.work / _ZIP
        try:
            _retrieve(url, zipped, get)
            problems = _unpack(job, zipped)
        except UnreachableError as error:
            # What has arrived is kept: the next run goes on from there.
            failures.append(f"{url}: {error}")
            continue
        except BadArchiveError as error:
            failures.append(f"{url}: {error}")
        else:
            if not problems:
                return url
            failures.append(f"{url}: {_sentence(problems)}")
            job = replace(job, wanted=[problem.member for problem in problems])
        # Wrong bytes must not be resumed: the next run starts afresh.
        zipped.unlink(missing_ok=True)
    raise DataError(
        f"{job.dataset} cannot be downloaded: {'; '.join(failures)}",
        fix=f"harbench datasets fetch {job.dataset} --from DIR_OR_ZIP",
    )


def _retrieve(url: str, zipped: Path, get: Resuming) -> None:
    import pooch

    log = pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)  # it advises to write down a hash; the members have theirs
    try:
        with writing(zipped):
            pooch.retrieve(url, None, zipped.name, zipped.parent, downloader=get)
    finally:
        log.setLevel(level)


def _unpack(job: _Job, zipped: Path) -> list[Problem]:
    check_room(job.folder, job.bytes_wanted)
    return unpack_zip(zipped, job.wanted, job.folder, job.work, job.reporter)


def _take(job: _Job, source: Path) -> None:
    """Take the files from the user's own folder or zip file, and say what is not right."""
    fix = f"harbench datasets fetch {job.dataset}"
    try:
        if source.is_dir():
            check_room(job.folder, job.bytes_wanted)
            problems = copy_folder(source, job.wanted, job.folder, job.work, job.reporter)
            zips = sorted(source.glob("*.zip"))
            if len(problems) == len(job.wanted) and len(zips) == 1:
                fix += f" --from '{zips[0]}'"
        else:
            problems = _unpack(job, source)
    except BadArchiveError as error:
        raise DataError(
            f"the archive cannot be used: {error}",
            where=str(source),
            expected=f"the zip file of {job.dataset}, or a folder of its files",
            fix=fix,
        ) from error
    if problems:
        raise DataError(_sentence(problems), where=str(source), fix=fix)


def _sentence(problems: Sequence[Problem]) -> str:
    first, *others = problems
    if not others:
        return str(first)
    names = ", ".join(problem.member.name for problem in others[:5])
    if len(others) > 5:
        names += f" and {len(others) - 5} more"
    are = "file is" if len(others) == 1 else "files are"
    return f"{first}, and {len(others)} more {are} missing or wrong: {names}"


@contextmanager
def _locked(folder: Path, reporter: Reporter) -> Iterator[None]:
    """Only one fetch at a time works in a folder; the lock file stays, as filelock wants it."""
    from filelock import FileLock, Timeout

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    with writing(folder / _LOCK):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            reporter.say(f"another fetch is at work in {folder}; waiting for it")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """A folder for what is not verified yet; of a run that failed, only the download stays."""
    work = folder / _WORK
    with writing(work):
        if work.exists():
            _sweep(work)
        work.mkdir(exist_ok=True)
    try:
        yield work
    except DiskFullError:
        shutil.rmtree(work, ignore_errors=True)
        raise
    except BaseException:
        _sweep(work)
        raise
    shutil.rmtree(work, ignore_errors=True)


def _sweep(work: Path) -> None:
    """Remove all but a download that can be used or continued."""
    for path in work.iterdir():
        arrived = path.with_suffix("") if path.suffix == ".json" else path
        begun = path.name.startswith(_ZIP) and arrived.exists() and arrived.stat().st_size > 0
        if not begun:
            path.unlink(missing_ok=True)
    if not any(work.iterdir()):
        work.rmdir()
