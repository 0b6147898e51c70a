"""The body map: positions, shares, and what a reader sees; the curve of one column."""

import importlib
import itertools
import math
import pkgutil

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection
from matplotlib.text import Text

import harbench_datasets
from harbench.nouns import Channel
from harbench_analyses.body_map import body_map
from harbench_analyses.body_positions import PLACES, by_position, outline, place_of, shares
from harbench_analyses.channel_figures import ONE_COLUMN, TWO_COLUMNS, curve, spread
from harbench_datasets.opportunity_columns import CHANNELS

RNG = np.random.default_rng(3)
OPPORTUNITY = by_position(RNG.normal(size=113), CHANNELS)


def first_party():
    """Every dataset that a module of harbench_datasets registers."""
    found = []
    for module in pkgutil.iter_modules(harbench_datasets.__path__):
        plugin = importlib.import_module(f"harbench_datasets.{module.name}")
        if hasattr(plugin, "register_datasets"):
            plugin.register_datasets(found.append)
    return found


def texts(figure):
    """The texts that are drawn. A tick beyond the limits of its axis has a text but is not."""
    drawn = {}
    draw = Text.draw

    def noted(self, renderer):
        drawn[self] = None
        draw(self, renderer)

    with pytest.MonkeyPatch.context() as patch:
        # The layout is found by the first.
        figure.draw_without_rendering()
        patch.setattr(Text, "draw", noted)
        figure.draw_without_rendering()
    return [text for text in drawn if text.get_visible() and text.get_text()]


def overlapping(figure):
    """Pairs of texts whose boxes lie on one another."""
    extents = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    return [(a, b) for (a, x), (b, y) in itertools.combinations(extents, 2) if x.overlaps(y)]


def outside(figure):
    page = figure.bbox
    return [
        text.get_text()
        for text in texts(figure)
        if not (
            page.x0 <= text.get_window_extent().x0
            and text.get_window_extent().x1 <= page.x1
            and page.y0 <= text.get_window_extent().y0
            and text.get_window_extent().y1 <= page.y1
        )
    ]


def dots(figure):
    """Centre, radius in points (of the circle around a square) and shape of every dot."""
    found = []
    for dot in figure.axes[0].findobj(PathCollection):
        ((x, y),) = dot.get_offsets()
        square = len(dot.get_paths()[0].vertices) == 5
        size = math.sqrt(dot.get_sizes()[0]) / 2
        found.append((float(x), float(y), size * (math.sqrt(2) if square else 1), square))
    return found


def under_dots(figure):
    """Texts that a dot lies on."""
    found = []
    for text in texts(figure):
        box = text.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
        for x, y, radius, _ in dots(figure):
            nearest = np.clip(x, 72 * box.x0, 72 * box.x1), np.clip(y, 72 * box.y0, 72 * box.y1)
            if math.dist((x, y), nearest) < radius:
                found.append(text.get_text())
    return found


def said(figure):
    return [text.get_text() for text in texts(figure)]


def test_positions_of_every_first_party_dataset_are_known():
    datasets = first_party()
    assert {"opportunity", "hapt", "spar", "actrectut", "actrectut-walk"} <= {
        dataset.name for dataset in datasets
    }
    positions = {channel.position for dataset in datasets for channel in dataset.channels}
    assert len(positions) >= 20
    assert [position for position in positions if place_of(position) is None] == []


@pytest.mark.parametrize(
    ("names", "part", "side"),
    [
        (["right lower arm", "Right Lower-Arm", "right_lower_arm", "r forearm"], "lower arm", -1),
        (["left shoe", "L-SHOE", "left foot", "LeftFoot", "shoes, left"], "shoe", 1),
        (["right knee, upper", "Right_Knee_(upper)"], "knee upper", -1),
        (["waist", "WAIST", "belt"], "waist", 0),
        (["pockets", "trousers pocket"], "pocket", 0),
    ],
)
def test_spelling_makes_no_difference(names, part, side):
    assert {place_of(name) for name in names} == {(PLACES[part], side)}


