"""What analyses found of a benchmark: their tables and notes. Their figures are drawings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harbench.report.analyses import leaky_lines
from harbench.report.audit import Leaks
from harbench.report.html.tables import Shown, plain
from harbench.results import Store


@dataclass(frozen=True)
class Found:
    """The result of one analysis.

    Args:
        title: Its name in the store, and which analysis it is.
        options: As it was run, one line.
        simulates: What the data imitate; "" where they are real.
        older: Whether it read cells that the benchmark's table has no more.
        tables: As it returned them.
        notes: A sentence each.
    """

    title: str
    options: str
    simulates: str
    older: bool
    tables: tuple[Shown, ...]
    notes: tuple[str, ...]


def analyses_of(
    store: Store, manifest: Mapping[str, Any], leaks: Leaks | None, anchor: str
) -> tuple[Found, ...]:
    """All that the store holds of a benchmark, by name.

    Args:
        store: Results folder.
        manifest: Of the benchmark.
        leaks: Of the benchmark.
        anchor: Beginning of the tables' ids.

    Raises:
        ResultsError: a result is damaged.
    """
    home = store.folder / "analyses" / manifest["name"]
    entries = sorted(path.parent.name for path in home.glob("*/result.json"))
    keys = {cell["key"] for row in manifest["rows"] for cell in row["cells"]}
    found = []
    for number, entry in enumerate(entries, 1):
        content = store.analysis(manifest["name"], entry)
        if content is not None:
            found.append(_found(entry, content, keys, leaks, f"{anchor}-{number}"))
    return tuple(found)


def _found(
    entry: str, content: Mapping[str, Any], keys: set[str], leaks: Leaks | None, anchor: str
) -> Found:
    tables = []
    for number, (title, table) in enumerate(content["tables"].items(), 1):
        leaky = leaky_lines(content, title, leaks)
        marks = [(("leaky", "leaky"),) if line else () for line in leaky]
        tables.append(plain(f"{anchor}-{number}", title, table["columns"], table["rows"], marks))
    name = content["analysis"]
    return Found(
        entry if entry == name else f"{entry} ({name})",
        ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}"
                  for key, value in content["options"].items()),
        content["simulates"] or "",
        not set(content.get("cells", ())) <= keys,
        tuple(tables),
        tuple(content["notes"]),
    )  # fmt: skip
