"""The saliency analysis on toy networks: tables, notes, figures, refusals."""

import numpy as np
import pytest

from harbench.errors import ConfigError, ResultsError
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import work_of
from harbench.execute.trained import trained_cells
from harbench.nouns import Channel
from harbench.nouns.names import class_named, plain
from harbench.plan import plan
from harbench_analyses import saliency_measuring
from harbench_analyses.attribution import (
    METHODS,
    REDUCTIONS,
    attributions,
    class_windows,
    reduce,
    running_of,
    saliency_map,
)
from harbench_analyses.channel_figures import curve, grid
from harbench_analyses.known_answers import KNOWN_ANSWERS, best, found_share
from harbench_analyses.saliency import saliency
from harbench_analyses.saliency_measuring import MeanMap
from harbench_analyses.saliency_tables import channel_tables
from harbench_datasets.opportunity import OPPORTUNITY, SIMULATED
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN, Workplace, carry_out

TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, label: majority}
    recipe: {epochs: 6}
    seeds: 2
    models: [small]
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The two networks of a toy run."""
    import torch

    from harbench.cost import measuring, timing

    folder = tmp_path_factory.mktemp("toy")
    write_toy_files(folder / "files")
    place = Workplace(folder)
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARBENCH_CACHE", str(folder / "cache"))
        quick = timing.latency
        patch.setattr(measuring, "latency", lambda *args: quick(*args, runs=3, seconds=0))
        planned = [plan(b, place.registry) for b in place.benchmarks(TOY)]
        work = work_of(planned, place.store, plugin_files=(TOY_PLUGIN,))
        list(carry_out(work, planned, place.store, InProcessExecutor()))
        yield trained_cells(place.store, "toy", lambda: place.registry)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(exact)


def map_of(cell, class_index):
    """In the layout that the network was trained in."""
    loaded = cell.load()
    return saliency_map(loaded, "test", class_index, running=running_of(cell, loaded))


def test_the_channels_that_carry_the_classes_come_out_on_top(cells):
    for name, channel, column in (("wave", "ACC x", 1), ("TURN!", "ACC y", 2)):
        result = saliency(cells, class_name=name, method="occlusion", top=2)
        table = next(iter(result.tables.values()))
        assert table["name"][0] == channel
        assert table["column"][0] == table["channel"][0] == column
        assert "paper" not in table
        assert table["rank"].tolist() == [1, 2]


def test_values_are_means_over_networks_with_their_interval(cells):
    result = saliency(cells, class_name="wave", top=9)
    assert list(result.tables) == [
        "wave: top 3 channels", "wave: bottom 3 channels", "wave: by sensor", "wave: by position",
    ]  # fmt: skip
    table = result.tables["wave: top 3 channels"].sort_values("channel")
    maps = np.array([map_of(cell, 1) for cell in cells])
    np.testing.assert_allclose(table["value"], maps.mean(0))
    # t(0.975, 1) = 12.706; the standard error of two is half of their difference.
    np.testing.assert_allclose(table["±"], 12.7062 * np.abs(maps[0] - maps[1]) / 2, rtol=1e-4)
    bottom = result.tables["wave: bottom 3 channels"]
    assert bottom["rank"].tolist() == [3, 2, 1]
    (sensor,) = result.tables["wave: by sensor"].to_dict("records")
    assert (sensor["sensor"], sensor["channels"]) == ("ACC", 3)
    assert sensor["sum of |value|"] == pytest.approx(np.abs(maps.mean(0)).sum())
    assert sensor["mean of |value|"] == pytest.approx(np.abs(maps.mean(0)).mean())


def test_without_a_class_it_is_the_mean_over_classes_but_null(cells):
    result = saliency(cells, top=3)
    table = result.tables["all classes: top 3 channels"].sort_values("channel")
    every = [[map_of(cell, c) for c in (1, 2)] for cell in cells]
    np.testing.assert_allclose(table["value"], np.mean(every, axis=(0, 1)))
    assert result.tables["by class"]["class"].tolist() == ["wave", "turn"]
    stem = "saliency-small-allclasses"
    assert set(result.figures) == {stem, f"{stem}-column", f"{stem}-body", "saliency-small-grid"}
    assert len(result.figures["saliency-small-grid"].axes) == 2


def test_notes_say_what_a_reader_must_know(cells):
    text = "\n".join(saliency(cells, class_name="wave").notes)
    assert "2 trained networks" in text
    assert "The paper's are" not in text
    assert "share 100% of their top 3 channels (chance 100%)" in text
    assert "untrained weights" in text
    assert "Set to 0 from the top down" in text
    assert "chance is 4%" in text
    assert "bottom channels are those whose rise lowers the score" in text
    assert "SIMULATED" not in text
    other = saliency(cells[:1], class_name="wave", method="occlusion", reduction="absolute")
    text = "\n".join(other.notes)
    assert "The paper's are gradient and signed." in text
    assert "One trained network" in text
    assert "±" not in next(iter(other.tables.values()))


def test_equal_runs_say_the_same(cells):
    first, again = (saliency(cells, class_name="wave", method="smooth-grad") for _ in range(2))
    assert first.notes == again.notes
    for name, table in first.tables.items():
        assert table.equals(again.tables[name])


def test_a_gradient_that_two_maps_need_is_taken_once(cells, monkeypatch):
    taken = []

    def counted(module, windows, class_index, method, **options):
        taken.append(method)
        return attributions(module, windows, class_index, method, **options)

    monkeypatch.setattr(saliency_measuring, "attributions", counted)
    cell, loaded = cells[0], cells[0].load()
    assert best() == ("input-x-gradient", "signed")
    (found,) = saliency_measuring.measure(cell, loaded, ["wave"], "gradient", "signed", "test")
    assert taken == ["gradient", "gradient"]  # of the trained and of the untrained network
    running = running_of(cell, loaded)
    windows = class_windows(loaded, 1)
    for method, values in (("gradient", found.values), ("input-x-gradient", found.best)):
        expected = reduce(attributions(loaded.module, windows, 1, method, running=running))
        np.testing.assert_array_equal(values, expected)


def test_refusals(cells):
    with pytest.raises(ConfigError, match="no class is called 'wav'; did you mean 'wave'"):
        saliency(cells, class_name="wav")
    with pytest.raises(ConfigError, match="no trained row is called 'smal'; did you mean 'small'"):
        saliency(cells, row="smal")
    with pytest.raises(ConfigError, match="no part is called 'all'"):
        saliency(cells, part="all")
    with pytest.raises(ConfigError, match="0 is no number of channels"):
        saliency(cells, top=0)
    with pytest.raises(ConfigError, match="no method"):
        saliency(cells, method="lime")
    with pytest.raises(ConfigError, match="no reduction"):
        saliency(cells, reduction="max")
    with pytest.raises(ResultsError, match="no trained network"):
        saliency([])


def test_class_names_match_without_case_space_and_punctuation():
    classes = ["Null", "Open Door 1", "Open Door 2", "Drink from Cup"]
    for text in ("OpenDoor1", "open-door_1", "OPEN DOOR 1", "Open Door 1"):
        assert class_named(text, classes) == "Open Door 1"
    with pytest.raises(ConfigError, match="did you mean 'Drink from Cup'"):
        class_named("DrinkCup", classes)
    with pytest.raises(ConfigError, match=r"several classes are called 'AB' .*a b, a-b"):
        class_named("AB", ["a b", "a-b", "c"])
    assert class_named("a-b", ["a b", "a-b"]) == "a-b"
    assert plain("Öffne Tür 1!") == "öffnetür1"


def test_paper_numbers_are_those_of_table_3():
    printed = {
        62: "RLA magneticX", 40: "BACK accZ", 56: "RLA accX", 55: "RUA magneticZ",
        54: "RUA magneticY", 53: "RUA magneticX", 44: "BACK magneticX", 84: "L-SHOE EuY",
        99: "R-SHOE EuX", 100: "R-SHOE EuY", 15: "LH accY", 112: "R-SHOE AngVelNavFrameY",
        97: "L-SHOE AngVelNavFrameY", 108: "R-SHOE AngVelNavFrameX",
        113: "R-SHOE AngVelNavFrameZ", 75: "LLA accY", 94: "L-SHOE AngVelNavFrameX",
        96: "L-SHOE AngVelNavFrameY", 77: "LLA gyroX", 92: "R-SHOE AngVelNavFrameX",
    }  # fmt: skip
    for dataset in (OPPORTUNITY, SIMULATED):
        # The network may see some of the channels only; their numbers stay.
        some = dataset.channels[10:]
        mean = MeanMap(np.arange(103.0), None, "seed")
        table = channel_tables("t", mean, some, dataset, 103)["t: top 103 channels"]
        names = dict(zip(table["paper"], table["name"], strict=True))
        others = [n for n, name in printed.items() if names[n].split(" ", 1)[1] != name]
        assert others == [97, 108, 94, 92]  # Table 3 names other columns than it numbers
        assert (table["paper"] == table["channel"] + 1).all()
        assert table["column"].tolist() == [c.number for c in some[::-1]]


def test_every_method_and_reduction_has_a_known_answer():
    assert list(KNOWN_ANSWERS) == [(m, r) for m in METHODS for r in REDUCTIONS]
    assert KNOWN_ANSWERS[best()] == max(KNOWN_ANSWERS.values())
    assert found_share(np.array([5.0, 1, 4, 0, 3]), {0, 1, 2}) == pytest.approx(2 / 3)


def many(n, per_sensor=4):
    return [
        Channel(f"C{i}", f"S{i // per_sensor}", "hip", "accelerometer", "x", "g", i + 1)
        for i in range(n)
    ]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_curve_labels_sensors_where_channels_are_many(tmp_path):
    values = np.sin(np.arange(113.0))
    figure = curve(values, np.full(113, 0.1), many(113), title="t", ylabel="y", marked=[7, 2])
    (axes,) = figure.axes
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_ydata(), values)
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 114))
    (above,) = axes.child_axes
    assert ticks(above.xaxis) == [f"S{i}" for i in range(29)]
    assert ticks(axes.xaxis)[:3] == ["1", "5", "9"]
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    for ending in ("pdf", "svg", "png"):
        figure.savefig(tmp_path / f"f.{ending}")
    # Type 3 fonts are what publishers refuse.
    content = (tmp_path / "f.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"/Type3" not in content
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "f.svg").read_bytes()


def test_curve_names_channels_where_they_are_few():
    figure = curve(np.arange(6.0), None, many(6), title="t", ylabel="y")
    assert ticks(figure.axes[0].xaxis) == [f"C{i}" for i in range(6)]
    assert not figure.axes[0].child_axes


def test_grid_has_a_panel_for_each_class(tmp_path):
    maps = {f"class {i}": np.arange(113.0) * i for i in range(17)}
    figure = grid(maps, many(113), title="t")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in shown] == list(maps)
    for axes, values in zip(shown, maps.values(), strict=True):
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), values)
    figure.savefig(tmp_path / "g.png")
