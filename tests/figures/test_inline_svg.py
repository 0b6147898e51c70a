"""SVG for a page: small, said in words, in the page's colours, and harmless."""

import re
from xml.etree import ElementTree

import pytest

from harbench.errors import ResultsError
from harbench.report.figures import Drawing, drawings, svg_text

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawing):
    text = svg_text(drawing)
    assert text.startswith("<svg ") and text.endswith("</svg>")
    return text, ElementTree.fromstring(text)


@pytest.mark.parametrize("names", ["toys", "hostile"])
def test_every_drawing_stands_in_a_page(names, request):
    ids = []
    for drawing in drawings(*request.getfixturevalue(names), rows_at_most=2):
        text, root = parsed(drawing)
        assert len(text) < 40_000, drawing.name
        assert root.get("role") == "img"
        title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title.text == drawing.title and title.text.isprintable()
        assert desc.text and root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        own = [e.get("id") for e in root.iter() if e.get("id")]
        used = re.findall(r'(?:url\(#|href="#)([\w-]+)', text)
        assert set(used) <= set(own)
        ids += own
        # Ink follows the page.
        assert "#222222" not in text and "currentColor" in text
        assert not re.search(r"<script|javascript:|\son\w+=|http(?!://www.w3.org/2000/svg)", text)
    assert len(ids) == len(set(ids))


def test_text_is_text_in_the_readers_font(toys):
    text, root = parsed(drawings(*toys)[0])
    words = " ".join(e.text or "" for e in root.iter(f"{SVG}text"))
    assert "MACs of one window" in words and "cheap" in words
    assert root.get("font-family").startswith("'DejaVu Sans'")
    assert "font-family" not in text.split(">", 1)[1]


def test_the_same_each_time(toys):
    for one, two in zip(drawings(*toys), drawings(*toys), strict=True):
        assert svg_text(one) == svg_text(two)


def stored(tmp_path, content, name="stored-figure"):
    path = tmp_path / "figure.svg"
    path.write_text(content, encoding="utf-8")

    def draw():
        raise ResultsError("not drawn here")

    return Drawing(name, "saliency", "A <title>", "In words & numbers.", draw, None, {"svg": path})


EVIL = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 viewBox="0 0 72 72" onload="alert(1)">
 <metadata><x>y</x></metadata>
 <script>alert(2)</script>
 <style>* {background: url(http://evil.example/a)}</style>
 <!-- <script>alert(3)</script> -->
 <defs><clipPath id="p1"><rect x="0" y="0" width="72" height="72"/></clipPath>
  <path id="glyph" d="M 0.123456 1 L 2 2"/></defs>
 <a href="javascript:alert(4)"><text>inside a link</text></a>
 <foreignObject><div xmlns="http://www.w3.org/1999/xhtml">html</div></foreignObject>
 <g clip-path="url(#p1)" onclick="alert(5)"><use xlink:href="#glyph" x="1.23456"/>
  <use xlink:href="http://evil.example/x.svg#y"/>
  <image href="http://evil.example/p.png" width="5"/>
  <image href="data:image/png;base64,AAAA" width="5"/>
  <image href="data:image/svg+xml;base64,AAAA" width="5"/>
  <path d="M 0 0 L 9 9" style="fill: url(http://evil.example/f); stroke: #ff0000"/>
  <path d="M 0 0" fill="expression(alert(6))" style="stroke: none; background: url(x)"/>
  <animate attributeName="href" to="javascript:alert(7)"/><set onbegin="alert(8)"/>
  <text x="1" y="2">&lt;b&gt; &amp; more</text></g>
</svg>
"""


def test_a_stored_figure_loses_all_that_could_run_or_load(tmp_path):
    text, root = parsed(stored(tmp_path, EVIL))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg", "title", "desc", "defs", "clipPath", "rect", "path", "g", "use", "image", "text",
    }  # fmt: skip
    for word in ("evil.example", "alert", "javascript", "onload", "svg+xml", "expression", "html"):
        assert word not in text
    assert "background:#fff" in text and 'stroke="#ff0000"' in text
    # What is harmless is still there, the references among it.
    clip = re.search(r'clip-path="url\(#(f\w+-\d+)\)"', text)
    assert f'<clipPath id="{clip[1]}">' in text
    assert "data:image/png;base64,AAAA" in text and "&lt;b&gt; &amp; more" in text
    assert 'd="M 0.1 1 L 2 2"' in text
    assert "<title" in text and "A &lt;title&gt;" in text


def test_two_figures_of_one_file_have_ids_of_their_own(tmp_path):
    ids = [
        set(re.findall(r' id="([^"]+)"', svg_text(stored(tmp_path, EVIL, name))))
        for name in ("one", "two")
    ]
    assert len(ids[0]) == 5 and ids[0].isdisjoint(ids[1])


@pytest.mark.parametrize(
    "content",
    [
        "no svg",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "<html viewBox='0 0 1 1'/>",
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 a'/>",
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><text>&b;</text></svg>",
    ],
)
def test_what_is_no_svg_is_refused(tmp_path, content):
    with pytest.raises(ResultsError, match="no SVG that can be shown"):
        svg_text(stored(tmp_path, content))


def test_a_stored_figure_that_is_gone(tmp_path):
    drawing = stored(tmp_path, EVIL)
    drawing.files["svg"].unlink()
    with pytest.raises(ResultsError, match="not there as svg"):
        svg_text(drawing)
