"""The confusion analysis: sums, shares, worst pairs, and heat maps that can be read."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from harbench.errors import ConfigError, ResultsError
from harbench.nouns import TrainedCell
from harbench_analyses.confusion import confusion
from harbench_analyses.confusion_counting import confused_note, counted, most_confused, tables
from harbench_analyses.confusion_figure import SMALLEST, heat_map, ink, shown
from harbench_datasets.opportunity_columns import GESTURES

CLASSES = ("Null", "wave", "turn")
ONE = [[8, 2, 0], [1, 3, 0], [0, 0, 0]]
OTHER = [[6, 4, 0], [0, 4, 0], [0, 0, 0]]
OPPORTUNITY = ("Null", *(name for name in GESTURES.values() if name != "Null"))


def cell(matrix, *, row="small", fold="all", seed=0, classes=CLASSES, simulates=None):
    record = {"confusion": matrix, "classes": list(classes), "null": 0}
    return TrainedCell(row, fold, seed, Path(), record, lambda: None, simulates=simulates)


def test_counts_are_summed_over_folds_and_averaged_over_seeds():
    cells = [
        cell(ONE, fold="a", seed=0),
        cell(OTHER, fold="a", seed=1),
        cell([[1, 1, 0], [0, 1, 0], [0, 0, 2]], fold="b", seed=0),
        cell([[2, 0, 0], [0, 1, 0], [1, 0, 1]], fold="b", seed=1),
    ]
    result = confusion(cells)
    assert list(result.tables) == [
        "small: confusion, counts", "small: confusion, percent of the true class",
    ]  # fmt: skip
    counts, percent = result.tables.values()
    assert list(counts.columns) == list(percent.columns) == ["true", *CLASSES]
    assert counts["true"].tolist() == percent["true"].tolist() == list(CLASSES)
    expected = np.array([[8.5, 3.5, 0], [0.5, 4.5, 0], [0.5, 0, 1.5]])
    np.testing.assert_array_equal(counts[list(CLASSES)], expected)
    # 10 + 4 windows in fold a, 5 in fold b.
    assert counts[list(CLASSES)].to_numpy().sum() == 14 + 5
    shares = 100 * expected / [[12], [5], [2]]
    np.testing.assert_allclose(percent[list(CLASSES)], shares)
    assert result.notes[0] == (
        "Counts are test windows, sum over 2 folds, mean over 2 seeds; rows are true classes."
    )
    assert not any("SIMULATED" in note for note in result.notes)


def test_a_fold_with_fewer_seeds_counts_as_much():
    cells = [
        cell(ONE, fold="a", seed=0),
        cell(OTHER, fold="a", seed=1),
        cell(ONE, fold="b", seed=0),
    ]
    found = counted("small", cells)
    np.testing.assert_array_equal(found.counts[0], [15, 5, 0])
    assert found.counts.sum() == 28
    assert found.said == "sum over 2 folds, each the mean over its 1 to 2 seeds"


def test_a_class_without_test_windows_has_no_percents():
    result = confusion([cell(ONE)])
    counts, percent = result.tables.values()
    # Whole counts are whole numbers.
    assert [counts[name].dtype.kind for name in CLASSES] == ["i", "i", "i"]
    assert counts.iloc[2].tolist() == ["turn", 0, 0, 0]
    assert percent[list(CLASSES)].iloc[2].isna().all()
    assert percent[list(CLASSES)].iloc[:2].to_numpy().tolist() == [[80, 20, 0], [25, 75, 0]]
    assert "Without a test window, and so without percents: turn." in result.notes


def test_counts_have_one_decimal_at_most():
    cells = [cell(matrix, seed=seed) for seed, matrix in enumerate((ONE, OTHER, OTHER))]
    counts = tables(counted("small", cells))["small: confusion, counts"]
    assert counts["Null"].tolist() == [6.7, 0.3, 0.0]
    assert counts["wave"].tolist() == [3.3, 3.7, 0.0]


def test_a_class_called_true_keeps_its_column():
    counts, _ = confusion([cell([[1, 2], [3, 4]], classes=("true", "false"))]).tables.values()
    assert list(counts.columns) == ["true", "true", "false"]
    assert counts.to_numpy().tolist() == [["true", 1, 2], ["false", 3, 4]]


def test_the_pairs_confused_most_come_first():
    matrix = [[90, 10, 0], [4, 6, 0], [3, 1, 6]]
    pairs = most_confused(counted("small", [cell(matrix)]))
    found = [(p.true, p.predicted, p.share, p.windows, p.support) for p in pairs]
    assert found == [
        ("wave", "Null", 0.4, 4, 10),
        ("turn", "Null", 0.3, 3, 10),
        ("Null", "wave", 0.1, 10, 100),
        ("turn", "wave", 0.1, 1, 10),
    ]
    assert len(most_confused(counted("small", [cell(matrix)]), n=2)) == 2
    note = confusion([cell(matrix)]).notes[-1]
    assert note.startswith(
        "small: confused most, by share of the true class: wave as Null 40% (4 of 10 windows); "
    )
    right = counted("small", [cell([[2, 0], [0, 3]], classes=("a", "b"))])
    assert confused_note(right) == "small: no test window is taken for another class."


def test_every_row_has_its_tables_and_figures():
    cells = [cell(ONE, row="res-net", simulates="toy"), cell(OTHER, row="resnet")]
    result = confusion(cells)
    assert len(result.tables) == 4
    # Equal but for punctuation: no figure takes another's place.
    assert list(result.figures) == [
        "confusion-resnet-counts", "confusion-resnet-percent",
        "confusion-resnet-again-counts", "confusion-resnet-again-percent",
    ]  # fmt: skip
    assert result.notes[0] == "The recordings are SIMULATED, in the format of toy."
    title = result.figures["confusion-resnet-counts"].texts[0].get_text()
    assert title == "res-net: confusion, counts (simulated data)"
    one = confusion(cells, row="resnet")
    assert [title.split(":")[0] for title in one.tables] == ["resnet", "resnet"]
    assert list(one.figures) == ["confusion-resnet-counts", "confusion-resnet-percent"]


def test_refusals():
    with pytest.raises(ConfigError, match="no trained row is called 'smal'; did you mean 'small'"):
        confusion([cell(ONE)], row="smal")
    with pytest.raises(ConfigError, match=r"no trained row is called '\['small'\]'"):
        confusion([cell(ONE)], row=["small"])
    with pytest.raises(ResultsError, match="no trained network"):
        confusion([])


@given(
    st.lists(st.lists(st.integers(0, 500), min_size=9, max_size=9), min_size=1, max_size=6).filter(
        lambda matrices: sum(map(sum, matrices)) > 0
    )
)
def test_counts_add_up_to_the_mean_of_the_seeds_and_shares_to_100(matrices):
    cells = [cell(np.reshape(m, (3, 3)).tolist(), seed=i) for i, m in enumerate(matrices)]
    found = counted("any", cells)
    assert found.counts.sum() == pytest.approx(sum(map(sum, matrices)) / len(matrices))
    sums = found.percent.sum(axis=1)
    empty = found.counts.sum(axis=1) == 0
    assert np.isnan(sums[empty]).all()
    np.testing.assert_allclose(sums[~empty], 100)
    assert sum(pair.windows for pair in most_confused(found, 9)) == pytest.approx(
        found.counts.sum() - np.trace(found.counts)
    )


def test_numbers_as_cells_bear_them():
    for value, text in (
        (13530, "13530"), (12.4, "12"), (9.96, "10"), (9.9, "9.9"), (3, "3"), (0.333, "0.3"),
        (0.04, "<.1"), (99.97, "100"),
    ):  # fmt: skip
        assert shown(value, percent=False) == text
    # A class that is not always right is never shown at 100 %.
    assert [shown(v, percent=True) for v in (99.97, 99.5, 99.4, 100.0, 5.0)] == [
        "99.9", "99.5", "99", "100", "5.0",
    ]  # fmt: skip
    assert [shown(v, percent=False, short=True) for v in (999, 1000, 9960, 965400)] == [
        "999", "1.0k", "10k", "965k",
    ]  # fmt: skip


def test_ink_has_the_greater_contrast():
    assert ink((1, 1, 1, 1)) == ink((0.5, 0.5, 0.5)) == "black"
    assert ink((0, 0, 0)) == ink((0.03, 0.19, 0.42)) == "white"
    # WCAG: the two are equal at a luminance of sqrt(1.05 * 0.05) - 0.05 = 0.179, a grey of 0.46.
    assert (ink((0.47,) * 3), ink((0.45,) * 3)) == ("black", "white")


def dominated_by_null(n_classes=18):
    """Counts as of a real run: NULL dominates, the last class has no test window."""
    rng = np.random.default_rng(0)
    support = np.array([14000, *rng.integers(20, 400, n_classes - 1)])
    support[-1] = 0
    shares = 0.7 * np.eye(n_classes) + 0.002
    shares[:, 0] += 0.2
    rows = [rng.multinomial(n, p / p.sum()) for n, p in zip(support, shares, strict=True)]
    return np.array(rows, np.float64)


def drawn(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def assert_readable(figure):
    """No two texts overlap, none is cut off, none is too small."""
    renderer = drawn(figure)
    axes, bar = figure.axes
    texts = [
        *figure.texts, axes.xaxis.label, axes.yaxis.label, bar.yaxis.label,
        *axes.get_xticklabels(), *axes.get_yticklabels(), *bar.get_yticklabels(), *axes.texts,
    ]  # fmt: skip
    boxes = {}
    for text in texts:
        if text.get_text() and text.get_visible():
            low, high = bar.get_ylim()
            if text in bar.get_yticklabels() and not low <= text.get_position()[1] <= high:
                continue
            boxes[text] = text.get_window_extent(renderer)
    assert min(text.get_fontsize() for text in boxes) >= SMALLEST
    for text, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert apart, f"{one} lies on {other}"
    return boxes


def percents(counts):
    support = counts.sum(axis=1, keepdims=True)
    return 100 * counts / np.where(support > 0, support, np.nan)


@pytest.mark.parametrize("percent", [False, True])
def test_a_figure_of_18_classes_can_be_read(percent):
    counts = dominated_by_null()
    values = percents(counts) if percent else counts
    figure = heat_map(values, OPPORTUNITY, title="resnet-like: confusion", percent=percent)
    boxes = assert_readable(figure)
    axes, bar = figure.axes
    assert figure.get_figwidth() == 7.0
    ticks = [
        [label.get_text() for label in axis.get_ticklabels()] for axis in (axes.xaxis, axes.yaxis)
    ]
    assert ticks == [list(OPPORTUNITY), list(OPPORTUNITY)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    # The first class is on top.
    assert axes.get_ylim() == (18, 0)
    numbers = [t for t in axes.texts if t.get_text() != "no test window"]
    assert len(numbers) == (counts > 0).sum()
    assert len(axes.texts) - len(numbers) == 1
    at = {(round(y - 0.5), round(x - 0.5)): t for t in numbers for x, y in [t.get_position()]}
    assert set(at) == set(map(tuple, np.argwhere(counts > 0).tolist()))
    for (row, column), text in at.items():
        assert text.get_text() == shown(values[row, column], percent=percent)
    # Numbers lie inside of their cells.
    width = axes.bbox.width / 18
    assert max(boxes[text].width for text in numbers) < width
    assert bar.get_ylabel() == ("% of the true class" if percent else "windows (log scale)")


def test_null_does_not_swamp_the_other_classes():
    counts = dominated_by_null()
    figure = heat_map(counts, OPPORTUNITY, title="t", percent=False)
    mesh = figure.axes[0].collections[0]
    assert mesh.norm(14000) > 0.99
    # A class of 100 right windows, 1 % of NULL's, is in the middle of the scale, not at its end.
    assert 0.4 < mesh.norm(100) < 0.6
    drawn(figure)
    dark, light = (mesh.cmap(mesh.norm(value)) for value in (counts.max(), 1))
    texts = {t.get_text(): t for t in figure.axes[0].texts}
    assert texts[f"{counts.max():.0f}"].get_color() == ink(dark) == "white"
    assert texts["1"].get_color() == ink(light) == "black"
    # What is 0 has no colour.
    assert np.ma.getmaskarray(mesh.get_array()).reshape(18, 18).tolist() == (counts == 0).tolist()


@pytest.mark.parametrize(
    ("classes", "width"),
    [
        (("Null", "wave", "turn"), 3.4),
        (tuple(f"E{i}" for i in range(7)), 3.4),
        (("only",), 3.4),
        (tuple(f"WALKING_DOWNSTAIRS_{i}" for i in range(12)), 7.0),
        (tuple(f"class {i}" for i in range(60)), 7.0),
    ],
)
def test_other_numbers_of_classes_can_be_read_too(classes, width):
    n = len(classes)
    counts = np.random.default_rng(1).poisson(2, (n, n)) + np.diag(np.arange(n) * 300.0 + 2)
    for percent in (False, True):
        values = percents(counts) if percent else counts
        title = "full, random windows, without NULL: confusion, counts (simulated data)"
        figure = heat_map(values, classes, title=title, percent=percent)
        assert_readable(figure)
        assert figure.get_figwidth() == width
    if n == 60:
        assert not figure.axes[0].texts
        assert "numbers are in the table" in figure.axes[1].get_ylabel()


def test_figures_are_saved_in_the_formats_that_publishers_take(tmp_path):
    figure = heat_map(np.array(ONE, float), CLASSES, title="t", percent=False)
    for ending in ("pdf", "svg", "png"):
        figure.savefig(tmp_path / f"f.{ending}")
    # Type 3 fonts are what they refuse.
    content = (tmp_path / "f.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"/Type3" not in content
    assert b"<svg" in (tmp_path / "f.svg").read_bytes()


def test_large_counts_are_shortened_before_they_are_left_out():
    counts = dominated_by_null() * 1000
    figure = heat_map(counts, OPPORTUNITY, title="t", percent=False)
    assert_readable(figure)
    texts = {text.get_text() for text in figure.axes[0].texts}
    null = f"{counts[0, 0] / 1000:.0f}k"
    assert null in texts and "1.0k" in texts
    assert not any(len(text) > 5 for text in texts - {null, "no test window"})
