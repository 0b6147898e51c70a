"""Text from plugins and data, made fit for a figure: characters, widths, lines, names that differ.

A name may hold anything: dollar signs, line breaks, emoji, marks that turn the direction of
writing, five hundred characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

ELLIPSIS = "…"
NO_GLYPH = "\N{REPLACEMENT CHARACTER}"
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn"}
_UNIT = 100.0  # points at which widths are measured; a font's advances are linear


def plain(text: str) -> str:
    """One line of characters that the font has.

    Controls and marks of direction go, any stretch of blanks is one blank, and what the font has
    no glyph for is U+FFFD, once for each stretch.
    """
    # Blanks first: a line break is a control, too.
    blanks = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    kept = "".join(c for c in blanks if unicodedata.category(c) not in _DROPPED)
    glyphs = _glyphs()
    known = "".join(c if ord(c) in glyphs else NO_GLYPH for c in kept)
    return re.sub(f"{NO_GLYPH}+", NO_GLYPH, known).strip()


def fitted(text: str, size: float, width: float) -> str:
    """:func:`plain` text that is no wider, with an ellipsis in its middle where it was.

    In the middle, because names of variants differ at their ends.
    """
    whole = plain(text)
    # No glyph is narrower than a fifth of its size: what is far too long is not measured.
    most = int(5 * width / size) + 2
    if len(whole) <= most and text_width(whole, size) <= width:
        return whole
    low, high = 0, min(len(whole), most)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(_cut(whole, middle), size) <= width:
            low = middle
        else:
            high = middle - 1
    return _cut(whole, low)


def distinct(names: Sequence[str], size: float, width: float) -> list[str]:
    """:func:`fitted` names; those that are alike then, or empty, get a number."""
    short = [fitted(name, size, width) for name in names]
    if len(set(short)) == len(short) and all(short):
        return short
    found = []
    for number, (name, one) in enumerate(zip(names, short, strict=True), 1):
        alone = one and short.count(one) == 1
        mark = "" if alone else f" ({number})"
        found.append(fitted(name, size, width - text_width(mark, size)) + mark)
    return found


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Lines of :func:`plain` text that are no wider."""
    lines: list[str] = []
    for word in plain(text).split(" "):
        shown = fitted(word, size, width)
        if lines and text_width(f"{lines[-1]} {shown}", size) <= width:
            lines[-1] = f"{lines[-1]} {shown}"
        elif shown:
            lines.append(shown)
    return lines


def clipped(text: str, most: int) -> str:
    """At most so many characters, for text that is not drawn; controls become blanks."""
    whole = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text)).strip()
    return whole if len(whole) <= most else _cut(whole, most - 1)


@cache
def text_width(text: str, size: float) -> float:
    """Points that a text takes."""
    if size != _UNIT:
        return text_width(text, _UNIT) * size / _UNIT
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    width, _, _ = TextToPath().get_text_width_height_descent(
        text, FontProperties(family=["DejaVu Sans"], size=_UNIT), ismath=False
    )
    return float(width)


def _cut(text: str, n: int) -> str:
    """The beginning and the end, n characters in all beside the ellipsis."""
    if n >= len(text):
        return text
    begin, end = (n + 1) // 2, n // 2
    return f"{text[:begin].rstrip()}{ELLIPSIS}{text[len(text) - end :].lstrip()}"


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family=["DejaVu Sans"]))).get_charmap())
