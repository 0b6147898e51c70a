"""The data study: which trainings it asks for, its tables by hand, the leak's arithmetic."""

import inspect
import math
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harbench.data.splits import folds_of
from harbench.errors import ConfigError, ResultsError
from harbench.metrics import score
from harbench.nouns import BlockSplit, Protocol, RandomWindowSplit, TrainedCell
from harbench_analyses.data_study import data_study
from toys.toy_plugin import TOY
from toys.workplace import TOY_PLUGIN, carry_out

CLASSES = ("Null", "wave", "turn")
RANDOM, BLOCKS = RandomWindowSplit(), BlockSplit()


def matrix(right, n_classes, n=10):
    """Every class has n windows, ``right`` of them right: precision, recall, F1 are right / n."""
    return right * np.eye(n_classes, dtype=int) + (n - right) * np.roll(
        np.eye(n_classes, dtype=int), 1, axis=1
    )


def cell(right, *, kept=True, fold="all", seed=0, shared=0.0, windows=(80, 20), **fields):
    classes = CLASSES if kept else CLASSES[1:]
    null = 0 if kept and fields.pop("has_null", True) else None
    counts = matrix(right, len(classes)) if isinstance(right, int) else np.array(right)
    record = {
        "cell": {"dataset": "toy", "task": "gestures", "recipe": {}},
        "settings": {
            "protocol": {"null": "keep" if kept else "drop"},
            "split": {"kind": "fixed"},
        },
        "classes": list(classes),
        "null": null,
        "windows": {"train": windows[0], "validation": 10, "test": windows[1]},
        "overlap": {"test": shared, "validation": 0.0},
        "confusion": counts.tolist(),
        "scores": score(counts, classes, null).to_json(),
    }
    of = {"row": "small", "folder": Path(), "load": never, **fields}
    return TrainedCell(fold=fold, seed=seed, record=record, **of)


def never():
    raise AssertionError("nothing needs the network")


def setting_of(variant):
    split = variant.protocol.get("split")
    return (getattr(split, "kind", "part"), variant.protocol["null"])


class FakeTrainer:
    """Gives cells whose NF is known: ``right[kind of split, null][seed]`` of ten."""

    def __init__(self, right):
        self.right = right
        self.calls = []

    def __call__(self, wanted):
        self.calls.append(list(wanted))
        return [[self.made(variant)] for variant in wanted]

    def made(self, variant):
        kind, null = setting_of(variant)
        right = self.right.get((kind, null), {0: 5, 1: 6})[variant.of.seed]
        fold = variant.of.fold if kind == "part" else "all"
        leaks = {"random-windows": 0.96, "blocks": 0.0, "part": 0.0}
        return cell(
            right,
            kept=null == "keep",
            fold=fold,
            seed=variant.of.seed,
            shared=leaks[kind],
            windows=(200, 25),
            simulates=variant.of.simulates,
        )


RIGHT = {
    ("part", "drop"): {0: 4, 1: 6},
    ("random-windows", "keep"): {0: 9, 1: 9},
    ("random-windows", "drop"): {0: 9, 1: 8},
    ("blocks", "keep"): {0: 8, 1: 7},
    ("blocks", "drop"): {0: 9, 1: 7},
}
# t(0.975, 1) / sqrt(2), times a standard deviation of |a - b| / sqrt(2).
HALF_OF_TWO = 12.7062 / 2


@pytest.fixture
def studied():
    train = FakeTrainer(RIGHT)
    cells = [cell(7, seed=0), cell(7, seed=1), cell(3, row="other")]
    return data_study(cells, train), train


def test_what_is_asked_for(studied):
    _, train = studied
    (wanted,) = train.calls
    found = Counter((*setting_of(v), v.of.seed) for v in wanted)
    assert found == Counter({(kind, null, seed): 1 for kind, null in RIGHT for seed in (0, 1)})
    assert {v.of.row for v in wanted} == {"small"}
    for variant in wanted:
        split = variant.protocol.get("split")
        # The split of the part stays as it is: the trainer must not take it for another.
        expected = {"part": None, "random-windows": RANDOM, "blocks": BLOCKS}
        assert split == expected[setting_of(variant)[0]]
        assert set(variant.protocol) == ({"null"} if split is None else {"null", "split"})


