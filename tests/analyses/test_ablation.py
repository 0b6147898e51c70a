"""The ablation against networks whose scores are a known function of their channels."""

import itertools
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import harbench
from harbench.errors import ConfigError, ResultsError
from harbench.execute.jobs import Failed
from harbench.execute.local import InProcessExecutor
from harbench.execute.run import (
    efforts_of,
    measure_costs,
    train_cells,
    work_of,
    write_manifests,
)
from harbench.execute.trained import trained_cells
from harbench.execute.variants import VariantTrainer
from harbench.nouns import Channel, LoadedCell, TrainedCell
from harbench.plan import plan
from harbench_analyses.ablation import ORDERS, ablation, register_analyses
from harbench_analyses.ablation_outcomes import Outcome, estimate, shortest
from harbench_analyses.ablation_ranking import at_random, by_map, default_counts, grouped
from harbench_analyses.ablation_tables import names_of
from harbench_analyses.ablation_training import as_pattern, nf
from harbench_analyses.attribution import saliency_map
from toys.toy_plugin import TOY
from toys.workplace import TOY_PLUGIN

LENGTH = 4
# Sensor and position of each channel; the sensors lie across one another.
PLACES = {
    "hand x": ("hand", "arm"),
    "foot x": ("foot", "leg"),
    "hand y": ("hand", "arm"),
    "back x": ("back", "trunk"),
    "foot y": ("foot", "leg"),
    "belt x": ("belt", "trunk"),
}
NAMES = tuple(PLACES)
# What a channel adds to NF; the map that the networks have says the same.
WORTH = dict(zip(NAMES, (0.16, 0.01, 0.08, 0.04, 0.02, 0.09), strict=True))


def channel(name, number, sensor="s", position="p"):
    return Channel(name, sensor, position, "accelerometer", "x", "g", number)


def channels_of(places):
    return tuple(channel(name, i, *place) for i, (name, place) in enumerate(places.items(), 1))


CHANNELS = channels_of(PLACES)


def additive(names, fold, seed):
    """NF: 0.5, and the worth of each channel."""
    return 0.5 + sum(WORTH[name] for name in names)


class OnlyTrain(dict):
    """Windows of the training part; to touch another is a mistake."""

    def __getitem__(self, part):
        assert part == "train", f"the {part} part was touched"
        return super().__getitem__(part)


def linear(values):
    """Its gradient, summed over time, is ``values`` [n_classes, n_channels]."""
    n_classes, n_channels = np.shape(values)
    module = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * LENGTH, n_classes))
    spread = np.repeat(np.asarray(values, np.float32) / LENGTH, LENGTH, axis=1)
    with torch.no_grad():
        module[1].weight.copy_(torch.from_numpy(spread))
    return module.eval()


def loaded_cell(values, channels=CHANNELS, labels=(0, 1, 2, 1, 2)):
    starts = np.arange(0, LENGTH * len(labels), LENGTH)
    rng = np.random.default_rng(0)
    empty = np.zeros(0, np.int64)
    return LoadedCell(
        module=linear(values),
        fresh=lambda seed: linear(values),
        signals=rng.normal(0, 1, (LENGTH * len(labels), len(channels))).astype(np.float32),
        length=LENGTH,
        starts=OnlyTrain(train=starts, validation=empty, test=empty),
        labels=OnlyTrain(train=np.array(labels), validation=empty, test=empty),
        dataset=replace(TOY, channels=channels),
        task=TOY.tasks[0],
        channels=channels,
        classes=TOY.tasks[0].classes,
        null=0,
    )


def worth_map(channels=CHANNELS):
    """NULL's values are the other way round: they must not count."""
    worth = np.array([WORTH.get(c.name, 0.0) for c in channels])
    return np.stack([-9 * worth, worth, worth])


def record(score, validation, split="fixed"):
    kept = {} if validation is None else {"validation_nf": validation}
    other = {} if validation is None else {"validation_nf": 0.123}
    return {
        "cell": {"recipe": {}},
        "classes": list(TOY.tasks[0].classes),
        "null": 0,
        "scores": {"nf": score, "macro_f1": score / 2},
        "kept_epoch": 2,
        "curve": [{"epoch": 1, **other}, {"epoch": 2, **kept}, {"epoch": 3, **other}],
        "settings": {"split": {"kind": split}},
    }


def cost(n):
    return {"parameters": 100 + n, "parameters_with_buffers": 110 + n, "macs": 1000 * n}


