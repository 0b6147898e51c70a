"""python -m bench: its table, the page that it stands in, and the peers that are not there."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(monkeypatch):
    """The modules of bench, which no installed package has."""
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"bench.{name}")


@pytest.fixture
def row(bench):
    """Two sides, whose costs are given."""
    rows = bench("rows")
    return rows.Row(
        "toy", "toys", "toys", "cpu",
        (
            rows.Side("harbench", lambda place: None),
            rows.Side("other", lambda place: None, goal=2.0),
            rows.Side("missing", lambda place: None, ("no-such-package",), goal=2.0),
        ),
    )  # fmt: skip


def test_the_page_has_the_table_of_the_csv(bench):
    table = bench("table")
    lines = bench("kept").read_csv(ROOT / "docs" / "speed.csv")
    assert lines
    page = (ROOT / "docs" / "speed.md").read_text("utf-8")
    assert bench("kept").text_in(page, table.MARK) == table.text_of(lines)


def test_the_csv_says_where_and_how_often(bench):
    rows = bench("registry").ROWS
    for line in bench("kept").read_csv(ROOT / "docs" / "speed.csv"):
        assert line["row"] in rows
        assert line["machine"] and int(line["cores"]) > 0 and line["torch"]
        assert float(line["load"]) >= 0
        assert line["note"] or int(line["rounds"]) >= 5
        if line["goal"] and line["cost"]:
            assert line["reached"] in ("yes", "no")


def test_a_ratio_is_of_one_round_and_of_the_same_amount(bench, row, monkeypatch, tmp_path):
    table, measuring = bench("table"), bench("measuring")
    # The machine is ten times busier in the second round; the peer does half the amount.
    ours = iter([1.0, 10.0, 1.0])
    theirs = iter([1.5, 15.0, 1.0])

    def measure(row, side, folder, scale):
        amount, costs = (100.0, ours) if side.name == "harbench" else (50.0, theirs)
        return measuring.Cost(amount, next(costs), 0.0, 0.0, None)

    monkeypatch.setattr(table, "measure", measure)
    found = {line["side"]: line for line in table.measured(row, tmp_path, 1.0, 3)}
    assert found["other"]["ratio"] == "3"
    assert (found["other"]["lowest"], found["other"]["highest"]) == ("2", "3")
    assert found["other"]["reached"] == "yes"
    assert found["missing"]["note"] == "no-such-package is not installed"
    assert "ratio" not in found["missing"] or not found["missing"]["ratio"]


def test_a_side_that_fails_is_told_and_the_others_are_measured(bench, row, monkeypatch, tmp_path):
    table, measuring = bench("table"), bench("measuring")

    def measure(row, side, folder, scale):
        if side.name == "other":
            raise measuring.SideFailedError("ImportError: no toys")
        return measuring.Cost(1.0, 1.0, 1.0, 1.0, None)

    monkeypatch.setattr(table, "measure", measure)
    found = {line["side"]: line for line in table.measured(row, tmp_path, 1.0, 2)}
    assert found["other"]["note"] == "failed: ImportError: no toys"
    assert found["harbench"]["rounds"] == "2"


def test_rows_that_are_measured_again_take_the_place_of_the_old_ones(bench, tmp_path):
    table = bench("table")
    old = [{"row": "help", "side": "harbench", "cost": "1"}, {"row": "read", "side": "harbench"}]
    new = [{"row": "help", "side": "harbench", "cost": "2"}]
    merged = table.merged(old, new)
    assert [(line["row"], line.get("cost")) for line in merged] == [("read", None), ("help", "2")]
    path = tmp_path / "speed.csv"
    bench("kept").write_csv(path, table.FIELDS, merged)
    assert [line["row"] for line in bench("kept").read_csv(path)] == ["read", "help"]


def test_the_command_measures_a_row_and_writes_both_files(bench, tmp_path):
    page = tmp_path / "speed.md"
    page.write_text("# Speed\n<!-- measured -->\nold\n<!-- /measured -->\nend\n")
    words = ["help", "--repeats", "1", "--out", str(tmp_path / "speed.csv")]
    paths = [str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, env=environment, text=True,
        capture_output=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    table = bench("table")
    (line,) = bench("kept").read_csv(tmp_path / "speed.csv")
    assert float(line["cpu_s"]) > 0
    assert (
        bench("kept").text_in(page.read_text(), table.MARK)
        == table.text_of([line])
        == ended.stdout.rstrip() + "\n"
    )
    assert page.read_text().endswith("end\n")
    wrong = subprocess.run(
        [sys.executable, "-m", "bench", "hlp"], cwd=ROOT, env=environment, capture_output=True
    )
    assert wrong.returncode == 2
