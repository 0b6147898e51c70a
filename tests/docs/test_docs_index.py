"""docs/README.md names every page, and pages quote what is so."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from harbench.report.paper.inconsistencies import inconsistencies
from harbench_datasets.opportunity import OPPORTUNITY
from harbench_models import ordonez2016, resnet_like, tang2020, yang2015

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_the_index_has_one_line_for_every_page():
    lines = (DOCS / "README.md").read_text("utf-8").splitlines()
    named = [
        found[1] for line in lines if (found := re.match(r"- \[([\w-]+\.md)\]\(\1\): .+", line))
    ]
    pages = {page.name for page in DOCS.glob("*.md")} - {"README.md"}
    assert sorted(named) == sorted(pages)
    assert "(docs/README.md)" in (ROOT / "README.md").read_text("utf-8")


def test_numbers_of_the_leakage_page_are_those_of_the_audit_page():
    page = " ".join((DOCS / "leakage.md").read_text("utf-8").split())
    audit = (DOCS / "audit.md").read_text("utf-8")
    assert "| NF, same classes | 89.2 | 88.6 | +0.6 |" in audit
    assert "| NF | 90.2 | 89.5 | +0.7 |" in audit
    assert "+0.6 and +0.7 points" in page
    assert "an NF of 48.6 on `actrectut`" in audit and "has 48.6 on a person" in page


def test_cautions_of_the_leakage_page_are_in_the_words_of_the_audit():
    page = (DOCS / "leakage.md").read_text("utf-8")
    code = "".join(
        (ROOT / "harbench" / room / "audit.py").read_text("utf-8") for room in ("data", "report")
    )
    quoted = re.findall(r"^\| `caution: ([^`]+)` \|", page, re.MULTILINE)
    assert len(quoted) == 7
    for words in quoted:
        # Numbers and the kind of what is shared are filled in.
        parts = re.split(r"[\d.]+ %?|recordings|sessions|subjects", words)
        for part in filter(None, (part.strip() for part in parts)):
            assert all(word in code for word in part.split(" of the test "))


@pytest.fixture(scope="module")
def listed():
    """The list of ``harbench paper``, as text by number."""
    found = inconsistencies(OPPORTUNITY.channels)
    return {number: json.dumps(asdict(item)) for number, item in enumerate(found, 1)}


def numbers(text):
    return set(re.findall(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?!,?\d)", text))


def test_counts_of_the_paper_page_are_those_that_harbench_reports(listed):
    page = (DOCS / "paper-numbers.md").read_text("utf-8")
    assert len(numbers(page)) >= 12
    assert numbers(page) <= numbers(" ".join(listed.values()))
    assert f"all {len(listed)} things" in page


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("The three columns", {1}),
        ("Yang et al. 2015", {2, 8}),
        ("Ordonez and Roggen, 2016", {3, 4, 5, 6, 8}),
        ("Tang et al. 2020", {7}),
        ("Our ResNet-like structure", {8, 9, 10, 11, 23}),
    ],
)
def test_brackets_of_the_paper_page_name_what_the_list_says(heading, said, listed):
    page = (DOCS / "paper-numbers.md").read_text("utf-8")
    sections = re.split(r"^##+ ", page, flags=re.MULTILINE)
    [section] = [text for text in sections if text.startswith(heading)]
    assert {int(number) for number in re.findall(r"\[(\d+)\](?!\()", section)} == said
    # What a section says in whole numbers, the items that it names say too.
    assert numbers(section) <= numbers(" ".join(listed[number] for number in said))


def test_printed_numbers_of_the_paper_page_are_the_papers():
    page = (DOCS / "paper-numbers.md").read_text("utf-8")
    models = []
    for module in (resnet_like, yang2015, ordonez2016, tang2020):
        module.register_models(models.append)
    rows = {result.row: result.printed for model in models for result in model.published}
    for line in re.findall(
        r"^\| ([A-Z][^|]+) \| ([\d.]+) \| ([^|]+) \|[^|]*\| ([^|]+) \|", page, re.M
    ):
        row, nf, parameters, flops = (cell.strip() for cell in line)
        found = next(printed for name, printed in rows.items() if name == row)
        assert found == {"NF": nf, "parameters": parameters, "FLOPs": flops}