class World:
    """Finished cells, and a trainer that gives each variant the scores that it must have."""

    def __init__(
        self,
        score=additive,
        validation=additive,
        *,
        folds=("A", "B"),
        seeds=(0, 1),
        channels=CHANNELS,
        values=None,
        split="fixed",
        simulates=None,
        row="net",
    ):
        self.score, self.validation, self.split = score, validation, split
        self.channels = channels
        self.calls = []
        self.cells = []
        values = {} if values is None else values
        for fold, seed in itertools.product(folds, seeds):
            own = values.get((fold, seed), values.get(fold, worth_map(channels)))
            cell = TrainedCell(
                row=row,
                fold=fold,
                seed=seed,
                folder=Path(),
                record={"cell": {"recipe": {}}},
                load=lambda own=own: loaded_cell(own, channels),
                benchmark="b",
                simulates=simulates,
            )
            self.cells.append(self._trained(cell, [c.name for c in channels]))

    def _trained(self, cell, names):
        validation = self.validation and self.validation(names, cell.fold, cell.seed)
        score = self.score(names, cell.fold, cell.seed)
        return replace(cell, record=record(score, validation, self.split), cost=cost(len(names)))

    def __call__(self, wanted):
        call, made = [], []
        for variant in wanted:
            assert set(variant.protocol) == {"channels"}
            patterns = variant.protocol["channels"]
            # As harbench.data.channels: patterns, each of which must match.
            assert all(any(fnmatchcase(c.name, p) for c in self.channels) for p in patterns)
            names = [c.name for c in self.channels if any(fnmatchcase(c.name, p) for p in patterns)]
            assert len(names) == len(patterns)
            assert list(patterns) == [as_pattern(name) for name in names]
            call.append((variant.of.fold, variant.of.seed, tuple(names)))
            made.append([self._trained(variant.of, names)])
        assert len(set(call)) == len(call), "one network was asked for twice in a call"
        self.calls.append(call)
        return made

    def run(self, **options):
        return ablation(self.cells, self, **options)


def lines(table):
    """(order, k) -> its line."""
    return {(line["order"], line["k"]): line for line in table.to_dict("records")}


def chosen(result, by="channel"):
    """(fold, order, k) -> names."""
    table = result.tables[f"chosen {by}s"]
    return {(r["fold"], r["order"], r["k"]): r["names"] for r in table.to_dict("records")}


def test_top_is_above_random_is_above_bottom():
    world = World()
    result = world.run(k=[1, 2, 3], draws=4)
    table = result.tables["NF by number of channels"]
    assert list(table.columns) == [
        "order", "k", "channels", "NF", "±", "loss", "loss ±", "macro F1",
        "parameters", "with buffers", "MACs", "networks",
    ]  # fmt: skip
    assert list(zip(table["order"], table["k"], strict=True)) == [
        ("all", 6),
        *((order, k) for order in ("top", "bottom", "random") for k in (1, 2, 3)),
    ]
    found = lines(table)
    assert found["all", 6]["NF"] == pytest.approx(90)
    assert found["all", 6]["loss"] == 0
    for k, top, bottom in ((1, 66, 51), (2, 75, 53), (3, 83, 57)):
        assert found["top", k]["NF"] == pytest.approx(top)
        assert found["bottom", k]["NF"] == pytest.approx(bottom)
        assert bottom < found["random", k]["NF"] < top
        assert found["top", k]["loss"] == pytest.approx(90 - top)
        assert found["top", k]["macro F1"] == pytest.approx(top / 2)
        for order in ("top", "bottom", "random"):
            line = found[order, k]
            costs = [line[name] for name in ("channels", "parameters", "with buffers", "MACs")]
            assert costs == [k, 100 + k, 110 + k, 1000 * k]
            assert all(isinstance(value, int) for value in costs)
    assert found["top", 2]["networks"] == found["all", 6]["networks"] == 4
    assert found["random", 3]["networks"] <= 16
    # One call; what two orders share is in it once.
    assert len(world.calls) == 1


def test_the_chosen_are_named_in_the_order_of_their_ranking():
    found = chosen(World().run(k=[1, 3]))
    assert found["A", "top", 3] == "hand x, belt x, hand y"
    assert found["B", "top", 1] == "hand x"
    assert found["B", "bottom", 3] == "foot x, foot y, back x"
    assert {order for _, order, _ in found} == {"top", "bottom"}


def test_each_fold_ranks_for_itself_by_the_mean_over_its_seeds_and_classes_but_null():
    def values(*worth):
        return np.array([[50, -50, 0, 0, 0, 0], worth, np.multiply(worth, 3)])

    world = World(
        values={
            ("A", 0): values(1, 2, 3, 4, 5, 6),
            ("A", 1): values(20, -2, -1, 0, 1, 2),
            "B": values(6, 5, 4, 3, 2, 1),
        }
    )
    rankings = by_map(world.cells, grouped(CHANNELS, "channel"), "gradient", "signed")
    # Fold A: 21, 0, 2, 4, 6, 8.
    assert rankings == {"A": (0, 5, 4, 3, 2, 1), "B": (0, 1, 2, 3, 4, 5)}
    found = chosen(world.run(k=2, orders="top"))
    assert found == {("A", "top", 2): "hand x, belt x", ("B", "top", 2): "hand x, foot x"}


