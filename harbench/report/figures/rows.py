"""The rows of a table as figures need them: scores, marks, what must be said below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harbench.metrics import METRICS, SAMPLE_METRICS
from harbench.report.tabular import Table
from harbench.results import Store

TIED = "\N{ALMOST EQUAL TO}"
"""Behind the name of a row that is not told apart from the best one."""


@dataclass(frozen=True)
class Row:
    """A row with a score.

    Args:
        name: Of the row.
        mean, low, high: Percent; no interval with one repeat.
        standing: "best", "tied", "apart", "unknown"; None where it is not compared.
        leaky: Whether its split leaks.
        record: The table's numbers.
    """

    name: str
    mean: float
    low: float | None
    high: float | None
    standing: str | None
    leaky: bool
    record: Mapping[str, Any]

    @property
    def marks(self) -> str:
        """What stands behind its name."""
        return f"{' (leaky)' * self.leaky}{f' {TIED}' if self.standing == 'tied' else ''}"

    @property
    def words(self) -> str:
        """ "resnet-like 71.0 % (65.9 to 76.1, best)"."""
        known = [] if self.low is None else [f"{self.low:.1f} to {self.high:.1f}"]
        word = {"best": "best", "tied": "tied with the best"}.get(self.standing or "")
        known += [word] if word else []
        known += ["leaky"] * self.leaky
        return f"{self.name} {self.mean:.1f} %" + (f" ({', '.join(known)})" if known else "")


@dataclass(frozen=True)
class Subject:
    """A benchmark that is drawn.

    Args:
        store: Results folder.
        table: Of the benchmark, with the metric.
        manifest: Of the benchmark.
        metric: Its name.
        width: Of the figures, in mm.
    """

    store: Store
    table: Table
    manifest: Mapping[str, Any]
    metric: str
    width: float

    @property
    def metric_title(self) -> str:
        """Head of its column, on one line."""
        column = next((c for c in self.table.columns if c.key == self.metric), None)
        known = {**METRICS, **SAMPLE_METRICS}
        title = column.title if column else known[self.metric].title
        return title.replace("\n", " ")

    @property
    def rows(self) -> list[Row]:
        """Those with a score, in the table's order; without what was not trained here."""
        own = {row["row"] for row in self.manifest["rows"]}
        return [
            _row(record, self.metric)
            for record in self.table.records
            if record["row"] in own and record.get(f"{self.metric}_mean") is not None
        ]

    @property
    def chance(self) -> float | None:
        """Percent of always guessing the commonest class; None where that is not known."""
        score = self.table.chance.get(self.metric)
        return None if score is None else 100 * score

    @property
    def best_first(self) -> list[Row]:
        """The same, rows that leak last: no best one is looked for among them."""
        return sorted(self.rows, key=lambda row: (row.leaky, -row.mean))

    @property
    def warnings(self) -> list[str]:
        """What goes with a figure of all rows: simulated data, a split that leaks."""
        return self.warnings_of(self.rows)

    def warnings_of(self, rows: Sequence[Row]) -> list[str]:
        """The same of a figure of some rows."""
        found = []
        if self.manifest["simulates"]:
            found.append(f"SIMULATED data in the format of {self.manifest['simulates']}.")
        if any(row.leaky for row in rows):
            which = "" if all(row.leaky for row in rows) else "of the rows marked so, "
            found.append(
                f"LEAKY: {which}windows that test or validate share samples with windows that "
                "train."
            )
        return found

    @property
    def ties(self) -> list[str]:
        """What the marks of ties mean, or that the repeats are too few for any."""
        heads = [c for c in self.table.columns if c.key == self.metric]
        notes = [self.table.footnotes[n - 1] for c in heads for n in c.notes]
        few = [note for note in notes if "too few to say" in note]
        if few:
            return [f"{few[0]}."]
        values = [row[self.metric] for row in self.table.rows if self.metric in row]
        marked = {self.table.footnotes[n - 1] for value in values for n in value.notes}
        tied = sorted(note for note in marked if note.startswith("cannot be told apart"))
        return [f"{TIED} {note}." for note in tied]

    @property
    def intervals(self) -> str:
        """What the bars are; empty where no row has one."""
        repeats = {
            (row.record[f"{self.metric}_n"], row.record[f"{self.metric}_unit"])
            for row in self.rows
            if row.low is not None
        }
        if not repeats:
            return ""
        over = " or ".join(f"{n} {unit}s" for n, unit in sorted(repeats))
        return f"95 % t interval over {over}"

    def cells(self, row: str) -> list[tuple[str, int, dict[str, Any]]]:
        """Fold, seed and record of the finished cells of a row.

        Raises:
            ResultsError: a record is damaged.
        """
        (of_row,) = (r for r in self.manifest["rows"] if r["row"] == row)
        return [
            (cell["fold"], cell["seed"], self.store.read(cell["key"]).record)
            for cell in of_row["cells"]
            if self.store.has(cell["key"])
        ]


def _row(record: Mapping[str, Any], metric: str) -> Row:
    def percent(name: str) -> float | None:
        value = record[f"{metric}_{name}"]
        return None if value is None else 100 * value

    return Row(
        record["row"],
        100 * record[f"{metric}_mean"],
        percent("low"),
        percent("high"),
        record.get(f"{metric}_standing"),
        bool(record["leaky"]),
        record,
    )


def listed(items: Sequence[str], most: int = 12) -> str:
    """ "a; b; c", and how many more there are."""
    more = len(items) - most
    return "; ".join(items[:most]) + (f"; and {more} more" if more > 0 else "")
