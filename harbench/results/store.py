"""The results folder: written atomically, so that what is there is whole.

results/cells/ab/abcd.../      one finished cell, named by its key
results/costs/KEY.json         cost of one network on one machine
results/exported/KEY.json      size, checks and latency of the files that its network was written as
results/failures/KEY.json      why a cell failed, until it succeeds
results/benchmarks/NAME.json   what the tables are made of: rows and the keys of their cells
results/analyses/NAME/ENTRY/   what an analysis found: tables, notes, figures
results/imported/NAME-HASH/    results of others: see :mod:`harbench.results.imports`
results/checkpoints/           trainings that are not done: where they go on from
results/locks/                 cells that a run has, or had, in work
results/tmp/                   what is being written

Each JSON file ends with its ``seal``, the hash of the rest: :mod:`harbench.results.verifying`
tells by it whether somebody edited the file. Readers are given the content without it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harbench.errors import ResultsError, did_you_mean
from harbench.results.locks import CellLocks
from harbench.results.records import FORMAT, StoredCell
from harbench.results.sealed import plain_and_text, read_sealed, sealed_text, sync, write_files

# In tmp/, what stepped aside for a newer one is called by its place; no name holds a "=".
_ASIDE = "aside"
_SLASH = "="


class Store:
    """A results folder.

    Args:
        folder: Made when the first thing is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root = os.fspath(folder)

    # Cells

    def cell_folder(self, key: str) -> Path:
        """Where the cell of that key lies, or would."""
        return Path(f"{self._root}/cells/{key[:2]}/{key}")

    def _record(self, key: str) -> str:
        # As text: what is asked of each of 100,000 cells must not make five Path objects.
        return f"{self._root}/cells/{key[:2]}/{key}/record.json"

    def has(self, key: str) -> bool:
        """Whether the cell is finished."""
        return _is_file(self._record(key))

    def read(self, key: str) -> StoredCell:
        """A finished cell.

        Raises:
            ResultsError: it is not there, or is not what harbench wrote: its seal is broken.
        """
        folder = self.cell_folder(key)
        return StoredCell(
            folder, read_sealed(folder / "record.json"), read_sealed(folder / "measured.json")
        )

    def write(
        self,
        key: str,
        record: Mapping[str, Any],
        measured: Mapping[str, Any],
        predictions: bytes,
        weights: bytes,
    ) -> StoredCell:
        """Store a finished cell: all of it appears at once, or none of it.

        Args:
            key: Of the cell.
            record: What the seed determines; JSON-like.
            measured: What it took; JSON-like.
            predictions: Of the test windows, as :meth:`Predictions.packed` gives them.
            weights: The network's parameters and buffers, as a safetensors file.
        """
        home = self.cell_folder(key)
        files = {"predictions.npz": predictions, "weights.safetensors": weights}
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        sealed = {
            "record.json": {"format": FORMAT, "key": key, **record, "sha256": hashes},
            "measured.json": measured,
        }
        read = {}
        for name, content in sealed.items():
            read[name], text = plain_and_text(content)
            files[name] = text.encode()
        self._put(key, files, home)
        self.forget_failure(key)
        self.forget_checkpoint(key)
        return StoredCell(home, read["record.json"], read["measured.json"])

    # Cells that are not finished

    @property
    def checkpoints(self) -> Path:
        """Folder in which trainings are saved now and then, each in KEY.checkpoint."""
        return self.folder / "checkpoints"

    def forget_checkpoint(self, key: str) -> None:
        """The cell is stored, or begins at the beginning."""
        try:
            names = os.listdir(self.checkpoints)  # noqa: PTH208 - a pattern is compiled for each key
        except OSError:
            return
        for name in names:
            if name.startswith(f"{key}.checkpoint"):
                with suppress(OSError):
                    (self.checkpoints / name).unlink()

    def locks(self) -> CellLocks:
        """For one run: the cells and costs that it has in work."""
        return CellLocks(self.folder / "locks")

    def stamp(self, key: str) -> tuple[int, int]:
        """When the cell or cost was last stored and last failed, in ns; 0 is never."""
        stored = max(_time_of(self._record(key)), _time_of(f"{self._root}/costs/{key}.json"))
        return stored, _time_of(f"{self._root}/failures/{key}.json")

    # Failures

    def write_failure(self, key: str, failure: Mapping[str, Any]) -> None:
        """Note why a cell failed; it will be tried again by the next run."""
        self._write(self.folder / "failures" / f"{key}.json", failure)

    def failure(self, key: str) -> dict[str, Any] | None:
        """Why the cell failed, where it did."""
        path = f"{self._root}/failures/{key}.json"
        return read_sealed(Path(path)) if _is_file(path) else None

    def forget_failure(self, key: str) -> None:
        """The cell succeeded."""
        with suppress(OSError):
            (self.folder / "failures" / f"{key}.json").unlink()

    # Costs

    def cost(self, key: str) -> dict[str, Any] | None:
        """Cost of a network on this machine, where it was measured."""
        path = self.folder / "costs" / f"{key}.json"
        return read_sealed(path) if path.is_file() else None

    def write_cost(self, key: str, cost: Mapping[str, Any]) -> None:
        """Store a measured cost."""
        self._write(self.folder / "costs" / f"{key}.json", cost)

    # Exported models

    def exported_keys(self) -> set[str]:
        """Keys of the cells whose network was written as a file."""
        return {path.stem for path in (self.folder / "exported").glob("*.json")}

    def exported(self, key: str) -> dict[str, Any]:
        """Kind of file ("onnx", "onnx-int8", "torch") -> what was measured of it."""
        path = self.folder / "exported" / f"{key}.json"
        return read_sealed(path) if path.is_file() else {}

    def write_exported(self, key: str, measured: Mapping[str, Any]) -> None:
        """Store what was measured of files of a cell's network; of other kinds it stays."""
        path = self.folder / "exported" / f"{key}.json"
        self._write(path, {**self.exported(key), **measured})

    # Benchmarks

    def write_benchmark(self, name: str, manifest: Mapping[str, Any]) -> None:
        """Store what a benchmark's table is made of."""
        path = self.folder / "benchmarks" / f"{name}.json"
        self._write(path, manifest)
        # Their order is told by their times, and a file system's clock may tick in milliseconds.
        others = (file for file in path.parent.glob("*.json") if file != path)
        newest = max((_time_of(str(file)) for file in others), default=0)
        if _time_of(str(path)) <= newest:
            with suppress(OSError):
                os.utime(path, ns=(newest + 1, newest + 1))

    def benchmarks(self) -> list[str]:
        """Names of the benchmarks that were run into this folder, oldest first."""
        files = (self.folder / "benchmarks").glob("*.json")
        return [file.stem for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def benchmark(self, name: str) -> dict[str, Any]:
        """What a benchmark's table is made of.

        Raises:
            ResultsError: that benchmark was never run into this folder.
        """
        path = self.folder / "benchmarks" / f"{name}.json"
        # Not by looking for the file: the name is what somebody typed, and may lead elsewhere.
        known = self.benchmarks()
        if name not in known:
            raise ResultsError(
                f"no results of a benchmark '{name}'{did_you_mean(name, known)}",
                where=str(self.folder),
                expected=f"one of {', '.join(known)}" if known else None,
                fix=f"harbench run benchmarks.yaml {name}",
            )
        return read_sealed(path)

    # Analyses

    def analysis_folder(self, benchmark: str, entry: str) -> Path:
        """Where what an analysis found lies, or would."""
        return self.folder / "analyses" / benchmark / entry

    def analysis(self, benchmark: str, entry: str) -> dict[str, Any] | None:
        """What an analysis found, where it was run; see :mod:`harbench.execute.analysing`."""
        path = self.analysis_folder(benchmark, entry) / "result.json"
        if not path.is_file():
            return None
        content = read_sealed(path)
        content.pop("sha256", None)
        return content

    def write_analysis(
        self, benchmark: str, entry: str, content: Mapping[str, Any], files: Mapping[str, bytes]
    ) -> None:
        """Store what an analysis found: all of it appears at once, or none of it.

        Args:
            benchmark, entry: Whose it is.
            content: JSON-like.
            files: Name -> content of what lies beside it: tables as CSV, figures.
        """
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        result = sealed_text({**content, "sha256": hashes})
        self._put(
            f"{benchmark}-{entry}",
            {**files, "result.json": result.encode()},
            self.analysis_folder(benchmark, entry),
        )

    # Writing

    def recover(self) -> None:
        """Put back the cells and analyses that were killed between stepping aside for a newer one
        and the newer one taking their place."""
        for old in (self.folder / "tmp").glob(f"{_ASIDE}{_SLASH}*"):
            home = self.folder.joinpath(*old.name.rsplit(".", 2)[0].split(_SLASH)[1:])
            # A run that is alive puts its newer one there; renaming onto it fails.
            with suppress(OSError):
                if not home.exists():
                    old.replace(home)

    def sweep(self) -> None:
        """Remove what killed runs left half-written: writing takes seconds, so what is an hour
        old belongs to nobody. Checkpoints of cells that are stored go as well."""
        self.recover()
        for path in [*(self.folder / "tmp").glob("*"), *self.checkpoints.glob("*.tmp")]:
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > 3600:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.checkpoints.glob("*.checkpoint"):
            if self.has(path.stem):
                self.forget_checkpoint(path.stem)
        self.locks().sweep()

    def temporary(self, name: str) -> Path:
        """A path that nothing else has, for what is being written."""
        # Not the process's number alone: in containers every run has the same.
        return self.folder / "tmp" / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"

    def _put(self, name: str, files: Mapping[str, bytes], home: Path) -> None:
        """Write a folder of files: all of it is in its place at once, or none of it.

        Raises:
            ResultsError: it cannot be written.
        """
        temporary = self.temporary(name)
        try:
            temporary.mkdir(parents=True)
            write_files(temporary, files)
            sync(temporary)
            self._move(temporary, home)
            sync(home.parent)
        except BaseException as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if isinstance(error, OSError):
                raise self.unwritable(error) from error
            raise

    def _move(self, temporary: Path, home: Path) -> None:
        """Put a whole folder in its place, where an old one steps aside."""
        place = _SLASH.join((_ASIDE, *home.relative_to(self.folder).parts))
        aside = []
        try:
            while True:
                try:
                    temporary.replace(home)
                    return
                except OSError as error:
                    if error.errno == errno.ENOENT and not home.parent.is_dir():
                        home.parent.mkdir(parents=True, exist_ok=True)
                        continue
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                # An old one is there, or another run's that was faster.
                aside.append(self.temporary(place))
                with suppress(FileNotFoundError):
                    home.replace(aside[-1])
        finally:
            for old in aside:
                shutil.rmtree(old, ignore_errors=True)

    def _write(self, path: Path, content: Mapping[str, Any]) -> None:
        temporary = self.temporary(path.name)
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_files(temporary.parent, {temporary.name: sealed_text(content).encode()})
            temporary.replace(path)
            sync(path.parent)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise self.unwritable(error) from error

    def nothing_yet(self) -> ResultsError:
        """The one sentence for who asks for results where there are none."""
        return ResultsError(
            "there are no results yet", where=str(self.folder), fix="harbench run benchmarks.yaml"
        )

    def unwritable(self, error: OSError) -> ResultsError:
        """The one sentence for a folder that is full, read-only or not ours."""
        return ResultsError(
            f"results cannot be written: {error.strerror or error}",
            where=str(self.folder),
            expected="a writable folder with room",
            fix="harbench run ... --out ANOTHER_FOLDER",
        )


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - see Store._record
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return False


def _time_of(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - see Store._record
    except OSError:
        return 0
