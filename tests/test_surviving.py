"""kill -9 at any moment, two runs at once, full and read-only disks: nothing torn, nothing lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from toys.thorough import THOROUGH
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="process groups, flock and tmpfs of Linux"),
]

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {{window: 20, step: 10}}
    recipe: {{epochs: {epochs}, patience: 10000}}
    seeds: {seeds}
    models: [small]
"""


class Place:
    """A folder with toy data, and runs in it in processes of their own."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.results = folder / "results"
        # Each epoch is saved, so that runs go on inside a cell however short it is.
        self.environment = {
            **environment,
            "HARBENCH_CACHE": str(folder / "cache"),
            "HARBENCH_CHECKPOINT_SECONDS": "0",
        }
        write_toy_files(folder / "files")

    def yaml(self, **what):
        (self.folder / "b.yaml").write_text(YAML.format(**what))

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-c", "from harbench.cli import main; main()", "--plugin",
             str(TOY_PLUGIN), *map(str, arguments)],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments):
        """Exit code, stdout, stderr."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=280)
        finally:
            if process.poll() is None:
                killed(process)
        return process.returncode, out, err

    def verify(self, results="results"):
        code, out, err = self.run("verify", results, "--json")
        assert err == ""
        return code, json.loads(out)

    def assert_clean(self, cells):
        code, found = self.verify()
        assert (code, found["findings"], found["cells"]) == (0, [], cells)


@pytest.fixture
def place(installed_environment, tmp_path):
    return Place(tmp_path, installed_environment)


@pytest.fixture(scope="module")
def two_cells(installed_environment, tmp_path_factory):
    """What two cells of five epochs leave where nothing disturbs them."""
    place = Place(tmp_path_factory.mktemp("undisturbed"), installed_environment)
    place.yaml(epochs=5, seeds=2)
    code, _, err = place.run("run", "b.yaml", "--jobs", 1)
    assert code == 0, err
    return truth(place.results)


def truth(results):
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted((results / "cells").rglob("*"))
        if path.is_file() and path.name != "measured.json"
    }


def table(text):
    """The rows of the printed table."""
    return [line for line in text.splitlines() if line.startswith(" small")]


def killed(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


def appears(process, folder, known=()):
    """Wait until something new lies in a folder; False if the run ended first."""
    while process.poll() is None:
        try:
            if set(os.listdir(folder)) - set(known):
                return True
        except FileNotFoundError:
            pass
        time.sleep(0.0005)
    return False


# As a run starts, as a cell is trained, and as a record is being written.
MOMENTS = (
    ["start"] * 5 + ["training"] * 7 + ["record"] * 8
    if THOROUGH
    else ["start"] + ["training"] * 3 + ["record"] * 5
)


def test_killed_at_many_moments_it_ends_as_an_undisturbed_run(place):
    """20 with ``HARBENCH_THOROUGH=1``, else 9: for each a run is started, which takes long."""
    place.yaml(epochs=30, seeds=12)
    code, _, err = place.run("run", "b.yaml", "--out", "undisturbed", "--jobs", 2)
    assert code == 0, err
    expected = truth(place.folder / "undisturbed")
    assert len(expected) == 12 * 3
    rng = random.Random(20)
    where = Counter()
    moments = MOMENTS.copy()
    rng.shuffle(moments)
    for moment in moments:
        process = place.start("run", "b.yaml", "--jobs", 2)
        if moment == "start":
            time.sleep(rng.uniform(0, 2))
        elif moment == "training":
            checkpoints = place.results / "checkpoints"
            there = os.listdir(checkpoints) if checkpoints.is_dir() else []
            before = {name: (checkpoints / name).stat().st_mtime_ns for name in there}
            changed = False
            while process.poll() is None and not changed:
                time.sleep(0.002)
                for path in checkpoints.glob("*.checkpoint"):
                    try:
                        changed |= path.stat().st_mtime_ns != before.get(path.name)
                    except FileNotFoundError:
                        continue
            time.sleep(rng.uniform(0, 0.1))
        else:
            writing = place.results / "tmp"
            there = os.listdir(writing) if writing.is_dir() else []
            appears(process, writing, there)
            # The table's own file is first; the records come after it.
            while process.poll() is None:
                names = set(os.listdir(writing)) - set(there)
                if any(len(name.split(".")[0]) == 64 for name in names):
                    break
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, 0.004))
        where["ended before" if process.poll() is not None else moment] += 1
        left = set(os.listdir(place.results / "tmp")) if (place.results / "tmp").is_dir() else set()
        killed(process)
        left = set(os.listdir(place.results / "tmp")) if left else left
        where["record left half-written"] += any(len(name.split(".")[0]) == 64 for name in left)
        # Whatever is there is whole, at any moment.
        for path in (place.results / "cells").glob("*/*/*"):
            if path.name != "measured.json":
                name = str(path.relative_to(place.results))
                assert path.read_bytes() == expected[name], (moment, name)
    assert where["ended before"] == 0, where
    assert sum(where[moment] for moment in set(moments)) == len(moments)
    assert where["record left half-written"] >= 1, where
    code, _, err = place.run("run", "b.yaml", "--jobs", 2)
    assert code == 0, err
    assert truth(place.results) == expected
    resumed = [
        json.loads(path.read_text())["resumed_after_epoch"]
        for path in (place.results / "cells").glob("*/*/measured.json")
    ]
    assert sum(epoch > 0 for epoch in resumed) >= 2, resumed
    assert list((place.results / "checkpoints").iterdir()) == []
    place.assert_clean(12)


