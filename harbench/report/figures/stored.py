"""What analyses drew, as they left it in the store: curves, grids, body maps, ablations.

An analysis draws from what it measured, and the store keeps its tables and its files, so those
files are the figure. They may have come with somebody else's results: names that lead out of their
folder are not followed, and what is inside is cleaned before it stands in a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harbench.errors import ResultsError
from harbench.report.figures.drawing import Drawing
from harbench.report.figures.rows import Subject
from harbench.report.figures.text import clipped
from harbench.results import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = ("pdf", "svg", "png")
_ROWS, _ALT = 12, 1800


def stored_drawings(subject: Subject, slug: str) -> list[Drawing]:
    """The figures of every analysis of the benchmark that are there.

    Args:
        subject: The benchmark.
        slug: Begin of the names.

    Raises:
        ResultsError: a result is damaged.
    """
    found = []
    name = subject.table.name
    for entry in entries(subject.store, name):
        content = subject.store.analysis(name, entry)
        if content is None:
            continue
        folder = subject.store.analysis_folder(name, entry)
        for figure in content["figures"]:
            files = dict(_files(folder, figure))
            if not files:
                continue
            found.append(
                Drawing(
                    f"{slug}-{entry}-{figure}",
                    content["analysis"],
                    f"{name}: {entry}, {figure}",
                    clipped(" ".join([*subject.warnings, *_said(content)]), _ALT),
                    partial(_undrawn, name, entry),
                    content["options"].get("row"),
                    files,
                )
            )
    return found


def entries(store: Store, benchmark: str) -> list[str]:
    """Names of the analyses of a benchmark that the store has."""
    home = store.folder / "analyses" / benchmark
    return sorted(path.parent.name for path in home.glob("*/result.json"))


def _files(folder: Path, figure: Any) -> Iterator[tuple[str, Path]]:
    if not isinstance(figure, str) or not {"/", "\\", "\0"}.isdisjoint(figure):
        return
    for ending in ENDINGS:
        path = folder / f"{figure}.{ending}"
        if path.is_file() and not path.is_symlink():
            yield ending, path


def _said(content: Mapping[str, Any]) -> Iterator[str]:
    """The notes, then the tables, in words."""
    yield f"Drawn by the analysis {content['analysis']}."
    yield from (str(note).rstrip(".") + "." for note in content["notes"])
    for title, table in content["tables"].items():
        rows = [
            ", ".join(f"{c} {_value(v)}" for c, v in zip(table["columns"], row, strict=True))
            for row in table["rows"][:_ROWS]
        ]
        yield f"{title}: {'; '.join(rows)}."


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "none" if value is None else str(value)


def _undrawn(benchmark: str, entry: str) -> Figure:
    raise ResultsError(
        "an analysis drew this figure; there are only its files",
        where=f"{benchmark}/{entry}",
        fix=f"harbench figures {benchmark}",
    )
