import csv
import io
import json
import re
import statistics
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from harbench.execute.local import InProcessExecutor
from harbench.execute.run import work_of
from harbench.plan import plan
from harbench.report.table import Column, Table, Value, comparison_table
from harbench.report.terminal import print_table, superscript
from harbench.report.text import csv_text, json_text, latex, markdown
from toys.workplace import TOY_PLUGIN, carry_out

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

TOY = """
benchmarks:
  toy_one:
    title: Toys & 100 % fun
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 2}
    seeds: 2
    models:
      - small
      - wide: {model: small, options: {hidden: 16}}
      - broken
"""


SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
DIGITS = str.maketrans(SUPERSCRIPTS, "0123456789")


def run(workplace, text=TOY):
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(text)]
    work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
    executor = InProcessExecutor()
    list(carry_out(work, planned, workplace.store, executor))
    return planned


@pytest.fixture
def table(workplace):
    run(workplace)
    return comparison_table(workplace.store, "toy_one")


def text_of(table, width=160):
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_table(console, table)
    return console.file.getvalue()


def test_a_row_is_the_mean_and_interval_of_its_cells(workplace, table):
    small = table.records[0]
    keys = [c["key"] for c in workplace.store.benchmark("toy_one")["rows"][0]["cells"]]
    nfs = [workplace.store.read(key).record["scores"]["nf"] for key in keys]
    assert small["nf_mean"] == pytest.approx(statistics.mean(nfs))
    assert small["nf_std"] == pytest.approx(statistics.stdev(nfs))
    # t(0.975, 1) = 12.706; half the interval is t * s / sqrt(2).
    half = 12.7062 * statistics.stdev(nfs) / 2**0.5
    assert small["nf_high"] - small["nf_mean"] == pytest.approx(half, rel=1e-5)
    assert table.rows[0]["nf"].text == f"{100 * statistics.mean(nfs):.1f} ± {100 * half:.1f}"
    assert small["parameters"] == 3 * 3 * 8 + 8 + 16 + 8 * 3 + 3
    assert table.rows[0]["parameters"].text == "123 / 139"
    assert (small["cells"], small["cells_done"]) == (2, 2)
    measured = [workplace.store.read(key).measured for key in keys]
    assert small["peak_memory_bytes"] == max(m["peak_memory_bytes"] for m in measured)


def test_the_published_stands_beside_and_its_defect_below(table):
    small, wide, broken, _ = table.rows
    assert small["printed NF"].text == "99.9"
    assert small["printed parameters"].text == "1M*"
    notes = [table.footnotes[n - 1] for n in small["printed parameters"].notes]
    assert notes == ["Nobody, parameters: counted twice"]
    assert table.footnotes[small["printed NF"].notes[0] - 1] == "printed by Nobody 2026, Table 1"
    # Another width is another network: the paper printed nothing of it.
    assert wide["printed NF"].text == "–"
    assert broken["printed NF"].text == "–"


def test_a_failed_row_says_why(table):
    notes = [table.footnotes[n - 1] for n in table.rows[2]["row"].notes]
    assert any(note.startswith("failed: the model returned [32, 4]") for note in notes)
    assert "0 of 2 cells done" in notes
    assert table.rows[2]["nf"].text == "–"
    assert table.records[2]["nf_mean"] is None


def test_the_commonest_class_for_scale(workplace, table):
    support = workplace.store.benchmark("toy_one")["rows"][0]["folds"][0]["support"]
    p = max(support) / sum(support)
    assert table.rows[-1]["row"].text == "(commonest class)"
    assert table.rows[-1]["nf"].text == f"{100 * 2 * p * p / (1 + p):.1f}"


def test_the_audit_line(workplace, table):
    assert table.lines == [
        "toy, task gestures (3 classes, NULL = Null), split fixed",
        "audit: no test or validation window shares a sample with a training window",
    ]
    run(
        workplace,
        TOY.replace("toy_one:", "leaky:\n    allow_leakage: true").replace(
            "window: 20,", "window: 20, split: {kind: random-windows},"
        ),
    )
    leaky = comparison_table(workplace.store, "leaky")
    assert leaky.lines[1].startswith("LEAKY: up to ")
    assert leaky.records[0]["leaky"]
    for text in (
        text_of(leaky),
        markdown(leaky),
        latex(leaky),
        json_text([leaky]),
        csv_text([leaky]),
    ):
        assert "LEAKY" in text or "leaky" in text
    notes = [leaky.footnotes[n - 1] for n in leaky.rows[0]["row"].notes]
    assert "leaky: test windows share samples with training windows" in notes


