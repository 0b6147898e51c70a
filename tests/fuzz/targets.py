"""What is fuzzed: each parser with its good files, and what must hold of all that it accepts.

What a parser makes of damaged bytes is held against a second, slow reading of the same bytes,
written here in plain Python; what it refuses, it must refuse with a HarbenchError.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mutations
import numpy as np
import seed_files

from harbench import Source, SourceFile
from harbench.config import dump, load
from harbench.data import stream
from harbench.data.download import Quiet, Resuming
from harbench.data.folders import cache_root
from harbench.data.unpack import BadArchiveError, unpack_zip
from harbench.errors import HarbenchError
from harbench.execute import trained
from harbench.metrics import confusion, score
from harbench.nouns import Member
from harbench.plan.keys import harbench_digest, key_of
from harbench.results import Predictions, Store, StoredCell
from harbench.results.sampled import sampled_scores
from harbench.results.sealed import sealed_text
from harbench.results.verifying import verify
from harbench.training.checkpoints import Checkpoint
from harbench_datasets.actrectut import ACTRECTUT
from harbench_datasets.hapt_reader import read_segments, read_table
from harbench_datasets.opportunity import sources_simulated
from harbench_datasets.opportunity_columns import CHANNELS, GESTURES, LOCOMOTION
from harbench_datasets.opportunity_files import FILES, MANIFEST
from harbench_datasets.opportunity_reader import read_recording
from harbench_datasets.opportunity_text import read_table as read_opportunity
from toys.toy_plugin import TOY, write_toy_files

SEED = 4


@dataclass(frozen=True)
class Target:
    """A parser.

    Args:
        name: In messages.
        cases: How many.
        made: Makes a damaged file.
        run: Reads it and checks what comes; True if it was accepted.
        both: Whether some files must be accepted and some refused.
    """

    name: str
    cases: int
    made: Callable[[random.Random], bytes]
    run: Callable[[bytes], bool]
    both: bool = True

    def content(self, number: int) -> bytes:
        """The file of one case: of this number and the target's name alone."""
        return self.made(random.Random(f"{SEED}/{self.name}/{number}"))


def _of(*files: bytes) -> Callable[[random.Random], bytes]:
    return lambda chance: mutations.damaged(chance.choice(files), chance, files)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """To the bit, but for which NaN it is."""
    return bool(
        one.shape == other.shape
        and np.array_equal(one, other, equal_nan=True)
        and np.array_equal(np.signbit(one), np.signbit(other) | (np.isnan(other) & np.signbit(one)))
    )


def _numbers(content: bytes, n_columns: int, kept: Sequence[int]) -> np.ndarray:
    """Those fields of every line by Python's own float."""
    lines = [line.split() for line in content.rstrip(b" \t\r\n").split(b"\n")]
    assert all(len(line) == n_columns for line in lines), "lines of another length were accepted"
    rows = [[math.nan if line[k] == b"NaN" else float(line[k]) for k in kept] for line in lines]
    return np.array(rows, np.float32)


def _dat(here: Path) -> list[Target]:
    path = here / "S1-ADL1.dat"
    source = Source("S1-ADL1", (SourceFile(path),))
    columns = [channel.number - 1 for channel in CHANNELS]

    def recording(content: bytes) -> bool:
        path.write_bytes(content)
        found = read_recording(source, fix="fix")
        lines = [line.split() for line in content.rstrip(b" \t\r\n").split(b"\n")]
        assert same(found.signals, _numbers(content, 250, columns))
        for name, column, legend in (
            ("gestures", 249, GESTURES), ("locomotion", 243, LOCOMOTION)
        ):  # fmt: skip
            codes = [float(line[column]) for line in lines]
            assert [list(legend)[k] for k in found.labels[name]] == codes
        return True

    def table(content: bytes) -> bool:
        path.write_bytes(content)
        found = read_opportunity(path, "abcd", (1, 2, 3), fix="fix")
        assert same(found, _numbers(content, 4, (1, 2, 3)))
        return True

    files, narrow = seed_files.opportunity(), seed_files.narrow_tables()
    return [
        Target("opportunity recording", 9000, _of(*files), recording),
        Target("opportunity table", 16000, _of(*narrow), table),
    ]


