"""The comparison of models: tie marks in tables, the page, the diagram."""

import csv
import io
import json
import os
import re

import numpy as np
import pytest
from rich.console import Console

from harbench.errors import ResultsError
from harbench.metrics.bootstrap import hierarchical_interval
from harbench.metrics.intervals import summarise
from harbench.report.comparison import comparison_page
from harbench.report.comparison_text import comparison_csv, comparison_json, print_comparison
from harbench.report.critical_difference import cliques, critical_difference, write_figure
from harbench.report.table import comparison_table
from harbench.report.text import csv_text, json_text, latex, markdown
from toys.scored_store import scored_store

NOISE = [0.01, -0.01, 0.005, -0.005, 0.0]
OTHER = [-0.008, 0.01, -0.003, 0.002, 0.004]


def seeds(mean, noise=NOISE):
    return {("all", s): mean + x for s, x in enumerate(noise)}


def folds(mean, n=6, noise=NOISE):
    return {(f"S{f}", s): mean + 0.02 * f + noise[(2 * f + s) % 5]
            for f in range(n) for s in range(2)}  # fmt: skip


ROWS = {
    "far": seeds(0.5, [0.004, 0.002, -0.006, 0.007, -0.002]),
    "near": seeds(0.798, OTHER),
    "top": seeds(0.8),
}


@pytest.fixture
def store(tmp_path):
    return scored_store(tmp_path / "results", ROWS)


def notes_of(table, row, column="nf"):
    (values,) = (r for r in table.rows if r["row"].text.startswith(row))
    return [table.footnotes[n - 1] for n in values[column].notes]


def head_of(table, column="nf"):
    (found,) = (c for c in table.columns if c.key == column)
    return [table.footnotes[n - 1] for n in found.notes]


# Tie marks


def test_rows_that_are_not_told_apart_from_the_best_are_marked(store):
    table = comparison_table(store, "toys")
    tied = "cannot be told apart from the best (paired t tests over 5 seeds, Holm over all 3 pairs, at 5 %)"  # noqa: E501
    assert notes_of(table, "near") == [tied]
    assert notes_of(table, "far") == []
    assert notes_of(table, "top") == []
    assert [r["nf_standing"] for r in table.records] == ["apart", "tied", "best"]
    number = table.footnotes.index(tied) + 1
    assert f"79.9 ± 0.9<sup>{number}</sup>" in markdown(table).replace("**", "")
    assert rf"\underline{{79.9 $\pm$ 0.9}}\textsuperscript{{{number}}}" in latex(table)
    assert "tied" in csv_text([table])
    assert json.loads(json_text([table]))[0]["rows"][1]["nf_standing"] == "tied"


def test_the_best_that_stands_alone_says_so(tmp_path):
    store = scored_store(tmp_path, {"far": ROWS["far"], "top": ROWS["top"]})
    table = comparison_table(store, "toys")
    alone = "told apart from every other row (paired t tests over 5 seeds, at 5 %)"
    assert notes_of(table, "top") == [alone]


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "1 seed is too few to say which of 3 rows is the best (4 are needed)"),
        (2, "2 seeds are too few to say which of 3 rows is the best (4 are needed)"),
        (3, "3 seeds are too few to say which of 3 rows is the best (4 are needed)"),
    ],
)
def test_too_few_repeats_are_said_and_nothing_is_marked(tmp_path, n, said):
    cut = {row: {c: x for c, x in cells.items() if c[1] < n} for row, cells in ROWS.items()}
    table = comparison_table(scored_store(tmp_path, cut), "toys")
    assert head_of(table)[-1] == said
    for row in ROWS:
        assert notes_of(table, row) == []
    assert [r["nf_standing"] for r in table.records] == ["unknown", "unknown", "best"]


def test_a_row_that_is_not_finished_is_marked_as_unknown(tmp_path):
    rows = ROWS | {"cut": {("all", s): 0.7 if s == 0 else None for s in range(5)}}
    table = comparison_table(scored_store(tmp_path, rows), "toys")
    assert table.records[3]["nf_standing"] == "unknown"
    assert notes_of(table, "cut") == [
        "too few repeats in common with the best row to tell the two apart (4 are needed)"
    ]


def test_folds_are_told_apart_by_the_corrected_test(tmp_path):
    store = scored_store(tmp_path, {"a": folds(0.6), "b": folds(0.601, noise=OTHER)})
    table = comparison_table(store, "toys")
    (note,) = notes_of(table, "a") or notes_of(table, "b")
    assert (
        note
        == "cannot be told apart from the best (corrected resampled t tests over 6 folds, at 5 %)"
    )


