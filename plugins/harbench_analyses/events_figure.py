"""Ward's event analysis diagram: true and predicted events of each class, as one bar.

Ward, Lukowicz and Gellersen 2011: to the left of the correct events, which are both, the true
ones that went wrong; to the right the predicted ones that did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harbench_analyses.channel_figures import TWO_COLUMNS, new_figure
from harbench_analyses.events_counting import RowEvents

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In the order of the counts. Reds and oranges are true events, blues predicted ones; the darkest
# are those that have no counterpart at all.
PARTS = (
    ("deleted", "#8C2D04"),
    ("fragmented", "#D55E00"),
    ("fragmented & merged", "#E69F00"),
    ("merged", "#F6D58E"),
    ("correct", "#009E73"),
    ("merging", "#C6DBEF"),
    ("fragmenting & merging", "#56B4E9"),
    ("fragmenting", "#0072B2"),
    ("inserted", "#08306B"),
)


def bars(found: RowEvents, *, title: str) -> Figure:
    """A bar for each class other than NULL, from the deleted events to the inserted ones.

    Args:
        found: Counts of one row.
        title: Text.
    """
    names, counts = found.names[:-1], found.events[:-1]
    figure = new_figure(TWO_COLUMNS, 1.3 + 0.2 * len(names))
    axes = figure.add_subplot()
    axes.use_sticky_edges = False
    # The correct events of all classes begin at one line, so that either side can be compared.
    left = -counts[:, :4].sum(axis=1)
    for (name, colour), widths in zip(PARTS, counts.T, strict=True):
        axes.barh(
            range(len(names)), widths, left=left, color=colour, label=name, height=0.75,
            edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        left = left + widths
    axes.axvline(0, color="#222222", linewidth=0.6)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(labelsize=7)
    # To the left counts grow too.
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    axes.set_xlabel(
        "true events that went wrong  |  correct, then predicted that went wrong", fontsize=7
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside lower center", ncols=5, fontsize=6.5, frameon=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=8)
    return figure
