"""What a leak is worth: pairing by draw and seed, and NF with the classes weighted alike."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.errors import ConfigError, DataMissingError, ResultsError
from harbench.execute.inflation import SAME, draws_of, inflation_of, nf_of_same_classes
from harbench.metrics import score
from harbench.nouns import BlockSplit, RandomWindowSplit
from harbench.report.inflation import inflation_content

CLASSES = ("Null", "wave", "turn")
TOY = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, split: %s}
    seeds: 2
    models: [small, {wide: {model: small, options: {hidden: 16}}}]
"""

matrices = st.lists(st.integers(0, 9), min_size=9, max_size=9).map(
    lambda values: np.array(values, float).reshape(3, 3)
)


@given(matrices)
def test_the_same_windows_have_no_inflation(matrix):
    found = nf_of_same_classes(matrix, matrix)
    if matrix.sum() == 0:
        assert found is None
    else:
        leaky, honest = found
        assert leaky == honest
        if (matrix.sum(axis=1) > 0).all():
            assert leaky == pytest.approx(score(matrix.astype(int), CLASSES, 0).nf)


@given(matrices, st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_another_mix_of_the_same_answers_is_no_inflation(matrix, times):
    if matrix.sum() > 0:
        leaky, honest = nf_of_same_classes(matrix, matrix * np.array(times)[:, None])
        assert leaky == pytest.approx(honest)


def test_classes_on_one_side_only_are_left_out():
    leaky = np.array([[8, 2, 0], [0, 10, 0], [5, 0, 5]], float)
    honest = np.array([[5, 5, 0], [0, 10, 0], [0, 0, 0]], float)
    # Null and wave, half each. Leaky: Null P 1, R .8; wave P 10 / 12, R 1.
    expected = (np.mean([1.6 / 1.8, 2 / 2.2]), np.mean([1 / 1.5, 2 / 2.5]))
    assert nf_of_same_classes(leaky, honest) == pytest.approx(expected)
    assert nf_of_same_classes(leaky[[2, 2, 2]] * [[0], [0], [1]], honest) is None


class FakeStore:
    """A record of known scores for every cell: ``right[split's kind, draw, seed]`` of ten."""

    folder = "results"

    def __init__(self, draws, right):
        self.records = {}
        for draw in draws:
            for kind, planned in (("leaky", draw.leaky), ("honest", draw.honest)):
                for cell in planned.cells:
                    n = right[kind, draw.number, cell.seed]
                    counts = n * np.eye(3, dtype=int) + (10 - n) * np.eye(3, dtype=int)[[1, 2, 0]]
                    scores = score(counts, CLASSES, 0).to_json()
                    record = {"scores": scores, "confusion": counts.tolist()}
                    self.records[cell.key] = SimpleNamespace(record=record)

    def has(self, key):
        return key in self.records

    def failure(self, key):
        return None

    def read(self, key):
        return self.records[key]


def drawn(workplace, n=2, split="fixed", **more):
    (benchmark,) = workplace.benchmarks(TOY % split)
    return draws_of(benchmark, workplace.registry, n, **more)


def test_both_splits_are_drawn_and_nothing_else_changes(workplace):
    draws = drawn(workplace, split="{kind: random-windows, ratio: [2, 1, 1], seed: 7}", blocks=8)
    for number, draw in enumerate(draws):
        leaky, honest = (p.settings.protocol for p in (draw.leaky, draw.honest))
        assert leaky.split == RandomWindowSplit(ratio=(2, 1, 1), seed=number)
        assert honest.split == BlockSplit(ratio=(2, 1, 1), blocks=8, seed=number)
        assert leaky.model_copy(update={"split": None}) == honest.model_copy(update={"split": None})
        assert [cell.seed for cell in draw.leaky.cells] == [0, 1, 0, 1]
    assert len({cell.key for d in draws for p in (d.leaky, d.honest) for cell in p.cells}) == 16
    own = drawn(workplace, n=1)[0].leaky.settings.protocol.split
    assert own == RandomWindowSplit(ratio=(8, 1, 1))


def test_the_unit_is_the_draw_and_seeds_are_paired(workplace):
    draws = drawn(workplace)
    right = {
        ("leaky", 0, 0): 9, ("honest", 0, 0): 7,
        ("leaky", 0, 1): 8, ("honest", 0, 1): 8,
        ("leaky", 1, 0): 9, ("honest", 1, 0): 6,
        ("leaky", 1, 1): 9, ("honest", 1, 1): 8,
    }  # fmt: skip
    small, wide = inflation_of(draws, FakeStore(draws, right))
    assert (small.row, wide.row) == ("small", "wide")
    nf, same, macro = small.measures
    assert [m.name for m in small.measures] == ["NF", SAME, "macro F1"]
    # Draw 0: 2 and 0, draw 1: 3 and 1 of ten; so 1 and 2, t(0.975, 1) = 12.7062.
    assert (nf.leaky, nf.honest) == pytest.approx((0.875, 0.725))
    for measure in (nf, same, macro):
        of = measure.inflation
        assert (of.mean, of.n) == (pytest.approx(0.15), 2)
        assert of.high - of.mean == pytest.approx(12.7062 * 0.05, rel=1e-4)
    assert (small.draws, small.seeds, small.unit) == (2, 2, "draw")
    assert small.shared == np.mean([d.leaky.rows[0].folds[0].test_overlap for d in draws])
    content = inflation_content("toy", None, [small, wide], 10)
    rows = content["tables"]["what the leak is worth"]["rows"]
    assert [row[:2] for row in rows] == [
        [row, score] for row in ("small", "wide") for score in ("NF", SAME, "macro F1")
    ]
    assert rows[0][2:5] == pytest.approx([87.5, 72.5, 15])
    assert content["notes"][0] == (
        "small: the leak is worth +15.0 points of NF, 95 % interval -48.5 to +78.5 over 2 draws: "
        "it holds 0, so no leak is shown."
    )


def test_one_draw_speaks_of_seeds(workplace):
    draws = drawn(workplace, n=1)
    right = {(kind, 0, seed): 9 if kind == "leaky" else 5 for kind in ("leaky", "honest")
             for seed in (0, 1)}  # fmt: skip
    small, _ = inflation_of(draws, FakeStore(draws, right))
    assert small.unit == "seed"
    notes = inflation_content("toy", None, [small], 10)["notes"]
    assert notes[0] == (
        "small: the leak is worth +40.0 points of NF, 95 % interval +40.0 to +40.0 over 2 seeds."
    )
    assert any("the difference may be the draw's" in note for note in notes)


def test_what_cannot_be_is_refused(workplace):
    (benchmark,) = workplace.benchmarks((TOY % "fixed").replace("step: 10", "step: 20"))
    with pytest.raises(ConfigError, match="windows of 20 samples every 20 do not overlap"):
        draws_of(benchmark, workplace.registry, 1)
    (benchmark,) = workplace.benchmarks((TOY % "fixed").replace("path: files", "path: gone"))
    with pytest.raises(DataMissingError):
        draws_of(benchmark, workplace.registry, 1)
    draws = drawn(workplace, n=1)
    with pytest.raises(ResultsError, match=r"small \[random-windows, draw 0\], seed 0: it was not"):
        inflation_of(draws, FakeStore([], {}))