def test_the_map_is_that_of_the_training_windows():
    # OnlyTrain refuses every other part; a class without a training window is left out.
    cell = loaded_cell(worth_map(), labels=(0, 0, 1, 1, 1))
    with pytest.raises(AssertionError, match="the test part was touched"):
        saliency_map(cell, "test", 1)
    world = World(folds=("A",), seeds=(0,))
    lone = replace(world.cells[0], load=lambda: cell)
    grouping = grouped(CHANNELS, "channel")
    top = by_map([lone], grouping, "input-x-gradient", "mean-absolute")["A"]
    values = saliency_map(cell, "train", 1, "input-x-gradient", "mean-absolute")
    assert top == tuple(np.argsort(-values, kind="stable"))
    null_only = replace(lone, load=lambda: loaded_cell(worth_map(), labels=(0, 0)))
    with pytest.raises(ResultsError, match="no class has a training window"):
        by_map([null_only], grouping, "gradient", "signed")


def test_of_equal_values_the_first_is_on_top():
    flat = np.ones((3, 6))
    found = chosen(World(values={"A": flat, "B": flat}).run(k=[2], orders=["top", "bottom"]))
    assert found["A", "top", 2] == "hand x, foot x"
    # The ranking read from its other end: top k and bottom n - k share nothing.
    assert found["A", "bottom", 2] == "belt x, foot y"


def test_signed_values_rank_channels_by_value_and_sensors_by_size():
    worth = np.array([1.0, -9, -1, 5, 9, 2])
    values = np.stack([worth, worth, worth])
    world = World(values={"A": values, "B": values})
    found = chosen(world.run(k=[1], orders=["top", "bottom"]))
    assert found["A", "top", 1] == "foot y"
    assert found["A", "bottom", 1] == "foot x"
    result = world.run(k=[1, 3], orders=["top", "bottom"], by="sensor")
    # hand 1 + 1, foot 9 + 9, back 5, belt 2: of equals the first is ahead.
    assert chosen(result, "sensor")["A", "top", 3] == "foot, back, hand"
    assert chosen(result, "sensor")["A", "bottom", 1] == "belt"


def test_groups_are_channels_of_one_sensor_or_position():
    sensors = grouped(CHANNELS, "sensor")
    assert sensors.names == ("hand", "foot", "back", "belt")
    assert sensors.members == ((0, 2), (1, 4), (3,), (5,))
    assert sensors.channels_of((1, 0)) == ("hand x", "foot x", "hand y", "foot y")
    np.testing.assert_array_equal(
        sensors.scores(np.array([1.0, 2, -3, -4, 5, 6])), [4.0, 7.0, 4.0, 6.0]
    )
    assert grouped(CHANNELS, "position").names == ("arm", "leg", "trunk")
    assert grouped(CHANNELS, "channel").names == NAMES


def test_variants_hold_the_channels_in_the_order_of_the_dataset():
    world = World(folds=("A",), seeds=(0,))
    result = world.run(by="position", k=[2], orders="top")
    assert chosen(result, "position")["A", "top", 2] == "arm, trunk"
    assert world.calls == [[("A", 0, ("hand x", "hand y", "back x", "belt x"))]]
    line = lines(result.tables["NF by number of positions"])["top", 2]
    assert (line["channels"], line["MACs"]) == (4, 4000)


def test_costs_of_folds_with_sensors_of_different_sizes_are_means():
    back = np.stack([np.array([0.0, 0, 0, 9, 0, 0])] * 3)
    world = World(values={"B": back}, seeds=(0,))
    result = world.run(by="sensor", k=[1], orders="top")
    line = lines(result.tables["NF by number of sensors"])["top", 1]
    # Two channels of the hand, one of the back.
    assert line["channels"] == 1.5
    assert line["parameters"] == 102  # 101.5, rounded to even
    assert line["MACs"] == 1500


def test_unknown_costs_are_not_made_up():
    world = World()
    world.cells = [replace(world.cells[0], cost=None), *world.cells[1:]]
    result = world.run(k=[2], orders="top")
    found = lines(result.tables["NF by number of channels"])
    assert np.isnan(found["all", 6]["parameters"])
    assert found["top", 2]["parameters"] == 102
    assert len(result.figures["ablation-net-channel"].axes) == 1


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_random_orders_hold_every_group_once_and_are_the_same_again(n, seed, draw):
    order = at_random(n, "S1", seed, draw)
    assert sorted(order) == list(range(n))
    assert order == at_random(n, "S1", seed, draw)


