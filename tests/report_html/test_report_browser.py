"""The page in Chromium: what a reader does with it, by mouse, by keyboard, on paper."""

from dataclasses import replace
from itertools import pairwise

import pytest

from harbench.report.html import provenance, report_of, write_report
from harbench.report.html.rendering import AT_FIRST
from harbench.results import Store

TABLE = "#b1-table"
LIMIT = 2.0  # s


def names(page):
    return page.locator(f"{TABLE} tbody tr:visible th > a").all_text_contents()


def head(page, title):
    return page.locator(f"{TABLE} thead th", has_text=title).first


def until(page, expression):
    """Wait until it is true; playwright's own waiting is refused by the page's policy."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {expression}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_it_opens_quietly_and_fits(page_file, open_page, width, scheme):
    page = open_page(page_file, width=width, color_scheme=scheme)
    assert page.heard == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("h1").inner_text() == "Benchmark report"


def test_a_click_sorts_by_the_number_and_a_third_restores(page_file, open_page):
    page = open_page(page_file)
    assert names(page) == ["good", "same", "cheap", "poor"]
    parameters = head(page, "Parameters")
    assert parameters.get_attribute("aria-sort") == "none"
    parameters.locator("button").click()
    # 4,000 ... 256,000: as texts they would stand in another order.
    assert names(page) == ["poor", "cheap", "same", "good"]
    assert parameters.get_attribute("aria-sort") == "ascending"
    parameters.locator("button").click()
    assert names(page) == ["good", "same", "cheap", "poor"]
    assert parameters.get_attribute("aria-sort") == "descending"
    head(page, "Model").locator("button").click()
    assert names(page) == ["cheap", "good", "poor", "same"]
    assert parameters.get_attribute("aria-sort") == "none"
    for _ in range(2):
        head(page, "Model").locator("button").click()
    assert names(page) == ["good", "same", "cheap", "poor"]
    assert page.locator("#said").inner_text() == "in the original order"
    # What has learnt nothing stays below.
    assert page.locator(f"{TABLE} tfoot th").inner_text().startswith("(commonest class)")


def test_the_keyboard_sorts_and_the_focus_is_seen(page_file, open_page):
    page = open_page(page_file)
    button = head(page, "NF").locator("button")
    button.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert button.evaluate("e => e === document.activeElement")
    assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    # Of scores the best comes first.
    assert head(page, "NF").get_attribute("aria-sort") == "descending"
    best_first = names(page)
    page.keyboard.press("Space")
    assert names(page) == best_first[::-1]
    assert {*best_first[:2]} == {"good", "same"} and best_first[2:] == ["cheap", "poor"]


def test_what_has_no_number_is_last_whichever_way(page_file, open_page):
    page = open_page(page_file)
    printed = head(page, "printed NF").locator("button")
    for _ in range(2):
        printed.click()
        assert names(page)[0] == "good"


def test_the_filter_keeps_rows_with_all_words(page_file, open_page):
    page = open_page(page_file)
    box = page.locator(f".table:has({TABLE}) input[type=search]")
    count = page.locator(f".table:has({TABLE}) output")
    assert count.inner_text() == "4 of 4 rows"
    box.fill("LEAKY")
    assert names(page) == ["cheap"] and count.inner_text() == "1 of 4 rows"
    box.fill("o good")
    assert names(page) == ["good"]
    head(page, "Model").locator("button").click()
    assert names(page) == ["good"]
    box.fill("")
    assert len(names(page)) == 4


def test_columns_are_chosen(page_file, open_page):
    page = open_page(page_file)
    menu = page.locator(f".table:has({TABLE}) .columns")
    menu.locator("summary").click()
    menu.get_by_label("MACs").uncheck()
    assert not head(page, "MACs").is_visible()
    assert page.locator(f"{TABLE} tr > :nth-child(6):visible").count() == 0
    assert head(page, "Latency").is_visible()
    menu.get_by_label("MACs").check()
    assert page.locator(f"{TABLE} tr > :nth-child(6):visible").count() == 6
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None


def test_every_figure_is_there_and_says_what_it_shows(page_file, open_page, report):
    page = open_page(page_file)
    wanted = [drawing.name for drawing in report.benchmarks[0].drawings]
    kinds = {drawing.kind for drawing in report.benchmarks[0].drawings}
    assert kinds >= {"pareto", "per-class", "confusion", "curves", "critical-difference",
                     "ablation"}  # fmt: skip
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert {*wanted} == {
        *page.locator("figure").evaluate_all("all => all.map(one => one.dataset.name)")
    }
    for figure in page.locator("figure").all():
        box = figure.locator("svg").bounding_box()
        assert box["width"] > 100 and box["height"] > 50
        assert figure.locator("svg").get_attribute("role") == "img"
        assert len(figure.locator("svg > desc").text_content()) > 10


def copied_by(page, button, monkeyed):
    """What lands on the clipboard, or in the selection that is copied by hand."""
    page.evaluate(monkeyed)
    button.click()
    until(page, "window.copied !== undefined")
    return page.evaluate("window.copied")


CLIPBOARD = """() => {
  Object.defineProperty(navigator, "clipboard", {configurable: true, value: {
    writeText: text => { window.copied = text; return Promise.resolve(); }}});
}"""
REFUSED = """() => {
  Object.defineProperty(navigator, "clipboard", {configurable: true, value: {
    writeText: () => Promise.reject(new Error("not allowed"))}});
  document.execCommand = () => { window.copied = document.activeElement.value; return true; };
}"""


@pytest.mark.parametrize("way", [CLIPBOARD, REFUSED], ids=["clipboard", "by hand"])
def test_the_provenance_of_a_row_is_copied(page_file, open_page, report, way):
    page = open_page(page_file)
    row = report.benchmarks[0].provenance[1]
    details = page.locator(f"#{row.anchor}")
    assert details.get_attribute("open") is None
    # The name of the row leads there.
    page.locator(f"{TABLE} a", has_text="same").click()
    until(page, f"document.getElementById('{row.anchor}').open")
    button = details.get_by_role("button", name="Copy provenance")
    assert copied_by(page, button, way) == row.text
    assert details.locator(".copy", has_text="Copied").is_visible()
    page.evaluate("window.copied = undefined")
    assert copied_by(page, details.get_by_role("button", name="Copy command"), way) == row.command
    assert page.heard == []


def test_the_table_is_copied_as_it_is_shown(page_file, open_page):
    page = open_page(page_file)
    page.locator(f".table:has({TABLE}) input").first.fill("good")
    button = page.locator(f".table:has({TABLE}) .copy-table")
    lines = copied_by(page, button, CLIPBOARD).splitlines()
    assert lines[0].startswith("Model,Window / step,NF,macro F1,Parameters")
    assert lines[1].startswith("good,20 / 10,") and '"256,000 / 256,007"' in lines[1]
    assert lines[2].startswith("(commonest class)") and len(lines) == 3


def test_the_theme_is_chosen(page_file, open_page):
    page = open_page(page_file, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    for label, same in (("light", True), ("dark", False), ("system", True)):
        page.locator("#theme").click()
        assert page.locator("#theme").inner_text() == f"Theme: {label}"
        assert (page.evaluate(paper) == light) == same


CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const seen = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!/^rgba.*, 0\\)$/.test(c)) return c; } return "rgb(255, 255, 255)"; };
  const low = new Set();
  for (const e of document.querySelectorAll("body *:not(script):not(style):not(svg):not(svg *)")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(seen(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) low.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...low];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(page_file, open_page, scheme):
    page = open_page(page_file, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(CONTRAST) == []


def test_a_screen_reader_finds_its_way(page_file, open_page):
    page = open_page(page_file)
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("e => e === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for table in page.locator("table").all():
        assert table.locator("caption").count() == 1
        assert table.locator("thead th:not([scope=col])").count() == 0
        assert table.locator("tbody tr:not(:has(> th[scope=row]))").count() == 0
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_on_paper_all_is_open_and_nothing_is_to_be_clicked(page_file, open_page, tmp_path):
    page = open_page(page_file)
    closed = page.locator("main details:not([open]):not(.columns)").count()
    assert closed > 4
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open]):not(.columns)").count() == 0
    assert page.locator("button:visible:not(.sort), input:visible, nav:visible").count() == 0
    assert page.locator(f"{TABLE} tbody tr:visible").count() == 4
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details:not([open]):not(.columns)").count() == closed
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").stat().st_size > 50_000


def test_without_scripts_everything_can_be_read(page_file, open_page):
    page = open_page(page_file, java_script_enabled=False)
    assert page.locator("button:visible").count() == 0
    assert page.locator(f"{TABLE} tbody tr:visible").count() == 4
    page.locator("details.row summary", has_text="same").click()
    assert page.get_by_text("harbench run benchmarks.yaml toys --models same").is_visible()


SORTED = """async ([table, place]) => {
  document.querySelectorAll(`${table} thead button`)[place].click();
  document.body.offsetHeight;
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
}"""


def page_seconds(session):
    """Processor seconds of the page's own thread so far: by the clock, other tests count too."""
    found = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in found if one["name"] == "ThreadTime")


