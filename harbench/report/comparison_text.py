"""The page of ``harbench compare`` in a terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harbench.metrics.power import MOST
from harbench.report.comparison import ComparisonPage, ModelLine, PairLine
from harbench.report.table import ABSENT
from harbench.report.terminal import print_page

_STANDINGS = {
    "best": "best",
    "tied": "tied",
    "apart": "told apart",
    "unknown": "unknown",
    "mixed": "leaky beside honest",
}
_VERDICTS = {True: "told apart", False: "tied", None: "unknown"}


def print_comparison(console: Console, page: ComparisonPage) -> None:
    """Print the models, the pairs, the repeats of a single pair, and the notes."""
    title = f"{page.benchmark}: {page.title}; {page.metric_title}, percent"
    parts: list[RenderableType] = [Text(title, style="bold")]
    for line in page.lines:
        alarming = line.startswith(("LEAKY", "SIMULATED"))
        parts.append(Text(line, style="bold red" if alarming else "dim"))
    parts += [_models(page), Text(""), _pairs(page)]
    if len(page.pairs) == 1:
        parts += [Text(""), _repeats(page.pairs[0])]
    parts += [Text(note, style="dim") for note in page.notes]
    print_page(console, Group(*parts))


def _body(heads: list[str], left: int) -> Table:
    body = Table(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    for number, head in enumerate(heads):
        body.add_column(head, justify="left" if number < left else "right", overflow="fold")
    return body


def _models(page: ComparisonPage) -> Table:
    body = _body(["Model", page.metric_title, "95 % interval", "mean rank", "against the best"], 1)
    for line in page.models:
        body.add_row(
            line.row,
            _points(line.mean),
            _interval(line.low, line.high),
            ABSENT if line.rank is None else f"{line.rank:.2f}",
            Text(_STANDINGS[line.standing], style="bold green" if line.standing == "best" else ""),
        )
    return body


def _pairs(page: ComparisonPage) -> Table:
    heads = ["A", "B", "A - B", "95 % interval", "n", "p", "p Holm", "Wilcoxon", "W. Holm"]
    body = _body([*heads, "r", "d_z", "verdict", "more"], 2)
    for line in page.pairs:
        pair = line.found
        body.add_row(
            pair.a,
            pair.b,
            _points(pair.mean, sign=True),
            _interval(pair.low, pair.high, sign=True),
            f"{pair.n}",
            *(_p(p) for p in (pair.p, pair.p_holm, pair.wilcoxon, pair.wilcoxon_holm)),
            _effect(pair.rank_biserial),
            _effect(pair.d_z),
            Text(_VERDICTS[line.apart], style="bold" if line.apart else ""),
            _more(line),
        )
    return body


def _repeats(line: PairLine) -> Table:
    body = _body([line.found.unit, "A - B"], 1)
    for unit, difference in line.found.differences.items():
        body.add_row(unit, _points(difference, sign=True))
    return body


def _points(share: float, *, sign: bool = False) -> str:
    return f"{100 * share:{'+' if sign else ''}.1f}"


def _interval(low: float | None, high: float | None, *, sign: bool = False) -> str:
    if low is None or high is None:
        return ABSENT
    return f"{_points(low, sign=sign)} .. {_points(high, sign=sign)}"


def _p(p: float | None) -> str:
    if p is None:
        return ABSENT
    return "< .0001" if p < 0.0001 else f"{p:.4f}"


def _effect(size: float | None) -> str:
    return ABSENT if size is None else f"{size:+.2f}"


def _more(line: PairLine) -> str:
    """Repeats beyond those there are."""
    if line.apart:
        return ABSENT
    if line.needed_holm is None:
        return ABSENT if not line.found.std else f"> {MOST:,}"
    more = max(0, line.needed_holm - line.found.n)
    return f"{more:,} {line.found.unit}{'' if more == 1 else 's'}"


def comparison_csv(page: ComparisonPage) -> str:
    """One line a pair, unrounded; scores and differences are shares."""
    out = io.StringIO()
    records = [_pair_record(page, line) for line in page.pairs]
    for record in records:
        del record["differences"]
    writer = csv.DictWriter(out, list(records[0]) if records else ["a", "b"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def comparison_json(page: ComparisonPage) -> str:
    """All of the page, unrounded; scores and differences are shares."""
    test = page.friedman
    content = {
        "benchmark": page.benchmark,
        "title": page.title,
        "metric": page.metric,
        "lines": page.lines,
        "models": [_model_record(line) for line in page.models],
        "pairs": [_pair_record(page, line) for line in page.pairs],
        "repeats_wanted": page.standing.wanted,
        "friedman": None if test is None else {k: _finite(v) for k, v in asdict(test).items()},
        "nemenyi_critical_difference": page.nemenyi,
        "notes": page.notes,
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _model_record(line: ModelLine) -> dict[str, Any]:
    record = asdict(line)
    record["interval"] = "hierarchical bootstrap" if record.pop("bootstrap") else "Student's t"
    return record


def _pair_record(page: ComparisonPage, line: PairLine) -> dict[str, Any]:
    means = {model.row: model.mean for model in page.models}
    pair = line.found
    low, high = line.bootstrap or (None, None)
    fields = asdict(pair)
    named = {"benchmark": page.benchmark, "metric": page.metric, "a": fields.pop("a"),
             "b": fields.pop("b"), "a_mean": means[pair.a], "b_mean": means[pair.b]}  # fmt: skip
    return {
        **named,
        "test": pair.test,
        **fields,
        "bootstrap_low": low,
        "bootstrap_high": high,
        "told_apart": line.apart,
        "repeats_needed_alone": line.needed,
        "repeats_needed_among_all": line.needed_holm,
    }
