"""The page as text: what is on it, what may run in it, and how it is written."""

import base64
import hashlib
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import yaml

from harbench.errors import ResultsError
from harbench.report.html import provenance, report_html, report_of, write_report
from harbench.report.html.inline_figures import MOST_BYTES, drawn
from harbench.report.html.tables import number_in, plain
from harbench.results import Store
from toys.reported_store import ROWS, reported_store


class Read(HTMLParser):
    """Tags, ids, links and the text of style and script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.attributes, self.raw = [], [], [], [], {}
        self._in = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in = tag if tag in ("style", "script") else None
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append((tag, value))

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in:
            self.raw.setdefault(self._in, []).append(data)


@pytest.fixture(scope="module")
def text(page_file):
    return page_file.read_text("utf-8")


@pytest.fixture(scope="module")
def read(text):
    return Read(text)


def test_the_page_names_no_other_place(read, text):
    assert {tag for tag, target in read.links if not target.startswith("#")} == {"link"}
    assert ("link", "data:,") in read.links
    loading = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping"}
    assert not [found for found in read.attributes if found[1] in loading]
    assert not {"iframe", "object", "embed", "base", "form", "img", "video", "audio"} & {*read.tags}
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", text))
    # Names of XML, which nothing loads.
    assert {*re.findall(r"https?://[\w./-]+", text)} <= {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip


def test_every_link_leads_somewhere_and_no_id_is_there_twice(read):
    assert len(read.ids) == len({*read.ids})
    assert {target[1:] for _, target in read.links if target.startswith("#")} <= {*read.ids}
    for _, name, value in read.attributes:
        if name in ("aria-labelledby", "data-copy", "aria-describedby"):
            assert {*value.split()} <= {*read.ids}


def test_the_policy_lets_the_pages_own_style_and_script_run_and_nothing_else(read):
    policy = next(v for t, n, v in read.attributes if n == "content" and "default-src" in v)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for tag in ("style", "script"):
        digests = [hashlib.sha256(content.encode()).digest() for content in read.raw[tag]]
        allowed = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
        assert rules[f"{tag}-src"].split() == allowed
    assert rules["default-src"] == "'none'"
    assert not any("http" in rule or "*" in rule for rule in rules.values())


def test_what_is_told_of_the_rows(text):
    assert text.count('<span class="badge leaky"><bdi>leaky</bdi></span>') == 1
    assert "leaky: 1 of 4 rows" in text
    assert "highest mean: </span>" in text and "tied with the best: </span>" in text
    assert "LEAKY.</strong>" in text and "SIMULATED" not in text
    assert "4 rows, 20 of 20 cells finished, the newest begun 2026-01-05 00:00 UTC" in text
    assert "shares a sample" not in text  # the one line of an honest split
    assert "up to 50.0 % of the test windows" in text
    assert "Note of plain." in text and "plain: shortest list" in text


def test_simulated_data_are_marked_on_the_page_and_on_every_row(tmp_path):
    store = reported_store(tmp_path, simulates="opportunity", leaky=())
    part = report_of(store).benchmarks[0]
    assert [line.badges for line in part.table.lines] == [(("simulated", "simulated data"),)] * 4
    text = report_html(report_of(store))
    assert text.count("SIMULATED DATA.</strong> These recordings imitate") == 1


def test_published_stands_beside_measured_with_the_reason_of_the_gap(report):
    shown = report.benchmarks[0].published
    nf, parameters = ([cell.text for cell in line.cells] for line in shown.lines)
    measured = report.benchmarks[0].table.lines[0].cells[2].sort
    assert nf[:4] == ["good", "plain 2026, Table 1 (plain)", "NF", "88.8"]
    assert nf[4] == f"{100 * measured:.1f}" and nf[5] == f"{100 * measured - 88.8:+.1f} points"
    assert nf[6].startswith("Protocol of the print: plain. Here: toy, task gestures")
    # Four models: the first has 1000 x 4^4 parameters.
    assert parameters[3:] == ["0.5M*", "256,000", "-48.8 %", "Plain."]


def test_the_provenance_of_a_row_reads_back(report):
    part = report.benchmarks[0]
    row = part.provenance[1]
    facts = yaml.safe_load(row.text)
    assert facts["model"]["package"] == "mine 1.0" and facts["model"]["source sha256"] == "c" * 64
    assert facts["seeds"] == [0, 1, 2, 3, 4]
    assert facts["made with"] == [{"versions": {"torch": "2.0"}, "processor": "abacus", "cores": 2}]
    assert {cell["predictions.npz sha256"] for cell in facts["cells"]} == {"f" * 64}
    assert row.command == "harbench run benchmarks.yaml toys --models same"
    keys = [cell["key"] for cell in facts["cells"]]
    assert row.reproduce == tuple(f"harbench reproduce {key[:16]} --out results" for key in keys)
    assert part.table.lines[1].anchor == row.anchor


def test_of_very_many_cells_only_what_names_them_is_told(folder, monkeypatch):
    monkeypatch.setattr(provenance, "DETAILED_AT_MOST", 19)
    row = report_of(Store(folder)).benchmarks[0].provenance[0]
    cells = yaml.safe_load(row.text)["cells"]
    assert [*cells] == [f"all, seed {seed}" for seed in range(5)]
    assert row.reproduce == (f"harbench reproduce {cells['all, seed 0']} --out results",)


def test_the_papers_tables_are_there_as_printed(text, report):
    assert [len(part.shown.lines) for part in report.paper.parts] == [5, 2, 20, 3]
    assert not report.paper.measured
    assert "0.912M*" in text and "What in the paper does not add up" in text
    assert text.count("<dt>harbench</dt>") == len(report.paper.inconsistencies) > 20


def test_equal_results_are_equal_bytes(folder, page_file, tmp_path):
    copied = tmp_path / "elsewhere" / "results"
    shutil.copytree(folder, copied)
    (copied / "benchmarks" / "toys.json").touch()
    assert report_html(report_of(Store(copied))).encode() == page_file.read_bytes()


def test_an_old_page_is_replaced_by_a_whole_one_or_not_at_all(report, tmp_path, monkeypatch):
    path = tmp_path / "deep" / "report.html"
    small = replace(report, benchmarks=())
    assert write_report(small, path) == path.stat().st_size
    before = path.read_bytes()

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full)
    with pytest.raises(ResultsError, match="No space left on device"):
        write_report(report, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(ResultsError, match="that is a folder"):
        write_report(small, tmp_path)


def test_figures_of_single_rows_go_first_where_there_are_too_many(report):
    every = drawn(report)
    assert len(every) == len(report.benchmarks[0].drawings)
    sizes = {name: len(figure.svg.encode()) for name, figure in every.items()}
    of_rows = {d.name for d in report.benchmarks[0].drawings if d.row and not d.files}
    kept = drawn(report, sum(sizes.values()) - 1)
    assert len(kept) < len(every) and {*every} - {*kept} <= of_rows
    assert every["b1-toys-ablation-curve"].size == "wide"


def test_two_hundred_rows_stay_under_five_megabytes(report):
    part = replace(report.benchmarks[0], drawings=())
    rows = report_html(replace(report, benchmarks=(part,) * 50))
    assert len(rows.encode()) + MOST_BYTES < 5_000_000


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("89.6 ± 0.5", 89.6), ("0.912M*", 912_000), ("24,146 / 24,594", 24_146), ("2.31 ms", 2.31),
        ("-3.5", -3.5), ("1e-3", 0.001), ("≠ 4", 4), ("–", None), ("", None), ("n/a", None),
        ("all 113", None),
    ],
)  # fmt: skip
def test_the_number_that_a_cell_is_sorted_by(text, number):
    assert number_in(text) == number


def test_plain_tables_take_whatever_an_analysis_returns():
    shown = plain("a", "c", ["n", "x"], [[1, "<b>"], [None, True], [2.5, [1]]])
    assert [[cell.text for cell in line.cells] for line in shown.lines] == [
        ["1", "<b>"], ["–", "True"], ["2.50", "[1]"],
    ]  # fmt: skip
    assert [head.numeric for head in shown.heads] == [True, False]


def test_all_rows_are_there_in_the_order_of_the_benchmark(report):
    part = report.benchmarks[0]
    assert [line.cells[0].text for line in part.table.lines] == [*ROWS]
    assert [line.cells[0].text for line in part.table.foot] == ["(commonest class)"]
