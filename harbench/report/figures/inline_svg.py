"""A drawing as SVG that stands in an HTML page: small, accessible, in the page's colours.

What matplotlib writes is read as XML and written anew from lists of what an element and an
attribute may be. So nothing in a stored file, which may have come with somebody else's results,
can run in the page or load something into it; and names that nothing refers to, and digits that
nobody sees, are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html import escape
from xml.etree import ElementTree

from harbench.errors import ResultsError
from harbench.execute.analysing import saved_figure
from harbench.report.figures.drawing import Drawing
from harbench.report.figures.saving import stored_bytes
from harbench.report.figures.style import BAND, FAINT, INK, styled
from harbench.report.figures.text import clipped

FONTS = "'DejaVu Sans',Verdana,'Segoe UI','Liberation Sans',sans-serif"
"""The first that the reader has; widths were computed with the first."""

_ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "svg g path use defs clipPath rect text tspan image circle ellipse line polyline polygon "
        "linearGradient radialGradient stop",
    )
)
_ATTRIBUTES = frozenset(
    re.findall(
        r"[\w-]+",
        "d x y x1 x2 y1 y2 r rx ry cx cy width height points transform offset gradientUnits "
        "gradientTransform clip-path fill fill-opacity fill-rule stroke stroke-width "
        "stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin "
        "stroke-miterlimit opacity text-anchor font-size font-weight font-style stop-color "
        "stop-opacity preserveAspectRatio",
    )
)
_PAGE = {
    INK.lower(): "currentColor",
    FAINT.lower(): f"var(--figure-faint,{FAINT})",
    BAND.lower(): f"var(--figure-band,{BAND})",
    "#ffffff": "var(--figure-paper,#fff)",
}
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = ("{http://www.w3.org/1999/xlink}href", "href")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_LOCAL = re.compile(r"url\(['\"]?#([\w.:-]+)['\"]?\)")
_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*")


def svg_text(drawing: Drawing) -> str:
    """``<svg ...>...</svg>`` without prolog, to be put into HTML as it is: all text is escaped.

    It has role="img", ``<title>`` and ``<desc>``, a viewBox, ``width:100%`` up to its natural
    size, and ids made from the drawing's name. Ink and lines are ``currentColor``; the page may
    set ``--figure-faint``, ``--figure-band`` and ``--figure-paper``. What an analysis stored is
    shown on white, in its own colours, without anything that could run or load something.

    Raises:
        ResultsError: a stored figure is not there, or is no SVG.
    """
    if drawing.files:
        content = stored_bytes(drawing, "svg")
    else:
        with styled(svg__fonttype="none"):
            content = saved_figure(drawing.draw(), "svg")
    root = _parsed(content, str(drawing.files.get("svg", drawing.name)))
    return "".join(_Writer(drawing, root).text())


def _parsed(content: bytes, where: str) -> ElementTree.Element:
    # The document type has no use here, and entities could swell to gigabytes.
    bare = re.sub(rb"<!DOCTYPE[^>\[]*>", b"", content, count=1)
    try:
        if b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:
            raise ValueError("it declares entities")
        root = ElementTree.fromstring(bare)  # no entities are left
        if root.tag != f"{_SVG}svg" or not root.get("viewBox"):
            raise ValueError("its root is no svg with a viewBox")
    except (ElementTree.ParseError, ValueError) as error:
        raise ResultsError(
            f"no SVG that can be shown: {error}", where=where, fix="harbench run benchmarks.yaml"
        ) from error
    return root


class _Writer:
    """One picture on its way into a page."""

    def __init__(self, drawing: Drawing, root: ElementTree.Element) -> None:
        self.drawing = drawing
        self.root = root
        self.stored = bool(drawing.files)
        known = {e.get("id"): n for n, e in enumerate(root.iter()) if e.get("id")}
        used = dict.fromkeys(name for name in _references(root) if name in known)
        # Hundreds of glyphs refer to them: short, and still the drawing's own.
        own = hashlib.sha256(drawing.name.encode()).hexdigest()[:8]
        self.ids = {name: f"f{own}-{number}" for number, name in enumerate(used)}

    def text(self) -> Iterator[str]:
        name = self.drawing.name
        x, y, width, height = self._view()
        size = "" if self.stored else f' font-family="{FONTS}"'
        sheet = "background:#fff;color:#000;" if self.stored else ""
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" id="{name}" '
            f'aria-labelledby="{name}-title {name}-desc" '
            f'viewBox="{x:g} {y:g} {width:g} {height:g}"{size} '
            f'style="{sheet}width:100%;max-width:{width * 4 / 3:.0f}px;height:auto">'
        )
        yield f'<title id="{name}-title">{escape(clipped(self.drawing.title, 200))}</title>'
        yield f'<desc id="{name}-desc">{escape(clipped(self.drawing.alt, 4000))}</desc>'
        for child in self.root:
            yield from self._element(child)
        yield "</svg>"

    def _view(self) -> list[float]:
        try:
            x, y, width, height = (float(n) for n in self.root.get("viewBox", "").split())
        except ValueError as error:
            raise ResultsError(
                "no SVG that can be shown: its viewBox is not four numbers",
                where=self.drawing.name,
            ) from error
        return [x, y, width, height]

    def _element(self, element: ElementTree.Element) -> Iterator[str]:
        tag = str(element.tag).removeprefix(_SVG)
        if tag not in _ELEMENTS:
            return
        attributes = self._attributes(element, tag)
        inside = "".join(piece for child in element for piece in self._element(child))
        if tag in ("text", "tspan"):
            inside = escape(element.text or "", quote=False) + inside
        if tag == "g" and not attributes:
            yield inside
        elif inside:
            yield f"<{tag}{attributes}>{inside}</{tag}>"
        elif tag not in ("g", "defs", "text"):
            yield f"<{tag}{attributes}/>"
        if tag == "tspan" and element.tail:
            yield escape(element.tail, quote=False)

    def _attributes(self, element: ElementTree.Element, tag: str) -> str:
        given = dict(element.attrib)
        for part in given.pop("style", "").split(";"):
            key, _, value = part.partition(":")
            given[key.strip()] = value.strip()
        if font := given.pop("font", ""):
            given |= _font(font)
        found = []
        if (name := given.get("id")) in self.ids:
            found.append(("id", self.ids[str(name)]))
        for key in _LINK:
            if (target := given.get(key)) is not None and (link := self._link(tag, target)):
                found.append(("href", link))
        for key, value in given.items():
            if key in _ATTRIBUTES and (written := self._value(key, value)):
                found.append((key, written))
        if tag == "text" and not self.stored and "fill" not in given:
            found.append(("fill", "currentColor"))
        return "".join(f' {key}="{escape(value)}"' for key, value in found)

    def _link(self, tag: str, target: str) -> str:
        if target.startswith("#"):
            return f"#{self.ids[target[1:]]}" if target[1:] in self.ids else ""
        # A picture in the picture; anything else would be loaded from somewhere.
        return target if tag == "image" and _PICTURE.fullmatch(target) else ""

    def _value(self, key: str, value: str) -> str:
        if local := _LOCAL.fullmatch(value.strip()):
            return f"url(#{self.ids[local[1]]})" if local[1] in self.ids else ""
        if re.search(r"[():\\]", re.sub(r"\b(matrix|translate|rotate|scale|rgba?)\(", "", value)
                     .replace(")", "")):  # fmt: skip
            return ""
        if key in ("fill", "stroke", "stop-color"):
            return value if self.stored else _PAGE.get(value.lower(), value)
        if key == "transform":
            return _shortened(value, significant=True)
        return _shortened(value) if key in ("d", "x", "y", "points", "stroke-width") else value


def _references(root: ElementTree.Element) -> Iterator[str]:
    for element in root.iter():
        for key in _LINK:
            if element.get(key, "").startswith("#"):
                yield element.get(key, "")[1:]
        for value in element.attrib.values():
            yield from (name for name in _LOCAL.findall(value))


def _font(shorthand: str) -> dict[str, str]:
    """Of matplotlib's ``font: italic 700 8px 'DejaVu Sans'`` all but the family."""
    found = {}
    if size := re.search(r"(\d+(?:\.\d+)?)px", shorthand):
        found["font-size"] = size[1]
    before = shorthand.split("px")[0]
    if re.search(r"\b(bold|[6-9]00)\b", before):
        found["font-weight"] = "bold"
    if "italic" in before:
        found["font-style"] = "italic"
    return found


def _shortened(value: str, *, significant: bool = False) -> str:
    """Numbers to a tenth of a point, or to four digits that count."""

    def short(match: re.Match[str]) -> str:
        number = float(match[0])
        if significant:
            return f"{number:.4g}" if abs(number) < 1000 else f"{number:.1f}"
        return f"{number:.1f}".removesuffix(".0")

    return re.sub(r"\s*\n\s*", " ", _NUMBER.sub(short, value)).strip()