@pytest.mark.parametrize("name", ["", "cup", "left", "left right hand", "upper", "arm", "door 1"])
def test_unknown_positions_are_not_guessed(name):
    assert place_of(name) is None


def test_the_table_is_a_body():
    above = [
        "head", "neck", "shoulder", "upper arm upper", "upper arm", "upper arm lower", "elbow",
        "lower arm", "wrist", "hand", "thigh", "knee upper", "knee", "knee lower", "shin", "ankle",
        "foot",
    ]  # fmt: skip
    heights = [PLACES[name].y for name in above]
    assert heights == sorted(heights, reverse=True)
    for name in ("back", "upper back", "lower back", "back pocket"):
        assert PLACES[name].back
    assert PLACES["chest"].middle and not PLACES["hip"].middle and not PLACES["wrist"].middle
    from matplotlib.path import Path

    parts = [Path(points) for points in outline()]
    for name, place in PLACES.items():
        assert any(part.contains_point((place.x, place.y)) for part in parts), name


def test_shares_add_to_100_and_take_sizes():
    found = shares({"a": [1.0, -2.0, 3.0], "b": [-2.0]})
    assert (found["a"].percent, found["b"].percent) == (75, 25)
    assert (str(found["a"]), str(found["b"])) == ("75.0 % (3 × 25.00)", "25.0 % (1)")
    whole = shares(OPPORTUNITY)
    assert sum(share.percent for share in whole.values()) == pytest.approx(100)
    assert sum(share.n_channels for share in whole.values()) == 113
    assert whole["left shoe"].n_channels == 16
    assert {share.percent for share in shares({"a": [0.0], "b": [0.0]}).values()} == {0}


def test_channels_are_grouped_by_position():
    channels = [
        Channel(f"c{i}", "s", place, "accelerometer", "x", "g", i + 1)
        for i, place in enumerate(["hip", "head", "hip"])
    ]
    found = by_position(np.array([1.0, 2.0, 3.0]), channels)
    assert {name: values.tolist() for name, values in found.items()} == {
        "hip": [1, 3],
        "head": [2],
    }


@given(st.dictionaries(st.sampled_from(list(OPPORTUNITY)), st.floats(0, 1), min_size=1))
def test_shares_add_to_100_whatever_the_values(values):
    found = [share.percent for share in shares({k: [v] for k, v in values.items()}).values()]
    assert min(found) >= 0
    assert sum(found) == (pytest.approx(100) if any(values.values()) else 0)


@pytest.mark.parametrize("seed", [0, 3])
def test_nothing_overlaps_with_opportunitys_positions(seed):
    values = np.random.default_rng(seed).exponential(size=113) ** 2
    measure = "integrated-gradients, mean-absolute"
    figure = body_map(by_position(values, CHANNELS), title="Open Door 1, a row", measure=measure)
    assert figure.get_figwidth() == ONE_COLUMN == 3.4
    assert overlapping(figure) == []
    assert outside(figure) == under_dots(figure) == []
    assert min(text.get_fontsize() for text in texts(figure)) >= 6
    # Of the hip no side is stated: two dots, with a ring each.
    drawn = dots(figure)
    assert len(drawn) == 18 - 1 + 2 * 2
    for (x, y, radius, _), (u, v, other, _) in itertools.combinations(drawn, 2):
        distance = math.dist((x, y), (u, v))
        assert distance == 0 or distance > radius + other
    labels = [text.get_text() for text in texts(figure)]
    assert len([label for label in labels if "×" in label and "%" in label]) == 18


