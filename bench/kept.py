"""A measured table as it is kept: a CSV file, and between two marks of a page."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

Line = dict[str, str]


def read_csv(path: Path) -> list[Line]:
    """The lines of an earlier table; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, fields: Sequence[str], lines: Sequence[Line]) -> None:
    """All columns; what a line lacks is empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def put_in(page: Path, mark: str, text: str) -> None:
    """Put a table between its marks, ``<!-- mark -->`` and its end; nothing without a page."""
    if page.is_file():
        head, rest = page.read_text("utf-8").split(f"<!-- {mark} -->")
        end = f"<!-- /{mark} -->"
        page.write_text(f"{head}<!-- {mark} -->\n{text}{end}{rest.split(end)[1]}", "utf-8")


def text_in(page: str, mark: str) -> str:
    """What stands between the marks of a page."""
    return page.split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0].lstrip("\n")
