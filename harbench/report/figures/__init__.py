"""Figures of a results folder in one style: for papers as files, for the report as inline SVG.

``drawings`` says what can be drawn of a benchmark, without drawing it: importing this package and
calling it loads no matplotlib. ``style`` holds sizes, colours and what is done to text that comes
from plugins and data; ``inline_svg`` and ``saving`` write what was drawn.
"""

from harbench.report.figures.collecting import drawings
from harbench.report.figures.drawing import COLUMN, PAGE, Drawing
from harbench.report.figures.inline_svg import svg_text
from harbench.report.figures.saving import figure_bytes, write_drawing

__all__ = ["COLUMN", "PAGE", "Drawing", "drawings", "figure_bytes", "svg_text", "write_drawing"]