def test_random_sets_are_nested_and_differ_by_fold_seed_and_draw():
    world = World()
    world.run(k=[1, 2, 4], orders="random", draws=3)
    (call,) = world.calls
    for fold, seed in itertools.product("AB", (0, 1)):
        orders = [at_random(6, fold, seed, draw) for draw in range(3)]
        expected = {
            tuple(NAMES[i] for i in sorted(order[:k])) for order in orders for k in (1, 2, 4)
        }
        assert {names for f, s, names in call if (f, s) == (fold, seed)} == expected
    every = [at_random(20, f, s, d) for f in ("A", "B", "") for s in (0, 1) for d in (0, 1)]
    assert len(set(every)) == 12


def test_draws_are_averaged_before_anything_else():
    world = World()
    result = world.run(k=[2], orders="random", draws=3)
    scores = {
        (fold, seed): np.mean(
            [additive([NAMES[i] for i in at_random(6, fold, seed, d)[:2]], "", 0) for d in range(3)]
        )
        for fold, seed in itertools.product("AB", (0, 1))
    }
    line = lines(result.tables["NF by number of channels"])["random", 2]
    expected = estimate(scores)
    assert line["NF"] == pytest.approx(100 * expected.mean)
    assert line["±"] == pytest.approx(100 * expected.half)


def test_equal_draws_are_one_network():
    world = World()
    result = world.run(by="position", k=[2], orders="random", draws=6)
    sets = {
        (fold, seed, frozenset(at_random(3, fold, seed, draw)[:2]))
        for fold, seed, draw in itertools.product("AB", (0, 1), range(6))
    }
    assert len(world.calls[0]) == len(sets)
    line = lines(result.tables["NF by number of positions"])["random", 2]
    assert line["networks"] == len(sets)
    assert f"{len(sets)} further networks were trained" in "\n".join(result.notes)


def test_intervals_and_paired_losses_by_hand():
    base = {("A", 0): 0.80, ("A", 1): 0.84, ("B", 0): 0.60, ("B", 1): 0.64}
    lost = {("A", 0): 0.01, ("A", 1): 0.03, ("B", 0): 0.05, ("B", 1): 0.07}

    def score(names, fold, seed):
        return base[fold, seed] - (lost[fold, seed] if len(names) < 6 else 0)

    line = lines(World(score).run(k=[3], orders="top").tables["NF by number of channels"])
    # t(0.975, 1) = 12.7062; with two folds the standard error is half of their difference.
    assert line["all", 6]["NF"] == pytest.approx(72)
    assert line["all", 6]["±"] == pytest.approx(12.7062 * 10, rel=1e-5)
    assert line["top", 3]["NF"] == pytest.approx(68)
    assert line["top", 3]["±"] == pytest.approx(12.7062 * 12, rel=1e-5)
    # Pairing takes out what the folds differ by: losses of 2 and 6 points.
    assert line["top", 3]["loss"] == pytest.approx(4)
    assert line["top", 3]["loss ±"] == pytest.approx(12.7062 * 2, rel=1e-5)
    # One fold: over its three seeds. t(0.975, 2) = 4.30265, standard deviation 1 point.
    seeds = {0: 0.80, 1: 0.81, 2: 0.82}
    world = World(lambda names, fold, seed: seeds[seed], folds=("A",), seeds=(0, 1, 2))
    result = world.run(k=[3], orders="top")
    line = lines(result.tables["NF by number of channels"])["top", 3]
    assert line["±"] == pytest.approx(4.30265 / 3**0.5, rel=1e-5)
    assert line["loss ±"] == pytest.approx(0, abs=1e-9)
    assert "95 % t interval over seeds" in " ".join(result.notes)
    lone = World(folds=("A",), seeds=(0,)).run(k=[3], orders="top")
    assert np.isnan(lone.tables["NF by number of channels"]["±"]).all()
    assert "no interval can be given" in " ".join(lone.notes)


def test_forward_finds_the_pair_that_the_ranking_misses():
    # Together foot x and belt x do it; each channel alone says little.
    def validation(names, fold, seed):
        names = set(names)
        alone = 0.3 + (0.1 if "foot x" in names else 0.0) + 0.01 * len(names)
        return alone + (0.4 if {"foot x", "belt x"} <= names else 0.0)

    world = World(validation=validation)
    result = world.run(k=[1, 2], orders=["top", "forward"])
    found = chosen(result)
    for fold in "AB":
        assert found[fold, "forward", 1] == "foot x"
        assert found[fold, "forward", 2] == "foot x, belt x"
        assert found[fold, "top", 2] == "hand x, belt x"
    # All of top in one call; then a call for each round: 6 candidates, of which the network
    # with hand x is there already, and 5, of 2 folds and 2 seeds.
    assert [len(call) for call in world.calls] == [8, 20, 20]
    assert "48 further networks were trained" in "\n".join(result.notes)


