"""What a score costs: NF against MACs, parameters or latency, in words; the figure is beside."""

from __future__ import annotations

from functools import partial

from harbench.report.figures.costs import COSTS, Cost, front, guessing_text, learnt
from harbench.report.figures.drawing import Drawing
from harbench.report.figures.pareto_figure import draw_pareto
from harbench.report.figures.rows import Row, Subject, listed


def pareto_drawings(subject: Subject, slug: str) -> list[Drawing]:
    """One for each cost that two rows or more have."""
    found = []
    rows, guessing = learnt(subject)
    for cost in COSTS:
        shown = [row for row in rows if cost.of(row) is not None]
        if len(shown) < 2:
            continue
        best = front(shown, cost)
        title = f"{subject.metric_title} against {cost.title.lower().replace('mac', 'MAC')}"
        absent = [row.name for row in rows if cost.of(row) is None]
        alt = [
            f"{title.replace(' (ms)', '')} of {len(shown)} rows, cheapest first. "
            f"On the Pareto front: {listed([_said(row, cost) for row in best], 20)}.",
        ]
        behind = sorted((r for r in shown if r not in best), key=lambda row: cost.of(row) or 0.0)
        if behind:
            alt.append(f"Behind it: {listed([_said(row, cost) for row in behind], 20)}.")
        if absent:
            alt.append(f"Not shown, without such a cost: {listed(absent)}.")
        if guessing:
            alt.append(guessing_text(guessing))
        found.append(
            Drawing(
                f"{slug}-pareto-{cost.slug}",
                "pareto",
                f"{subject.table.name}: {title}",
                " ".join([*alt, *subject.ties, *subject.warnings]),
                partial(draw_pareto, subject, cost),
            )
        )
    return found


def _said(row: Row, cost: Cost) -> str:
    return f"{row.words} at {cost.said(cost.of(row) or 0.0)}"
