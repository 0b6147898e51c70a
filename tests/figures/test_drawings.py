"""What figures show, against known answers, and that nothing in them overlaps."""

import re
import warnings
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from harbench.errors import ResultsError
from harbench.report.figures import PAGE, drawings, figure_bytes, write_drawing
from harbench.report.figures.confusion import ink, shares, shown
from harbench.report.figures.costs import COSTS, front, learnt
from harbench.report.figures.curves import series_of
from harbench.report.figures.per_class import class_scores
from harbench.report.figures.rows import Row, Subject
from harbench.report.figures.style import STYLES, styled
from harbench.report.table import comparison_table
from toys.drawn_store import HOSTILE, drawn_store


def by_name(toys, **settings):
    return {drawing.name: drawing for drawing in drawings(*toys, **settings)}


def texts(figure):
    """Text artists that are seen."""
    with styled():
        figure.canvas.draw()
    return [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]


def test_what_is_drawn(toys):
    found = by_name(toys)
    assert list(found)[:5] == [
        "toys-pareto-macs", "toys-pareto-parameters", "toys-pareto-latency",
        "toys-critical-difference", "toys-per-class",
    ]  # fmt: skip
    kinds = [drawing.kind for drawing in found.values()]
    assert kinds.count("confusion") == kinds.count("curves") == 4
    assert found["toys-curves-poor"].row == "poor"
    best = [d.row for d in found.values() if d.kind == "confusion"]
    assert best[-2:] == ["cheap", "poor"]  # the best first


def test_only_the_best_rows_get_figures_of_their_own(toys):
    found = drawings(*toys, rows_at_most=1)
    alone = {d.row for d in found if d.row}
    assert len(alone) == 1 and alone < {"good", "same"}
    (classes,) = (d for d in found if d.kind == "per-class")
    assert "poor" in classes.alt


def row(name, mean, macs, *, leaky=False):
    return Row(name, mean, None, None, None, leaky, {"macs": macs})


def test_the_front():
    rows = [
        row("a", 50, 10),
        row("b", 60, 20),
        row("c", 55, 30),
        row("d", 60, 20),
        row("e", 49, 10),
    ]
    assert [r.name for r in front(rows, COSTS[0])] == ["a", "b", "d"]
    assert [r.name for r in front([*rows, row("cheat", 99, 1, leaky=True)], COSTS[0])] == [
        "a", "b", "d",
    ]  # fmt: skip
    free = [row("free", 99, 0), row("unknown", 99, None), row("a", 50, 10)]
    assert [r.name for r in front(free, COSTS[0])] == ["a"]
    assert [r.name for r in front([row("x", 9, 1, leaky=True)], COSTS[0])] == ["x"]


def test_the_pareto_figure_says_front_ties_and_intervals(toys):
    drawing = by_name(toys)["toys-pareto-macs"]
    means = {r["row"]: 100 * r["nf_mean"] for r in toys[1].records}
    best = max(means, key=means.get)
    assert f"On the Pareto front: cheap {means['cheap']:.1f} %" in drawing.alt
    assert re.search(r"Behind it: poor .* at 36,000 MACs", drawing.alt)
    other = {"good": "same", "same": "good"}[best]
    standing = {r["row"]: r["nf_standing"] for r in toys[1].records}
    assert standing[other] == "tied"
    figure = drawing.draw()
    words = " ".join(t.get_text() for t in texts(figure))
    assert f"{other} ≈" in words and f"{best} ≈" not in words
    assert "≈ cannot be told apart from the best" in words
    assert "95 % t interval over 6 seeds" in words
    # Filled on the front, open behind it.
    filled = [
        line.get_markerfacecolor() != "white"
        for line in figure.axes[0].lines
        if line.get_marker() == "o"
    ]
    n_front = len(front(Subject(*toys, toys[0].benchmark("toys"), "nf", 88).rows, COSTS[0]))
    assert sorted(filled) == [False] * (4 - n_front) + [True] * n_front


def test_a_row_that_only_guesses_is_named_and_not_drawn(tmp_path):
    store = drawn_store(tmp_path, {"good": 0.9, "fair": 0.7, "guess": 0.0})
    found = by_name((store, comparison_table(store, "toys", ["nf"])))
    drawing = found["toys-pareto-latency"]
    assert "No better than always guessing the commonest class, and not shown: guess" in drawing.alt
    assert "of 2 rows" in drawing.alt


