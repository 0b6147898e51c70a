"""Leaky rows beside honest ones, and the marks of a leak on what analyses found."""

import io
import json

import pytest
from rich.console import Console

from harbench.report.analyses import csv_of, json_of, print_analysis
from harbench.report.audit import compared_rows, leaks_of
from harbench.report.comparison import comparison_page
from harbench.report.comparison_text import print_comparison
from harbench.report.table import comparison_table
from harbench.report.text import latex, markdown
from toys.scored_store import scored_store

NOISE = [0.004, -0.006, 0.005, -0.005, 0.002]


def seeds(mean, turn=0):
    return {("all", s): mean + x for s, x in enumerate(NOISE[turn:] + NOISE[:turn])}


ROWS = {"leaks": seeds(0.95), "top": seeds(0.8, 3), "near": seeds(0.799, 2), "far": seeds(0.5, 1)}
OVERLAP = {"leaks": 0.9, "top": 0, "near": 0, "far": 0}


def marks(table):
    best = {row["row"].text: row["nf"].best for row in table.rows}
    del best["(commonest class)"]
    return best, {record["row"]: record["nf_standing"] for record in table.records}


def notes(table, row):
    (values,) = (r for r in table.rows if r["row"].text.startswith(row))
    return [table.footnotes[n - 1] for n in values["nf"].notes]


def test_a_leaky_row_is_neither_best_nor_compared_with_honest_ones(tmp_path):
    store = scored_store(tmp_path, ROWS, overlap=OVERLAP)
    assert compared_rows(store.benchmark("toys")) == {"top", "near", "far"}
    table = comparison_table(store, "toys")
    best, standing = marks(table)
    assert best == {"leaks (leaky)": False, "top": True, "near": False, "far": False}
    assert standing == {"leaks": None, "top": "best", "near": "tied", "far": "apart"}
    assert notes(table, "leaks") == []
    assert "Holm over all 3 pairs" in notes(table, "near")[0]
    assert "**80.0 ± 0.6**" in markdown(table) and "**95.0" not in markdown(table)
    assert r"\textbf{80.0" in latex(table) and r"\textbf{95.0" not in latex(table)
    # Without the leak the same scores are the best.
    honest = comparison_table(scored_store(tmp_path / "honest", ROWS), "toys")
    assert marks(honest)[1] == {"leaks": "best", "top": "apart", "near": "apart", "far": "apart"}
    alone = {name: ROWS[name] for name in ("leaks", "top", "far")}
    table = comparison_table(scored_store(tmp_path / "3", alone, overlap=OVERLAP), "toys")
    assert notes(table, "top") == [
        "told apart from every row without a leak (paired t tests over 5 seeds, at 5 %)"
    ]


def test_one_honest_row_beside_leaky_ones_has_no_best(tmp_path):
    some = {name: ROWS[name] for name in ("leaks", "near")}
    table = comparison_table(scored_store(tmp_path, some, overlap=OVERLAP), "toys")
    assert marks(table) == (
        {"leaks (leaky)": False, "near": False}, {"leaks": None, "near": None},
    )  # fmt: skip


def test_where_all_leak_all_are_compared(tmp_path):
    store = scored_store(tmp_path, ROWS, overlap=0.5)
    assert marks(comparison_table(store, "toys"))[1] == {
        "leaks": "best", "top": "apart", "near": "apart", "far": "apart",
    }  # fmt: skip


def test_the_page_leaves_them_out_unless_they_are_named(tmp_path):
    store = scored_store(tmp_path, ROWS, overlap=OVERLAP)
    page = comparison_page(store, "toys", "nf")
    words = {line.row: line.standing for line in page.models}
    assert words == {"top": "best", "near": "tied", "far": "apart"}
    assert page.lines[-1] == "left out, because others do not leak: leaks (leaky)"
    assert not any(line.startswith("LEAKY") for line in page.lines)
    named = comparison_page(store, "toys", "nf", ("leaks", "top"))
    assert named.lines[0].startswith("LEAKY")
    assert {line.standing for line in named.models} == {"mixed"}
    (pair,) = named.pairs
    assert pair.found.mean == pytest.approx(0.15)
    console = Console(width=200, file=io.StringIO())
    print_comparison(console, named)
    assert console.file.getvalue().count("leaky beside honest") == 4


# Analyses

CONTENT = {
    "benchmark": "toys",
    "analysis": "a",
    "options": {},
    "simulates": None,
    "tables": {
        "by row": {"columns": ["row", "x"], "rows": [["leaks", 1.0], ["top", 2.0]]},
        "top": {"columns": ["x"], "rows": [[4.0]]},
        "all": {"columns": ["x"], "rows": [[3.0]]},
    },
    "notes": ["a note"],
}


def printed(content, leaks):
    console = Console(width=120, file=io.StringIO(), highlight=False)
    print_analysis(console, content, leaks)
    return console.file.getvalue().splitlines()


def test_what_an_analysis_found_in_a_leaky_benchmark_is_marked(tmp_path):
    store = scored_store(tmp_path, ROWS, overlap=OVERLAP)
    leaks = leaks_of(store.benchmark("toys"))
    line = comparison_table(store, "toys").lines[-1]
    assert line.startswith("LEAKY: up to 90.0 % of the test windows")
    text = printed(CONTENT, leaks)
    assert text[0] == line
    assert text[1] == "toys (leaky): by row"
    assert [row.split() for row in text[3:5]] == [["leaks", "(leaky)", "1.00"], ["top", "2.00"]]
    assert "toys (leaky): all" in text
    assert "toys: top" in text
    by_row, of_top, everything = csv_of(CONTENT, leaks).split("x,leaky\n")[1:]
    assert of_top == "4.0,False\n"
    assert by_row.splitlines()[:2] == ["leaks,1.0,True", "top,2.0,False"]
    assert everything == "3.0,True\n"
    found = json.loads(json_of(CONTENT, leaks))
    assert found["leaks"] == line
    assert [row["leaky"] for row in found["tables"]["by row"]] == [True, False]
    # What was asked of an honest row alone is not leaky.
    asked = {**CONTENT, "options": {"row": "top"}}
    assert "toys: all" in printed(asked, leaks)
    assert csv_of(asked, leaks).endswith("x,leaky\n3.0,False\n")


def test_an_honest_benchmark_has_no_mark(tmp_path):
    leaks = leaks_of(scored_store(tmp_path, ROWS).benchmark("toys"))
    assert leaks is None
    assert printed(CONTENT, leaks)[0] == "toys: by row"
    assert csv_of(CONTENT, leaks).startswith("row,x\n")
    assert json.loads(json_of(CONTENT, leaks))["leaks"] is None
