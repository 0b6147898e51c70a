"""Drawings as files: PDF with embedded fonts, SVG, PNG; equal figures are equal bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harbench.errors import ResultsError
from harbench.execute.analysing import saved_figure
from harbench.report.figures.drawing import Drawing
from harbench.report.figures.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure_bytes(drawing: Drawing, ending: str) -> bytes:
    """The file's content: "pdf", "svg" (text as paths) or "png" (300 dpi).

    Raises:
        ResultsError: a figure that an analysis stored is not there.
    """
    if not drawing.files:
        return saved(drawing.draw(), ending)
    return stored_bytes(drawing, ending)


def stored_bytes(drawing: Drawing, ending: str) -> bytes:
    """What an analysis left.

    Raises:
        ResultsError: it left none of that format, or it is gone.
    """
    path = drawing.files.get(ending)
    try:
        if path is not None:
            return path.read_bytes()
    except OSError:
        pass
    raise ResultsError(
        f"a figure of the analysis is not there as {ending}",
        where=str(path or drawing.name),
        fix="harbench run benchmarks.yaml",
    )


def saved(figure: Figure, ending: str) -> bytes:
    """A figure of ours as a file of that format."""
    with styled():
        return saved_figure(figure, ending)


def write_drawing(drawing: Drawing, folder: Path, ending: str) -> Path:
    """Write NAME.ENDING whole or not at all.

    Raises:
        ResultsError: the folder cannot be written, or a stored figure is not there.
    """
    return write_file(folder, f"{drawing.name}.{ending}", figure_bytes(drawing, ending))


def write_file(folder: Path, name: str, content: bytes) -> Path:
    """Write a file whole or not at all.

    Raises:
        ResultsError: the folder cannot be written.
    """
    target = folder / name
    temporary = folder / f".{name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(
            f"figures cannot be written: {error.strerror or error}",
            where=str(folder),
            expected="a folder that can be written",
        ) from error
    return target
