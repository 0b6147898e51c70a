"""The figures of the page, as many as fit: a page is to be mailed and opened on a phone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from harbench.report.figures import Drawing, svg_text
from harbench.report.html.page import Report

MOST_BYTES = 3_000_000
"""Of all figures together; what comes behind is left out, and the page says so."""

_KINDS = {
    "pareto": "Score against cost",
    "per-class": "Classes",
    "critical-difference": "Ranks",
    "curves": "Learning curves",
    "confusion": "Confusion matrices",
}
_VIEW_BOX = re.compile(r'<svg[^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"')
_LARGE = 330.0  # points: wider than a figure of one column, with a margin


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Args:
        svg: With its own texts escaped.
        size: "wide", "large" or "".
    """

    svg: Markup
    size: str


def drawn(report: Report, most: int = MOST_BYTES) -> dict[str, Drawn]:
    """Name of a drawing -> figure; without those that are too many.

    What is about several rows, or was asked for as an analysis, comes before what there is of
    each row, and the best rows of every benchmark before the second best.

    Raises:
        ResultsError: a figure that an analysis stored is damaged.
    """
    found: dict[str, Drawn] = {}
    total = 0
    for drawing in _by_weight(report):
        text = svg_text(drawing)
        total += len(text.encode())
        if total > most:
            break
        found[drawing.name] = Drawn(Markup(text), _size(text))
    return found


def _by_weight(report: Report) -> Iterator[Drawing]:
    ranked = []
    for part in report.benchmarks:
        times: Counter[str] = Counter()
        for drawing in part.drawings:
            of_row = drawing.row is not None and not drawing.files
            times[drawing.kind] += of_row
            ranked.append((times[drawing.kind] if of_row else 0, drawing))
    yield from (drawing for _, drawing in sorted(ranked, key=lambda pair: pair[0]))


def _size(svg: str) -> str:
    box = _VIEW_BOX.search(svg)
    width, height = (float(box[1]), float(box[2])) if box else (0.0, 0.0)
    return "" if width < _LARGE else "wide" if width > 1.3 * height else "large"


def by_kind(
    drawings: Iterable[Drawing], there: dict[str, Drawn]
) -> list[tuple[str, list[Drawing]]]:
    """Headings and the drawings of them that are there, in the order in which they come."""
    found: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        # An analysis may have the name of a kind.
        own = "" if drawing.files else _KINDS.get(drawing.kind, "")
        if drawing.name in there:
            found.setdefault(own or f"From the analysis {drawing.kind}", []).append(drawing)
    return list(found.items())
