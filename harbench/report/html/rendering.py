"""The page as text and as a file.

All text is escaped by jinja2. A Content-Security-Policy in the page lets run only the page's own
style and script, by their hashes, and lets it load nothing, so that what gets past the escaping
does nothing either. Equal reports are equal bytes: no time of writing is on the page.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harbench.errors import HarbenchError, ResultsError
from harbench.report.html.inline_figures import by_kind, drawn
from harbench.report.html.page import Report

# What no HTML file may hold: halves of characters, control characters, what is no character.
_NO_TEXT = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")

# Before the page is laid out: then rows that are not shown at first never are.
_EARLY = 'document.documentElement.classList.add("scripted");'

AT_FIRST = 200
"""Rows of a table that are shown before the reader asks for all of them."""


def report_html(report: Report) -> str:
    """The whole page.

    Raises:
        ResultsError: a figure that an analysis stored is damaged.
    """
    css, js = (_template(name) for name in ("report.css", "report.js"))
    environment = Environment(
        loader=PackageLoader("harbench.report.html"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = lambda number: f"{number:.10g}"
    environment.filters["code"] = _code
    figures = drawn(report)
    environment.filters["by_kind"] = lambda drawings: by_kind(drawings, figures)
    text = environment.get_template("page.html.j2").render(
        report=report,
        figures=figures,
        at_first=AT_FIRST,
        early=Markup(_EARLY),
        css=Markup(css),
        js=Markup(js),
        policy=(
            f"default-src 'none'; script-src '{_hash(_EARLY)}' '{_hash(js)}'; "
            f"style-src '{_hash(css)}'; "
            # matplotlib writes style attributes; without url() of other places they load nothing.
            "style-src-attr 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
        ),
    )
    return _NO_TEXT.sub("\ufffd", text)


def _template(name: str) -> str:
    return (files("harbench.report.html") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _code(text: str) -> Markup:
    """Text whose parts between backticks are code."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if place % 2 else Markup.escape(piece)
        for place, piece in enumerate(pieces)
    )


def write_report(report: Report, path: Path) -> int:
    """Write the page, whole or not at all, and return how many bytes it has.

    Args:
        report: What is on it.
        path: A file that is there is replaced when the new one is whole.

    Raises:
        HarbenchError: a figure is damaged, or the file cannot be written.
    """
    if path.is_dir():
        raise ResultsError(
            "that is a folder", where=str(path), expected="a file", fix="... --out report.html"
        )
    content = report_html(report).encode()
    temporary = path.parent / f".{path.name[:100]}.{os.getpid()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _forget(temporary)
    return len(content)


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a folder that cannot be written holds nothing of ours


def _unwritable(path: Path, error: OSError) -> HarbenchError:
    return ResultsError(
        f"the report cannot be written: {error.strerror or error}",
        where=str(path),
        expected="a file in a folder that can be written",
        fix="harbench report ... --out ANOTHER_FILE",
    )