def test_options_reach_the_splits_and_another_row_is_taken():
    train = FakeTrainer(RIGHT)
    cells = [cell(7), cell(7, row="other")]
    result = data_study(cells, train, row="other", ratio=[6, 2, 2.0], blocks=5)
    (wanted,) = train.calls
    assert {v.of.row for v in wanted} == {"other"}
    splits = {v.protocol["split"] for v in wanted if "split" in v.protocol}
    assert splits == {
        RandomWindowSplit(ratio=(6, 2, 2)),
        BlockSplit(ratio=(6, 2, 2), blocks=5),
    }
    assert any("split 6 : 2 : 2 into" in n and "5 contiguous blocks" in n for n in result.notes)
    assert set(inspect.signature(data_study).parameters) == {
        "cells", "train", "row", "ratio", "blocks",
    }  # fmt: skip


def test_of_several_folds_one_cell_a_seed_asks_for_the_full_data():
    folds = ("s1", "s2", "s3")
    cells = [cell(7, fold=fold, seed=seed) for fold in folds for seed in (0, 1)]
    # The first fold of seed 1 did not finish.
    del cells[1]
    train = FakeTrainer(RIGHT)
    result = data_study(cells, train)
    (wanted,) = train.calls
    part = [(v.of.fold, v.of.seed) for v in wanted if "split" not in v.protocol]
    assert part == [(c.fold, c.seed) for c in cells]
    for split in (RANDOM, BLOCKS):
        for null in ("keep", "drop"):
            changes = {"null": null, "split": split}
            asked = [(v.of.fold, v.of.seed) for v in wanted if v.protocol == changes]
            assert asked == [("s1", 0), ("s2", 1)]
    assert len(wanted) == 5 + 2 * 2 * 2
    table = result.tables["NF by data and NULL"]
    assert table["networks"].tolist() == [5, 5, 2, 2, 2, 2]
    text = "\n".join(result.notes)
    assert "over folds (part) or seeds (full, random windows; full, blocks)." in text


def test_cells_without_null_are_part_without_and_with_is_trained():
    train = FakeTrainer({**RIGHT, ("part", "keep"): {0: 8, 1: 8}})
    loaded = SimpleNamespace(task=TOY.task("gestures"))
    cells = [cell(3, kept=False, seed=seed, load=lambda: loaded) for seed in (0, 1)]
    table = data_study(cells, train).tables["NF by data and NULL"]
    (wanted,) = train.calls
    assert [v.protocol for v in wanted if "split" not in v.protocol] == [{"null": "keep"}] * 2
    np.testing.assert_allclose(table["NF"][:2], [80, 30])


def test_table_of_scores(studied):
    table = studied[0].tables["NF by data and NULL"]
    assert list(table.columns) == [
        "data", "NULL", "NF", "±", "macro F1", "train windows", "test windows", "shared",
        "networks",
    ]  # fmt: skip
    assert list(zip(table["data"], table["NULL"], strict=True)) == [
        (data, null)
        for data in ("part", "full, random windows", "full, blocks")
        for null in ("with", "without")
    ]
    np.testing.assert_allclose(table["NF"], [70, 50, 90, 85, 75, 80])
    np.testing.assert_allclose(table["macro F1"], table["NF"])
    differences = np.array([0, 20, 0, 10, 10, 20])
    np.testing.assert_allclose(table["±"], HALF_OF_TWO * differences, rtol=1e-4, atol=1e-9)
    assert table["train windows"].tolist() == [80] + 5 * [200]
    assert table["test windows"].tolist() == [20] + 5 * [25]
    np.testing.assert_allclose(table["shared"], [0, 0, 96, 96, 0, 0])
    assert table["networks"].tolist() == [2] * 6
    assert [table[c].dtype.kind for c in ("train windows", "test windows", "networks")] == 3 * ["i"]


