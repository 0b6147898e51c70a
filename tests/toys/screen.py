"""A terminal of so many columns and lines, as far as harbench uses one: what is to be seen."""

import re

from rich.cells import cell_len

_TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b")


class Screen:
    """Fed with what a program writes, it knows what stands where, and what scrolled away.

    Args:
        columns, lines: Its size.
    """

    def __init__(self, columns=80, lines=24):
        self.columns, self.height = columns, lines
        self.rows = [""]
        self.row = self.column = 0
        self.strange = []
        self.cursor_shown = True

    def feed(self, text):
        for token in _TOKEN.finditer(text):
            code, kind, whole = token[1], token[2], token[0]
            if whole == "\r":
                self.column = 0
            elif whole == "\n":
                self.row, self.column = self.row + 1, 0
                self._reach()
            elif kind == "A":
                top = max(0, len(self.rows) - self.height)
                self.row = max(top, self.row - int(code or 1))
            elif kind == "K" and code == "2":
                self.rows[self.row] = ""
            elif kind in ("h", "l") and code == "?25":
                self.cursor_shown = kind == "h"
            elif kind == "m":
                pass
            elif kind is not None or whole == "\x1b":
                self.strange.append(whole)
            else:
                self._write(whole)

    def _write(self, text):
        self.strange += [c for c in text if not c.isprintable()]
        for letter in text:
            if self.column + cell_len(letter) > self.columns:
                self.row, self.column = self.row + 1, 0
                self._reach()
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + letter + row[self.column + 1 :]
            self.column += 1

    def _reach(self):
        while self.row >= len(self.rows):
            self.rows.append("")

    @property
    def shown(self):
        """The lines on the screen, without blanks behind them."""
        return [row.rstrip() for row in self.rows[-self.height :]]
