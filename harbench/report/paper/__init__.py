"""Yan, Younes and Forsyth 2022 under a magnifier: its tables measured, its arithmetic checked.

``printed`` holds what the paper prints, ``layers`` the sizes that its counts come from, the
``about_*`` modules what does not add up; ``tables``, ``scores`` and ``saliency`` build the four
tables from a store, ``page`` and
``terminal`` put all of it together.
"""

from harbench.report.paper.page import Page, paper_json, paper_markdown, paper_page
from harbench.report.paper.scores import uncounted
from harbench.report.paper.tables import BENCHMARKS, PaperTable, Sources
from harbench.report.paper.terminal import print_paper

__all__ = [
    "BENCHMARKS",
    "Page",
    "PaperTable",
    "Sources",
    "paper_json",
    "paper_markdown",
    "paper_page",
    "print_paper",
    "uncounted",
]