def test_windows_within_segments_are_said_to_be_easier(workplace):
    run(workplace, TOY.replace("window: 20,", "window: 20, within: segment,"))
    lines = comparison_table(workplace.store, "toy_one").lines
    assert lines[1].startswith("windows lie within segments of one label")


def test_missing_data_leaves_cost_and_published(workplace):
    run(workplace, TOY.replace("path: files", "path: nowhere"))
    table = comparison_table(workplace.store, "toy_one")
    assert table.rows[0]["nf"].text == "–"
    assert table.rows[0]["parameters"].text == "123 / 139"
    assert table.rows[0]["printed NF"].text == "99.9"
    assert len(table.rows) == 3
    text = text_of(table)
    assert "the files of 'toy' are not here" in text
    assert "try: harbench datasets fetch toy" in text


def test_other_metrics_and_flops(workplace, table):
    other = comparison_table(
        workplace.store, "toy_one", ["accuracy", "nf_without_null"], flops=True
    )
    assert [c.key for c in other.columns][2:4] == ["accuracy", "nf_without_null"]
    assert "accuracy_mean" in other.records[0]
    macs = other.records[0]["macs"]
    assert other.rows[0]["macs"].text == f"{2 * macs:,}"
    assert table.rows[0]["macs"].text == f"{macs:,}"
    assert [c.title for c in other.columns if c.key == "macs"] == ["FLOPs"]


def test_every_note_is_used_and_every_mark_has_its_note(table):
    marks = {n for c in table.columns for n in c.notes}
    marks |= {n for row in table.rows for value in row.values() for n in value.notes}
    assert marks == set(range(1, len(table.footnotes) + 1))


@pytest.mark.parametrize(
    ("width", "dropped"),
    [
        (160, ""),
        (100, "Window / step, Latency"),
        (90, "Window / step, macro F1, Latency"),
        (75, "Window / step, macro F1, Latency, printed parameters, printed FLOPs"),
        (60, "Window / step, macro F1, Latency, printed NF, printed parameters, printed FLOPs"),
    ],
)
def test_too_narrow_a_terminal_drops_columns_in_order(table, width, dropped):
    text = text_of(table, width)
    (said,) = re.findall(r"too narrow for: ([^)]*)\)", " ".join(text.split())) or [""]
    how = "; all of them: harbench table toy_one --format csv"
    assert said == (dropped and dropped + how)
    assert all(len(line) <= width for line in text.splitlines())
    # Nothing is cut short: what does not fit goes as a whole column.
    assert "…" not in text
    for row in ("small", "wide", "broken"):
        assert f"\n {row}" in text


@pytest.mark.parametrize("width", [160, 90, 60])
def test_notes_of_dropped_columns_go_with_them(table, width):
    before = list(table.footnotes)
    text = text_of(table, width)
    marks = {int(m.translate(DIGITS)) for m in re.findall(f"[{SUPERSCRIPTS}]+", text)}
    notes = [int(m.translate(DIGITS)) for m in re.findall(f"^([{SUPERSCRIPTS}]+) ", text, re.M)]
    assert notes == list(range(1, max(marks) + 1))
    body = re.sub(f"^[{SUPERSCRIPTS}]+ .*$", "", text, flags=re.M)
    assert {int(m.translate(DIGITS)) for m in re.findall(f"[{SUPERSCRIPTS}]+", body)} == set(notes)
    assert (len(notes) < len(before)) == (width == 60)
    assert table.footnotes == before


def test_notes_are_numbered_as_they_are_read(table):
    met = [n for c in table.columns for n in c.notes]
    met += [n for row in table.rows for c in table.columns for n in row[c.key].notes]
    assert list(dict.fromkeys(met)) == list(range(1, len(table.footnotes) + 1))
    interval = next(c for c in table.columns if c.key == "nf").notes
    assert [table.footnotes[n - 1] for n in interval] == [
        "percent; mean ± half of the 95 % Student-t interval over 2 seeds",
        "2 seeds are too few to say which of 2 rows is the best (3 are needed)",
    ]


