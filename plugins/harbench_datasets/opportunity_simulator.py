"""Writing a simulated OPPORTUNITY: the real files' format and sizes, and known answers.

The 24 files come into being in a hidden folder inside the target, and are moved to their places
when all are done; the manifest comes last. A run that is killed leaves no manifest, and a folder
without one is no simulated dataset.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from harbench import DataError
from harbench.errors import ConfigError
from harbench_datasets.opportunity_files import FILES, MANIFEST, MARKER, DataFile, listed
from harbench_datasets.opportunity_script import rows_at, write_script
from harbench_datasets.opportunity_text import TableWriter
from harbench_datasets.opportunity_waveforms import PLANTED, sensor_table

GENERATOR_VERSION: Final = 1
"""Raise it when the same scale, seed and strength give other bytes."""

_WORKSHOP: Final = ".simulating"
_LOCK: Final = ".simulating.lock"
_LINES: Final = 4096  # written at a time
_BYTES_A_ROW: Final = 1000  # near enough for a message
_NOTICE: Final = """\
The files in this folder are SIMULATED. No person was recorded.

They have the format and the sizes of the OPPORTUNITY Activity Recognition Dataset, so that
software can be tried where the real files are not at hand, and their labels depend on known
channels in a known way (simulation.json lists them). Scores on them say nothing about any method.
"""


def simulate(folder: Path, scale: float, seed: int, *, strength: float = 1.0) -> None:
    """Write the 24 files, a notice and a manifest.

    Equal arguments give equal bytes (with the same NumPy and SciPy). At scale 1 every file has
    the row count of the real one; at scale F that times F, rounded, but at least 2,400 rows
    (80 s), so that each file has every gesture and about three quarters of NULL.

    Args:
        folder: Made where it does not exist. A simulated dataset that lies there is replaced.
        scale: Above 0, up to 1.
        seed: 0 or more.
        strength: Factor of the planted waveforms. At 1 a small network finds nearly all
            gestures in half a second of signal; at 0 there is nothing to find.

    Raises:
        ConfigError: scale, seed or strength cannot be.
        DataError: the folder holds something else; it cannot be written to; no space is left.
            Nothing half-written stays behind.
    """
    _check(scale, seed, strength)
    _refuse_foreign(folder)
    is_new = not folder.exists()
    try:
        with _reported(folder, scale):
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder):
                _replace_all(folder, scale, seed, strength)
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # only if nothing is in it
        raise


def _replace_all(folder: Path, scale: float, seed: int, strength: float) -> None:
    """Write all files apart, then move them in."""
    workshop = folder / _WORKSHOP
    # What a killed run left; nobody else is at work here, since the lock is ours.
    shutil.rmtree(workshop, ignore_errors=True)
    try:
        workshop.mkdir()
        writer = TableWriter()
        files = {
            file.name: _write_file(workshop / file.name, file, scale, seed, strength, writer)
            for file in FILES
        }
        manifest = {
            "simulates": "opportunity",
            "generator": GENERATOR_VERSION,
            "scale": scale,
            "seed": seed,
            "strength": strength,
            "planted": PLANTED,
            "files": files,
        }
        (workshop / MARKER).write_text(_NOTICE, encoding="utf-8")
        text = json.dumps(manifest, indent=1) + "\n"
        (workshop / MANIFEST).write_text(text, encoding="utf-8")
        # From here to the last line the folder holds no manifest: a mixture never passes.
        (folder / MANIFEST).unlink(missing_ok=True)
        for name in (MARKER, *files, MANIFEST):
            (workshop / name).replace(folder / name)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _write_file(
    path: Path, file: DataFile, scale: float, seed: int, strength: float, writer: TableWriter
) -> dict[str, Any]:
    """Write one file and return what the manifest says of it."""
    subject = int(file.subject[1:])
    of_run = np.random.default_rng([seed, FILES.index(file)])
    of_subject = np.random.default_rng([seed, len(FILES) + subject])
    script = write_script(file, rows_at(file, scale), of_run)
    rows = np.arange(script.n_rows, dtype=np.int64)
    milliseconds = ((rows * 200 + 3) // 6).astype(np.int32)  # 0, 33, 67, 100 ...
    sensors = sensor_table(script, strength, of_subject, of_run)
    table = np.concatenate([milliseconds[:, None], sensors, script.labels], axis=1)
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as output:
        for start in range(0, len(table), _LINES):
            text = writer.text(table[start : start + _LINES])
            output.write(text)
            digest.update(text)
            size += len(text)
    return {"rows": script.n_rows, "bytes": size, "sha256": digest.hexdigest()}


def _check(scale: float, seed: int, strength: float) -> None:
    if not 0 < scale <= 1:
        raise ConfigError(
            f"{scale:g} is no scale for a simulation", where="--scale", expected="above 0, up to 1"
        )
    if seed < 0:
        raise ConfigError(f"{seed} is no seed", where="--seed", expected="a whole number from 0")
    if not (math.isfinite(strength) and strength >= 0):
        raise ConfigError(
            f"{strength:g} is no strength for a simulation", expected="a number from 0"
        )


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds anything, unless a simulation was written there before."""
    if folder.exists() and not folder.is_dir():
        raise DataError("this is a file, not a folder to write a simulation to", where=str(folder))
    if not folder.is_dir() or (folder / MANIFEST).exists() or (folder / MARKER).exists():
        return
    others = sorted(p.name for p in folder.iterdir() if p.name not in (_WORKSHOP, _LOCK))
    if others:
        official = [name for name in others if name in {file.name for file in FILES}]
        what = "recordings of the real OPPORTUNITY" if official else "other files"
        raise DataError(
            f"the folder holds {what} ({listed(official or others)}); "
            "a simulation is written only to a folder of its own",
            where=str(folder),
            expected=f"an empty folder, or one with {MANIFEST}",
        )


@contextmanager
def _reported(folder: Path, scale: float) -> Iterator[None]:
    """Turn what the file system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        megabytes = sum(rows_at(file, scale) for file in FILES) * _BYTES_A_ROW / 1e6
        what = (
            f"no space is left for the simulation, which needs {megabytes:,.0f} MB"
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            else f"the simulation cannot be written: {error.strerror or error}"
        )
        raise DataError(what, where=str(folder)) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two runs into one folder would mix their files."""
    from filelock import FileLock, Timeout

    path = folder / _LOCK
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise DataError(
            "another harbench is writing a simulation here", where=str(folder)
        ) from None
    try:
        yield
    finally:
        lock.release()
        path.unlink(missing_ok=True)
