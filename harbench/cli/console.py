"""The console of every command: what it prints is text, in a charset that the terminal has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment


class PlainConsole(Console):
    """A rich console that lets no control character of a text through, whatever it comes from.

    What writes to it writes such characters out where there is room for it; here is the last
    door. Where the charset is not one of Unicode, letters that it lacks become question marks.
    """

    @property
    def encoding(self) -> str:
        """Of the file; "ascii" in a terminal whose locale is C or POSIX."""
        if self.file.isatty() and _plain_locale(os.environ):
            return "ascii"
        return super().encoding

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments, clean."""
        encoding = "" if self.encoding.startswith("utf") else self.encoding
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control or text == "\n" or (text.isprintable() and not encoding):
                yield segment
            else:
                yield Segment(_clean(text, encoding), segment.style)


def _clean(text: str, encoding: str) -> str:
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable() or c == "\n")
    if not encoding or text.isascii():
        return text
    return "".join(c if _has(encoding, c) else "?" * cell_len(c) for c in text)


def _has(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _plain_locale(environment: Mapping[str, str]) -> bool:
    """Whether the terminal was said to know ASCII only. Python itself then writes UTF-8."""
    if sys.flags.utf8_mode and environment.get("PYTHONUTF8") == "1":
        return False
    if environment.get("PYTHONIOENCODING"):
        return False
    said = environment.get("LC_ALL") or environment.get("LC_CTYPE")
    if said == "C.UTF-8" and not environment.get("LC_ALL"):
        # Python sets this itself where LANG is C; what LANG says is what was meant.
        said = None
    return (said or environment.get("LANG")) in ("C", "POSIX")