def test_forward_takes_the_mean_over_seeds_of_each_fold():
    def validation(names, fold, seed):
        best = {("A", 0): "hand y", ("A", 1): "belt x", ("B", 0): "foot y", ("B", 1): "foot y"}
        value = 0.9 if list(names) == [best[fold, seed]] else 0.1
        return value + (0.05 if list(names) == ["belt x"] else 0.0)

    found = chosen(World(validation=validation).run(k=[1], orders="forward"))
    assert found == {("A", "forward", 1): "belt x", ("B", "forward", 1): "foot y"}


def test_greedy_ties_go_to_the_first():
    world = World(validation=lambda names, fold, seed: 0.5)
    found = chosen(world.run(k=[2], orders=["forward", "backward"]))
    assert found["A", "forward", 2] == "hand x, foot x"
    # Left out one after another: hand x, foot x, hand y, back x.
    assert found["A", "backward", 2] == "foot y, belt x"


def test_backward_goes_down_to_the_fewest_that_are_asked_for():
    world = World()
    result = world.run(k=[5, 4], orders="backward")
    found = chosen(result)
    assert found["A", "backward", 4] == "hand x, hand y, back x, belt x"
    assert found["A", "backward", 5] == "hand x, hand y, back x, belt x, foot y"
    assert [len(call) for call in world.calls] == [6 * 4, 5 * 4]
    assert lines(result.tables["NF by number of channels"])["backward", 4]["NF"] == (
        pytest.approx(87)
    )


def test_greedy_reads_the_epoch_that_was_kept():
    # Every other epoch says 0.123 for all; additive is what epoch 2 says.
    found = chosen(World().run(k=[2], orders="forward"))
    assert found["A", "forward", 2] == "hand x, belt x"


@pytest.mark.parametrize(
    ("split", "better"),
    [
        ("leave-one-out", "kind: leave-one-out, validation: 1"),
        ("groups", "kind: groups, validation: 1"),
        ("fixed", "names validation recordings"),
        ("blocks", r"ratio: \[8, 1, 1\]"),
    ],
)
def test_greedy_without_validation_says_what_would_do(split, better):
    world = World(validation=None, split=split)
    with pytest.raises(ConfigError, match=rf"fold A, has none .*{better}") as caught:
        world.run(orders=["top", "forward"])
    assert caught.value.where == "orders"
    assert not world.calls


def test_all_of_them_are_not_trained_again():
    world = World()
    result = world.run(k=[6], orders=ORDERS)
    # Greedy has to find its way there; all six of them are never trained.
    assert all(len(names) < 6 for call in world.calls for _, _, names in call)
    found = lines(result.tables["NF by number of channels"])
    for order in ORDERS:
        assert found[order, 6]["NF"] == found["all", 6]["NF"]
        assert found[order, 6]["loss"] == 0
    plain = World()
    plain.run(k=[6], orders=["top", "bottom", "random"])
    assert plain.calls == []


def test_names_with_pattern_characters_mean_themselves():
    places = {name: (name, "p") for name in ("acc[0]", "acc0", "a*", "acc?", "x]")}
    channels = channels_of(places)

    def score(names, fold, seed):
        return len(names) / 10

    values = np.stack([np.array([5.0, 4, 3, 2, 1])] * 3)
    for k in (1, 2, 3, 4):
        world = World(score, score, channels=channels, values={"A": values, "B": values})
        result = world.run(k=k, orders=["top", "bottom"])
        for _, _, names in world.calls[0]:
            assert len(names) == k
        assert chosen(result)["A", "top", k] == ", ".join(list(places)[:k])
    assert as_pattern("a[b]*?c!") == "a[[]b][*][?]c!"


@given(st.text(alphabet="ab[]*?!-\\", min_size=1, max_size=8), st.text("ab[]*?!-\\", max_size=8))
def test_an_escaped_name_matches_itself_alone(name, other):
    assert fnmatchcase(name, as_pattern(name))
    assert fnmatchcase(other, as_pattern(name)) == (other == name)


def shortest_lines(result, by="channel"):
    table = result.tables[f"shortest list of {by}s"]
    assert list(table.columns) == ["order", "k", "of", "NF", "loss", "chosen on", "list"]
    return {line["order"]: line for line in table.to_dict("records")}


def falls(*losses):
    """NF 0.9, less what so many channels lose: ``losses[k - 1]``."""
    return lambda names, fold, seed: 0.9 - (*losses, 0.0, 0.0, 0.0, 0.0, 0.0)[len(names) - 1]


def test_the_shortest_list_is_chosen_on_validation():
    # On the test windows one channel would do; on validation it takes three, exactly at 0.02.
    world = World(falls(0.01, 0.01, 0.015), falls(0.3, 0.021, 0.02))
    result = world.run(k=[1, 2, 3, 4], orders=["top", "bottom", "random"])
    found = shortest_lines(result)
    assert list(found) == ["top"]
    assert (found["top"]["k"], found["top"]["of"]) == (3, 6)
    assert found["top"]["NF"] == pytest.approx(88.5)
    assert found["top"]["loss"] == pytest.approx(1.5)
    assert found["top"]["chosen on"] == "validation"
    # In the dataset's order.
    assert found["top"]["list"] == "hand x, hand y, belt x"
    text = "\n".join(result.notes)
    assert "3 of 6 channels keep NF within 0.02 (top order, chosen on validation)." in text
    assert "optimistic" not in text
    wider = World(falls(0.01, 0.01, 0.015), falls(0.3, 0.021, 0.02)).run(k=[1, 2, 3], within=0.05)
    assert shortest_lines(wider)["top"]["k"] == 2


