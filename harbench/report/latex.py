r"""Tables for papers: booktabs, with numbered notes below, and nothing else that must be installed.

A snippet begins with a comment that lists its packages, to be read by \input; a standalone document
compiles by itself. Both are for pdflatex, whose fonts know Latin letters and little else: what they
have no letter for becomes [?], and the comment says which characters those were.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from harbench.report.tabular import ABSENT, Column, Table, Value

REPLACEMENT = "[?]"
_PACKAGES = r"""\usepackage{booktabs}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}"""
_NAME, _CELL = 40, 28  # characters of a cell, of the first column and others; _shortened
_WORD = 30  # characters of a word behind which a line may break
_CAPTION = 600
_IN_FLOAT = 1500  # characters of notes up to which they stay with the table on its page
_WIDE = 7  # columns above which a page is turned

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    # Behind the end of a line these would be read as its arguments.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "\N{FRACTION SLASH}": "/",
    "·": r"$\cdot$",
    "°": r"$^{\circ}$",
    "µ": r"$\mu$",
    "→": r"$\rightarrow$",
    "≈": r"$\approx$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "¹": r"\textsuperscript{1}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "\xa0": "~",
    "\u202f": r"\,",
    "\u2009": r"\,",
    "‑": "-",
}
_GREEK = {
    unicodedata.lookup(f"GREEK {case} LETTER {name.upper()}"): rf"$\{shown}$"
    for case, names in (
        (
            "SMALL",
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi pi rho sigma "
            "tau upsilon phi chi psi omega",
        ),
        ("CAPITAL", "gamma delta theta lamda xi pi sigma phi psi omega"),
    )
    for name in re.findall(r"\w+", names)
    for shown in [(name if case == "SMALL" else name.title()).replace("amda", "ambda")]
}
# Of Latin-1 and Latin Extended-A, what the T1 fonts have.
_T1 = frozenset(
    "¡¿£§ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
    "ĂăĄąĆćČčĎďĐđĘęĚěĞğİıĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž"
)
# Pairs of characters of which T1 fonts make one.
_LIGATURES = (("--", "-{}-"), (",,", ",{},"), ("''", "'{}'"), ("?`", "?{}`"), ("!`", "!{}`"))


def escaped(text: str) -> str:
    r"""Any text as LaTeX that prints it: on one line, without commands, pdflatex's letters only.

    What there is no letter for is {[}?{]}, once for each stretch.
    """
    found: list[str] = []
    for character in _line(text):
        known = _known(character)
        if known is None:
            if not found or found[-1] != "\0":
                found.append("\0")
        else:
            found.append(known)
    return "".join(found).replace("\0", "{[}?{]}")


def unprintable(text: str) -> list[str]:
    """The characters of a text that :func:`escaped` replaces."""
    return sorted({character for character in _line(text) if _known(character) is None})


def _line(text: str) -> str:
    whole = re.sub(r"[ \t\r\n\f\v\u2028\u2029]+", " ", unicodedata.normalize("NFC", text)).strip()
    # Controls, and marks of the direction of writing.
    whole = "".join(c for c in whole if unicodedata.category(c) not in ("Cc", "Cf", "Mn"))
    for pair, _ in _LIGATURES:
        whole = whole.replace(pair, f"{pair[0]}\ufdd0{pair[1]}")
    return whole.replace("--", "-\ufdd0-")


def _known(character: str) -> str | None:
    if character == "\ufdd0":  # no character: what keeps a pair apart
        return "{}"
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _GREEK:
        return _GREEK[character]
    if " " <= character <= "~" or character in _T1:
        return character
    # Full-width letters, fractions and the like.
    plain = unicodedata.normalize("NFKD", character)
    base = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    if base and base != character and all(" " <= c <= "~" or c in _SPECIAL for c in base):
        return "".join(_SPECIAL.get(c, c) for c in base)
    return None


def latex(table: Table) -> str:
    r"""A snippet for \input: packages in a comment, then the table.

    The best of a column is bold, what is not told apart from it underlined; intervals are in the
    cells, and every footnote, those of defects among them, is below.
    """
    return f"{_packages(table)}{_float(table)}"


def latex_snippets(tables: Sequence[Table]) -> str:
    """Several, an empty line between them."""
    return "\n".join(latex(table) for table in tables)


def latex_document(tables: Sequence[Table]) -> str:
    """A document of some tables that pdflatex compiles by itself."""
    wide = any(len(table.columns) > _WIDE for table in tables)
    lines = [
        r"\documentclass[10pt,a4paper]{article}",
        _PACKAGES,
        # Without it some installations set T1 in bitmaps.
        r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}",
        rf"\usepackage[margin=15mm{',landscape' * wide}]{{geometry}}",
        r"\begin{document}",
    ]
    body = "\n\\clearpage\n".join(f"{_replaced(table)}{_float(table)}" for table in tables)
    return "\n".join(lines) + f"\n{body}\\end{{document}}\n"


def _packages(table: Table) -> str:
    lines = [f"% {line}" for line in ("needs, before \\begin{document}:", *_PACKAGES.split("\n"))]
    return "\n".join(lines) + "\n" + _replaced(table)


def _replaced(table: Table) -> str:
    """The comment that says which characters are not there."""
    values = [value.text for row in table.rows for value in row.values()]
    heads = [column.title for column in table.columns]
    every = "".join([table.title, *table.lines, *heads, *values, *table.footnotes])
    missing = unprintable(every)
    if not missing:
        return ""
    named = " ".join(f"U+{ord(character):04X}" for character in missing[:20])
    more = f" and {len(missing) - 20} more" * (len(missing) > 20)
    return f"% {REPLACEMENT} stands for characters that pdflatex has no letter for: {named}{more}\n"


def _float(table: Table) -> str:
    notes = _notes(table)
    together = sum(map(len, notes)) <= _IN_FLOAT
    caption = _prose(_shortened(f"{table.title}. {'; '.join(table.lines)}", _CAPTION))
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\small",
        r"\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{caption}}}\smallskip",
        rf"\label{{tab:{re.sub(r'[^A-Za-z0-9._-]+', '-', table.name)}}}",
        rf"\begin{{tabular}}{{@{{}}{_alignment(table)}@{{}}}}",
        r"\toprule",
        *_heads(table.columns),
        r"\midrule",
        *_rows(table),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    below = [
        r"\begin{minipage}{\linewidth}\footnotesize\raggedright",
        r"\medskip",
        *notes,
        r"\end{minipage}",
    ]
    if together:
        lines += [r"\par", *below, r"\end{table}"] if notes else [r"\end{table}"]
    else:
        # More than a page holds: behind the table, where they may go on to the next page.
        lines += [
            r"\end{table}",
            r"\begingroup\footnotesize\raggedright\setlength{\parindent}{0pt}",
            *notes,
            r"\endgroup",
        ]
    return "\n".join(lines) + "\n"


def _alignment(table: Table) -> str:
    return "".join("l" if _is_text(table, column) else "r" for column in table.columns)


def _is_text(table: Table, column: Column) -> bool:
    """Whether it stands to the left."""
    return column.key in {"row", *getattr(table, "left", ())}


def _prose(text: str) -> str:
    """Escaped text of a paragraph: in very long words lines may break, too."""
    words = [
        r"\allowbreak{}".join(escaped(word[n : n + _WORD]) for n in range(0, len(word), _WORD))
        for word in text.split()
    ]
    return " ".join(words)


def _notes(table: Table) -> list[str]:
    notes = [
        rf"\textsuperscript{{{number}}}~{_prose(note)}\par"
        for number, note in enumerate(table.footnotes, 1)
    ]
    if any(value.best for row in table.rows for value in row.values()):
        tied = any(word == "tied" for _, word in _standings(table))
        also = "; underlined: not told apart from it" if tied else ""
        notes.insert(0, rf"Bold: the best of its column{also}.\par")
    if table.missing:
        notes.append(rf"Not measured: {_prose(table.missing)}\par")
    return notes


def _standings(table: Table) -> list[tuple[str, str]]:
    return [
        (key, record[key])
        for record in table.records
        for key in record
        if key.endswith("_standing") and record[key]
    ]


def _heads(columns: Sequence[Column]) -> list[str]:
    """Heads of two lines; where neighbours share the first, it stands once above all of them."""
    split = [_shortened(column.title, _NAME).partition("\n") for column in columns]
    shared = [
        (name, len(list(members)))
        for name, members in groupby(range(len(columns)), lambda n: split[n][0] or str(n))
    ]
    lines = []
    grouped: set[int] = set()
    if any(n > 1 for _, n in shared):
        cells, rules, place = [], [], 0
        for name, n in shared:
            if n > 1:
                cells.append(rf"\multicolumn{{{n}}}{{c}}{{{escaped(name)}}}")
                rules.append(rf"\cmidrule(l){{{place + 1}-{place + n}}}")
                grouped |= set(range(place, place + n))
            else:
                cells.append("")
            place += n
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    heads = []
    for place, column in enumerate(columns):
        above, _, under = split[place]
        if place in grouped:
            text = escaped(under)
        elif under:
            text = (
                rf"\shortstack[{'l' if place == 0 else 'r'}]{{{escaped(above)}\\{escaped(under)}}}"
            )
        else:
            text = escaped(above)
        heads.append(text + _marks(column.notes))
    return [*lines, " & ".join(heads) + r" \\"]


def _rows(table: Table) -> list[str]:
    lines = []
    records: list[Mapping[str, Any]] = [*table.records]
    # The last row, of a predictor that has learnt nothing, has no record.
    records += [{}] * (len(table.rows) - len(records))
    for row, record in zip(table.rows, records, strict=False):
        cells = []
        for column in table.columns:
            value = row.get(column.key, Value(""))
            tied = record.get(f"{column.key}_standing") == "tied"
            most = _NAME if _is_text(table, column) else _CELL
            cells.append(_cell(value, most, tied=tied))
        lines.append(" & ".join(cells) + r" \\")
    return lines


def _cell(value: Value, most: int, *, tied: bool) -> str:
    text = escaped(_shortened(value.text, most))
    if value.best:
        text = rf"\textbf{{{text}}}"
    elif tied and value.text != ABSENT:
        text = rf"\underline{{{text}}}"
    return text + _marks(value.notes)


def _marks(notes: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, notes))}}}" if notes else ""


def _shortened(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"
