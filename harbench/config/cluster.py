"""The ``cluster:`` block of benchmarks.yaml: on which machines cells are trained, and how.

Nothing here is part of a cell's key: where a cell runs decides nothing of what comes out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from harbench.errors import ConfigError, did_you_mean
from harbench.nouns.protocol import Settings

JOBQUEUES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "lsf": "LSFCluster",
    "sge": "SGECluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
    "htcondor": "HTCondorCluster",
}
"""What may be written for a queueing system -> its class in dask-jobqueue."""

ADDRESSES = "tcp://HOST:PORT, tls://HOST:PORT, local or local:N"
HERE = "none"
"""What ``--cluster`` says to leave the file's block aside."""

_REMOTE = re.compile(r"^(?:tcp|tls)://(?:\[[0-9A-Fa-f:.%\w]+\]|[^\s/:\[\]]+):(\d{1,5})$")
_LOCAL = re.compile(r"^local(?::([1-9]\d{0,3}))?$")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_MEMORY = re.compile(r"^(\d+(?:\.\d+)?) ?([kmgt]i?)b$", re.IGNORECASE)


def _address(value: str) -> str:
    found = _REMOTE.match(value)
    if not (found and 0 < int(found[1]) < 2**16) and not _LOCAL.match(value):
        host = re.match(r"^[\w.-]+:\d{1,5}$", value)
        hint = f"; did you mean 'tcp://{value}'?" if host and not value.startswith("local") else ""
        raise ValueError(f"'{value}' is no address of a cluster{hint} (expected {ADDRESSES})")
    return value


class TlsFiles(Settings):
    """Certificates, as ``distributed.Security`` takes them: files in PEM format.

    Args:
        ca_file: The authority that signed the certificates of all.
        cert: This client's certificate.
        key: Its private key.
    """

    ca_file: Path
    cert: Path
    key: Path


class ClusterSettings(Settings):
    """Where cells are trained, if not on this machine alone. No part of any key.

    Args:
        address: Of a Dask scheduler that runs already (``tcp://HOST:8786``, ``tls://HOST:8786``),
            or ``local``, ``local:N``: a scheduler and N workers on this machine, for its 127.0.0.1
            only.
        jobqueue: The queueing system whose jobs are the workers: ``slurm``, ``pbs``, ``lsf``,
            ``sge`` ..., or the name of its class in dask-jobqueue.
        options: Of that class, passed through.
        workers: How many are asked for; two numbers: at least and at most, as there is work. Of
            ``jobqueue`` and ``local`` only.
        tls: Certificates, for ``tls://`` and for the jobs of ``jobqueue``.
        threads: Of a worker's threads, how many a cell counts for: 2 halves the cells at once. It
            computes on one all the same: its bits are those of any machine.
        gpu: Share of a GPU that a cell takes; 0.25: four cells share one.
        memory: What a cell may take, such as ``4GB``; a worker runs no more cells at once than
            fit its own.
        shared: A folder that this machine and all workers see; datasets are left there and taken
            from there.
        tries: How many workers a cell may take along before it is recorded as failed.
        silence: Seconds without a sign of life after which a worker counts as cut off.
    """

    address: str | None = None
    jobqueue: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    workers: (
        Annotated[int, Field(ge=1)]
        | tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]
        | None
    ) = None
    tls: TlsFiles | None = None
    threads: int = Field(default=1, ge=1)
    gpu: float = Field(default=0, ge=0)
    memory: str | None = None
    shared: Path | None = None
    tries: int = Field(default=3, ge=1)
    silence: float = Field(default=60, gt=0)

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return None if value is None else _address(value)

    @field_validator("jobqueue")
    @classmethod
    def _is_jobqueue(cls, value: str | None) -> str | None:
        if value is None:
            return None
        short = value.lower().removesuffix("cluster")
        if short not in JOBQUEUES:
            hint = did_you_mean(short, JOBQUEUES)
            raise ValueError(
                f"'{value}' is no queueing system{hint} (expected one of {', '.join(JOBQUEUES)})"
            )
        return JOBQUEUES[short]

    @field_validator("gpu")
    @classmethod
    def _is_share(cls, value: float) -> float:
        if value > 1 and value != int(value):
            raise ValueError(f"{value:g} GPUs cannot be had (expected a share, or whole ones)")
        return value

    @field_validator("memory")
    @classmethod
    def _is_memory(cls, value: str | None) -> str | None:
        if value is not None and _bytes(value) is None:
            raise ValueError(f"'{value}' is no size (expected such as 500MB, 4GB or 16GiB)")
        return value

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.address is not None and self.jobqueue is not None:
            raise ValueError("address and jobqueue exclude each other")
        if self.options and self.jobqueue is None:
            raise ValueError("options are those of a jobqueue, and there is none")
        if self.workers is not None and self.address not in (None, "local"):
            theirs = "local:N says the number" if self.is_local else "its workers are its own"
            raise ValueError(f"workers cannot be asked for at '{self.address}': {theirs}")
        if self.jobqueue is not None and self.workers is None:
            raise ValueError("jobqueue lacks workers: how many are asked for")
        if self.gpu and self.local_workers is not None:
            raise ValueError(
                "with gpu each worker of local:N would count every GPU as its own (expected local)"
            )
        if isinstance(self.workers, tuple) and self.workers[0] > self.workers[1]:
            raise ValueError("workers: at least is more than at most")
        if self.tls is None and str(self.address).startswith("tls://"):
            raise ValueError("tls:// needs certificates (expected tls: {ca_file, cert, key})")
        if self.tls is not None and str(self.address).startswith("tcp://"):
            raise ValueError("tls is given, but the address begins with tcp:// (expected tls://)")
        return self

    @property
    def is_local(self) -> bool:
        """Whether its scheduler and workers are started on this machine."""
        return bool(self.address and _LOCAL.match(self.address))

    @property
    def says_where(self) -> bool:
        """Whether there is a cluster; else ``--cluster`` must say it."""
        return self.address is not None or self.jobqueue is not None

    @property
    def local_workers(self) -> int | None:
        """The N of ``local:N``."""
        found = _LOCAL.match(self.address or "")
        return int(found[1]) if found and found[1] else None

    @property
    def memory_bytes(self) -> int | None:
        """``memory`` in bytes."""
        return None if self.memory is None else _bytes(self.memory)


def at_address(address: str, block: ClusterSettings | None = None) -> ClusterSettings | None:
    """What ``--cluster ADDRESS`` means beside the file's block: the block, at another place.

    Args:
        address: As on the command line; ``none`` is this machine alone, and None comes back.
        block: Of the file, where it has one. Its jobqueue, options and number of workers belong
            to its own place, and are dropped.

    Raises:
        ConfigError: that is no address, or does not go with the block.
    """
    if address == HERE:
        return None
    kept = {} if block is None else {k: getattr(block, k) for k in block.model_fields_set}
    for key in ("jobqueue", "options"):
        kept.pop(key, None)
    if address != "local" or (block is not None and block.says_where):
        kept.pop("workers", None)
    if _LOCAL.match(address) or address.startswith("tcp://"):
        # The certificates are those of the block's own place.
        kept.pop("tls", None)
    try:
        return ClusterSettings.model_validate({**kept, "address": address})
    except ValidationError as error:
        said = error.errors()[0]["ctx"]["error"]
        raise ConfigError(str(said), where="--cluster") from None


def _bytes(text: str) -> int | None:
    found = _MEMORY.match(text)
    return int(float(found[1]) * {**_UNITS, **_BINARY}[found[2].lower()]) if found else None
