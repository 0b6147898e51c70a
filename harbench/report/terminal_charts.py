"""Charts made of letters: sparklines, bars, and a confusion matrix in shades.

Each knows an ASCII form, needs no colour to be read, and keeps to the width that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from string import ascii_letters

from rich.cells import cell_len
from rich.text import Text

from harbench.report.plain_text import clipped, in_charset, one_line, padded

_HEIGHTS = "▁▂▃▄▅▆▇█"
_ASCII_HEIGHTS = "_.-=+*#@"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHADES = "·░▒▓█"
_ASCII_SHADES = ".:+*#"

RIGHT, WRONG = "cyan", "yellow"
"""Of a confusion matrix: what is on the diagonal and what is beside it; told apart by the
colour-blind, and in one colour by their place."""

_NAME = 18
_LEAST_NAME = 8


def sparkline(values: Sequence[float | None], width: int, *, ascii_only: bool = False) -> str:
    """The course of some values, one letter each; more than ``width`` are averaged by stretches.

    Args:
        values: Low is low; None and what is not finite leave a gap.
        width: Letters at most, 1 or more.
        ascii_only: Use ASCII.
    """
    known = [v if v is not None and math.isfinite(v) else None for v in values]
    if len(known) > width:
        bounds = [len(known) * i // width for i in range(width + 1)]
        known = [_mean(known[a:b]) for a, b in pairwise(bounds)]
    levels = _ASCII_HEIGHTS if ascii_only else _HEIGHTS
    finite = [v for v in known if v is not None]
    if not finite:
        return " " * len(known)
    low, span = min(finite), max(finite) - min(finite)
    middle = len(levels) // 2

    def letter(value: float | None) -> str:
        if value is None:
            return " "
        if not span > 0 or not math.isfinite(span):
            return levels[middle]
        return levels[round((value - low) / span * (len(levels) - 1))]

    return "".join(map(letter, known))


def bar(share: float, width: int, *, ascii_only: bool = False, negative: bool = False) -> str:
    """A bar from the left, ``width`` columns at a share of 1; to an eighth of a column.

    Args:
        share: 0 .. 1; what is beyond is cut.
        width: Columns.
        ascii_only: Use ASCII, to a whole column.
        negative: Draw it lighter.
    """
    share = min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    if ascii_only or negative:
        letter = ("-" if negative else "#") if ascii_only else "▒"
        return letter * round(share * width)
    whole, eighths = divmod(round(share * width * 8), 8)
    return "█" * whole + (_EIGHTHS[eighths] if eighths else "")


def meter(share: float, width: int, *, ascii_only: bool = False) -> str:
    """A bar whose empty part is drawn as well: exactly ``width`` columns."""
    done = round(min(max(share, 0.0), 1.0) * width)
    full, empty = "#." if ascii_only else "█░"
    return full * done + empty * (width - done)


def letters_of(n_classes: int) -> list[str]:
    """What classes are called at the head of a matrix: a .. z, A .. Z; 52 at most."""
    return list(ascii_letters[:n_classes])


def confusion_chart(
    matrix: Sequence[Sequence[int]],
    classes: Sequence[str],
    width: int,
    *,
    ascii_only: bool = False,
) -> list[Text]:
    """A confusion matrix: lines are true classes, columns predicted ones, in percent of the line.

    Where the numbers do not fit, cells are two shades wide, then one. Where even that is too
    wide, or letters run out, the classes with the fewest windows are taken together.

    Args:
        matrix: Windows [n_classes, n_classes], true by predicted.
        classes: Names.
        width: Columns that it may take.
        ascii_only: Use ASCII.
    """
    counts, names = _folded(matrix, classes, width)
    n = len(names)
    each = next((w for w in (5, 4, 2) if _around(width) + w * n <= width), 1)
    longest = max((cell_len(one_line(name)) for name in names), default=0)
    of_name = max(min(_NAME, longest, width - 11 - each * n), 1)
    letters = letters_of(n)
    shades = _ASCII_SHADES if ascii_only else _SHADES
    gap = " " * (each - 1)
    head = Text(" " * (of_name + 3) + "".join(gap + letter for letter in letters), "bold")
    head.append("   windows")
    head.truncate(width)
    lines = [head]
    for row, (name, of_row) in enumerate(zip(names, counts, strict=True)):
        total = sum(of_row)
        line = Text(f"{letters[row]} ", "bold")
        line.append(padded(one_line(name), of_name, ascii_only=ascii_only) + " ", "")
        for column, count in enumerate(of_row):
            share = count / total if total else 0.0
            line.append(
                _cell(share, count, each, shades),
                "dim" if count == 0 else RIGHT if row == column else WRONG,
            )
        line.append(f"{total:>8,}", "dim")
        line.truncate(width)
        lines.append(line)
    lines += _legend(each, shades, len(classes) - n + 1 if n < len(classes) else 0)
    return lines


def _around(width: int) -> int:
    """Columns that a matrix needs beside its cells."""
    return min(_NAME, max(_LEAST_NAME, width // 5)) + 3 + 8


def _folded(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], width: int
) -> tuple[list[list[int]], list[str]]:
    """Matrix and names of at most so many classes as there is room for."""
    most = max(2, min(len(ascii_letters), width - _around(width)))
    counts = [list(row) for row in matrix]
    if len(classes) <= most:
        return counts, list(classes)
    support = [sum(row) for row in counts]
    kept = sorted(sorted(range(len(classes)), key=lambda i: -support[i])[: most - 1])
    others = sorted(set(range(len(classes))) - set(kept))
    groups = [[i] for i in kept] + [others]
    folded = [[sum(counts[i][j] for i in a for j in b) for b in groups] for a in groups]
    return folded, [*(classes[i] for i in kept), f"{len(others)} others"]


def _cell(share: float, count: int, each: int, shades: str) -> str:
    if count == 0:
        return " " * (each - 1) + shades[0]
    shade = _shade(share, shades)
    if each < 4:
        return shade * each
    return f"{shade}{round(100 * share):>3}".rjust(each)


def _shade(share: float, shades: str) -> str:
    return shades[min(1 + int(4 * share), 4)]


def _legend(each: int, shades: str, n_folded: int) -> list[Text]:
    lines = []
    steps = ", ".join(
        f"{shade} {words}"
        for shade, words in zip(
            shades, ("none", "under 25 %", "under 50 %", "under 75 %", "more"), strict=True
        )
    )
    what = "percent of the true class's windows" if each >= 4 else "share of the true class"
    lines.append(Text(f"lines are true, columns predicted; {what}: {steps}", "dim"))
    if n_folded:
        lines.append(Text(f"the {n_folded} classes with the fewest windows are one here", "dim"))
    return lines


def bar_chart(
    bars: Sequence[tuple[str, float | None, str]], width: int, *, ascii_only: bool = False
) -> list[Text]:
    """Named bars, one a line; what is below zero is drawn lighter.

    Args:
        bars: Name, value and what stands behind the bar.
        width: Columns that it may take.
        ascii_only: Use ASCII.
    """
    names = [one_line(name) for name, _, _ in bars]
    texts = [in_charset(text, ascii_only=ascii_only) for _, _, text in bars]
    after = max(map(len, texts), default=0)
    of_name = min(max(map(len, names), default=0), max(_LEAST_NAME, width // 3))
    room = max(width - of_name - after - 2, 4)
    known = [abs(v) for _, v, _ in bars if v is not None and math.isfinite(v)]
    most = max(known, default=0.0)
    lines = []
    for name, (_, value, _), text in zip(names, bars, texts, strict=True):
        drawn = ""
        if value is not None and most > 0:
            drawn = bar(abs(value) / most, room, ascii_only=ascii_only, negative=value < 0)
        line = Text(padded(name, of_name, ascii_only=ascii_only) + " ")
        line.append(
            padded(drawn, room, ascii_only=ascii_only), RIGHT if (value or 0) >= 0 else WRONG
        )
        line.append(" " + clipped(text, after, ascii_only=ascii_only))
        line.rstrip()
        lines.append(line)
    return lines


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None