def test_what_two_valued_scores_would_show_as_well_is_a_tie(tmp_path):
    # Every second training of the one fails: Student's p is .033, that of two values over .05.
    rows = {
        "a": {("all", s): 0.8 for s in range(8)},
        "b": {("all", s): 0.7 + 0.1 * (s % 2) for s in range(8)},
    }
    store = scored_store(tmp_path, rows)
    table = comparison_table(store, "toys")
    assert [r["nf_standing"] for r in table.records] == ["best", "tied"]
    page = comparison_page(store, "toys", "nf")
    (pair,) = page.pairs
    assert pair.found.p_holm == pytest.approx(0.0331, abs=1e-4)
    assert pair.apart is False
    assert any(note.startswith("tied in spite of a p Holm below .05") for note in page.notes)
    assert page.standing.is_apart(pair.found.flipped()) is False


def test_one_row_is_compared_with_nothing(tmp_path):
    table = comparison_table(scored_store(tmp_path, {"top": ROWS["top"]}), "toys")
    assert table.records[0]["nf_standing"] is None
    assert notes_of(table, "top") == []


def test_a_score_that_no_cell_has(store):
    table = comparison_table(store, "toys", ["nf_without_null"])
    assert [r["nf_without_null_standing"] for r in table.records] == [None] * 3


# The page


def text_of(page, width=200):
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_comparison(console, page)
    return console.file.getvalue()


def test_the_page_of_all_pairs(store):
    page = comparison_page(store, None, "nf")
    assert [line.row for line in page.models] == ["top", "near", "far"]
    assert [line.standing for line in page.models] == ["best", "tied", "apart"]
    assert [(p.found.a, p.found.b) for p in page.pairs] == [
        ("top", "near"), ("top", "far"), ("near", "far"),
    ]  # fmt: skip
    assert [p.apart for p in page.pairs] == [False, True, True]
    assert page.ranked.shape == (5, 3)
    assert page.models[2].rank == 3
    assert page.models[0].rank + page.models[1].rank == pytest.approx(3)
    means = [line.mean for line in page.models]
    assert means == pytest.approx([0.8, 0.799, 0.501], abs=1e-9)
    assert "seeds repeat the training, not the people" in "\n".join(page.notes)
    text = text_of(page)
    assert "told apart or not: paired t tests over 5 seeds, Holm over all 3 pairs, at 5 %" in text
    assert re.search(r"top +near +\+0\.1 ", text)
    assert "Wilcoxon's p cannot be below 0.0625 with 5 repeats" in text


def test_two_rows_are_shown_as_they_are_asked_for_among_all_pairs(store):
    page = comparison_page(store, "toys", "nf", ("far", "top"))
    (line,) = page.pairs
    assert (line.found.a, line.found.b) == ("far", "top")
    assert line.found.mean == pytest.approx(-0.299)
    assert line.found.p_holm > line.found.p
    assert len(page.standing.pairs) == 3
    assert re.search(r"^ 0 +-30\.6$", text_of(page), re.M)


def test_folds_and_seeds_use_the_bootstrap(tmp_path):
    rows = {"a": folds(0.6), "b": folds(0.62, noise=OTHER)}
    windows = {f"S{f}": (500, 100) for f in range(6)}
    page = comparison_page(scored_store(tmp_path, rows, windows=windows), None, "nf")
    best = page.models[0]
    assert best.bootstrap
    assert (best.low, best.high) == hierarchical_interval(rows[best.row])
    (line,) = page.pairs
    assert line.found.ratio == pytest.approx(0.2)
    differences = {cell: rows["b"][cell] - rows["a"][cell] for cell in rows["a"]}
    assert line.bootstrap == hierarchical_interval(differences)
    assert "the latter 0.2 (Nadeau and Bengio 2003)" in "\n".join(page.notes)


def test_seeds_alone_use_t(store):
    line = comparison_page(store, None, "nf").models[0]
    summary = summarise(ROWS[line.row])
    assert not line.bootstrap
    assert (line.low, line.high) == (summary.low, summary.high)


def test_more_repeats_are_never_fewer_than_the_rule_wants(tmp_path):
    cut = {row: {c: x for c, x in cells.items() if c[1] < 2} for row, cells in ROWS.items()}
    page = comparison_page(scored_store(tmp_path, cut), None, "nf")
    for line in page.pairs:
        assert line.apart is None
        assert line.needed >= 3
        assert line.needed_holm >= 4
    assert "2 seeds are too few" in page.notes[0]


def test_what_a_reader_must_know_first(tmp_path):
    store = scored_store(tmp_path, ROWS, simulates="opportunity", overlap=0.3,
                         length={"far": 20, "near": 20, "top": 40})  # fmt: skip
    page = comparison_page(store, None, "nf")
    assert page.lines[0] == "SIMULATED data in the format of opportunity"
    assert page.lines[1].startswith("LEAKY")
    assert page.lines[-1].startswith("the rows cut windows differently")
    near_far = comparison_page(store, None, "nf", ("near", "far"))
    assert not any("cut windows differently" in line for line in near_far.lines)