def test_without_validation_it_is_chosen_on_test_and_said_so():
    world = World(falls(0.3, 0.01), None, split="leave-one-out")
    result = world.run(k=[1, 2, 3], orders=["bottom", "top"])
    found = shortest_lines(result)
    assert (found["top"]["k"], found["top"]["chosen on"]) == (2, "test")
    text = "\n".join(result.notes)
    assert "2 of 6 channels keep NF within 0.02 (top order, chosen on test)." in text
    assert "chosen on the very test recordings" in text
    assert "optimistic" in text


def test_one_cell_without_validation_is_enough_for_that():
    def some(names, fold, seed):
        return additive(names, fold, seed) if fold == "A" else None

    assert shortest_lines(World(validation=some).run(k=[5]))["top"]["chosen on"] == "test"


def test_where_no_list_is_short_enough_it_is_all_of_them():
    result = World(falls(0.3, 0.3, 0.3, 0.3, 0.3), None).run(k=[1, 2], orders="top", by="sensor")
    line = shortest_lines(result, "sensor")["top"]
    assert (line["k"], line["of"], line["list"]) == (4, 4, "all 4 sensors")
    assert line["loss"] == 0
    assert line["NF"] == pytest.approx(90)
    assert "No shorter list that was tried keeps NF within 0.02 (top order" in "\n".join(
        result.notes
    )


def test_a_loss_that_is_no_number_fits_nothing():
    world = World()
    whole = Outcome("all", 6, {}, {("A", 0): (world.cells[0],)})
    odd = replace(world.cells[0], record=record(np.nan, None))
    first = Outcome("top", 1, {("A", 0): ((0,),)}, {("A", 0): (odd,)})
    second = Outcome("top", 2, {("A", 0): ((0, 1),)}, {("A", 0): (world.cells[0],)})
    assert shortest([first, second], whole, nf, 0.02) is second
    assert shortest([first], whole, nf, 0.02) is whole


def test_a_list_that_differs_between_folds_says_what_they_share():
    grouping = grouped(CHANNELS, "channel")

    def text(*of_folds):
        chosen = {(str(fold), 0): (groups,) for fold, groups in enumerate(of_folds)}
        return names_of(Outcome("top", len(of_folds[0]), chosen, {}), grouping)

    assert text((2, 0), (0, 2)) == "hand x, hand y"
    assert text((2, 0), (0, 5), (0, 1)) == "hand x; in some folds: foot x, hand y, belt x"
    assert text((1,), (0,)) == "in some folds: hand x, foot x"


def test_controls_have_no_shortest_list_and_chance_chooses_nothing():
    result = World().run(k=[2], orders="random")
    assert list(result.tables) == ["NF by number of channels"]
    result = World().run(k=[2], orders=["bottom"])
    assert list(result.tables) == ["NF by number of channels", "chosen channels"]
    result = World().run(k=[2], orders=["forward", "backward"], by="position")
    assert list(result.tables) == [
        "NF by number of positions", "shortest list of positions", "chosen positions",
    ]  # fmt: skip
    assert list(shortest_lines(result, "position")) == ["forward", "backward"]


def test_without_top_and_bottom_no_map_is_made():
    world = World()
    for cell in world.cells[1:]:
        object.__setattr__(cell, "load", None)
    result = world.run(k=[2], orders=["random", "forward"])
    assert "saliency map" not in "\n".join(result.notes)


def test_counts_where_nobody_says():
    assert default_counts(2) == (1,)
    assert default_counts(8) == (1, 2, 3, 4, 5, 6, 7)
    assert default_counts(9) == (1, 2, 4)
    assert default_counts(113) == (1, 3, 7, 14, 28, 56)
    result = World().run(orders="top", by="sensor")
    assert result.tables["NF by number of sensors"]["k"].tolist() == [4, 1, 2, 3]


def test_one_number_and_one_order_need_no_list():
    one = World().run(k=2, orders="top")
    many = World().run(k=(2, 2), orders=["top", "top"])
    for title, table in one.tables.items():
        assert table.equals(many.tables[title])
    assert World().run(k=[3, 1], orders="top").tables["chosen channels"]["k"].tolist()[:2] == [1, 3]


