"""Names and texts that try to break the page, from wherever a plugin or a file has the say."""

import re

import pytest

from harbench.report.html import report_html, report_of, write_report
from toys.reported_store import reported_store

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "\"'><svg onload=alert(3)>",
    "$x_1^2$ \\frac{1}{0} 100% #~&amp;",
    "🦑 emoji 🛰️ \u2028\u2029",
    "\u202emirrored שלום مرحبا",
    "x" * 500,
    "{{ 7 * 7 }}{% raw %}",
    "a\tb\x00c\ud800d",
    "javascript:alert(4)",
)
TEXT = "</style></title><script>alert(5)</script> {{ 7 * 7 }} \u2028 \ud800 " + "y" * 500


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    rows = {name: 0.9 - 0.05 * place for place, name in enumerate(HOSTILE)}
    store = reported_store(
        tmp_path_factory.mktemp("hostile"), rows, classes=HOSTILE[:4], texts=TEXT, seeds=2,
        leaky=HOSTILE[1:2], simulates=HOSTILE[0],
    )  # fmt: skip
    return report_of(store)


@pytest.fixture(scope="module")
def hostile_file(hostile, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(hostile, path)
    return path


def test_nothing_of_it_is_markup(hostile_file):
    text = hostile_file.read_text("utf-8")
    assert text.count("<script") == text.count("</script>") == 2
    assert text.count("<style") == text.count("</style>") == 1
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r"<(style|script)>.*?</\1>", "", text))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text and "\x00" not in text


def test_it_runs_nothing_and_every_name_is_to_be_read(hostile_file, open_page):
    page = open_page(hostile_file)
    assert page.heard == []
    names = page.locator("#b1-table tbody th[scope=row] bdi:first-child").all_text_contents()
    shown = [name for name in names if name != "leaky" and "simulated" not in name]
    wanted = [name.replace("\x00", "\ufffd").replace("\ud800", "\ufffd") for name in HOSTILE]
    assert [name for name in shown if name in wanted] == wanted
    page.locator("#b1-table thead button").first.click()
    page.locator("main details:not([open]) > summary").first.click()
    assert page.heard == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_name_makes_the_page_scroll_sideways(hostile_file, open_page, width):
    page = open_page(hostile_file, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_writing_it_twice_is_the_same(hostile, hostile_file):
    assert report_html(hostile).encode() == hostile_file.read_bytes()
