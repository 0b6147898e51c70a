"""``harbench export-model``: a trained network as a file for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harbench.execute.exporting import Exported
    from harbench.results import Store


class Format(StrEnum):
    """What a network is written as."""

    onnx = "onnx"
    torch = "torch"


def export_model(
    record: Annotated[
        str, typer.Argument(help="Key of a cell, its first characters, or its folder.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file: net.onnx or net.pt2.")],
    form: Annotated[
        Format, typer.Option("--format", help="onnx, or torch for torch.export's .pt2.")
    ] = Format.onnx,
    int8: Annotated[
        bool, typer.Option("--int8", help="An int8 version beside it, FILE.int8.onnx, and its NF.")
    ] = False,
    results: Annotated[Path, typer.Option(help="Folder of results.")] = Path("results"),
    json: AsJson = False,
) -> None:
    """Write the network of a trained cell as ONNX or torch.export's .pt2, normalisation inside.

    The file takes windows as recorded. It is checked on every test window before it is written:
    logits within 1e-4 of the network's, classes as stored; otherwise nothing is written. Latency
    of ONNX files is measured by onnxruntime, kept in the results folder and shown in tables.
    """
    from json import dumps

    from harbench.cli.cell_choice import chosen_cell
    from harbench.cli.context import error_console, registry, settings
    from harbench.execute.exporting import export_model as write
    from harbench.results import Store

    store, key = chosen_cell(record, Store(results))
    stored = store.read(key)
    with error_console().status("exporting and checking"):
        files = write(stored, registry(), form.value, out, int8=int8, loud=settings().debug)
    _keep(store, key, files)
    if json:
        content = [{**file.to_json(), "path": str(file.path)} for file in files]
        typer.echo(dumps({"key": key, "files": content}, indent=1, ensure_ascii=True))
        return
    facts = stored.record["cell"]
    typer.echo(
        f"{key[:12]}: {facts['model']} on {facts['dataset']}, fold {facts['fold']}, "
        f"seed {facts['seed']}"
    )
    for file in files:
        typer.echo("\n".join(_lines(file)))


def _keep(store: Store, key: str, files: Sequence[Exported]) -> None:
    from harbench.errors import ResultsError

    if store.folder.parent.name == "imported":
        return  # a bundle of others stays as it came
    try:
        store.write_exported(key, {file.kind: file.to_json() for file in files})
    except ResultsError as error:
        # The file is there and right; a results folder on a read-only disk is no mistake.
        typer.echo(f"warning: not kept for tables: {error.what}", err=True)


def _lines(file: Exported) -> list[str]:
    lines = [f"{file.path}: {file.kind}, {file.size_bytes:,} bytes"]
    if (agreed := file.agreement) is not None:
        tied = f", {agreed.ties} by a tie" if agreed.ties else ""
        lines.append(
            f"  {agreed.windows:,} test windows: logits within {agreed.largest:.1g} of torch's "
            f"(1e-04 allowed), classes as stored{tied or ' in all'}"
        )
    if (loss := file.loss) is not None:
        change = 100 * (loss.nf_int8 - loss.nf_float)
        lines.append(
            f"  NF {100 * loss.nf_int8:.2f}, float {100 * loss.nf_float:.2f} ({change:+.2f}); "
            f"{loss.other:,} test windows of another class; ranges from {loss.calibration:,} "
            "training windows"
        )
        if loss.left:
            lines.append(f"  still in floating point: {', '.join(loss.left)}, and the last layer")
    if file.latency is not None and file.torch_latency is not None:
        lines.append(
            f"  one window on one thread: {file.latency.median_ms:.3f} ms (95 % under "
            f"{file.latency.p95_ms:.3f}, {file.latency.runs:,} runs), in torch "
            f"{file.torch_latency.median_ms:.3f} ms; {file.processor}, onnxruntime "
            f"{file.versions['onnxruntime']}"
        )
    return lines
