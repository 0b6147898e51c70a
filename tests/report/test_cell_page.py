"""The page about one cell: what it says, and that no text of others breaks it."""

import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from harbench.cli.console import PlainConsole
from harbench.metrics import score
from harbench.report.cell_page import Place, print_cell
from harbench.results import StoredCell

HOSTILE = "<script>[bold]\x1b[2J\r\u202e🦑 שלום" + "x" * 500


def cell(classes=("Null", "wave", "turn"), *, curve=(), recipe=None, fold="s1", **more):
    import numpy as np

    n = len(classes)
    matrix = np.eye(n, dtype=int) * 30 + np.roll(np.eye(n, dtype=int), 1, axis=1) * 10
    names = [f"{i} {name}" for i, name in enumerate(classes)]
    record = {
        "key": "ab" * 32,
        "cell": {
            "dataset": "toy", "data": "d1" * 32, "task": "gestures", "channels": ["x", "y"],
            "fold": fold, "protocol": {"fill": "forward", "normalise": "z-score"},
            "model": "small", "source": "50" * 32, "distribution": ["harbench", "0.1.0"],
            "options": {"hidden": 8}, "recipe": recipe, "seed": 7,
        },
        "settings": {"split": {"kind": "fixed", "train": ["a", "b"]}, "window": 20, "step": 10},
        "classes": list(classes), "null": 0, "windows": {"train": 100, "validation": 0, "test": 4},
        "overlap": {"test": 0.0, "validation": 0.0}, "confusion": matrix.tolist(),
        "scores": score(matrix, names, 0).to_json(), "kept_epoch": 2, "stopped_early": True,
        "curve": list(curve),
    } | more  # fmt: skip
    measured = {
        "started": "2026-11-24T10:17:49+00:00", "device": "cpu",
        "seconds": {"train_and_predict": 13.14}, "peak_memory_bytes": 343019520,
        "environment": {
            "versions": {"python": "3.11.7", "torch": "2.13.0"}, "platform": "Linux",
            "processor": "AMD", "cores": 2, "git": None,
        },
    }  # fmt: skip
    return StoredCell(Path("results/cells/ab") / ("ab" * 32), record, measured)


HERE = (Place("toys", "small"),)


def printed(found, places=HERE, maps=(), width=80, ascii_only=False, **more):
    file = io.StringIO()
    if ascii_only:
        file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = PlainConsole(file=file, width=width, markup=False, highlight=False, emoji=False)
    print_cell(console, found, places, maps, **more)
    if ascii_only:
        file.flush()
        return file.buffer.getvalue().decode("ascii")
    return file.getvalue()


CURVE = [
    {"epoch": 1, "train_loss": 1.5, "validation_loss": 1.0, "validation_nf": 0.25},
    {"epoch": 2, "train_loss": 0.75, "validation_loss": 0.5, "validation_nf": 0.75},
    {"epoch": 3, "train_loss": 0.5, "validation_loss": 0.75, "validation_nf": 0.5},
]


def test_settings_and_provenance():
    text = printed(cell(recipe={"epochs": 3, "patience": None}, curve=CURVE))
    facts = dict(re.findall(r"^(\w+)  +(.*)$", text.split("learning curve")[0], re.M))
    assert text.splitlines()[0] == "toys small, fold s1, seed 7"
    assert facts["table"] == "toys, row small"
    assert facts["dataset"] == "toy, task gestures: 2 channels, 3 classes, NULL is Null"
    assert facts["protocol"].startswith("split kind fixed, train a b; window 20, step 10 samples;")
    assert facts["windows"] == "100 train, 0 validation, 4 test"
    assert facts["model"] == "small, hidden 8; harbench 0.1.0, source 505050505050"
    assert facts["recipe"] == "epochs 3"
    assert facts["trained"] == "2026-11-24T10:17:49+00:00 on cpu, 13.1 s, at most 343 MB"
    assert facts["with"] == "python 3.11.7, torch 2.13.0"
    assert facts["key"] == "ab" * 32
    assert facts["again"] == "harbench reproduce abababababab"
    assert "NF 75.0, macro F1 75.0, accuracy 75.0" in text


def test_learning_curve():
    text = printed(cell(recipe={"epochs": 3}, curve=CURVE))
    lines = text.split("learning curve\n")[1].split("\n\n")[0].splitlines()
    assert lines == [
        "3 epochs, weights of epoch 2 kept, stopped early",
        "training loss   █▃▁ 1.5 to 0.5, best 0.5 in epoch 3",
        "validation loss █▁▅ 1 to 0.75, best 0.5 in epoch 2",
        "validation NF   ▁█▅ 25.0 to 50.0, best 75.0 in epoch 2",
    ]
    # What was fitted has none.
    assert "learning curve" not in printed(cell())


def test_scores_of_classes_and_what_does_not_occur():
    import numpy as np

    matrix = np.array([[3, 1, 0], [0, 0, 0], [0, 0, 4]])
    scores = score(matrix, ["a", "b", "c"], None).to_json()
    text = printed(cell(("a", "b", "c"), confusion=matrix.tolist(), scores=scores, null=None))
    lines = text.split("\nclasses\n")[1].splitlines()
    assert lines[1].split()[:5] == ["a", "4", "100.0", "75.0", "85.7"]
    assert lines[2].split() == ["b", "0", "0.0", "-", "-"]
    assert lines[3].endswith("100.0 " + "█" * 30)


def maps(value=2.0):
    columns = ["rank", "name", "value", "±"]
    return {
        "benchmark": "toys", "notes": ["Model small, mean over 2 networks."],
        "tables": {
            "wave: top 2 channels": {
                "columns": columns, "rows": [[1, "ACC x", value, 0.5], [2, "ACC y", -1.0, None]]
            },
            "wave: bottom 2 channels": {"columns": columns, "rows": [[9, "ACC z", 0.0, 0.1]]},
        },
    }  # fmt: skip


def test_saliency_of_the_top_channels():
    text = printed(cell(), maps=[maps()], width=60)
    assert text.split("saliency, ")[1].splitlines() == [
        "toys: wave: top 2 channels",
        f"ACC x {'█' * 46} 2 ± 0.5",
        f"ACC y {'▒' * 23}{' ' * 23} -1",
        "Model small, mean over 2 networks.",
    ]
    assert "- ± 0.5" in printed(cell(), maps=[maps(None)])


def test_warnings_stand_above():
    text = printed(cell(overlap={"test": 0.25, "validation": 0.0}), [Place("t", "r", "opp")])
    assert text.splitlines()[1:3] == [
        "SIMULATED data in the format of opp",
        "LEAKY: 25.0 % of the test windows share samples with training",
    ]
    assert "from elsewhere: imported as theirs" in printed(cell(), bundle="theirs")
    assert printed(cell(), ()).startswith("small, in no table, fold s1, seed 7")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_hostile_text_breaks_no_page(width, ascii_only):
    found = cell(
        (HOSTILE, "b\x07", "", *(f"c{i}" for i in range(20))), fold=HOSTILE,
        recipe={"epochs": HOSTILE}, curve=CURVE,
    )  # fmt: skip
    bad = maps()
    bad["tables"]["top: top 1 channels"] = {
        "columns": ["name", "value"], "rows": [[HOSTILE, 1.0]]
    }  # fmt: skip
    bad["notes"] = [HOSTILE]
    text = printed(found, [Place(HOSTILE, HOSTILE, HOSTILE)], [bad], width, ascii_only)
    assert all(line.isprintable() and cell_len(line) <= width for line in text.split("\n"))
    assert text.isascii() or not ascii_only
    assert "<script>[bold]" in text