@pytest.mark.parametrize("seed", [0, 3])
def test_a_line_leads_to_each_dot_past_all_others(seed):
    values = np.random.default_rng(seed).exponential(size=113) ** 2
    figure = body_map(by_position(values, CHANNELS), title="t")
    drawn = dots(figure)
    lines = [line.get_xydata() for line in figure.axes[0].lines]
    assert len(lines) == 18
    for line in lines:
        start = tuple(line[0])
        assert any(start == (x, y) for x, y, _, _ in drawn)
        way = np.concatenate([np.linspace(a, b, 200) for a, b in itertools.pairwise(line)])
        for x, y, radius, _ in drawn:
            if (x, y) != start:
                assert np.hypot(*(way - (x, y)).T).min() > radius


def test_the_wearers_right_is_on_the_left_of_the_page():
    figure = body_map({"right wrist": [1.0], "left ankle": [2.0]}, title="t")
    middle = figure.bbox.width / 2
    at = {text.get_text(): text.get_window_extent() for text in texts(figure)}
    for name in ("wearer's right", "wrist"):
        assert at[name].x1 < middle, name
    for name in ("wearer's left", "ankle"):
        assert at[name].x0 > middle, name
    (wrist, ankle) = dots(figure)
    assert wrist[0] < 72 * ONE_COLUMN / 2 < ankle[0]
    assert wrist[1] > ankle[1]
    assert wrist[2] < ankle[2]  # size grows with the share


def test_unknown_positions_are_listed_with_their_share():
    long = "the fridge's door, upper half, on the inside next to the light"
    figure = body_map({"cup": [1.0, 2.0], "": [1.0], "chest": [4.0], long: [0.0]}, title="t")
    words = said(figure)
    assert "not on the drawing:" in words
    assert "cup  37.5 % (2 × 18.75)" in words
    assert "position not stated  12.5 % (1)" in words
    assert any(word.startswith("the fridge's door, upper half") for word in words)
    assert overlapping(figure) == outside(figure) == under_dots(figure) == []
    assert len(dots(figure)) == 4
    none_known = body_map({"cup": [1.0]}, title="t")
    assert "cup  100.0 % (1)" in said(none_known)


def test_positions_on_the_back_and_without_a_side_are_told_apart():
    figure = body_map({"back": [1.0], "chest": [1.0], "wrist": [2.0]}, title="t")
    squares = [square for *_, square in dots(figure)]
    assert squares == [True, False, False, False, False, False]
    assert "square: on the back     dashed ring: side not stated, shown on both" in said(figure)
    assert "(either side)" in said(figure)
    left, right = sorted({x for x, *_ in dots(figure)[2:]})
    assert left + right == pytest.approx(72 * ONE_COLUMN)
    only = body_map({"chest": [1.0]}, title="t")
    assert not any("square" in word or "dashed" in word for word in said(only))


@pytest.mark.parametrize("name", ["waist", "wrist"])
def test_a_single_position_has_all(name):
    figure = body_map({name: np.arange(6.0)}, title="t")
    assert "100.0 % (6 × 16.67)" in said(figure)
    assert overlapping(figure) == outside(figure) == []


def test_positions_at_one_place_lie_beside_one_another():
    names = [
        "left foot",
        "left shoe",
        "Left Shoe",
        "foot",
        "chest",
        "sternum",
        "wrist",
        "left wrist",
    ]
    figure = body_map({name: [1.0] for name in names}, title="t")
    assert overlapping(figure) == under_dots(figure) == []
    for a, b in itertools.combinations(dots(figure), 2):
        assert a[:2] == b[:2] or math.dist(a[:2], b[:2]) > a[2] + b[2]


def test_many_labels_make_the_figure_taller():
    known = {f"left {name}": [1.0] for name in list(PLACES)[::2]}
    figure = body_map(known, title="a long title of several lines " * 4)
    assert overlapping(figure) == []
    assert figure.get_figheight() > body_map({"hip": [1.0]}, title="t").get_figheight()