def _hapt(here: Path) -> list[Target]:
    path = here / "hapt.txt"
    tables, segments = seed_files.hapt()

    def table(content: bytes) -> bool:
        path.write_bytes(content)
        found = read_table(path)
        assert same(found, _numbers(content, 3, (0, 1, 2)))
        assert np.isfinite(found).all()
        return True

    def labels(content: bytes) -> bool:
        path.write_bytes(content)
        found = read_segments(path, 1, 1, 3000)
        lines = [[int(f) for f in line.split()] for line in content.rstrip().split(b"\n")]
        expected = sorted((s, e + 1, a) for exp, _, a, s, e in lines if exp == 1)
        assert [(s.start, s.stop, s.activity) for s in found] == expected
        assert all(len(line) == 5 for line in lines)
        return True

    return [
        Target("hapt table", 15000, _of(*tables), table),
        Target("hapt segments", 13000, _of(*segments), labels),
    ]


# The type of an element -> the letter of struct.
_LETTERS = dict(zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "bBhHiIfdqQ", strict=True))


def matlab_values(content: bytes) -> dict[str, tuple[list[int], list[float]]]:
    """Shape and numbers of each variable of doubles: MATLAB's document, read once more."""

    def elements(data: bytes, padded: bool):
        at = 0
        while at + 8 <= len(data):
            kind, size = struct.unpack_from("<II", data, at)
            if kind >> 16:
                yield kind & 0xFFFF, data[at + 4 : at + 4 + (kind >> 16)]
                at += 8
            else:
                yield kind, data[at + 8 : at + 8 + size]
                at += 8 + size + (-size % 8 if padded else 0)

    found = {}
    for kind, data in elements(content[128:], padded=False):
        if kind == 15:
            [(kind, data)] = elements(zlib.decompressobj().decompress(data), padded=False)
        (_, flags), (_, dims), (_, name), *rest = elements(data, padded=True)
        if kind == 14 and flags[0] == 6 and not flags[1] & 8:
            letter, values = _LETTERS[rest[0][0]], rest[0][1]
            numbers = struct.unpack(f"<{len(values) // struct.calcsize(letter)}{letter}", values)
            shape = struct.unpack(f"<{len(dims) // 4}i", dims)
            found[name.decode("latin1")] = (list(shape), list(map(float, numbers)))
    return found


def _matlab(here: Path) -> list[Target]:
    path = here / "data.mat"
    source = Source("subject1_gesture", (SourceFile(path),))
    files, whole = seed_files.matlab(), seed_files.whole_matlab()

    def recording(content: bytes) -> bool:
        path.write_bytes(content)
        (found,) = ACTRECTUT.read(source)
        if len(content) > 100_000:
            return True
        values = matlab_values(content)
        shape, numbers = values["data"]
        assert list(found.signals.shape) == shape
        expected = np.array(numbers, np.float32).reshape(shape[::-1]).T
        assert same(found.signals, expected)
        assert [float(k) + 1 for k in found.labels["gesture"]] == values["labels"][1]
        return True

    def inside(chance: random.Random) -> bytes:
        return seed_files.repacked(lambda c: mutations.damaged(c, chance, files), files[1])

    targets = [
        Target("mat file", 10000, _of(*files), recording),
        Target("mat file, packed", 6000, inside, recording),
    ]
    if whole is not None:
        targets.append(Target("mat file, whole", 100, _of(whole), recording, both=False))
    return targets


