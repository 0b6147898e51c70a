"""Text of plugins and data, made safe to print: no control characters, bounded, ASCII if need be.

A class name, a citation or the message of an exception may hold anything: escape sequences that
clear the screen, carriage returns, characters that turn the direction of a line, 500 letters.
"""

from __future__ import annotations

from rich.cells import cell_len

from harbench.config.nodes import printable

_ASCII = str.maketrans(
    {
        "±": "+/-",
        "–": "-",
        "—": "-",
        "…": "...",
        "×": "x",
        "·": ".",
        "≥": ">=",
        "≤": "<=",
        "→": "->",
        "’": "'",
        "“": '"',
        "”": '"',
        "µ": "u",
        "α": "alpha",
        "Δ": "delta",
    }
)
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def one_line(text: object) -> str:
    """The text on one line; what cannot be printed is written out (``\\x1b``).

    Blanks of any kind, ends of lines among them, become single spaces. Characters that turn the
    direction of writing or join others are no letters, and are written out as well.
    """
    return printable(" ".join(str(text).split()))


def many_lines(text: object) -> str:
    """As :func:`one_line`, line by line; indents stay."""
    return "\n".join(printable(line.expandtabs(4)) for line in str(text).split("\n"))


def to_ascii(text: str) -> str:
    """The text in ASCII: signs by what they mean (± is +/-), other letters as ``\\xe9``."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def in_charset(text: str, *, ascii_only: bool) -> str:
    """The text, or its ASCII."""
    return to_ascii(text) if ascii_only else text


def clipped(text: str, width: int, *, ascii_only: bool = False) -> str:
    """At most ``width`` columns of a line; what is longer ends in dots."""
    text = in_charset(text, ascii_only=ascii_only)
    # A letter may take two columns, and a mark none: a line of 500 marks is long all the same.
    if len(text) <= 2 * width and cell_len(text) <= width:
        return text
    dots = ("..." if ascii_only else "…")[: max(width, 0)]
    kept, used = [], len(dots)
    for letter in text[: 2 * max(width, 0)]:
        used += cell_len(letter)
        if used > width:
            break
        kept.append(letter)
    return "".join(kept) + dots


def padded(text: str, width: int, *, ascii_only: bool = False) -> str:
    """Exactly ``width`` columns of a line, filled with blanks or clipped."""
    text = clipped(text, width, ascii_only=ascii_only)
    return text + " " * (width - cell_len(text))


def superscript(notes: tuple[int, ...], *, ascii_only: bool = False) -> str:
    """(1, 12) -> "¹ ¹²"; in ASCII "[1] [12]"."""
    if ascii_only:
        return " ".join(f"[{note}]" for note in notes)
    return " ".join(str(note).translate(_SUPERSCRIPTS) for note in notes)
