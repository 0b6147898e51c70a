"""Names made fit for a figure, and labels that do not lie on one another."""

import unicodedata
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harbench.report.figures.placing import placed
from harbench.report.figures.style import short_number
from harbench.report.figures.text import (
    ELLIPSIS,
    NO_GLYPH,
    clipped,
    distinct,
    fitted,
    plain,
    text_width,
    wrapped,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n b\t\tc", "a b c"),
        ("\u202eevil\u202c", "evil"),
        ("a\0b\x1b[31m", "ab[31m"),
        ("日本語 x", f"{NO_GLYPH} x"),
        ("e\u0301", "é"),
        ("$x_1$", "$x_1$"),
        ("", ""),
    ],
)
def test_plain(text, shown):
    assert plain(text) == shown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.floats(12, 150))
def test_a_fitted_name_is_one_line_no_wider(text, width):
    shown = fitted(text, 8, width)
    assert text_width(shown, 8) <= width
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in shown)
    if text_width(plain(text), 8) <= width:
        assert shown == plain(text)


def test_a_name_that_is_too_long_keeps_both_ends():
    shown = fitted("deepconvlstm-with-a-very-long-name-seed-7", 8, 90)
    assert shown.startswith("deep") and shown.endswith("seed-7") and ELLIPSIS in shown


def test_names_stay_distinct():
    names = ["m" * 300 + "a" + "m" * 300, "m" * 300 + "b" + "m" * 300, "", "short"]
    shown = distinct(names, 8, 80)
    assert len(set(shown)) == 4 and shown[3] == "short" and all(shown)
    assert all(text_width(name, 8) <= 80 for name in shown)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="ab \u00e4\n", max_size=200), st.floats(20, 100))
def test_wrapped_lines_fit_and_lose_nothing(text, width):
    lines = wrapped(text, 7, width)
    assert all(text_width(line, 7) <= width for line in lines)
    if ELLIPSIS not in "".join(lines):
        assert " ".join(lines) == plain(text)


def test_clipped():
    assert clipped("a" * 30, 11) == "aaaaa…aaaaa"
    assert clipped("a\0\nb", 20) == "a b"


def meet(one, other):
    return (
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(40, 160), st.floats(30, 120)), min_size=1, max_size=12))
def test_labels_lie_neither_on_points_nor_on_one_another(points):
    sizes = [(20.0 + 3 * n, 8.0) for n in range(len(points))]
    labels = placed(points, sizes, [], (0, 0, 200, 150))
    if labels is None:
        assert len(points) > 2
        labels = placed(points, sizes, [], (0, 0, 200, 150), anyhow=True)
        assert len(labels) == len(points)
        return
    boxes = [
        (label.x - w / 2, label.y - h / 2, label.x + w / 2, label.y + h / 2)
        for label, (w, h) in zip(labels, sizes, strict=True)
    ]
    assert not any(meet(a, b) for a, b in combinations(boxes, 2))
    for x, y in points:
        assert not any(meet((x - 2, y - 2, x + 2, y + 2), box) for box in boxes)
    assert all(b[0] >= 0 and b[1] >= 0 and b[2] <= 200 and b[3] <= 150 for b in boxes)


def test_no_label_on_a_bar_unless_there_is_no_other_place():
    bar = (0.0, 0.0, 100.0, 100.0)
    frame = (0.0, 0.0, 100.0, 100.0)
    assert placed([(50, 50)], [(20, 8)], [bar], frame) is None
    assert len(placed([(50, 50)], [(20, 8)], [bar], frame, anyhow=True)) == 1
    assert placed([(50, 50)], [(120, 8)], [], frame) is None


def test_points_that_lie_on_one_another_are_named_all_the_same():
    labels = placed([(50, 50)] * 3, [(20, 8)] * 3, [], (0, 0, 100, 100))
    assert len({(label.x, label.y) for label in labels}) == 3


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.25, "0.25"), (812, "812"), (999_950, "1M"), (24_146, "24.1k"), (5.46e7, "54.6M")],
)  # fmt: skip
def test_short_numbers(number, shown):
    assert short_number(number) == shown