def _config(here: Path) -> list[Target]:
    path = here / "fuzzed.yaml"
    good = seed_files.YAML
    # Looking at every hundredth is enough: that dump and load agree has tests of its own.
    every = iter(range(1 << 60))

    def benchmarks(content: bytes) -> bool:
        path.write_bytes(content)
        file = load(path)
        assert all(b.models and b.seeds for b in file.benchmarks)
        if next(every) % 20 == 0:
            for benchmark in file.benchmarks:
                path.write_text(dump(benchmark))
                assert load(path).benchmarks == (benchmark,)
        return True

    def overrides(content: bytes) -> bool:
        # As the shell hands over what is no UTF-8.
        path.write_bytes(good[0])
        load(path, [content.decode("utf-8", "surrogateescape")])
        return True

    given = [b"recipe.epochs=1", b"protocol={window: 2 s, split: loso}", b"models.a.window=3",
             b"seeds.0=3", b"benchmarks.q.title=[a, 'b']"]  # fmt: skip
    return [
        Target("benchmarks.yaml", 8000, _of(*good), benchmarks),
        Target("--set", 3000, _of(*given), overrides),
    ]


CLASSES = ("Null", "wave", "turn")


def write_store(folder: Path) -> tuple[Store, str]:
    """A store of one finished cell with all that goes with it."""
    store = Store(folder)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 5).astype(np.float32)
    predictions = Predictions(
        recording=np.array(["s1"] * 5),
        start=np.arange(5) * 10,
        true=np.array([0, 1, 2, 1, 0], np.int16),
        predicted=probabilities.argmax(1).astype(np.int16),
        probabilities=probabilities,
    )
    matrix = confusion(predictions.true, predictions.predicted, 3)
    cell = {"model": "m", "fold": "all", "seed": 0, "harbench": harbench_digest()}
    record = {
        "cell": cell,
        "settings": {"window": 20},
        "classes": list(CLASSES),
        "null": 0,
        "windows": {"test": 5},
        "confusion": matrix.tolist(),
        "scores": score(matrix, CLASSES, 0).to_json(),
    }
    key = key_of(cell)
    store.write(key, record, {"seconds": 1.5, "é": None}, predictions.packed(), b"weights")
    cells = [{"fold": "all", "seed": 0, "key": key}]
    rows = [{"row": "r", "model": "m", "cost": "c" * 8, "cells": cells}]
    store.write_benchmark("toy", {"name": "toy", "rows": rows})
    store.write_cost("c" * 8, {"macs": 7, "latency": 0.25})
    store.write_failure("f" * 8, {"reason": "the loss is nan", "detail": ""})
    found = {"key": "k", "cells": [key], "trained": [], "tables": {}}
    store.write_analysis("toy", "events", found, {"a.csv": b"x\n"})
    return store, key


def _store(here: Path) -> list[Target]:
    store, key = write_store(here / "results")
    cell = store.cell_folder(key)
    readers: dict[Path, Callable[[], Any]] = {
        cell / "record.json": lambda: store.read(key).record,
        cell / "measured.json": lambda: store.read(key).measured,
        store.folder / "benchmarks/toy.json": lambda: store.benchmark("toy"),
        store.folder / "costs/cccccccc.json": lambda: store.cost("c" * 8),
        store.folder / "failures/ffffffff.json": lambda: store.failure("f" * 8),
        store.analysis_folder("toy", "events") / "result.json": lambda: store.analysis(
            "toy", "events"
        ),
    }
    originals = {path: path.read_bytes() for path in readers}
    contents = {path: read() for path, read in readers.items()}
    paths = list(readers)
    assert verify(store).findings == []

    def made(chance: random.Random) -> bytes:
        number = chance.randrange(len(paths))
        damage = mutations.damaged(originals[paths[number]], chance, list(originals.values()))
        return bytes([number]) + damage

    def forged(chance: random.Random) -> bytes:
        # With a right seal: what somebody makes who knows how.
        number = chance.randrange(len(paths))
        tree = mutations.damaged_tree(originals[paths[number]], chance)
        tree.pop("seal", None)
        return bytes([number]) + sealed_text(tree).encode()

    def of(content: bytes, seal_is_right: bool) -> bool:
        path = paths[content[0]]
        path.write_bytes(content[1:])
        try:
            found = verify(store)
            assert content[1:] == originals[path] or found.damaged or seal_is_right
            again = readers[path]()
            # What is read is what was written, or was never refused by its seal.
            assert again == contents[path] or seal_is_right
        finally:
            path.write_bytes(originals[path])
        return not found.damaged

    return [
        Target("stored record", 6000, made, lambda content: of(content, False)),
        Target("stored record, sealed", 3000, forged, lambda content: of(content, True)),
    ]


