"""A trained cell as a file that other programs run: made, checked, timed, and then written."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from harbench.cost.processor import processor
from harbench.cost.timing import Latency, latency, latency_of
from harbench.errors import ConfigError, ResultsError
from harbench.execute.exporting.agreement import Agreement, agree
from harbench.execute.exporting.facts import facts_of
from harbench.execute.exporting.graphs import (
    INPUT,
    OUTPUTS,
    need_onnx,
    onnx_of,
    predict_with_onnxruntime,
    predict_with_torch,
    program_of,
    pt2_of,
    session_of,
)
from harbench.execute.exporting.quantised import Loss, loss_of, quantise
from harbench.execute.exporting.recovered import Recovered, recover
from harbench.plugins import Registry
from harbench.results import StoredCell

Form = Literal["onnx", "torch"]

RUNS, SECONDS = 200, 1.0
"""A latency is of so many runs at least, and of so long."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Args:
        kind: ``onnx``, ``onnx-int8`` or ``torch``.
        path: Of the file.
        sha256: Of its content.
        size_bytes: Of the file.
        agreement: With the network and the stored predictions; None of integers, which do not.
        latency: Of one window on one thread by onnxruntime; None of ``torch``.
        torch_latency: Of the network in torch, on the same machine a moment before.
        loss: Of integers, what they cost.
        versions: Of what made and ran it.
        processor: That it was timed on.
    """

    kind: Literal["onnx", "onnx-int8", "torch"]
    path: Path
    sha256: str
    size_bytes: int
    agreement: Agreement | None
    latency: Latency | None
    torch_latency: Latency | None
    loss: Loss | None
    versions: dict[str, str]
    processor: str

    def to_json(self) -> dict[str, Any]:
        """A mapping that ``json.dumps`` can write; of the path the name alone."""
        return {**asdict(self), "path": self.path.name}


def export_model(
    stored: StoredCell,
    registry: Registry,
    form: Form,
    path: Path,
    *,
    int8: bool = False,
    loud: bool = False,
) -> list[Exported]:
    """Write the network of a trained cell as a file, with its normalisation inside.

    The content is checked before it is written, on every test window: the logits of the graph on
    raw windows are within 1e-4 of those of the network on normalised ones, and the classes are
    the stored ones. Nothing is written where they are not. The store is only read.

    Args:
        stored: The cell.
        registry: The plugins.
        form: ``onnx`` (opset of the torch at hand) or ``torch`` (torch.export's .pt2).
        path: Of the file.
        int8: Of ONNX: write an int8 version beside it, FILE.int8.onnx.
        loud: Let torch and onnxruntime tell of their work.

    Raises:
        ConfigError: the extra is not installed; ``int8`` of another form than ``onnx``.
        ModelError: the network cannot be exported, or the graph says something else.
        ResultsError: the cell is of an estimator, lacks its weights, or the file cannot be
            written.
        DataError: the dataset is not what it was trained on; DataMissingError: it is not here.
    """
    if int8 and form != "onnx":
        raise ConfigError("int8 is made of ONNX files", where="--int8", expected="--format onnx")
    if form == "onnx":
        need_onnx()
    if path.is_dir():
        raise ConfigError(
            "that is a folder", where=f"--out {path}", expected="a file (--results is the folder)"
        )
    if path.suffix == (".pt2" if form == "onnx" else ".onnx"):
        raise ConfigError(f"the name says another format than {form}", where=f"--out {path}")
    cell = recover(stored, registry)
    from harbench.execute.exporting.normalised import NormalisedNetwork

    facts = facts_of(cell)
    whole = NormalisedNetwork(cell.module, cell.normaliser).eval()
    shape = (len(cell.channels), cell.data.length)
    program = program_of(whole, *shape, model=facts["model"], loud=loud)
    if form == "torch":
        content = pt2_of(program, facts, loud=loud)
        agreement = agree(predict_with_torch(content, loud=loud), cell, "the .pt2 file")
        _write({path: content})
        return [_exported("torch", path, content, agreement)]
    content = onnx_of(program, facts, model=facts["model"], loud=loud)
    agreement = agree(predict_with_onnxruntime(content), cell, "the ONNX file")
    contents = {path: content}
    beside = path.with_name(f"{path.stem}.int8.onnx")
    if int8:
        contents[beside] = quantise(content, cell, facts, loud)
    in_torch = latency(cell.module, *shape)
    timed = {file: _timed(data, cell) for file, data in contents.items()}
    loss = loss_of(contents[beside], cell) if int8 else None
    _write(contents)
    found = [_exported("onnx", path, content, agreement, timed[path], in_torch)]
    if int8:
        more = (None, timed[beside], in_torch, loss)
        found.append(_exported("onnx-int8", beside, contents[beside], *more))
    return found


def _exported(
    kind: Literal["onnx", "onnx-int8", "torch"],
    path: Path,
    content: bytes,
    agreement: Agreement | None,
    timed: Latency | None = None,
    in_torch: Latency | None = None,
    loss: Loss | None = None,
) -> Exported:
    packages = ("torch",) if kind == "torch" else ("torch", "onnx", "onnxscript", "onnxruntime")
    return Exported(
        kind=kind,
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        agreement=agreement,
        latency=timed,
        torch_latency=in_torch,
        loss=loss,
        versions={name: version(name) for name in packages},
        processor=processor(),
    )


def _timed(content: bytes, cell: Recovered) -> Latency:
    """One recorded window at a time, on one thread."""
    session = session_of(content, threads=1)
    given = {INPUT: cell.raw_windows(cell.prepared.test.starts[:1])}
    return latency_of(lambda: session.run(OUTPUTS, given), runs=RUNS, seconds=SECONDS)


def _write(contents: dict[Path, bytes]) -> None:
    """Write files, each whole or not at all.

    Raises:
        ResultsError: they cannot be written.
    """
    temporary: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary[path] = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
            temporary[path].write_bytes(content)
        for path, made in temporary.items():
            made.replace(path)
    except OSError as error:
        raise ResultsError(
            f"the file cannot be written: {error.strerror or error}",
            where=f"--out {error.filename or ''}".strip(),
            expected="a writable folder with room",
        ) from error
    finally:
        for made in temporary.values():
            with suppress(OSError):
                made.unlink()