def test_two_runs_together_train_each_cell_once_and_both_print_all(place):
    place.yaml(epochs=20, seeds=8)
    together = [place.start("run", "b.yaml", "--jobs", 2) for _ in range(2)]
    ended = [process.communicate(timeout=280) for process in together]
    assert [process.returncode for process in together] == [0, 0], ended
    trained = Counter()
    for seed in range(8):
        for _, err in ended:
            trained[seed] += f"toy small, seed {seed}: NF" in err
    assert trained == dict.fromkeys(range(8), 1)
    assert len(table(ended[0][0])) == 1
    assert table(ended[0][0]) == table(ended[1][0])
    assert list((place.results / "locks").iterdir()) == []
    place.assert_clean(8)
    code, _, err = place.run("run", "b.yaml", "--out", "alone", "--jobs", 2)
    assert code == 0, err
    assert truth(place.results) == truth(place.folder / "alone")


@contextmanager
def mounted(folder, *options):
    folder.mkdir(exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder, leave):
    """Fill a disk but for some bytes; the file that does it."""
    stat = os.statvfs(folder)
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(max(0, stat.f_bavail * stat.f_frsize - leave)))
    return ballast


def one_sentence(err):
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in line
    assert "bug" not in err and "Traceback" not in err
    return line


@pytest.mark.parametrize("room", [0, 65536])
def test_a_full_disk_while_caching(place, room):
    place.yaml(epochs=1, seeds=1)
    with mounted(place.folder / "cache", "size=1m"):
        ballast = fill(place.folder / "cache", room)
        code, _, err = place.run("run", "b.yaml", "--jobs", 1)
        assert code == 2
        assert "the cache of 'toy' cannot be written" in one_sentence(err)
        ballast.unlink()
        code, _, err = place.run("run", "b.yaml", "--jobs", 1)
        assert code == 0, err
    place.assert_clean(1)


@pytest.mark.parametrize("room", [0, 4096, 28672])
def test_a_full_disk_while_training_and_writing(place, two_cells, room):
    # A table is 4 KiB here, a checkpoint 48 KiB, a record 40 KiB.
    place.yaml(epochs=5, seeds=2)
    with mounted(place.results, "size=2m"):
        ballast = fill(place.results, room)
        code, _, err = place.run("run", "b.yaml", "--jobs", 1)
        assert code == 2, err
        assert "results cannot be written" in one_sentence(err)
        if room == 28672:
            assert "no checkpoint can be written: No space left on device" in err
        code, found = place.verify()
        assert code == 0
        assert found["cells"] < 2
        assert not list(place.results.rglob("*.tmp"))
        ballast.unlink()
        code, _, err = place.run("run", "b.yaml", "--jobs", 1)
        assert code == 0, err
        place.assert_clean(2)
        assert truth(place.results) == two_cells


def test_a_read_only_folder_is_one_sentence_and_can_be_read(place):
    place.yaml(epochs=1, seeds=1)
    with mounted(place.results, "size=2m") as results:
        assert place.run("run", "b.yaml", "--jobs", 1)[0] == 0
        first = place.run("table")
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        place.yaml(epochs=2, seeds=1)
        code, _, err = place.run("run", "b.yaml", "--jobs", 1)
        assert code == 2
        (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
        assert "results cannot be written: Read-only file system" in line
        assert "fix" not in err and "  try: harbench run ... --out" in err
        assert place.run("table") == first
        place.assert_clean(1)
        (record,) = results.glob("cells/*/*/record.json")
        code, out, err = place.run("reproduce", record.parent.name[:10])
        assert (code, out.splitlines()[0].split(": ")[1]) == (0, "same bits"), err


def test_a_killed_run_leaves_no_worker_behind(place):
    place.yaml(epochs=1_000_000, seeds=2)
    process = place.start("run", "b.yaml", "--jobs", 2)
    assert appears(process, place.results / "checkpoints")
    # Only the run itself: its workers notice at the end of their epoch.
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(process.pid) == []


def members(group):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found