def _predictions(here: Path) -> list[Target]:
    store, key = write_store(here / "predicted")
    stored = store.read(key)
    good = (stored.folder / "predictions.npz").read_bytes()
    original = stored.predictions()
    path = here / "predictions.npz"
    names = list(Predictions.__dataclass_fields__)
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(good)) as zipped:
        arrays = {name: zipped.read(f"{name}.npy") for name in names}

    def file(content: bytes) -> bool:
        path.write_bytes(content)
        found = Predictions.load(path)
        # Each member has a checksum: what is accepted is what was written.
        assert all(same_array(getattr(found, n), getattr(original, n)) for n in names)
        return True

    def repacked(chance: random.Random) -> bytes:
        buffer = io.BytesIO()
        target = chance.choice(names)
        with zipfile.ZipFile(buffer, "w") as zipped:
            for name, content in arrays.items():
                damage = name == target
                content = mutations.damaged(content, chance) if damage else content
                zipped.writestr(zipfile.ZipInfo(f"{name}.npy"), content)
        return buffer.getvalue()

    def members(content: bytes) -> bool:
        path.write_bytes(content)
        record = {**stored.record, "sha256": {"predictions.npz": _sha256(content)}}
        found = StoredCell(here, record, {}).predictions()
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            for name in names:
                assert getattr(found, name).tobytes() in zipped.read(f"{name}.npy")
        # Long recordings are allowed, and take their time.
        if not 1 << 20 < int(found.start.max(initial=0)) < 1 << 28:
            sampled_scores(StoredCell(here, record, {}), ["sample_nf"])
        return True

    return [
        Target("predictions", 7000, _of(good), file),
        Target("predictions, repacked", 4000, repacked, members),
    ]