def test_the_leak_is_paired_over_seeds(studied):
    result, _ = studied
    table = result.tables["what the random split adds"]
    assert list(table.columns) == ["NULL", "random windows", "blocks", "leak", "±"]
    assert table["NULL"].tolist() == ["with", "without"]
    np.testing.assert_allclose(table["random windows"], [90, 85])
    np.testing.assert_allclose(table["blocks"], [75, 80])
    # With: 9 - 8, 9 - 7. Without: 9 - 9, 8 - 7, so half of what it would be unpaired.
    np.testing.assert_allclose(table["leak"], [15, 5])
    np.testing.assert_allclose(table["±"], [HALF_OF_TWO * 10, HALF_OF_TWO * 10], rtol=1e-4)
    text = "\n".join(result.notes)
    assert (
        "With NULL random windows of all data score +20.0 points against part: +5.0 are there "
        "with blocks too, +15.0 are the leak (90.0 - 75.0, ± 63.5)." in text
    )
    assert "The leak is NF on random windows minus NF on blocks, seed by seed." in text
    assert "96.0 % with NULL and 96.0 % without share samples" in text
    assert "The interval of the leak holds 0 with and without NULL" in text
    assert "their class shares differ by 0% with NULL and 0% without" in text
    assert "random windows score +15.0 and +5.0 points against blocks" in text
    assert "can hardly be compared" not in text and "negative leak" not in text
    assert "Both full splits train on every subject" in text


def test_test_parts_that_are_not_alike_are_called_so():
    """Blocks hold more of Null, which is easy: NF rises, and says nothing of a leak."""
    easy = [[90, 0, 0], [5, 5, 0], [0, 5, 5]]
    train = FakeTrainer({**RIGHT, ("blocks", "keep"): {0: easy}})
    result = data_study([cell(7)], train)
    # F1: 180 / 185, 10 / 20, 10 / 15; weights 90, 10, 10 of 110.
    nf = 100 * (90 * 180 / 185 + 10 * 0.5 + 10 * 2 / 3) / 110
    (leak, _) = result.tables["what the random split adds"]["leak"]
    assert leak == pytest.approx(90 - nf)
    text = "\n".join(result.notes)
    # A third each against 90, 10 and 10 of 110.
    assert "differ by 48% with NULL and 0% without" in text
    assert "Over 5% apart" in text and "more than 10 blocks" in text
    macro = 100 * (180 / 185 + 0.5 + 2 / 3) / 3
    assert f"random windows score {90 - macro:+.1f} and +0.0 points against blocks" in text
    assert "negative leak" in text


def test_the_order_of_the_seeds_makes_no_difference():
    cells = [cell(7, seed=1), cell(7, seed=0)]
    table = data_study(cells, FakeTrainer(RIGHT)).tables["what the random split adds"]
    np.testing.assert_allclose(table["leak"], [15, 5])
    np.testing.assert_allclose(table["±"], [HALF_OF_TWO * 10, HALF_OF_TWO * 10], rtol=1e-4)


def test_one_seed_has_no_interval():
    result = data_study([cell(7)], FakeTrainer(RIGHT))
    assert result.tables["NF by data and NULL"]["±"].isna().all()
    assert result.tables["what the random split adds"]["±"].isna().all()
    np.testing.assert_allclose(result.tables["what the random split adds"]["leak"], [10, 0])
    text = "\n".join(result.notes)
    assert "One network a setting: there is no interval" in text
    assert "holds 0" not in text and "nan" not in text


def test_f1_of_every_class():
    part = [[8, 2, 0], [0, 0, 0], [5, 0, 5]]
    train = FakeTrainer({**RIGHT, ("part", "drop"): {0: [[0, 0], [2, 8]]}})
    result = data_study([cell(part)], train)
    table = result.tables["per class"]
    settings = [
        f"{data}, {null} NULL"
        for data in ("part", "full, random windows", "full, blocks")
        for null in ("with", "without")
    ]
    assert list(table.columns) == ["class", *settings]
    assert table["class"].tolist() == list(CLASSES)
    # Null: precision 8 / 13, recall 8 / 10. turn: 1 and 5 / 10.
    np.testing.assert_allclose(table["part, with NULL"], [1600 / 23, math.nan, 200 / 3])
    # NULL is no class there, wave has no window; turn: precision 1, recall 8 / 10.
    np.testing.assert_allclose(table["part, without NULL"], [math.nan, math.nan, 1600 / 18])
    np.testing.assert_allclose(table["full, blocks, without NULL"], [math.nan, 90, 90])
    text = "\n".join(result.notes)
    assert "part, with NULL: no test window of wave." in text
    assert "part, without NULL: no test window of wave." in text
    assert "full, blocks" not in text.split("part, with NULL: no test")[1]


