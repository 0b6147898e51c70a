"""Rows of imported bundles and of what others report: marked in every format, never compared."""

import csv
import io
import json
import re

import pytest
from rich.console import Console

from harbench.report.all_tables import all_tables
from harbench.report.comparison import comparison_page
from harbench.report.comparison_text import comparison_json
from harbench.report.table import comparison_table
from harbench.report.terminal import print_table
from harbench.report.text import csv_text, json_text, latex, markdown
from harbench.results import Store
from harbench.results.bundle import export
from harbench.results.imports import import_archive
from toys.whole_store import digest, whole_store

REFERENCE = {
    "row": "Net & <b>", "source": "Them 2018", "printed": {"NF": "99.9", "macro F1": "98.0"},
    "defects": {}, "protocol": "random windows",
}  # fmt: skip


@pytest.fixture
def brought(tmp_path):
    """Exports the results of others and imports them; returns the bundle's name."""

    def run(own, theirs):
        archive = tmp_path / "lab.zip"
        export(theirs, archive)
        return import_archive(archive, own, lambda store: None).found.name

    return run


@pytest.fixture
def own(tmp_path):
    return whole_store(tmp_path / "own", rows=("small", "mine"), seeds=(0, 1, 2))


def notes(table, number):
    return [table.footnotes[n - 1] for n in table.rows[number]["row"].notes]


def terminal(table, width=160):
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_table(console, table)
    return console.file.getvalue()


def test_imported_rows_stand_beside_with_their_numbers(own, brought, tmp_path):
    theirs = whole_store(tmp_path / "theirs")
    alone = comparison_table(own, "toy")
    name = brought(own, theirs)
    table = comparison_table(own, "toy")
    assert [record["row"] for record in table.records] == [
        "small", "mine", f"small [{name}]", f"wide [{name}]",
    ]  # fmt: skip
    assert [record["origin"] for record in table.records] == ["here"] * 2 + ["imported"] * 2
    assert [record.get("origin_source") for record in table.records] == [None, None, name, name]
    there = comparison_table(theirs, "toy")
    for mine, original in zip(table.records[2:], there.records, strict=True):
        assert mine["nf_mean"] == original["nf_mean"]
        assert mine["nf_standing"] is None
    assert [values["row"].text for values in table.rows][-1] == "(commonest class)"
    text = f"from {name}, not trained here; its latency and times are those of its machine (abacus)"
    assert text in notes(table, 2) and text in notes(table, 3)
    assert not any(name in note for number in (0, 1, 4) for note in notes(table, number))
    # One's own rows, best and ties are what they were.
    for before, after in zip(alone.rows[:2], table.rows[:2], strict=True):
        assert [(v.text, v.best) for v in before.values()] == [
            (v.text, v.best) for v in after.values()
        ]
    for before, after in zip(alone.records, table.records[:2], strict=True):
        assert before == after
    assert not any(value.best for values in table.rows[2:] for value in values.values())
    assert table.scores == alone.scores


def test_compare_knows_nothing_of_them(own, brought, tmp_path):
    before = comparison_json(comparison_page(own, "toy", "nf"))
    brought(own, whole_store(tmp_path / "theirs"))
    assert comparison_json(comparison_page(own, "toy", "nf")) == before


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"data": digest("other")}, f"other data: sha256 {digest('other')[:8]}..., here "),
        ({"protocol": {"fill": "linear"}}, "another filling of gaps, or normalisation"),
        ({"channels": ["acc y"]}, "other channels"),
        (
            {"windows": {"length": 20, "step": 10, "sha256": digest("x")}},
            "other windows in fold all",
        ),
    ],
)
def test_what_cannot_be_compared_is_named_with_the_reason(own, brought, tmp_path, facts, reason):
    name = brought(own, whole_store(tmp_path / "theirs", **facts))
    table = comparison_table(own, "toy")
    assert [record["row"] for record in table.records] == ["small", "mine"]
    (line,) = [line for line in table.lines if line.startswith("not comparable")]
    assert line.startswith(f"not comparable, from {name}: small, wide ({reason}")
    for text in (terminal(table), markdown(table), latex(table), json_text([table])):
        assert "not comparable, from lab-" in text


def test_another_task_is_named(own, brought, tmp_path):
    theirs = whole_store(tmp_path / "theirs")
    manifest = theirs.benchmark("toy")
    theirs.write_benchmark("toy", {**manifest, "task": "locomotion", "split": "loso"})
    name = brought(own, theirs)
    assert comparison_table(own, "toy").lines[-1] == (
        f"not comparable, from {name}: small, wide (another task: locomotion, here gestures; "
        "another split: loso, here fixed)"
    )