def same_array(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_WIDTHS = {"F32": ("<f4", 4), "I64": ("<i8", 8), "BOOL": ("?", 1), "F64": ("<f8", 8)}


def _check_tensors(content: bytes, found: dict[str, Any]) -> None:
    """The format once more: eight bytes of length, JSON, then the numbers."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    assert header.keys() == found.keys()
    for name, said in header.items():
        begin, end = said["data_offsets"]
        raw = content[8 + length + begin : 8 + length + end]
        assert list(found[name].shape) == said["shape"]
        if said["dtype"] in _WIDTHS:
            expected = np.frombuffer(raw, _WIDTHS[said["dtype"]][0])
            assert found[name].numpy().tobytes() == expected.tobytes()


def _weights(here: Path) -> list[Target]:
    path = here / "weights.safetensors"

    def weights(content: bytes) -> bool:
        path.write_bytes(content)
        # The hash is made right: else nothing damaged would come as far as the parser.
        stored = StoredCell(here, {"sha256": {path.name: _sha256(content)}}, {})
        _check_tensors(content, trained.stored_weights(stored))
        return True

    identity = {"key": "k", "device": "cpu"}
    metadata = {"identity": json.dumps({"format": 1, **identity}), "facts": '{"curve": []}'}
    saved = seed_files.safetensors(metadata)
    checkpoint = Checkpoint(here / "k.checkpoint", identity)

    def resumed(content: bytes) -> bool:
        checkpoint.path.write_bytes(content)
        digest, _, rest = content.partition(b"\n")
        found = checkpoint._load()
        if found is None:
            return False
        assert digest.decode() == _sha256(rest)
        _check_tensors(rest, found.tensors)
        return True

    def hashed(chance: random.Random) -> bytes:
        content = mutations.damaged(chance.choice(saved), chance, saved)
        return _sha256(content).encode() + b"\n" + content

    torn = _of(*(_sha256(content).encode() + b"\n" + content for content in saved))
    return [
        Target("safetensors", 9000, _of(*seed_files.safetensors()), weights),
        Target("checkpoint", 3000, torn, resumed, both=False),
        Target("checkpoint, hashed", 4000, hashed, resumed),
    ]


def _archives(here: Path) -> list[Target]:
    inside = {f"Set/{name}.dat": name.encode() * 40 for name in ("a", "b")}
    members = [Member(name, len(c), _sha256(c)) for name, c in inside.items()]
    folder, work, archive = here / "unpacked", here / "unpacked/.work", here / "a.zip"
    work.mkdir(parents=True)
    files = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as zipped:
            for name, content in inside.items():
                zipped.writestr(zipfile.ZipInfo(name), content, method)
        files.append(buffer.getvalue())
    around = sorted(here.iterdir())

    def unpacked(content: bytes) -> bool:
        archive.write_bytes(content)
        for name in ("a.dat", "b.dat"):
            (folder / name).unlink(missing_ok=True)
        try:
            problems = unpack_zip(archive, members, folder, work, Quiet())
        except BadArchiveError as error:
            assert "\n" not in str(error)
            raise HarbenchError(str(error)) from error  # as the command does
        finally:
            there = sorted(p.name for p in folder.iterdir() if p != work)
            assert list(work.iterdir()) == []
            assert sorted(p for p in here.iterdir() if p != archive) == around
            assert all((folder / n).read_bytes() == inside[f"Set/{n}"] for n in there)
        assert sorted([*there, *(p.member.name for p in problems)]) == ["a.dat", "b.dat"]
        return not problems

    return [Target("archive", 4000, _of(*files), unpacked)]


def _caches(here: Path) -> list[Target]:
    files, home = here / "toy", here / "streams"
    write_toy_files(files, n_samples=60)
    dataset = TOY
    digest = stream.digest_of(dataset, dataset.sources(files))
    home.mkdir()
    stream._build(dataset, dataset.sources(files), digest, home / "x", None)
    made = {p.name: p.read_bytes() for p in (home / "x").iterdir()}
    original = stream._open(dataset, home / "x", digest)

    def spans(content: bytes) -> bool:
        (home / "x").mkdir(exist_ok=True)
        for name, good in made.items():
            if not (home / "x" / name).is_file():
                (home / "x" / name).write_bytes(good)
        (home / "x/stream.json").write_bytes(content)
        found = stream._open(dataset, home / "x", digest)
        assert found.recordings == original.recordings
        return True

    known = cache_root() / "file-hashes.json"
    known.parent.mkdir(parents=True, exist_ok=True)
    file = next(files.iterdir())
    stat = file.stat()
    entry = [_sha256(file.read_bytes()), stat.st_size, stat.st_mtime_ns, stat.st_ino]
    hashes = json.dumps({str(file.resolve()): entry, "/gone": entry}).encode()

    def remembered(content: bytes) -> bool:
        known.write_bytes(content)
        assert isinstance(stream.FileHashes.load().of(file), str)
        return True

    simulated = here / "simulated"
    simulated.mkdir()
    for each in FILES:
        (simulated / each.name).touch()
    listing = {"files": {each.name: {"sha256": each.sha256[:8]} for each in FILES}}

    def manifest(content: bytes) -> bool:
        (simulated / MANIFEST).write_bytes(content)
        assert len(sources_simulated(simulated)) == 24
        return True

    download = SimpleNamespace(notes=here / "a.part.json")

    def notes(content: bytes) -> bool:
        download.notes.write_bytes(content)
        assert isinstance(Resuming._notes(download), dict)
        return True

    return [
        Target("cached stream", 2000, _of(made["stream.json"]), spans, both=False),
        Target("remembered hashes", 2000, _of(hashes), remembered, both=False),
        Target("manifest of a simulation", 1500, _of(json.dumps(listing).encode()), manifest),
        Target("notes of a download", 1500, _of(*seed_files.NOTES), notes, both=False),
    ]


def all_targets(here: Path) -> Sequence[Target]:
    """All parsers; ``$HARBENCH_CACHE`` must lead to a folder below ``here``."""
    rooms = (_dat, _hapt, _matlab, _config, _store, _predictions, _weights, _archives, _caches)
    targets = []
    for room in rooms:
        folder = here / room.__name__
        folder.mkdir()
        targets += room(folder)
    return targets
