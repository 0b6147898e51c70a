"""What the conformance suite found, in a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harbench.report.terminal import print_page

_STYLES = {"passed": "green", "failed": "bold red", "warned": "yellow", "skipped": "dim"}


def print_report(console: Console, report: Mapping[str, Any], *, whole: bool) -> None:
    """Print one report: its checks as a table, and what to do of those that did not pass.

    Args:
        console: Where to.
        report: As :meth:`harbench.testing.Report.to_json` gives it.
        whole: Also the checks that passed or were skipped.
    """
    counts = _counts(report)
    verdict = "passed" if report["passed"] else "failed"
    head = Text.assemble(
        (f"{report['kind']} {report['name']}", "bold"),
        f" ({report['plugin']}): ",
        (verdict, _STYLES[verdict]),
        f" in {report['seconds']:.1f} s; {counts}",
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    shown = [c for c in report["checks"] if whole or c["outcome"] in ("failed", "warned")]
    for check in shown:
        table.add_row(
            Text(check["outcome"], style=_STYLES[check["outcome"]]), check["name"], _said(check)
        )
    # One line, however long the path of a plugin's file is: programs read it, too.
    console.print(head, soft_wrap=True)
    if shown:
        print_page(console, table)


def _said(check: Mapping[str, Any]) -> Text:
    if check["outcome"] == "passed":
        return Text.assemble(check["asserts"], (f"  {check['found']}", "dim"))
    text = Text(check["found"])
    if check["expected"]:
        text.append(f"\nexpected: {check['expected']}")
    if check["fix"]:
        text.append(f"\nwhat to do: {check['fix']}")
    return text


def _counts(report: Mapping[str, Any]) -> str:
    outcomes = [check["outcome"] for check in report["checks"]]
    counted = {outcome: outcomes.count(outcome) for outcome in _STYLES}
    return ", ".join(f"{count} {outcome}" for outcome, count in counted.items() if count)


def reports_json(reports: Sequence[Mapping[str, Any]]) -> str:
    """All reports, for programs."""
    from harbench import __version__

    content = {
        "harbench": __version__,
        "passed": all(report["passed"] for report in reports),
        "reports": list(reports),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
