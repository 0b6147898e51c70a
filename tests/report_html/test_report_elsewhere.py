"""On the page, what was not trained here is marked, and keeps the provenance that it came with."""

import pytest
import yaml

from harbench.report.html import report_html, report_of
from harbench.results.bundle import export
from harbench.results.imports import import_archive
from toys.whole_store import whole_store

REFERENCE = {
    "row": "Net & <b>", "source": "Them 2018", "printed": {"NF": "99.9"}, "defects": {},
    "protocol": "random windows",
}  # fmt: skip


@pytest.fixture
def own(tmp_path):
    store = whole_store(tmp_path / "own", rows=("mine",), seeds=(0, 1))
    manifest = store.benchmark("toy")
    store.write_benchmark("toy", {**manifest, "references": [REFERENCE]})
    theirs = whole_store(tmp_path / "theirs", rows=("small",))
    whole_store(tmp_path / "theirs", rows=("wide",), name="theirs-alone")
    export(theirs, tmp_path / "lab.zip")
    return store, import_archive(tmp_path / "lab.zip", store, lambda store: None).found.name


def test_rows_of_a_bundle_and_of_papers_are_marked(own):
    store, bundle = own
    part = report_of(store, ["toy"]).benchmarks[0]
    assert [(line.cells[0].text, line.badges) for line in part.table.lines] == [
        ("mine", ()),
        (f"small [{bundle}]", (("elsewhere", f"imported from {bundle}"),)),
        ("Net & <b> [reported]", (("elsewhere", "reported by others"),)),
    ]
    mine, small = part.provenance
    assert mine.command == "harbench run benchmarks.yaml toy --models mine"
    # Their settings are not on the page, so no run makes that row.
    assert small.command == "" and len(small.reproduce) == 2
    assert yaml.safe_load(small.text)["imported from"] == bundle
    assert [line.anchor for line in part.table.lines] == [mine.anchor, small.anchor, ""]


def test_a_benchmark_that_only_a_bundle_holds_is_a_part_of_its_own(own):
    store, bundle = own
    report = report_of(store)
    assert [(part.name, part.imported) for part in report.benchmarks] == [
        ("toy", ""), ("theirs-alone", bundle),
    ]  # fmt: skip
    assert [line.cells[0].text for line in report.benchmarks[1].table.lines] == [f"wide [{bundle}]"]
    text = report_html(report)
    assert f"<strong>IMPORTED</strong> from <bdi>{bundle}</bdi>" in text
    assert "Net &amp; &lt;b&gt; [reported]" in text
