"""harbench compare, as a user meets it."""

import csv
import io
import json

import pytest

from toys.scored_store import scored_store

ROWS = {
    "good": {("all", s): 0.8 + x for s, x in enumerate([0.01, -0.01, 0.0, 0.005])},
    "bad": {("all", s): 0.5 + x for s, x in enumerate([-0.01, 0.0, 0.01, 0.002])},
    "fair": {("all", s): 0.79 + x for s, x in enumerate([-0.03, 0.02, 0.01, -0.01])},
}


@pytest.fixture
def scored(cli, tmp_path):
    scored_store(tmp_path / "results", ROWS)
    return cli


def test_two_rows(scored):
    ended = scored("compare", "good", "bad")
    assert (ended.code, ended.err) == (0, "")
    assert "told apart" in ended.out
    assert ended.out.startswith("toys: Toys; NF, percent\n")
    assert not any(line.endswith(" ") for line in ended.out.splitlines())


def test_all_pairs_as_csv_and_json(scored):
    rows = list(csv.DictReader(io.StringIO(scored("compare", "--csv").out)))
    assert [(r["a"], r["b"]) for r in rows] == [
        ("good", "fair"), ("good", "bad"), ("fair", "bad"),
    ]  # fmt: skip
    content = json.loads(scored("compare", "--json", "--run", "toys", "--metric", "accuracy").out)
    assert content["metric"] == "accuracy"
    assert [m["standing"] for m in content["models"]] == ["best", "tied", "apart"]


def test_figures(scored, tmp_path):
    ended = scored("compare", "--figures", "here")
    assert ended.err == "figures are in here/\n"
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        f"toys-critical-difference-nf.{ending}" for ending in ("pdf", "png", "svg")
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["good"], "two rows are needed for a comparison"),
        (["good", "good"], "a row is no other row"),
        (["goood", "bad"], "no row with scores is called 'goood'; did you mean 'good'?"),
        (["--metric", "nff"], "no metric is called 'nff'; did you mean 'nf'?"),
        (["--metric", "nf_without_null"], "there are no two rows with scores to compare"),
        (["--run", "toy"], "no results of a benchmark 'toy'"),
        (["--out", "elsewhere"], "there are no two rows with scores to compare"),
        (["--csv", "--json"], "one output has one format"),
    ],
)
def test_refusals_are_one_sentence(scored, given, said):
    ended = scored("compare", *given)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
