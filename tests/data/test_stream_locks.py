"""The cache of a dataset on a file system without locks."""

import errno
import os

import numpy as np
import pytest

from harbench.data.stream import open_stream
from toys.toy_plugin import TOY


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
@pytest.mark.filterwarnings("ignore:flock not supported")
def test_without_locks_each_run_builds_its_own(workplace, monkeypatch, number):
    fcntl = pytest.importorskip("fcntl")
    locked = open_stream(TOY, workplace.folder / "files")

    def none(descriptor, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setenv("HARBENCH_CACHE", str(workplace.folder / "other"))
    # filelock before 3.20.4 would wait here for ever.
    stream = open_stream(TOY, workplace.folder / "files")
    assert stream.digest == locked.digest
    np.testing.assert_array_equal(stream.signals, locked.signals)
