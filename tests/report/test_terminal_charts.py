"""Charts of letters: what they draw, and that they keep to their width."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from harbench.report.terminal_charts import bar, bar_chart, confusion_chart, meter, sparkline

HOSTILE = (
    "<script>alert(1)</script>",
    "[bold red]",
    "\x1b[2J\r\n\u202eclear",
    "שלום",
    "🦑" * 20,
    "x" * 500,
    "",
)


def plain(lines):
    return [line.plain for line in lines]


def test_a_sparkline_is_low_where_values_are():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 80) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 80, ascii_only=True) == "_.-=+*#@"
    assert sparkline([0.5, None, math.nan, math.inf, 0.25], 80) == "█   ▁"
    assert sparkline([3, 3, 3], 80) == "▅▅▅"
    assert sparkline([], 80) == ""
    assert sparkline([None, None], 80) == "  "


def test_a_long_sparkline_is_averaged_by_stretches():
    assert sparkline([0] * 50 + [1] * 50, 4) == "▁▁██"
    assert len(sparkline(list(range(1000)), 37)) == 37


def test_a_bar_is_as_long_as_its_share():
    assert bar(0.5, 8) == "████"
    assert bar(1 / 16, 8) == "▌"
    assert bar(1.7, 8) == "████████"
    assert bar(-1, 8) == bar(math.nan, 8) == ""
    assert bar(0.5, 8, negative=True) == "▒▒▒▒"
    assert (bar(0.5, 8, ascii_only=True), bar(0.5, 8, ascii_only=True, negative=True)) == (
        "####",
        "----",
    )
    assert meter(0.25, 8) == "██░░░░░░"
    assert meter(0.25, 8, ascii_only=True) == "##......"


def test_a_confusion_matrix_in_percent_of_its_lines():
    chart = confusion_chart([[97, 3], [30, 30]], ["NULL", "wave"], 80)
    assert plain(chart) == [
        "           a    b   windows",
        "a NULL  █ 97 ░  3     100",
        "b wave  ▓ 50 ▓ 50      60",
        "lines are true, columns predicted; percent of the true class's windows: · none, "
        "░ under 25 %, ▒ under 50 %, ▓ under 75 %, █ more",
    ]
    styles = {
        (chart[1].plain[span.start : span.end]).strip(): span.style for span in chart[1].spans
    }
    assert styles["█ 97"] != styles["░  3"]


def test_a_class_without_windows_and_ascii():
    chart = confusion_chart([[0, 0], [1, 3]], ["Nüll", "wave"], 80, ascii_only=True)
    assert plain(chart)[1:3] == ["a N...     .    .       0", "b wave  + 25 # 75       4"]
    assert all(line.isascii() for line in plain(chart))


def square(n):
    """Class i has 10 + i windows, half of them right, half the next class."""
    matrix = [[0] * n for _ in range(n)]
    for i in range(n):
        matrix[i][i] = matrix[i][(i + 1) % n] = 10 + i
    return matrix


@pytest.mark.parametrize("n", [2, 7, 12, 13, 18, 26, 40, 52, 53, 113, 300])
@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_any_number_of_classes_fits(n, width):
    names = [f"{i} is a class" for i in range(n)]
    chart = plain(confusion_chart(square(n), names, width))
    end = next(i for i, line in enumerate(chart) if line.startswith("lines are true"))
    rows = chart[1:end]
    assert all(cell_len(line) <= width for line in chart[: 1 + len(rows)])
    # No window is lost in folding.
    assert sum(int(line.split()[-1].replace(",", "")) for line in rows) == sum(map(sum, square(n)))
    folded = len(rows) < n
    assert folded == ("classes with the fewest windows are one" in chart[-1])
    if folded:
        assert f"{n - len(rows) + 1} oth" in rows[-1]
        # The largest classes are those that stay.
        assert [int(row[2:].split()[0]) for row in rows[:-1]] == list(range(n))[1 - len(rows) :]


def test_shades_take_the_place_of_numbers_where_these_do_not_fit():
    names = [f"c{i}" for i in range(20)]
    assert plain(confusion_chart(square(20), names, 80))[1].startswith("a c0  ▓▓▓▓ · · ·")
    assert plain(confusion_chart(square(20), names, 45))[1].startswith("a c0  ▓▓·····")


def test_bars_with_signs():
    bars = [("acc_x", 2.0, "2.00 ± 1.0"), ("gyro", -1.0, "-1.00"), ("none", None, "-")]
    assert plain(bar_chart(bars, 30)) == [
        "acc_x █████████████ 2.00 ± 1.0",
        "gyro  ▒▒▒▒▒▒        -1.00",
        "none                -",
    ]
    assert plain(bar_chart(bars, 30, ascii_only=True)) == [
        "acc_x ########### 2.00 +/- 1.0",
        "gyro  ------      -1.00",
        "none              -",
    ]
    assert plain(bar_chart([], 30)) == []


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=30), st.sampled_from([40, 80, 120]))
def test_hostile_names_break_no_chart(names, width):
    for ascii_only in (False, True):
        matrix = confusion_chart(square(len(names)), names, width, ascii_only=ascii_only)
        bars = bar_chart([(name, 1.0, "1.0") for name in names], width, ascii_only=ascii_only)
        for line in [*plain(matrix)[: len(names) + 1], *plain(bars)]:
            assert line.isprintable()
            assert cell_len(line) <= width
            assert line.isascii() or not ascii_only
