"""The analysis of events: hand-made predictions, known counts."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from harbench.errors import ConfigError, DataMissingError, ResultsError
from harbench.nouns import TrainedCell
from harbench.results import Predictions
from harbench_analyses.events import events
from harbench_analyses.events_figure import PARTS

CLASSES = ("Null", "wave", "turn")


def no_data():
    raise DataMissingError("the files of 'toy' are not here", fix="harbench datasets fetch toy")


@pytest.fixture
def cell(tmp_path):
    """Makes a cell of windows of 4 samples that do not overlap: a digit of the drawings each."""

    def make(true, said, *, row="small", fold="all", seed=0, load=no_data, rate=20.0, **more):
        folder = tmp_path / f"{row}-{fold}-{seed}"
        folder.mkdir()
        n = len(true)
        predictions = Predictions(
            recording=np.array([f"rec-{fold}"] * n),
            start=4 * np.arange(n),
            true=np.array(list(true), np.int16),
            predicted=np.array(list(said), np.int16),
            probabilities=np.full((n, 3), 1 / 3, np.float32),
        )
        (folder / "predictions.npz").write_bytes(predictions.packed())
        record = {
            "classes": list(CLASSES),
            "null": 0,
            "confusion": np.eye(3, dtype=int).tolist(),
            "settings": {
                "window": 4, "step": 4, "protocol": {"within": "recording"},
                "split": {"kind": "leave-one-out"},
            },
            **more,
        }  # fmt: skip
        return TrainedCell(row, fold, seed, folder, record, load, rate_hz=rate)

    return make


#         wave: found late by one window; deleted.   turn: fragmented.   wave: inserted.
TRUE = "0 111 00 11 00 22222 000".replace(" ", "")
SAID = "0 011 00 00 00 20022 010".replace(" ", "")


def columns(result, title):
    table = result.tables[title].set_index("class")
    return {name: table.loc[name].to_dict() for name in table.index}


def test_counts_by_class(cell):
    result = events([cell(TRUE, SAID)])
    assert list(result.tables) == [
        "small: events", "small: samples, percent", "small: segments and delay",
    ]  # fmt: skip
    found = columns(result, "small: events")
    assert list(found) == ["wave", "turn", "(all but Null)"]
    nothing = dict.fromkeys(result.tables["small: events"].columns[1:], 0)
    assert found["wave"] == {
        **nothing, "true": 2, "correct": 1, "deleted": 1, "predicted": 2, "inserted": 1,
    }  # fmt: skip
    assert found["turn"] == {
        **nothing, "true": 1, "fragmented": 1, "predicted": 2, "fragmenting": 2,
    }  # fmt: skip
    assert found["(all but Null)"] == {k: found["wave"][k] + found["turn"][k] for k in nothing}
    samples = columns(result, "small: samples, percent")
    # Of 20 samples of wave 4 are underfill and 8 deleted; 4 of the 44 others are inserted.
    assert samples["wave"]["right"] == pytest.approx(40)
    assert samples["wave"]["underfill, start"] == pytest.approx(20)
    assert samples["wave"]["deletion"] == pytest.approx(40)
    assert samples["wave"]["insertion"] == pytest.approx(100 * 4 / (4 * len(TRUE) - 20))
    assert samples["turn"]["fragmentation"] == pytest.approx(40)


def test_segments_and_delay(cell):
    result = events([cell(TRUE, SAID)])
    found = columns(result, "small: segments and delay")
    # Wave: one of two found with an overlap of 2/3, one inserted: 2 / (2 + 1 + 1).
    assert [found["wave"][f"F1@{p}"] for p in (10, 25, 50)] == pytest.approx([50, 50, 50])
    # Turn: pieces of 1/5 and 2/5: both are wide enough at 10 %, but count once.
    assert [found["turn"][f"F1@{p}"] for p in (10, 25, 50)] == pytest.approx([200 / 3, 200 / 3, 0])
    assert found["wave"]["missed, %"] == 50
    # Late by one window of 4 samples at 20 Hz.
    assert found["wave"]["delay, median [s]"] == pytest.approx(0.2)
    assert found["(all but Null)"]["delay, mean [s]"] == pytest.approx(0.1)
    unknown = events([cell(TRUE, SAID, row="other", rate=None)])
    assert columns(unknown, "other: segments and delay")["wave"]["delay, mean [samples]"] == 4


def test_folds_are_summed_and_seeds_averaged(cell):
    cells = [
        cell(TRUE, SAID, fold="a", seed=0),
        cell(TRUE, TRUE, fold="a", seed=1),
        cell("0110", "0110", fold="b", seed=0),
    ]
    result = events(cells)
    wave = columns(result, "small: events")["wave"]
    assert (wave["true"], wave["correct"], wave["deleted"], wave["inserted"]) == (3, 2.5, 0.5, 0.5)
    assert "sum over 2 folds, each the mean over its 1 to 2 seeds" in result.notes[1]


def test_a_class_that_does_not_occur_has_counts_of_0_and_no_shares(cell):
    result = events([cell("0110", "0110")])
    turn = columns(result, "small: segments and delay")["turn"]
    assert all(math.isnan(value) for value in turn.values())
    samples = columns(result, "small: samples, percent")["turn"]
    assert math.isnan(samples["right"])
    assert samples["insertion"] == 0
    assert columns(result, "small: events")["turn"]["true"] == 0


def test_labels_of_samples_are_taken_where_they_are_asked_for(cell):
    # The wave is 6 samples long, of which the windows show 8.
    labels = np.zeros(16, np.int64)
    labels[5:11] = 1
    given = SimpleNamespace(samples={"rec-all": labels})
    made = cell("0110", "0110", load=lambda: given)
    by_windows, by_samples = events([made]), events([made], truth="samples")
    assert columns(by_windows, "small: samples, percent")["wave"]["overfill, start"] == 0
    wave = columns(by_samples, "small: samples, percent")["wave"]
    assert (wave["right"], wave["overfill, start"]) == (100, pytest.approx(10))
    assert by_samples.notes[0] == "True events are those of the dataset's labels."
    assert by_windows.notes[0].startswith("True events are made of the classes of the test windows")
    with pytest.raises(DataMissingError, match="the files of 'toy' are not here"):
        events([cell("01", "01", fold="b")], truth="samples")


def test_what_makes_events_easy_or_meaningless_is_said(cell):
    settings = {
        "window": 4, "step": 4, "protocol": {"within": "segment"},
        "split": {"kind": "random-windows"},
    }  # fmt: skip
    made = cell("011", "011", settings=settings, null=None)
    notes = " ".join(events([made]).notes)
    assert "these scores say nothing about finding them" in notes
    assert "drawn at random" in notes
    assert "There is no NULL class" in notes
    assert list(columns(events([made]), "small: events"))[-1] == "(all)"
    plain = " ".join(events([cell("011", "011", row="other")]).notes)
    for word in ("drawn at random", "say nothing", "no NULL class", "SIMULATED"):
        assert word not in plain


def test_the_figure_has_the_correct_events_of_all_classes_at_one_line(cell):
    result = events([cell(TRUE, SAID), cell(TRUE, SAID, row="sm-all")])
    assert list(result.figures) == ["events-small", "events-small-again"]
    axes = result.figures["events-small"].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["wave", "turn"]
    widths = {
        name: [patch.get_width() for patch in container]
        for (name, _), container in zip(PARTS, axes.containers, strict=True)
    }
    assert widths["correct"] == [1, 0]
    assert widths["deleted"] == [1, 0]
    assert widths["fragmenting"] == [0, 2]
    right = axes.containers[[name for name, _ in PARTS].index("correct")]
    assert [patch.get_x() for patch in right] == [0, 0]


def test_refusals(cell):
    made = cell(TRUE, SAID)
    with pytest.raises(ConfigError, match="true events cannot be made of 'labels'"):
        events([made], truth="labels")
    with pytest.raises(ConfigError, match="no trained row is called 'big'"):
        events([made], row="big")
    with pytest.raises(ResultsError, match="no trained network"):
        events([])
    (made.folder / "predictions.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(ResultsError, match="predictions"):
        events([made])
    old = TrainedCell("small", "all", 0, made.folder, {**made.record}, no_data)
    del old.record["settings"]
    with pytest.raises(ResultsError, match="another version of harbench wrote it"):
        events([old])
