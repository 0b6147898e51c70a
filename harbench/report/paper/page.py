"""The whole page: the tables and what does not add up, and the same as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from harbench.report.paper.inconsistencies import inconsistencies, numbers
from harbench.report.paper.inconsistency import Inconsistency
from harbench.report.paper.saliency import table_3
from harbench.report.paper.scores import table_2, table_4
from harbench.report.paper.tables import PaperTable, Sources, table_1
from harbench.report.text import markdown

HEADING = "What in the paper does not add up"

_BUILDERS: tuple[Callable[[Sources], PaperTable], ...] = (table_1, table_2, table_3, table_4)


@dataclass(frozen=True)
class Page:
    """The paper's tables, measured beside printed, and what does not add up in it."""

    tables: tuple[PaperTable, ...]
    inconsistencies: tuple[Inconsistency, ...]


def paper_page(sources: Sources) -> Page:
    """The page of a store. ``sources.numbers`` is filled in here.

    Raises:
        ResultsError: a benchmark has no manifest in the store, or a record is damaged.
    """
    found = inconsistencies(sources.channels)
    known = replace(sources, numbers=numbers(found))
    return Page(tuple(build(known) for build in _BUILDERS), found)


def paper_markdown(page: Page) -> str:
    """Tables with footnotes, and a numbered list."""
    parts = [markdown(replace(table, missing="")) for table in page.tables]
    return "\n".join([*parts, "\n".join(_markdown_list(page.inconsistencies))])


def _markdown_list(found: Sequence[Inconsistency]) -> Iterator[str]:
    yield f"### {HEADING}"
    yield ""
    for number, item in enumerate(found, 1):
        yield f"{number}. **{_escaped(item.title)}** ({_escaped(item.where)})"
        yield f"   - printed: {_escaped(item.printed)}"
        yield from (f"   - {_escaped(line)}" for line in item.arithmetic)
        yield f"   - harbench: {_escaped(item.harbench)}"
    yield ""


def _escaped(text: str) -> str:
    """Between backticks the text is code, and stays as it is."""
    pieces = text.split("`")
    for place in range(0, len(pieces), 2):
        for letter in "*_<":
            pieces[place] = pieces[place].replace(letter, f"\\{letter}")
    return "`".join(pieces)


def paper_json(page: Page) -> str:
    """All of it: rows as numbers, notes, and the list."""
    content = {
        "tables": [_as_json(table) for table in page.tables],
        "inconsistencies": [
            {"number": number, **asdict(item)}
            for number, item in enumerate(page.inconsistencies, 1)
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _as_json(table: PaperTable) -> dict[str, object]:
    return {
        "table": table.number,
        "benchmark": table.name,
        "title": table.title,
        "simulated": table.simulates is not None,
        "simulates": table.simulates,
        "lines": table.lines,
        "missing": table.missing or None,
        "rows": table.records,
        "footnotes": table.footnotes,
    }