@pytest.fixture(scope="module")
def many_file(folder, tmp_path_factory):
    """The page with its four rows 500 times, as a benchmark of so many cells is written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provenance, "DETAILED_AT_MOST", 0)
        report = report_of(Store(folder))
    part = report.benchmarks[0]
    lines = [
        replace(line, anchor=f"{line.anchor}-{n}",
                cells=(replace(line.cells[0], text=f"{line.cells[0].text}-{n}"), *line.cells[1:]))
        for n in range(500)
        for line in part.table.lines
    ]  # fmt: skip
    rows = [replace(row, anchor=f"{row.anchor}-{n}") for n in range(500) for row in part.provenance]
    many = replace(part, table=replace(part.table, lines=tuple(lines)), provenance=tuple(rows))
    path = tmp_path_factory.mktemp("many") / "report.html"
    write_report(replace(report, benchmarks=(many,)), path)
    return path


def test_two_thousand_rows_open_and_sort_in_two_seconds(page_file, many_file, open_page):
    page = open_page(page_file)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    spent = [page_seconds(session)]
    page.goto(many_file.as_uri())
    spent.append(page_seconds(session))
    assert page.locator(f"{TABLE} tbody tr").count() == 2000
    for place in (2, 0):
        page.evaluate(SORTED, [TABLE, place])
        spent.append(page_seconds(session))
    assert names(page)[:2] == ["cheap-0", "cheap-1"]
    taken = [after - before for before, after in pairwise(spent)]
    print("CPU s to open, to sort by a number, by a name:", *(f"{one:.2f}" for one in taken))
    assert all(0.01 < one < LIMIT for one in taken)


def test_of_thousands_the_first_are_shown_until_all_are_asked_for(many_file, open_page):
    page = open_page(many_file)
    box = page.locator(f".table:has({TABLE})")
    shown = page.locator(f"{TABLE} tbody tr:visible")
    assert shown.count() == AT_FIRST
    assert box.locator("output").inner_text() == f"the first {AT_FIRST} of 2000 rows"
    # What is not shown is sorted and found all the same.
    head(page, "Model").locator("button").click()
    head(page, "Model").locator("button").click()
    assert page.locator(f"{TABLE} tbody tr:visible th > a").first.inner_text() == "same-499"
    box.locator("input").first.fill("poor-499")
    assert names(page) == ["poor-499"]
    box.locator("input").first.fill("")
    assert shown.count() == AT_FIRST
    box.get_by_role("button", name="Show all").click()
    everything = f"document.querySelectorAll('{TABLE} tbody tr:not(.later)').length === 2000"
    until(page, everything)
    assert shown.count() == 2000 and box.locator("output").inner_text() == "2000 of 2000 rows"
    # Sorted again, the first are there at once, and the others come behind them.
    page.evaluate(SORTED, [TABLE, 2])
    until(page, everything)
    # A sort while others are still to come leaves none out.
    page.evaluate(f"""[0, 2, 3].forEach(n =>
        document.querySelectorAll('{TABLE} thead button')[n].click())""")
    until(page, everything)
