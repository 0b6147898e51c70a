"""What is on the page: every benchmark of a results folder, and the founding paper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import harbench
from harbench.nouns import Channel, Score
from harbench.report.all_tables import imported_table
from harbench.report.audit import leaks_of
from harbench.report.figures import Drawing, drawings
from harbench.report.html.analyses import Found, analyses_of
from harbench.report.html.audits import Audit, audit_of
from harbench.report.html.paper_tables import Paper, paper_of
from harbench.report.html.provenance import Provenance, provenance_of
from harbench.report.html.published import published_table
from harbench.report.html.tables import Shown, comparison
from harbench.report.rows_from_elsewhere import name_of
from harbench.report.table import DEFAULT_METRICS, comparison_table
from harbench.report.tabular import ABSENT, Table
from harbench.results import Store
from harbench.results.imports import Import, imports
from harbench.results.records import StoredCell


@dataclass(frozen=True)
class BenchmarkPart:
    """One benchmark.

    Args:
        anchor: Its id.
        name, title: Of the benchmark.
        dataset: Its name.
        lines: What a reader must know before the rows, without what the badges say.
        simulates: What the data imitate; "" where they are real.
        imported: The bundle that all of it comes from; "" where it was run here.
        leaky: How many rows leak.
        rows: How many there are.
        cells, done: How many there are, and how many are finished.
        best: Row with the highest mean of the first metric, and that mean as text; None if none.
        missing: What is not here and the command that gets it; "" if all is here.
        table: The comparison.
        metric: Title of its first score.
        published: What was printed beside what was measured; None if nothing was.
        drawings: Figures.
        audit: The leakage audit.
        analyses: What analyses found.
        settings: Of the benchmark, as a file for ``harbench run``.
        provenance: Of each row.
    """

    anchor: str
    name: str
    title: str
    dataset: str
    lines: tuple[str, ...]
    simulates: str
    imported: str
    leaky: int
    rows: int
    cells: int
    done: int
    best: tuple[str, str] | None
    missing: str
    table: Shown
    metric: str
    published: Shown | None
    drawings: tuple[Drawing, ...]
    audit: Audit
    analyses: tuple[Found, ...]
    settings: str
    provenance: tuple[Provenance, ...]


@dataclass(frozen=True)
class Report:
    """The page.

    Args:
        benchmarks: In the order of the store.
        paper: The founding paper; None leaves it out.
        newest: When the newest cell was started, as its record says; "" if that is not known.
        version: Of harbench.
    """

    benchmarks: tuple[BenchmarkPart, ...]
    paper: Paper | None = None
    newest: str = ""
    version: str = harbench.__version__


def report_of(
    store: Store,
    names: Sequence[str] = (),
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    added: Sequence[Score] = (),
    channels: Sequence[Channel] = (),
) -> Report:
    """Collect the page of some benchmarks. Nothing is trained, no data is read.

    Args:
        store: Results folder.
        names: Of benchmarks; all that were run into the folder, then all that only imported
            bundles hold, if none is named.
        metrics: Scores of the comparison; the figures are of the first.
        added: Scores of plugins among them.
        channels: The 113 of OPPORTUNITY, for what is said of the paper; empty where not known.

    Raises:
        PluginError: a score of a plugin breaks.
        ResultsError: a benchmark was never run into this store, or a record is damaged.
    """
    # By name, not by time: copying the folder changes the times of its files.
    own, bundles = sorted(store.benchmarks()), imports(store)
    theirs = sorted({name for one in bundles for name in one.manifest["benchmarks"]} - {*own})
    parts: list[BenchmarkPart] = []
    newest = ""
    for name in names or [*own, *theirs]:
        holders: list[Import | None] = [None]
        if name in theirs:
            holders = [one for one in bundles if name in one.manifest["benchmarks"]]
        for holder in holders:
            part, latest = _benchmark(
                store, bundles, name, holder, f"b{len(parts) + 1}", metrics, added
            )
            parts.append(part)
            newest = max(newest, latest)
    return Report(tuple(parts), paper_of(store, channels, "paper"), _time(newest))


def _benchmark(
    store: Store,
    bundles: Sequence[Import],
    name: str,
    holder: Import | None,
    anchor: str,
    metrics: Sequence[str],
    added: Sequence[Score],
) -> tuple[BenchmarkPart, str]:
    """The part, and when its newest cell was started.

    Args:
        store: Results folder.
        bundles: Imported into it.
        name: Of the benchmark.
        holder: The bundle that alone has it; None where it was run here.
        anchor: Id of the part.
        metrics, added: Scores.
    """
    home = store if holder is None else holder.store
    manifest = home.benchmark(name)
    base = comparison_table(home, name, metrics, added=added)
    table = base if holder is None else imported_table(holder, name, metrics, added=added)
    sources = _sources(table, manifest, home, bundles, holder)
    anchors = {row: f"{anchor}-row{number}" for number, row in enumerate(sources, 1)}
    cells = {row: source.cells() for row, source in sources.items()}
    here = {cell["key"] for row in manifest["rows"] for cell in row["cells"]}
    done = [key for key in here if home.has(key)]
    part = BenchmarkPart(
        anchor,
        manifest["name"],
        manifest["title"],
        manifest["dataset"],
        tuple(_lines(table, manifest)),
        manifest["simulates"] or "",
        "" if holder is None else holder.name,
        sum(bool(record["leaky"]) for record in table.records),
        len(table.records),
        len(here),
        len(done),
        _best(table, metrics[0]),
        table.missing,
        comparison(table, f"{anchor}-table", metrics, anchors),
        next(" ".join(c.title.split()) for c in table.columns if c.key == metrics[0]),
        published_table(table, manifest, f"{anchor}-published"),
        # Ids in an SVG begin with the drawing's name, and several benchmarks are on the page.
        tuple(
            replace(one, name=f"{anchor}-{one.name}")
            for one in (drawings(home, base, metric=metrics[0]) if done else ())
        ),
        audit_of(manifest, f"{anchor}-audit"),
        analyses_of(home, manifest, leaks_of(manifest), f"{anchor}-analysis"),
        manifest.get("settings", ""),
        tuple(
            provenance_of(
                store.folder, source.manifest, source.row, row, anchors[row], cells[row],
                source.origin,
            )
            for row, source in sources.items()
        ),
    )  # fmt: skip
    stored = [cell for of_row in cells.values() for cell in of_row.values()]
    return part, max((str(cell.measured.get("started", "")) for cell in stored), default="")


@dataclass(frozen=True)
class _Source:
    """Where a row of a table comes from: its results folder, its benchmark, the row there."""

    store: Store
    manifest: Mapping[str, Any]
    row: Mapping[str, Any]
    origin: str = ""

    def cells(self) -> dict[str, StoredCell]:
        """Key -> finished cell."""
        keys = [cell["key"] for cell in self.row["cells"]]
        return {key: self.store.read(key) for key in keys if self.store.has(key)}


def _sources(
    table: Table,
    manifest: Mapping[str, Any],
    home: Store,
    bundles: Sequence[Import],
    holder: Import | None,
) -> dict[str, _Source]:
    """Name in the table -> where the row comes from; without those that others only report."""
    origin = "" if holder is None else holder.name
    found = {
        record["row"]: _Source(home, manifest, row, origin)
        for record, row in zip(table.records, manifest["rows"], strict=False)
    }
    shown = {record["row"] for record in table.records} - {*found}
    for one in bundles:
        if not shown or table.name not in one.manifest["benchmarks"]:
            continue
        theirs = one.store.benchmark(table.name)
        for row in theirs["rows"]:
            called = name_of(row, one)
            if called in shown:
                found[called] = _Source(one.store, theirs, row, one.name)
    return found


def _time(stamp: str) -> str:
    """ "2026-11-24T16:22:37+00:00" -> "2026-11-24 16:22 UTC"; what is no such stamp as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\+00:00", stamp)
    return f"{found[1]} {found[2]} UTC" if found else stamp


def _lines(table: Table, manifest: Mapping[str, Any]) -> list[str]:
    """The lines of the table, without those that have a place of their own."""
    mark = f"SIMULATED data in the format of {manifest['simulates']}; "
    elsewhere = ("audit:", "LEAKY", "IMPORTED")
    lines = [line for line in table.lines if not line.startswith(elsewhere)]
    return [line.removeprefix(mark) for line in lines]


def _best(table: Table, metric: str) -> tuple[str, str] | None:
    for values in table.rows:
        if values[metric].best and values[metric].text != ABSENT:
            return values["row"].text, values[metric].text
    return None