def test_a_row_as_good_as_guessing_is_no_better(tmp_path):
    store = drawn_store(tmp_path, {"good": 0.9, "fair": 0.7, "majority": 0.5})
    table = comparison_table(store, "toys", ["nf"])
    of_row = next(record for record in table.records if record["row"] == "majority")
    # The same number, added up in another order.
    table.chance["nf"] = of_row["nf_mean"] - 1e-12
    assert learnt(Subject(store, table, store.benchmark("toys"), "nf", 88))[1] == ["majority"]
    table.chance["nf"] -= 0.01
    assert learnt(Subject(store, table, store.benchmark("toys"), "nf", 88))[1] == []


def test_what_leaks_is_marked_everywhere_and_never_on_the_front(tmp_path):
    means, costs = {"honest": 0.8, "fair": 0.7, "cheat": 0.99}, {"honest": 1, "fair": 2, "cheat": 0}
    store = drawn_store(tmp_path, means, leaky=["cheat"], costs=costs, simulates="toy-real")
    found = by_name((store, comparison_table(store, "toys", ["nf"])))
    pareto = found["toys-pareto-macs"]
    assert "On the Pareto front: honest" in pareto.alt and "Behind it: cheat 9" in pareto.alt
    for drawing in found.values():
        if drawing.kind == "critical-difference":
            continue  # of the honest rows alone
        words = " ".join(t.get_text() for t in texts(drawing.draw()))
        assert "SIMULATED data in the format of toy-real" in words, drawing.name
        about_cheat = drawing.row in (None, "cheat")
        assert ("LEAKY" in words) == ("LEAKY" in drawing.alt) == about_cheat, drawing.name
        assert "SIMULATED" in drawing.alt, drawing.name
    assert "cheat (leaky)" in " ".join(t.get_text() for t in texts(pareto.draw()))


def test_scores_of_classes_leave_out_cells_without_the_class():
    def cell(f1, support):
        return {"scores": {"classes": ["a", "b"], "f1": f1, "support": support}}

    found = class_scores([("S1", 0, cell([0.5, 0.0], [9, 0])), ("S2", 0, cell([0.7, 0.4], [9, 1]))])
    assert found["a"].mean == pytest.approx(0.6) and found["a"].n == 2
    assert found["b"].mean == 0.4 and found["b"].low is None


def test_shares_of_a_confusion_matrix():
    percent = shares(np.array([[199, 1, 0], [0, 0, 0], [1, 1, 2]]))
    assert percent[0].tolist() == [99.5, 0.5, 0] and np.isnan(percent[1]).all()
    assert [shown(p) for p in (99.5, 0.5, 0.4, 100, 50)] == ["99", "0", "<1", "100", "50"]
    assert [ink(c) for c in ((1, 1, 1), (0, 0, 0.3))] == ["#010101", "#FDFDFD"]


def test_the_numbers_of_the_matrix_are_in_the_figure(toys):
    figure = by_name(toys)["toys-confusion-good"].draw()
    store, _ = toys
    subject = Subject(*toys, store.benchmark("toys"), "nf", 88)
    counts = sum(np.array(r["confusion"]) for _, _, r in subject.cells("good"))
    wanted = sorted(shown(p) for p in shares(counts)[counts > 0])
    numbers = sorted(t.get_text() for t in figure.axes[0].texts)
    assert numbers == wanted


def test_the_mean_ends_where_the_first_cell_does():
    cells = [("all", s, {"curve": [{"x": v} for v in values]}) for s, values in
             enumerate(([1, 2, 3], [3, 4], [5]))]  # fmt: skip
    series = series_of(cells, "x", "validation", STYLES[0], 100)
    assert series.cells == ((100, 200, 300), (300, 400))  # one epoch is no curve
    assert series.mean == [200, 300]
    assert series_of(cells, "y", "training", STYLES[0]) is None


def test_learning_curves_have_every_cell_and_the_mean(toys):
    figure = by_name(toys)["toys-curves-good"].draw()
    loss, of_score = figure.axes
    lines = [line for line in of_score.lines if line.get_marker() in ("None", None, "")]
    assert len(lines) == 7 and len(lines[-1].get_xdata()) == 2
    dots = [line for line in of_score.lines if line.get_marker() == "o"]
    assert [int(d.get_xdata()[0]) for d in dots] == [4, 3, 2, 1, 1, 1]
    assert len(loss.lines) == 14