def test_csv_and_json_are_unrounded(store):
    page = comparison_page(store, None, "nf")
    rows = list(csv.DictReader(io.StringIO(comparison_csv(page))))
    assert [float(r["p"]) for r in rows] == [p.found.p for p in page.pairs]
    assert rows[1]["told_apart"] == "True"
    content = json.loads(comparison_json(page))
    assert content["pairs"][0]["p_holm"] == page.pairs[0].found.p_holm
    assert content["pairs"][0]["differences"].keys() == set("01234")
    assert content["models"][0]["interval"] == "Student's t"
    assert content["nemenyi_critical_difference"] == pytest.approx(
        2.343 * np.sqrt(12 / 30), abs=1e-3
    )


def test_the_latest_run_that_has_both(tmp_path):
    scored_store(tmp_path, ROWS, "first")
    os.utime(tmp_path / "benchmarks/first.json", (1, 1))
    store = scored_store(tmp_path, {"far": ROWS["far"], "new": ROWS["top"]}, "second")
    assert comparison_page(store, None, "nf").benchmark == "second"
    assert comparison_page(store, None, "nf", ("far", "top")).benchmark == "first"
    assert comparison_page(store, "first", "nf").benchmark == "first"


@pytest.mark.parametrize(
    ("run", "pair", "said"),
    [
        (None, ("topp", "far"), "no row with scores is called 'topp'; did you mean 'top'?"),
        ("toy", None, "no results of a benchmark 'toy'; did you mean 'toys'?"),
        ("empty", None, "there are no two rows with scores to compare"),
        ("apart", ("a", "b"), "a and b have no finished fold and seed in common"),
    ],
)
def test_refusals(store, run, pair, said):
    scored_store(store.folder, {"a": {("S1", 0): None}}, "empty")
    scored_store(store.folder, {"a": {("S1", 0): 0.5}, "b": {("S2", 0): 0.5}}, "apart")
    with pytest.raises(ResultsError, match=re.escape(said)):
        comparison_page(store, run, "nf", pair)


# The diagram


def test_cliques():
    names = ["a", "b", "c", "d"]
    assert cliques(names, []) == [("a", "b", "c", "d")]
    assert cliques(names, [("a", "d")]) == [("a", "b", "c"), ("b", "c", "d")]
    assert cliques(names, [("c", "b"), ("a", "d"), ("b", "d")]) == [
        ("a", "b"),
        ("a", "c"),
        ("c", "d"),
    ]
    assert cliques(["a", "b"], [("b", "a")]) == []


def drawn_groups(figure):
    found = [x for x in figure.axes[0].lines if str(x.get_gid()).startswith("clique")]
    return [tuple(line.get_xdata()) for line in found]


def test_the_diagram_joins_what_is_tied(store):
    page = comparison_page(store, None, "nf")
    figure = critical_difference(page)
    assert figure.get_figwidth() == pytest.approx(88 / 25.4)
    texts = {t.get_text() for t in figure.axes[0].texts}
    assert {"top", "near", "far", "1", "2", "3"} <= texts
    assert any("Bars join models" in t for t in texts)
    assert all(t.get_fontsize() >= 7 for t in figure.axes[0].texts)
    (bar,) = drawn_groups(figure)
    places = {t.get_text(): t.get_position()[0] for t in figure.axes[0].texts}
    # The axis runs from the worst, left, to the best; "far" is alone at 3.
    assert places["3"] < min(bar) < max(bar) < places["1"]
    assert min(bar) > places["3"] + 10


@pytest.mark.parametrize("k", [2, 3, 12, 20])
def test_no_text_lies_on_another_or_outside(tmp_path, k):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    rng = np.random.default_rng(k)
    rows = {f"quite-a-long-name-of-a-model-{i}": seeds(0.8 - 0.01 * i, 0.01 * rng.normal(size=6))
            for i in range(k)}  # fmt: skip
    figure = critical_difference(comparison_page(scored_store(tmp_path, rows), None, "nf"))
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [t.get_window_extent(renderer) for t in figure.axes[0].texts]
    width, height = figure.get_size_inches() * figure.dpi
    for box in boxes:
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            overlap_x = min(one.x1, other.x1) - max(one.x0, other.x0)
            overlap_y = min(one.y1, other.y1) - max(one.y0, other.y0)
            # Lines of a text may touch by the descent of their letters.
            assert overlap_x <= 0 or overlap_y <= 0.25 * min(one.height, other.height)


def test_figures_are_written_whole_and_the_same_each_time(store, tmp_path):
    page = comparison_page(store, None, "nf")
    one = write_figure(critical_difference(page), tmp_path / "one", "cd")
    two = write_figure(critical_difference(page), tmp_path / "two", "cd")
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["cd.pdf", "cd.png", "cd.svg"]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_a_folder_that_cannot_be_written(store, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="figures cannot be written"):
        write_figure(
            critical_difference(comparison_page(store, None, "nf")), tmp_path / "file", "x"
        )


def test_models_without_a_common_repeat_cannot_be_ranked(tmp_path):
    rows = {"a": {("S1", 0): 0.5}, "b": {("S2", 0): 0.5}}
    page = comparison_page(scored_store(tmp_path, rows), None, "nf")
    assert page.models[0].rank is None
    with pytest.raises(ResultsError, match="cannot be ranked"):
        critical_difference(page)
