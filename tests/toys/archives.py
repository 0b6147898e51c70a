"""A small archive laid out like OPPORTUNITY's, the dataset that it belongs to, and checks."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harbench.data.fetch import fetch
from harbench.errors import DataError
from harbench.nouns import Archive, Citation, Dataset, Member

RANDOM = np.random.default_rng(0)
FILES = {
    f"OpportunityUCIDataset/dataset/S{s}-{run}.dat": RANDOM.bytes(20_000 + 100 * s)
    for s in (1, 2)
    for run in ("ADL1", "Drill")
}
NAMES = sorted(path.rsplit("/", 1)[1] for path in FILES)
MEMBERS = tuple(
    Member(path, len(content), hashlib.sha256(content).hexdigest())
    for path, content in FILES.items()
)
EXTRA = {"OpportunityUCIDataset/README": b"read me", "OpportunityUCIDataset/doc/a.pdf": b"%PDF"}


def pack(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


GOOD = pack({**EXTRA, **FILES})
WRONG = pack({**FILES, MEMBERS[2].path: bytes(MEMBERS[2].size)})


def dataset(*urls):
    return Dataset(
        name="oppo",
        title="",
        rate_hz=30,
        channels=(),
        tasks=(),
        splits={},
        citation=Citation(""),
        licence="",
        sources=lambda folder: [],
        read=lambda source: [],
        archive=Archive(urls, MEMBERS),
    )


class Spy:
    def __init__(self):
        self.lines, self.steps = [], []

    def say(self, text):
        self.lines.append(text)

    def bytes_done(self, what, done, total, *, kept=0):
        self.steps.append((what, done, total))


def left(folder):
    """What lies in the folder, apart from the lock file, which says nothing and stays."""
    found = sorted(
        str(p.relative_to(folder))
        for p in Path(folder).rglob("*")
        if p.name not in (".fetch.lock", ".fetch")
    )
    assert not (folder / ".fetch").exists() or any((folder / ".fetch").iterdir())
    return found


def assert_complete(folder):
    assert left(folder) == NAMES
    assert not (folder / ".fetch").exists()
    for path, content in FILES.items():
        assert (folder / path.rsplit("/", 1)[1]).read_bytes() == content


def failure(*args, **how):
    """The text of the DataError that a fetch ends with."""
    with pytest.raises(DataError) as caught:
        fetch(*args, sleep=lambda seconds: None, **how)
    assert caught.value.fix
    return caught.value.what