@pytest.mark.parametrize("width", [88, 180])
@pytest.mark.parametrize("names", ["toys", "hostile"])
def test_no_text_lies_on_another_or_leaves_the_figure(names, width, request):
    for drawing in drawings(*request.getfixturevalue(names), width=width, rows_at_most=2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a glyph that is missing
            figure = drawing.draw()
            found = texts(figure)
        renderer = FigureCanvasAgg(figure).get_renderer()
        assert figure.get_figwidth() == pytest.approx(width / 25.4)
        wide, high = figure.get_size_inches() * figure.dpi
        boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in found]
        for text, box in boxes:
            assert box.x0 >= -1 and box.x1 <= wide + 1, (drawing.name, text)
            assert box.y0 >= -1 and box.y1 <= high + 1, (drawing.name, text)
        for (text, one), (other, two) in combinations(boxes, 2):
            across = min(one.x1, two.x1) - max(one.x0, two.x0)
            down = min(one.y1, two.y1) - max(one.y0, two.y0)
            # Lines of a text may touch by the descent of their letters.
            least = 0.3 * min(one.height, one.width, two.height, two.width)
            assert across <= 1 or down <= max(1, least), (drawing.name, text, other)
        assert all(t.get_fontsize() >= 5 for t in found)


def test_names_are_no_formulas_and_file_names_are_plain(hostile, tmp_path):
    found = drawings(*hostile)
    assert len({d.name for d in found}) == len(found)
    assert all(re.fullmatch(r"[a-z0-9-]{1,140}", d.name) for d in found)
    words = [t.get_text() for d in found if d.kind == "per-class" for t in texts(d.draw())]
    assert HOSTILE[0] in words or any("$x_1^2$" in word for word in words)
    written = write_drawing(found[0], tmp_path / "out", "svg")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [written.name]


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_equal_results_give_equal_bytes(toys, ending, monkeypatch):
    one = figure_bytes(by_name(toys)["toys-pareto-macs"], ending)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert figure_bytes(by_name(toys)["toys-pareto-macs"], ending) == one


def test_a_users_settings_change_nothing(toys):
    import matplotlib

    drawing = by_name(toys)["toys-per-class"]
    before = figure_bytes(drawing, "pdf")
    with matplotlib.rc_context({"font.size": 20, "pdf.fonttype": 3, "text.color": "red"}):
        assert figure_bytes(drawing, "pdf") == before
        assert matplotlib.rcParams["font.size"] == 20


def test_fonts_are_embedded_and_the_page_is_as_wide_as_a_column(toys):
    content = figure_bytes(by_name(toys, width=PAGE)["toys-pareto-macs"], "pdf")
    assert b"/FontFile2" in content and b"/Type3" not in content and b"/CreationDate" not in content
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", content)
    assert float(box[1]) == pytest.approx(180 / 25.4 * 72, abs=0.01)
    svg = figure_bytes(by_name(toys)["toys-pareto-macs"], "svg")
    assert b"<text" not in svg and b"<dc:date>" not in svg


def test_a_folder_that_cannot_be_written(toys, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="figures cannot be written"):
        write_drawing(drawings(*toys)[0], tmp_path / "file", "png")
    assert (tmp_path / "file").read_text() == ""


def test_many_rows(tmp_path):
    rng = np.random.default_rng(1)
    means = {f"model-{i}": float(m) for i, m in enumerate(rng.uniform(0.5, 0.9, 45))}
    costs = {name: float(c) for name, c in zip(means, rng.uniform(0, 4, 45), strict=True)}
    costs = {name: round(cost, 2) for name, cost in costs.items()}
    store = drawn_store(tmp_path, means, seeds=2, costs=costs, epochs=3)
    found = by_name((store, comparison_table(store, "toys", ["nf"])))
    assert "toys-critical-difference" not in found  # of so many
    words = " ".join(t.get_text() for t in texts(found["toys-pareto-macs"].draw()))
    assert "45 rows; only the best and those of the front are named." in words
    assert sum(d.kind == "confusion" for d in found.values()) == 12
    assert "The best 7 of 45 rows." in found["toys-per-class"].alt
