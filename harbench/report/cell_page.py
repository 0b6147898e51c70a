"""One trained cell in a terminal: settings, provenance, learning curve, confusions, saliency."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harbench.metrics import METRICS
from harbench.report.plain_text import in_charset, one_line, padded
from harbench.report.terminal import print_page
from harbench.report.terminal_charts import bar, bar_chart, confusion_chart, sparkline
from harbench.results import StoredCell

# Lines that are read across are no easier to read where they are longer.
_WIDEST = 120
_MOST_BARS = 10

_COURSES = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "validation_nf": "validation NF",
}


@dataclass(frozen=True)
class Place:
    """A row of a benchmark that a cell belongs to."""

    benchmark: str
    row: str
    simulates: str | None = None


def print_cell(
    console: Console,
    cell: StoredCell,
    places: Sequence[Place],
    maps: Sequence[Mapping[str, Any]] = (),
    *,
    bundle: str | None = None,
) -> None:
    """Print a page about a trained cell.

    Args:
        console: To print on; 40 columns or more.
        cell: Of the store.
        places: Where it belongs to; none is a cell of no table.
        maps: Saliency analyses that cover it, as the store keeps them.
        bundle: What tables call the bundle that it came in; None where it was trained here.
    """
    width = min(console.width, _WIDEST)
    plain = console.options.ascii_only
    parts: list[RenderableType] = [*_head(cell, places, plain)]
    if bundle is not None:
        parts.insert(1, _text(f"from elsewhere: imported as {bundle}", plain, "bold"))
    parts += [Text(""), _facts(cell, places, plain)]
    parts += _section("learning curve", _curve(cell.record, width, plain))
    record = cell.record
    classes = list(map(str, record["classes"]))
    parts += _section("classes", _classes(record, classes, width, plain))
    chart = confusion_chart(record["confusion"], classes, width, ascii_only=plain)
    parts += _section("confusion matrix", chart)
    for found in maps:
        for title, bars in _maps(found):
            where = f"saliency, {found['benchmark']}: {title}"
            lines = bar_chart(bars, width, ascii_only=plain)
            parts += _section(in_charset(one_line(where), ascii_only=plain), lines)
            if found["notes"]:
                parts.append(_text(found["notes"][0], plain, "dim"))
    print_page(console, Group(*parts))


def _text(words: object, plain: bool, style: str = "") -> Text:
    return Text(in_charset(one_line(words), ascii_only=plain), style)


def _section(title: str, lines: Sequence[RenderableType]) -> list[RenderableType]:
    return [Text(""), Text(title, "bold"), *lines] if lines else []


def _head(cell: StoredCell, places: Sequence[Place], plain: bool) -> list[Text]:
    facts = cell.record["cell"]
    fold = "" if facts["fold"] == "all" else f", fold {facts['fold']}"
    row = f"{places[0].benchmark} {places[0].row}" if places else f"{facts['model']}, in no table"
    lines = [_text(f"{row}{fold}, seed {facts['seed']}", plain, "bold")]
    simulated = next((place.simulates for place in places if place.simulates), None)
    if simulated:
        lines.append(_text(f"SIMULATED data in the format of {simulated}", plain, "bold red"))
    overlap = cell.record["overlap"]
    if overlap["test"] or overlap["validation"]:
        part = "test" if overlap["test"] else "validation"
        share = 100 * overlap[part]
        lines.append(
            Text(
                f"LEAKY: {share:.1f} % of the {part} windows share samples with training",
                "bold red",
            )
        )
    scores = cell.record["scores"]
    shown = [
        f"{metric.title} {_percent(scores[name])}"
        for name, metric in METRICS.items()
        if name in scores
    ]
    lines.append(_text(", ".join(shown), plain))
    return lines


def _facts(cell: StoredCell, places: Sequence[Place], plain: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts_of(cell, places):
        table.add_row(name, _text(value, plain))
    return table


def facts_of(cell: StoredCell, places: Sequence[Place]) -> Iterator[tuple[str, str]]:
    """What was trained, how, on what and with what, a name and a line each."""
    record, measured = cell.record, cell.measured
    facts, settings = record["cell"], record["settings"]
    for place in places:
        yield "table", f"{place.benchmark}, row {place.row}"
    yield (
        "dataset",
        (
            f"{facts['dataset']}, task {facts['task']}: {len(facts['channels'])} channels, "
            f"{len(record['classes'])} classes"
            + ("" if record["null"] is None else f", NULL is {record['classes'][record['null']]}")
        ),
    )
    protocol = facts["protocol"]
    yield (
        "protocol",
        (
            f"split {_said(settings['split'])}; window {settings['window']}, "
            f"step {settings['step']} samples; {_said(protocol)}"
        ),
    )
    windows = record["windows"]
    yield "windows", ", ".join(f"{count:,} {part}" for part, count in windows.items())
    package, version = facts["distribution"] or ("no package", "")
    yield (
        "model",
        (
            f"{facts['model']}, {_said(facts['options']) or 'no options'}; {package} {version}, "
            f"source {facts['source'][:12]}"
        ),
    )
    recipe = facts["recipe"]
    yield "recipe", "none: fitted" if recipe is None else _said(recipe)
    yield "trained", _trained(measured)
    yield "with", ", ".join(f"{k} {v}" for k, v in measured["environment"]["versions"].items())
    environment = measured["environment"]
    git = environment.get("git")
    yield (
        "on",
        (
            f"{environment['processor']}, {environment['cores']} cores, {environment['platform']}"
            + (f"; git {_said(git) if isinstance(git, Mapping) else git}" if git else "")
        ),
    )
    yield "data", f"sha256 {facts['data']}"
    yield "key", cell.key
    yield "folder", str(cell.folder)
    results = cell.folder.parents[2]
    out = "" if results == Path("results") else f" --out {shlex.quote(str(results))}"
    yield "again", f"harbench reproduce {cell.key[:12]}{out}"


def _trained(measured: Mapping[str, Any]) -> str:
    seconds = measured["seconds"]["train_and_predict"]
    peak = measured.get("peak_memory_bytes")
    text = f"{measured['started']} on {measured['device']}, {seconds:.1f} s"
    text += f", at most {peak / 1e6:,.0f} MB" if peak else ""
    after = measured.get("resumed_after_epoch")
    return text + (f" (from epoch {after} on: it was resumed)" if after else "")


def _said(settings: Any) -> str:
    """Settings in a few words; those that say nothing are left out."""
    if isinstance(settings, list | tuple):
        return " ".join(map(str, settings))
    if not isinstance(settings, Mapping):
        return str(settings)
    return ", ".join(
        f"{key} {'{' + _said(value) + '}' if isinstance(value, Mapping) else _said(value)}"
        for key, value in settings.items()
        if value not in (None, {}, [])
    )


def _curve(record: Mapping[str, Any], width: int, plain: bool) -> list[RenderableType]:
    curve = record["curve"]
    if record["cell"]["recipe"] is None or not curve:
        return []
    courses = {
        name: [epoch.get(key) for epoch in curve]
        for key, name in _COURSES.items()
        if any(key in epoch for epoch in curve)
    }
    kept = record["kept_epoch"]
    stopped = ", stopped early" if record["stopped_early"] else ""
    lines: list[RenderableType] = [
        Text(
            f"{len(curve)} epoch{'s' * (len(curve) > 1)}, weights of epoch {kept} kept{stopped}",
            "dim",
        )
    ]
    for name, values in courses.items():
        ends = _ends(values, percent=name.endswith("NF"))
        room = max(width - 17 - len(ends), 8)
        line = Text(f"{name:<15} ")
        drawn = sparkline(values, room, ascii_only=plain)
        line.append(padded(drawn, min(room, len(values)), ascii_only=plain), "cyan")
        line.append(f" {ends}")
        lines.append(line)
    if len(courses) == 1:
        lines.append(Text("no validation windows", "dim"))
    return lines


def _ends(values: Sequence[float | None], *, percent: bool) -> str:
    """ "1.32 to 0.21, best 0.20 in epoch 9"."""
    known = [(v, number) for number, v in enumerate(values, 1) if v is not None]
    if not known:
        return "unknown"

    def shown(value: float) -> str:
        return f"{100 * value:.1f}" if percent else f"{value:.3g}"

    best, number = max(known, key=lambda k: k[0]) if percent else min(known, key=lambda k: k[0])
    return f"{shown(known[0][0])} to {shown(known[-1][0])}, best {shown(best)} in epoch {number}"


def _classes(
    record: Mapping[str, Any], classes: Sequence[str], width: int, plain: bool
) -> list[RenderableType]:
    scores = record["scores"]
    n_wide = max((len(one_line(name)) for name in classes), default=0)
    numbers = 8 + 3 * 8
    of_name = min(max(n_wide, 5), max(width - numbers - 12, 8))
    of_bar = max(min(width - numbers - of_name - 2, 30), 0)
    head = Text(f"{'class':<{of_name}}{'windows':>8}{'precis.':>8}{'recall':>8}{'F1':>8}", "dim")
    lines: list[RenderableType] = [head]
    columns = zip(
        classes, scores["support"], scores["precision"], scores["recall"], scores["f1"], strict=True
    )
    for name, support, precision, recall, f1 in columns:
        line = Text(padded(one_line(name), of_name, ascii_only=plain))
        # Of what does not occur in the fold there is nothing to find.
        found = f"{_percent(recall):>8}{_percent(f1):>8}" if support else f"{'-':>8}{'-':>8}"
        line.append(f"{support:>8,}{_percent(precision):>8}{found} ")
        line.append(bar(f1 or 0.0, of_bar, ascii_only=plain) if support else "", "cyan")
        line.rstrip()
        lines.append(line)
    return lines


def _maps(found: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, float | None, str]]]]:
    """The tables of the most important channels, as bars."""
    for title, table in found["tables"].items():
        if ": top " not in title or not {"name", "value"} <= set(table["columns"]):
            continue
        at = {name: table["columns"].index(name) for name in table["columns"]}
        bars = []
        for row in table["rows"][:_MOST_BARS]:
            value = row[at["value"]]
            half = row[at["±"]] if "±" in at else None
            text = "-" if value is None else f"{value:.3g}"
            text += "" if half is None else f" ± {half:.2g}"
            bars.append((str(row[at["name"]]), value, text))
        yield title, bars


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