@pytest.mark.parametrize(
    ("options", "where", "text"),
    [
        ({"k": 0}, "k", "0 is no number to keep"),
        ({"k": [2, 1.5]}, "k", r"\[2, 1.5\] is no number to keep"),
        ({"k": True}, "k", "True is no number to keep"),
        ({"k": ()}, "k", r"\[\] is no number to keep"),
        ({"k": "3"}, "k", "3 is no number to keep"),
        ({"k": [2, 7]}, "k", r"there are 6 channels, and 7 .*1 \.\. 6"),
        ({"k": 5, "by": "sensor"}, "k", "there are 4 sensors, and 5"),
        ({"orders": ("top", "botom")}, None, "no order is called 'botom'; did you mean 'bottom'"),
        ({"orders": ()}, "orders", "there is no order"),
        ({"orders": 3}, None, "no order is called '3'"),
        ({"orders": [["top"]]}, None, "no order is called"),
        ({"by": "axis"}, None, "no grouping is called 'axis'"),
        ({"by": ("sensor",)}, None, "no grouping is called"),
        ({"method": "gradients"}, None, "no method is called 'gradients'; did you mean"),
        ({"method": ["gradient"]}, None, "no method is called"),
        ({"reduction": None}, None, "no reduction is called 'None'"),
        ({"draws": 0}, "draws", "0 is no number of draws"),
        ({"draws": 1.0}, "draws", "1.0 is no number of draws"),
        ({"within": 0}, "within", "0 is no loss of NF"),
        ({"within": 1}, "within", "1 is no loss of NF"),
        ({"within": 2.0}, "within", "2.0 is no loss"),
        ({"within": "0.02"}, "within", "0.02 is no loss"),
        ({"within": True}, "within", "True is no loss"),
        ({"row": "nett"}, "row", "no trained row is called 'nett'; did you mean 'net'"),
    ],
)
def test_refusals(options, where, text):
    world = World()
    with pytest.raises(ConfigError, match=text) as caught:
        world.run(**options)
    assert caught.value.where == where
    assert caught.value.expected
    assert not world.calls


def test_nothing_can_be_left_out_of_one():
    one = dict.fromkeys(("x", "y"), ("watch", "wrist"))
    world = World(lambda *_: 0.5, lambda *_: 0.5, channels=channels_of(one))
    with pytest.raises(ConfigError, match=r"only one sensor, 'watch', .*\(expected channel\)"):
        world.run(by="sensor")
    with pytest.raises(ConfigError, match="only one channel, 'x'"):
        grouped(channels_of({"x": ("watch", "wrist")}), "channel")
    with pytest.raises(ResultsError, match="no trained network"):
        ablation([], world)


def test_a_row_is_chosen_and_the_others_are_named():
    first, second = World(row="one"), World(row="two")
    cells = [*first.cells, *second.cells]
    result = ablation(cells, second, row="two", k=2, orders="top")
    assert "ablation-two-channel" in result.figures
    assert "Other trained rows, not shown: one." in result.notes
    result = ablation(cells, first, k=2, orders="top")
    assert "ablation-one-channel" in result.figures


def test_notes_say_what_a_reader_must_know():
    text = "\n".join(World().run(k=[2], draws=3).notes)
    assert "Model net, 4 trained networks: 2 folds, 2 seeds each" in text
    assert "For the lines below 'all' " in text
    assert "made of training windows only" in text
    assert "method gradient" in text
    assert "finds 48% of the channels that carry a gesture; chance is 4%" in text
    assert "bottom channels are those with the most negative values" in text
    assert "3 random sets of each size" in text
    assert "95 % t interval over folds" in text
    assert "SIMULATED" not in text
    assert "Other trained rows" not in text
    world = World(simulates="opportunity")
    other = world.run(k=[2], by="sensor", method="occlusion", reduction="absolute").notes
    assert other[0] == "The recordings are SIMULATED, in the format of opportunity."
    text = "\n".join(other)
    assert "The paper's are gradient and signed." in text
    assert "most negative" not in text
    assert "A sensor ranks by the sum of |value| over its channels." in text
    assert "no other finds more" in text
    uneven = World()
    uneven.cells = uneven.cells[:-1]
    assert "2 folds, 1 to 2 seeds each" in "\n".join(uneven.run(k=2, orders="top").notes)


def test_equal_runs_say_the_same():
    first, again = (World().run(orders=ORDERS, draws=2) for _ in range(2))
    assert first.notes == again.notes
    assert list(first.tables) == list(again.tables)
    for title, table in first.tables.items():
        assert table.equals(again.tables[title])


def test_the_figure_marks_and_names_the_shortest_list():
    result = World().run(k=[1, 3], by="sensor", within=0.9)
    (figure,) = result.figures.values()
    scores = figure.axes[0]
    rows = result.tables["shortest list of sensors"]
    shorter = rows[rows["k"] < rows["of"]]
    rings = {line.get_gid(): line for line in scores.lines if "shortest" in str(line.get_gid())}
    assert len(shorter) > 0 and len(rings) == len(shorter)
    for row in shorter.itertuples():
        assert rings[f"shortest-{row.order}"].get_xdata() == [row.k]
        assert f"{row.order}, {row.k} of {row.of}: {row.list}" in figure.get_supxlabel()


