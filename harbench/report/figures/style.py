"""The one style: sizes, colours, lines, axes.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which colour-blind readers can tell
apart; every series has a marker and a kind of line of its own as well, for prints in grey. Text is
8 points, what is less important 7. The font is DejaVu Sans, which comes with matplotlib, so that a
figure is the same on every machine. All lengths are points, 1/72 inch. Figures are made without
pyplot, so that nothing is left open, and without a layout engine: every place is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 72 / 25.4
"""Of a millimetre."""

SIZE, SMALL, LINE = 8.0, 7.0, 1.3
"""Points of text, of less important text, and the height of a line in sizes."""

MARGIN = 3.0

INK, FAINT, BAND = "#222222", "#888888", "#EEEEEE"
"""Text and axes; lines that only guide; grounds. In a page they follow its colours."""

FIXED_WHITE, FIXED_BLACK = "#FDFDFD", "#010101"
"""On a coloured ground; these stay as they are on a dark page, too."""

BLUE, RED = "#0072B2", "#D55E00"


@dataclass(frozen=True)
class Style:
    """Of one series: colour, matplotlib's marker, dashes."""

    colour: str
    marker: str
    line: Any


STYLES = (
    Style(BLUE, "o", "-"),
    Style(RED, "s", (0, (5, 1.5))),
    Style("#009E73", "^", (0, (1, 1))),
    Style("#CC79A7", "D", (0, (5, 1.5, 1, 1.5))),
    Style("#E69F00", "v", (0, (3, 1, 1, 1, 1, 1))),
    Style("#56B4E9", "P", (0, (7, 2))),
    Style(INK, "X", (0, (2, 1))),
)
"""In order; a figure has no more series than these."""

RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    # A name with two dollar signs is no formula.
    "text.parse_math": False,
    "text.usetex": False,
    "axes.unicode_minus": True,
    # Type 42 embeds TrueType, which publishers ask for.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    # Not random identifiers.
    "svg.hashsalt": "harbench",
    "path.simplify": True,
    "lines.solid_capstyle": "butt",
    "lines.dash_capstyle": "butt",
    "figure.facecolor": "white",
    "axes.facecolor": "none",
    "savefig.facecolor": "auto",
    "savefig.transparent": False,
}


@contextmanager
def styled(**changes: Any) -> Iterator[None]:
    """Within it figures are made, and saved, in this style, whatever the user's matplotlibrc says.

    Args:
        changes: Of :data:`RC`, dots as double underscores.
    """
    import matplotlib

    wanted: Any = {**RC, **{key.replace("__", "."): value for key, value in changes.items()}}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(wanted)
        yield


@dataclass(frozen=True)
class Sheet:
    """A figure whose parts are placed in points from its upper left corner.

    Args:
        figure: With nothing on it.
        width, height: In points.
    """

    figure: Figure
    width: float
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at this place."""
        return self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def write(self, x: float, y: float, text: str, **properties: Any) -> None:
        """Text whose upper left corner is there, unless properties say else."""
        given = {"fontsize": SIZE, "color": INK, "va": "top", "ha": "left", **properties}
        self.figure.text(
            x / self.width, 1 - y / self.height, text, parse_math=False,
            rotation_mode="anchor", **given,
        )  # fmt: skip

    def lines(self, x: float, y: float, lines: Sequence[str], size: float = SMALL) -> None:
        """Lines of text, one below the other."""
        for number, line in enumerate(lines):
            self.write(x, y + number * size * LINE, line, fontsize=size)

    def plot(self, xs: Sequence[float], ys: Sequence[float], **properties: Any) -> None:
        """A line or markers, above everything else, for keys."""
        from matplotlib.lines import Line2D

        self.figure.add_artist(
            Line2D(
                [x / self.width for x in xs],
                [1 - y / self.height for y in ys],
                transform=self.figure.transFigure,
                **properties,
            )
        )


def new_sheet(width: float, height: float) -> Sheet:
    """An empty figure.

    Args:
        width: In mm.
        height: In points.
    """
    from matplotlib.figure import Figure

    points = width * POINTS
    return Sheet(Figure(figsize=(points / 72, height / 72), dpi=300), points, height)


def dress(axes: Axes) -> None:
    """Two spines, thin ticks, small numbers."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set(linewidth=0.6, color=INK)
    axes.tick_params(
        which="both", labelsize=SMALL, labelcolor=INK, color=INK, width=0.6, length=2.5, pad=2
    )
    axes.tick_params(which="minor", length=1.5)


def format_ticks(axis: Any, text: Callable[[float], str]) -> None:
    """Numbers of our own: matplotlib's of a logarithmic axis are formulas."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_formatter(NullFormatter())


def short_number(number: float) -> str:
    """Three digits that count: 0.25, 812, 24.1k, 54.6M, 1.2G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        # Not 1000k, which 999,950 would be rounded to.
        if abs(number) >= size * 0.9995:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"