def test_a_cost_of_another_version_is_no_cost(workplace, table):
    key = workplace.store.benchmark("toy_one")["rows"][0]["cost"]
    workplace.store.write_cost(key, {"macs": 1})
    other = comparison_table(workplace.store, "toy_one")
    notes = [other.footnotes[n - 1] for n in other.rows[0]["parameters"].notes]
    assert notes == ["cost not measured: stored by another version of harbench; run again"]


def test_superscripts():
    assert superscript((1, 12)) == "¹ ¹²"


def test_markdown_has_a_cell_for_every_column(table):
    lines = markdown(table).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 2 + 4
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == len(table.columns) + 1
    assert lines[0] == r"### toy\_one: Toys & 100 % fun"
    assert "1M\\*" in markdown(table)


def test_latex_is_balanced_and_escaped(table):
    text = latex(table)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    for name in ("table", "tabular", "minipage"):
        assert len(re.findall(rf"\\begin{{{name}}}", text)) == 1
        assert len(re.findall(rf"\\end{{{name}}}", text)) == 1
    assert r"Toys \& 100 \% fun" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 4
    for line in body:
        assert len(re.findall(r"(?<!\\)&", line)) == len(table.columns) - 1


def test_csv_and_json_hold_the_unrounded_numbers(table):
    rows = list(csv.DictReader(io.StringIO(csv_text([table]))))
    assert [row["row"] for row in rows] == ["small", "wide", "broken"]
    assert float(rows[0]["nf_mean"]) == table.records[0]["nf_mean"]
    assert rows[0]["published_NF"] == "99.9"
    assert rows[0]["published_defects"] == "parameters: counted twice"
    (content,) = json.loads(json_text([table]))
    assert content["rows"][0]["nf_mean"] == table.records[0]["nf_mean"]
    assert content["rows"][0]["published"][0]["printed"]["NF"] == "99.9"


def test_the_best_is_marked(table):
    means = [r["nf_mean"] for r in table.records[:2]]
    assert [v["nf"].best for v in table.rows[:2]] == [m == max(means) for m in means]
    assert not table.rows[-1]["nf"].best


def test_simulated_data_says_so(workplace):
    run(workplace)
    manifest = workplace.store.benchmark("toy_one")
    manifest["simulates"] = "toy-real"
    workplace.store.write_benchmark("toy_one", manifest)
    table = comparison_table(workplace.store, "toy_one")
    assert table.lines[0].startswith("SIMULATED data in the format of toy-real")
    assert all(record["simulated"] for record in table.records)


HOSTILE = "<script>[bold]\x1b[2J\r\u202e🦑 שלום" + "x" * 500


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_table_of_hostile_texts_keeps_its_numbers_and_moves_no_cursor(width):
    columns = [Column("row", "Model"), Column("nf", HOSTILE[:20], 0, (1,)), Column("n", "N", 4)]
    rows = [
        {"row": Value("a" * 100, (2,)), "nf": Value("71.2 ± 3.4", best=True), "n": Value("7")},
        {"row": Value(HOSTILE), "nf": Value("99.9"), "n": Value("12345678")},
    ]
    table = Table("t", HOSTILE, [HOSTILE], columns, rows, [HOSTILE, "two"], missing=HOSTILE)
    text = text_of(table, width)
    assert all(line.isprintable() and cell_len(line) <= width for line in text.split("\n"))
    assert "<script>[bold]" in text
    # A name that is too long is broken; a number is not.
    assert "71.2 ± 3.4" in text and "99.9" in text and "…" not in text
    assert "".join(text.split()).count("a") >= 100


def test_a_table_in_ascii(table):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(width=80, file=file, highlight=False)
    print_table(console, table)
    file.flush()
    text = file.buffer.getvalue().decode("ascii")
    assert "+/-" in text and "\\x" not in text and "?" not in text
    assert re.search(r"^\[1\] ", text, re.M)


def test_how_to_see_all_columns_names_the_results_folder(table):
    for out, option in ((Path("results"), ""), (Path("else where"), " --out 'else where'")):
        console = Console(width=60, file=io.StringIO(), highlight=False)
        print_table(console, table, out=out)
        text = " ".join(console.file.getvalue().split())
        assert f"; all of them: harbench table toy_one --format csv{option})" in text