def test_values_that_are_no_numbers_do_not_stop_it():
    figure = body_map({"chest": [math.nan], "hip": [1.0]}, title="t")
    assert "nan % (1)" in said(figure)
    assert "0.0 % (1)" in said(body_map({"chest": [0.0]}, title="t"))


def svg(path, make):
    with matplotlib.rc_context({"svg.hashsalt": "harbench"}):
        make().savefig(path, metadata={"Date": None})
    return path.read_bytes()


def test_equal_input_gives_equal_bytes(tmp_path):
    def make():
        return body_map(OPPORTUNITY, title="t")

    first = svg(tmp_path / "a.svg", make)
    assert first == svg(tmp_path / "b.svg", make)
    other = {**OPPORTUNITY, "back": OPPORTUNITY["back"] * 2}
    assert first != svg(tmp_path / "c.svg", lambda: body_map(other, title="t"))
    make().savefig(tmp_path / "a.pdf")
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 5)), min_size=1, max_size=12).map(sorted)
)
def test_spread_keeps_order_and_limits(entries):
    wanted, sizes = np.array(entries).T
    placed = spread(wanted, sizes, 0, 100)
    assert (np.diff(placed) >= (sizes[:-1] + sizes[1:]) / 2 - 1e-9).all()
    assert placed[0] - sizes[0] / 2 >= -1e-9
    assert placed[-1] + sizes[-1] / 2 <= 100 + 1e-9


def test_spread_moves_as_little_as_can_be():
    np.testing.assert_allclose(spread(np.array([1.0, 9.0]), np.ones(2), 0, 10), [1, 9])
    np.testing.assert_allclose(spread(np.array([5.0, 5.0, 9.0]), np.ones(3), 0, 10), [4.5, 5.5, 9])
    np.testing.assert_allclose(spread(np.array([0.0, 0.0]), np.full(2, 2.0), 0, 10), [1, 3])
    np.testing.assert_allclose(spread(np.array([9.0, 9.0]), np.full(2, 2.0), 0, 10), [7, 9])


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("marked", [[40, 62, 49, 50, 41], [112, 111, 110, 0, 1]])
def test_a_curve_of_113_channels_is_legible(width, marked):
    values = np.random.default_rng(0).normal(size=113)
    # Neighbours of one height: their numbers would lie on one another.
    values[marked] = 4
    figure = curve(
        values,
        np.full(113, 0.3),
        CHANNELS,
        title="Open Dishwasher, a-row-with-a-name (simulated data)",
        ylabel="gradient, signed",
        marked=marked,
        width=width,
    )
    assert figure.get_figwidth() == width
    assert overlapping(figure) == []
    assert outside(figure) == []
    assert min(text.get_fontsize() for text in texts(figure)) >= 6
    words = said(figure)
    sensors = list(dict.fromkeys(channel.sensor for channel in CHANNELS))
    assert [word for word in words if word in sensors] == sensors
    for rank in range(1, len(marked) + 1):
        assert str(rank) in words


def test_a_narrow_curve_of_few_channels_is_legible():
    channels = [
        Channel(f"gyro_{i}_x", f"S{i // 5}", "hip", "gyroscope", "x", "g", i + 1) for i in range(20)
    ]
    figure = curve(np.arange(20.0), None, channels, title="t", ylabel="y", width=ONE_COLUMN)
    assert overlapping(figure) == []
    assert outside(figure) == []
    assert [word for word in said(figure) if "gyro" in word] == [c.name for c in channels]


def test_sensors_without_room_are_left_out_evenly():
    channels = [
        Channel(f"c{i}", f"S{i // 2}", "hip", "gyroscope", "x", "g", i + 1) for i in range(120)
    ]
    figure = curve(np.arange(120.0), None, channels, title="t", ylabel="y", width=ONE_COLUMN)
    assert overlapping(figure) == []
    named = [int(word[1:]) for word in said(figure) if word.startswith("S")]
    assert len(named) >= 15
    assert set(np.diff(named)) == {named[1] - named[0]}