def test_confusion_tables_and_figures_are_those_of_fig_3(studied):
    result, _ = studied
    assert list(result.tables) == [
        "NF by data and NULL",
        "what the random split adds",
        "part, without NULL: confusion, counts",
        "part, without NULL: confusion, percent of the true class",
        "full, random windows, without NULL: confusion, counts",
        "full, random windows, without NULL: confusion, percent of the true class",
        "per class",
    ]
    counts = result.tables["full, random windows, without NULL: confusion, counts"]
    # Seeds 0 and 1 have 9 and 8 right of 10.
    assert counts.to_numpy().tolist() == [["wave", 8.5, 1.5], ["turn", 1.5, 8.5]]
    assert list(result.figures) == [
        f"data-study-small-{data}-{kind}"
        for data in ("part", "random")
        for kind in ("counts", "percent")
    ]


def test_notes_say_what_null_does(studied):
    text = "\n".join(studied[0].notes)
    # 10 of 30 windows. Always saying Null: precision 1/3, recall 1, F1 1/2, a third of NF.
    assert "33% of the part's are Null" in text
    assert "always saying Null gives an NF of 16.7" in text
    assert (
        "Leaving NULL out changes NF by points: -20.0 in part, -5.0 in full, random windows, "
        "+5.0 in full, blocks." in text
    )
    assert "Row small: 12 networks, seeds 0, 1; 2 are those of the benchmark, 10 were" in text
    assert "Other trained rows, not studied: other." in text
    assert "SIMULATED" not in text
    assert "leaks too" not in text


def test_simulated_and_leaky_benchmarks_are_called_so():
    cells = [cell(7, seed=seed, simulates="opportunity", shared=0.5) for seed in (0, 1)]
    result = data_study(cells, FakeTrainer(RIGHT))
    assert result.notes[0] == "The recordings are SIMULATED, in the format of opportunity."
    assert any("own split leaks too" in note for note in result.notes)
    title = result.figures["data-study-small-part-counts"].texts[0].get_text()
    assert title.replace("\n", " ") == (
        "small, part, without NULL: confusion, counts (simulated data)"
    )


def test_a_task_without_null_is_refused():
    train = FakeTrainer(RIGHT)
    with pytest.raises(ConfigError, match="task 'gestures' of dataset 'toy' has no NULL class"):
        data_study([cell(7, has_null=False)], train)
    # The protocol drops NULL, and the record does not say whether there was one.
    loaded = SimpleNamespace(task=TOY.task("any"))
    with pytest.raises(ConfigError, match="has no NULL class"):
        data_study([cell(7, kept=False, load=lambda: loaded)], train)
    assert train.calls == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ratio": [8, 1]}, r"ratio: \[8, 1\] is no ratio"),
        ({"ratio": "8-1-1"}, "ratio: '8-1-1' is no ratio"),
        ({"ratio": [8, 1, "1"]}, "is no ratio"),
        ({"ratio": [True, 1, 1]}, "is no ratio"),
        ({"ratio": [8, -1, 1]}, "is no ratio"),
        ({"ratio": [0, 1, 1]}, "is no ratio"),
        ({"ratio": [8, 1, 0]}, r"expected three numbers such as \[8, 1, 1\]"),
        ({"ratio": [8, 1, math.nan]}, "is no ratio"),
        ({"ratio": None}, "is no ratio"),
        ({"blocks": 2}, "blocks: 2 is no number of blocks"),
        ({"blocks": True}, "is no number of blocks"),
        ({"blocks": 10.0}, "is no number of blocks"),
        ({"row": "smal"}, "did you mean 'small'"),
    ],
)
def test_options_that_cannot_be_are_refused_before_training(options, said):
    train = FakeTrainer(RIGHT)
    with pytest.raises(ConfigError, match=said):
        data_study([cell(7)], train, **options)
    assert train.calls == []


def test_without_validation_and_without_cells():
    data_study([cell(7)], FakeTrainer(RIGHT), ratio=(9, 0, 1))
    with pytest.raises(ResultsError, match="no trained network"):
        data_study([], FakeTrainer(RIGHT))


def expected_share(n_windows, neighbours, n_train):
    """Chance that a test window shares samples with training: docs/data-study.md.

    Args:
        n_windows: Of the whole draw.
        neighbours: Of each window: how many others hold one of its samples.
        n_train: Windows of training.
    """
    chances = []
    for m in neighbours:
        none = math.comb(n_windows - 1 - m, n_train) / math.comb(n_windows - 1, n_train)
        chances.append(1 - none)
    return float(np.mean(chances))


