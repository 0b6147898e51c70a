"""Small good files to damage: cut from real data where those are, made up besides."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zlib
from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from harbench_datasets.opportunity_columns import GESTURES, LOCOMOTION


@cache
def _real_data() -> Any:
    path = Path(__file__).parents[1] / "datasets" / "real_data.py"
    spec = spec_from_file_location("real_data_of_the_fuzz", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _real(place: str) -> Path | None:
    try:
        return getattr(_real_data(), place)()
    except pytest.skip.Exception:
        return None


def opportunity() -> list[bytes]:
    """Files of 2 to 4 lines of 250 columns."""
    chance = np.random.default_rng(0)
    files = []
    for n_lines in (2, 3, 4):
        table = chance.integers(-2000, 2000, (n_lines, 250)).astype(object)
        table[:, 0] = np.arange(n_lines) * 33
        table[chance.random(table.shape) < 0.1] = "NaN"
        table[:, 243:] = 0
        table[:, 243] = chance.choice(list(LOCOMOTION), n_lines)
        table[:, 249] = chance.choice(list(GESTURES), n_lines)
        files.append(_lines(table))
    if folder := _real("opportunity_values"):
        with np.load(folder / "opportunity_tsb_uad_subset.npz") as content:
            for session in ("S1-ADL1", "S2-ADL3"):
                values, columns = content[f"{session}/values"], content[f"{session}/columns0"]
                table = np.zeros((3, 250), object)
                table[:, columns] = values[1000:1003]
                files.append(_lines(table))
    return files


def narrow_tables() -> list[bytes]:
    """Four columns in the manner of OPPORTUNITY, of more lines."""
    return [
        b"0 1 -2 406516\n33 NaN 12345678 0\n67 -3 4 101\n100 5 0 NaN\n",
        b"0 1.5 -2e3 0\n33 0.25 7 101\n",
        b"  0 1\t-2 0 \r\n33 4 5 0\r\n\r\n",
        b"1 2 3 4\n" * 40,
    ]


def _lines(table: np.ndarray) -> bytes:
    return "".join(" ".join(map(str, row)) + "\n" for row in table).encode()


def hapt() -> tuple[list[bytes], list[bytes]]:
    """Tables of three numbers, and lists of segments of experiments 1 and 2."""
    tables = [
        b"0.918055599085 -0.112499999 0.509722\n1 2 3\n-1e-3 .5 5.\n",
        b"1.0 -0.5 +2e1 \n0 0 0 \n",
        b"3 4 5\r\n6 7 8\r\n",
    ]
    segments = [
        b"1 1 5 250 1232\n1 1 7 1233 1392\n1 1 4 1393 2194\n2 1 5 251 1226\n2 1 12 1300 1999\n",
        b"1 1 1 0 9\n",
    ]
    if archive := _real("hapt_archive"):
        with tarfile.open(archive) as packed:
            for member in packed:
                if member.name.endswith("acc_exp01_user01.txt"):
                    tables.append(_head(packed.extractfile(member).read(), 8))
                if member.name.endswith("labels.txt") and "activity" not in member.name:
                    segments.append(_head(packed.extractfile(member).read(), 12))
                if len(tables) > 3 and len(segments) > 2:
                    break
    return tables, segments


def _head(content: bytes, n_lines: int) -> bytes:
    return b"\n".join(content.split(b"\n")[:n_lines]) + b"\n"


def matlab() -> list[bytes]:
    """ActRecTut's two arrays, few samples of them."""
    chance = np.random.default_rng(1)
    data, labels = chance.normal(0, 500, (6, 15)), chance.integers(1, 13, (6, 1)).astype(float)
    folder = _real("actrectut")
    if folder:
        real = loadmat(folder / "subject1_gesture" / "data.mat", mat_dtype=True)
        data, labels = real["data"][:6], real["labels"][:6]
    files = [_mat(False, data=data, labels=labels), _mat(True, data=data, labels=labels)]
    files.append(_mat(False, labels=labels[:2], text="abc", data=np.round(data[:2])))
    return files


def whole_matlab() -> bytes | None:
    """A real file of 1.5 MB."""
    folder = _real("actrectut")
    return (folder / "subject1_gesture" / "data.mat").read_bytes() if folder else None


def _mat(compress: bool, **variables: Any) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, variables, do_compression=compress)
    # The text begins with the time.
    return b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:]


def repacked(damage: Callable[[bytes], bytes], content: bytes) -> bytes:
    """A MATLAB file with the inside of its first packed variable damaged, and packed again.

    Packed data have a checksum: other damage would not come as far as the parser.
    """
    (size,) = struct.unpack_from("<I", content, 132)
    inside = damage(zlib.decompress(content[136 : 136 + size]))
    packed = zlib.compress(inside, 1)
    return content[:128] + struct.pack("<II", 15, len(packed)) + packed + content[136 + size :]


def safetensors(metadata: dict[str, str] | None = None) -> list[bytes]:
    """Weights of a network, as :mod:`harbench.execute.work` saves them."""
    import torch
    from safetensors.torch import save

    torch.manual_seed(0)
    tensors = {
        "0.weight": torch.randn(3, 2),
        "0.bias": torch.arange(3.0),
        "1.num_batches_tracked": torch.tensor(7),
        "mask": torch.tensor([True, False]),
    }
    return [save(tensors, metadata), save({"w": torch.ones(1)}, metadata)]


YAML = [
    b"benchmarks: {q: {dataset: spar, models: [resnet-like]}}\n",
    b"defaults: {seeds: 2, recipe: {epochs: 3}}\nbenchmarks:\n  q:\n    dataset: spar\n"
    b"    path: some/dir\n    models: {a: {model: m, window: 24}, b: }\n",
    b"benchmarks:\n  q:\n    dataset: hapt\n"
    b"    protocol: {split: {kind: blocks, ratio: [8, 1, 1]}}\n"
    b"    seeds: [0, 5]\n    models: [m]\n    analyses: [saliency]\n",
    b"benchmarks:\n  q: &x {dataset: d, models: [m], recipe: {schedule: {kind: step, every: 3}}}\n"
    b"  r: *x\n",
]
NOTES = [json.dumps({"etag": '"abc"', "modified": "Mon", "total": 12, "url": "http://x/"}).encode()]