def test_where_nothing_of_ones_own_is_finished_the_data_are_not_known(own, brought, tmp_path):
    for cell in (cell for row in own.benchmark("toy")["rows"] for cell in row["cells"]):
        (own.cell_folder(cell["key"]) / "record.json").unlink()
    brought(own, whole_store(tmp_path / "theirs"))
    table = comparison_table(own, "toy")
    assert len(table.records) == 4
    assert "would tell whether the data are the same" in notes(table, 2)[0]


def test_other_code_of_harbench_is_told(own, brought, tmp_path):
    brought(own, whole_store(tmp_path / "theirs", harbench="older"))
    assert notes(comparison_table(own, "toy"), 2)[-1].endswith("other code of harbench than this")


def test_a_benchmark_that_only_a_bundle_holds_is_a_table_of_its_own(own, brought, tmp_path):
    name = brought(own, whole_store(tmp_path / "theirs", name="other"))
    mine, other = all_tables(own)
    assert (mine.name, other.name) == ("toy", "other")
    assert other.lines[0] == f"IMPORTED from {name}: nothing of this table was trained here"
    assert [record["origin"] for record in other.records] == ["imported"] * 2
    assert [values["row"].text for values in other.rows[:2]] == [
        f"small [{name}]", f"wide [{name}]",
    ]  # fmt: skip
    assert set(other.scores["nf"]) == {record["row"] for record in other.records}
    assert [table.name for table in all_tables(own, elsewhere=False)] == ["toy"]
    assert [table.name for table in all_tables(own, ["other"])] == ["other"]
    assert all_tables(Store(tmp_path / "empty")) == []


def test_every_format_marks_them(own, brought, tmp_path):
    manifest = own.benchmark("toy")
    own.write_benchmark("toy", {**manifest, "references": [REFERENCE]})
    name = brought(own, whole_store(tmp_path / "theirs"))
    table = comparison_table(own, "toy")
    for text in (terminal(table), markdown(table), latex(table)):
        plain = re.sub(r"[\\{}~]", " ", text).replace("[ ", "[").replace(" ]", "]")
        plain = " ".join(plain.replace(" [", "[").replace("[", " [").split())
        assert f"small [{name}]" in plain
        assert f"from {name}, not trained here" in plain
        assert "reported by Them 2018, not measured here: random windows" in plain
    rows = list(csv.DictReader(io.StringIO(csv_text([table]))))
    assert [row["origin"] for row in rows] == ["here", "here", "imported", "imported", "reported"]
    assert [row["origin_source"] for row in rows] == ["", "", name, name, "Them 2018"]
    content = json.loads(json_text([table]))[0]["rows"]
    assert [row["origin"] for row in content] == [row["origin"] for row in rows]


def test_what_others_report_stands_in_the_printed_columns_alone(own):
    manifest = own.benchmark("toy")
    references = [REFERENCE, {**REFERENCE, "source": "Others 2020", "protocol": ""}]
    own.write_benchmark("toy", {**manifest, "references": references})
    table = comparison_table(own, "toy")
    assert [c.key for c in table.columns if c.key.startswith("printed")] == [
        "printed NF", "printed macro F1", "printed parameters", "printed FLOPs",
    ]  # fmt: skip
    first, second = table.rows[2:4]
    assert first["row"].text == "Net & <b> [reported]"
    assert second["row"].text == "Net & <b> [reported 2]"
    shown = {key: value.text for key, value in first.items() if value.text != "–"}
    assert shown == {
        "row": "Net & <b> [reported]", "printed NF": "99.9", "printed macro F1": "98.0",
    }  # fmt: skip
    # 99.9 is more than any row has, and is not the best.
    assert not any(value.best for values in (first, second) for value in values.values())
    assert any(values["nf"].best for values in table.rows[:2])
    record = table.records[2]
    assert (record["nf_mean"], record["nf_standing"], record["kind"]) == (None, None, "reference")
    assert record["published"] == [REFERENCE]
    assert notes(table, 3) == ["reported by Others 2020, not measured here"]
    own_only = comparison_table(own, "toy", elsewhere=False)
    assert len(own_only.records) == 2
    assert not any(c.key.startswith("printed") for c in own_only.columns)