@pytest.mark.parametrize(
    ("length", "step", "inner"), [(20, 10, 0.96), (15, 7, 0.9984), (20, 20, 0.0)]
)
def test_how_many_windows_share_samples_is_what_the_arithmetic_says(length, step, inner):
    from harbench.data.stream import RecordingSpan

    n_samples, n_recordings = 1200, 4
    spans = tuple(
        RecordingSpan(f"r{i}", "s", "a", i * n_samples, (i + 1) * n_samples)
        for i in range(n_recordings)
    )
    stream = SimpleNamespace(
        recordings=spans, labels={"gestures": np.ones(n_samples * n_recordings, np.int16)}
    )
    n_each = (n_samples - length) // step + 1
    reach = math.ceil(length / step) - 1
    neighbours = [min(i, reach) + min(n_each - 1 - i, reach) for i in range(n_each)] * n_recordings
    n_windows = len(neighbours)
    expected = expected_share(n_windows, neighbours, round(0.8 * n_windows))
    # Nearly all windows are inner ones: 1 - 0.2 ^ (2 reach).
    assert expected == pytest.approx(inner, abs=0.004)
    assert inner == pytest.approx(1 - 0.2 ** (2 * reach))
    measured = []
    for seed in range(100):
        protocol = Protocol(split=RandomWindowSplit(seed=seed))
        (fold,) = folds_of(stream, TOY, TOY.task("gestures"), protocol, length, step)
        measured.append(fold.test_overlap)
    error = np.std(measured, ddof=1) / 10
    assert abs(np.mean(measured) - expected) <= 4 * error
    (blocks,) = folds_of(stream, TOY, TOY.task("gestures"), Protocol(split=BLOCKS), length, step)
    assert blocks.test_overlap == 0


REAL = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, label: majority, split: fixed}
    recipe: {epochs: 3}
    seeds: 2
    models: [small]
"""


def test_on_the_toys_with_the_real_trainer(workplace, one_thread, quick_latency):
    from harbench.execute.local import InProcessExecutor
    from harbench.execute.run import efforts_of, measure_costs, train_cells, work_of
    from harbench.execute.trained import trained_cells
    from harbench.execute.variants import VariantTrainer
    from harbench.plan import plan

    store, executor, n_trained = workplace.store, InProcessExecutor(), []

    def train(planned):
        work = work_of(planned, store, plugin_files=(TOY_PLUGIN,))
        n_trained.append(len(work.cells))
        list(measure_costs(work, store, executor))
        list(train_cells(work, efforts_of(work, planned, store), store, executor))

    planned = [plan(b, workplace.registry) for b in workplace.benchmarks(REAL)]
    list(carry_out(work_of(planned, store, plugin_files=(TOY_PLUGIN,)), planned, store, executor))
    cells = trained_cells(store, "toy", lambda: workplace.registry)
    trainer = VariantTrainer(store, lambda: workplace.registry, train)
    result = data_study(cells, trainer)
    assert n_trained == [10]
    table = result.tables["NF by data and NULL"]
    assert table["networks"].tolist() == [2] * 6
    # 59 windows in each of 8 recordings; two subjects train, one tests.
    assert table["train windows"][0] == 2 * 2 * 59
    assert table["train windows"][2] == round(0.8 * 8 * 59)
    assert table["test windows"][2] == 8 * 59 - round(0.9 * 8 * 59)
    shared = table["shared"]
    assert shared[[0, 1, 4, 5]].tolist() == [0, 0, 0, 0]
    # Of 47 windows 95.6 % are expected; four standard errors are 12 points.
    assert shared[2] > 83
    assert (table["NF"] > 60).all()
    records = [cell.record for cell in cells]
    assert table["NF"][0] == pytest.approx(100 * np.mean([r["scores"]["nf"] for r in records]))
    counts = result.tables["full, random windows, without NULL: confusion, counts"]
    assert counts[["wave", "turn"]].to_numpy().sum() == table["test windows"][3]
    # All are in the store now: the same again, and nothing is trained.
    again = data_study(cells, trainer)
    assert n_trained == [10, 0]
    assert again.notes == result.notes
    for title, frame in result.tables.items():
        assert frame.equals(again.tables[title])