def test_the_figure_shows_the_table(tmp_path):
    result = World(simulates="opportunity").run(k=[1, 3], by="sensor")
    (name,) = result.figures
    assert name == "ablation-net-sensor"
    figure = result.figures[name]
    assert figure.get_size_inches()[0] == pytest.approx(3.4)
    assert "simulated data" in figure.get_suptitle()
    scores, costs = figure.axes
    found = lines(result.tables["NF by number of sensors"])
    drawn = [list(line.get_ydata()) for line in scores.lines if list(line.get_xdata()) == [1, 3, 4]]
    wanted = [
        [found[order, 1]["NF"], found[order, 3]["NF"], found["all", 4]["NF"]]
        for order in ("top", "bottom", "random")
    ]
    assert drawn == [pytest.approx(line) for line in wanted]
    shares = [list(line.get_ydata()) for line in costs.lines]
    assert shares[0] == pytest.approx(
        [100 * found["top", k]["parameters"] / 106 for k in (1, 3)] + [100], abs=0.5
    )
    assert [text.get_text() for text in scores.texts] == ["all 4"]
    assert [text.get_text() for text in scores.get_legend().get_texts()] == [
        "top", "bottom", "random",
    ]  # fmt: skip
    assert [text.get_text() for text in costs.get_legend().get_texts()] == [
        "parameters (all: 106)", "MACs (all: 6k)",
    ]  # fmt: skip
    assert [label.get_text() for label in costs.get_xticklabels()] == ["1", "3", "4"]
    for ending in ("pdf", "svg", "png"):
        figure.savefig(tmp_path / f"f.{ending}")
    content = (tmp_path / "f.pdf").read_bytes()
    assert content.startswith(b"%PDF") and b"/Type3" not in content
    smallest = min(
        text.get_fontsize()
        for axes in figure.axes
        for text in axes.findobj(lambda artist: hasattr(artist, "get_fontsize"))
        if text.get_text()
    )
    assert smallest >= 6


def test_it_is_registered_as_an_analysis_that_trains():
    found = []
    register_analyses(found.append)
    (analysis,) = found
    assert (analysis.name, analysis.trains) == ("ablation", True)
    assert analysis.run is ablation
    assert analysis.options == {
        "row": None,
        "by": "channel",
        "k": None,
        "orders": ("top", "bottom", "random"),
        "draws": 1,
        "method": "gradient",
        "reduction": "signed",
        "within": 0.02,
    }
    assert isinstance(analysis, harbench.Analysis)


TOY_RUN = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {split: fixed, window: 20, step: 10, label: majority}
    recipe: {epochs: 4}
    seeds: 1
    models: [small]
"""


def test_real_networks_keep_the_channels_that_carry_the_classes(
    workplace, one_thread, quick_latency
):
    # Wave is in ACC x, turn in ACC y, and nothing in ACC z.
    def finish(planned):
        work = work_of(planned, workplace.store, plugin_files=(TOY_PLUGIN,))
        events = [
            *measure_costs(work, workplace.store, InProcessExecutor()),
            *train_cells(
                work,
                efforts_of(work, planned, workplace.store),
                workplace.store,
                InProcessExecutor(),
            ),
        ]
        done.append(len(work.cells))
        assert not [event.reason for event in events if isinstance(event, Failed)]

    done = []
    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(TOY_RUN)]
    write_manifests(planned, workplace.store)
    finish(planned)
    cells = trained_cells(workplace.store, "toy", lambda: workplace.registry)

    def run():
        trainer = VariantTrainer(workplace.store, lambda: workplace.registry, finish)
        return ablation(
            cells, trainer, orders=("top", "bottom", "forward"), method="occlusion", within=0.1
        )

    result = run()
    found = lines(result.tables["NF by number of channels"])
    names = chosen(result)
    assert set(names["all", "top", 2].split(", ")) == {"ACC x", "ACC y"}
    assert set(names["all", "forward", 2].split(", ")) == {"ACC x", "ACC y"}
    assert names["all", "bottom", 1] == "ACC z"
    assert found["top", 2]["NF"] > found["top", 1]["NF"] + 10 > found["bottom", 1]["NF"] + 20
    assert shortest_lines(result)["top"]["list"] == "ACC x, ACC y"
    # conv 3 x 8 x channels, as the network has it: 24 parameters a channel.
    assert found["all", 3]["parameters"] - found["top", 1]["parameters"] == 48
    trained = sum(done)
    again = run()
    assert sum(done) == trained
    for title, table in result.tables.items():
        assert table.equals(again.tables[title])
