"""Text of plugins and data, made safe to print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from harbench.report.plain_text import (
    clipped,
    in_charset,
    many_lines,
    one_line,
    padded,
    superscript,
    to_ascii,
)

ANY = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\r\n\t\x00\u202e\u2066\u200d\ufeff[]"), max_size=60
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Open Door 1", "Open Door 1"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("[bold]\x1b[2J", r"[bold]\x1b[2J"),
        ("a\r\nb\t c", "a b c"),
        ("\u202eevil", r"\u202eevil"),
        ("שלום", "שלום"),
        ("🦑", "🦑"),
        ("\x9b31m\x07", r"\x9b31m\x07"),
        ("half \ud800", r"half \ud800"),
        ("", ""),
    ],
)
def test_one_line(text, shown):
    assert one_line(text) == shown


@given(ANY)
def test_whatever_it_was_it_is_printable_and_safe_twice(text):
    assert one_line(text).isprintable()
    assert one_line(one_line(text)) == one_line(text)
    assert all(line.isprintable() for line in many_lines(text).split("\n"))
    assert many_lines(text).count("\n") == text.count("\n")
    assert to_ascii(one_line(text)).isascii()


@given(ANY, st.integers(1, 40), st.booleans())
def test_widths_are_kept(text, width, plain):
    text = one_line(text)
    assert cell_len(clipped(text, width, ascii_only=plain)) <= width
    assert cell_len(padded(text, width, ascii_only=plain)) == width
    if cell_len(in_charset(text, ascii_only=plain)) <= width and not plain:
        assert clipped(text, width).rstrip("…") == text.rstrip("…")


def test_marks_without_a_width_do_not_make_a_line_endless():
    assert len(clipped("a" + "\u0301" * 500, 10)) <= 21


def test_ascii_says_what_signs_mean():
    assert to_ascii("72.7 ± 15.9 – α") == "72.7 +/- 15.9 - alpha"
    assert to_ascii("café") == r"caf\xe9"
    assert superscript((1, 12)) == "¹ ¹²"
    assert superscript((1, 12), ascii_only=True) == "[1] [12]"
    assert clipped("abcdefgh", 6) == "abcde…"
    assert clipped("abcdefgh", 6, ascii_only=True) == "abc..."
