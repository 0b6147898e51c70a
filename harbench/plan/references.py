"""What others report of a benchmark's dataset, as CSV: rows of the table that were not measured.

    model,nf,macro_f1,source,note
    Attention LSTM,91.2,75.4,"Zeng et al. 2018, Table 2",30 samples a window

Each line becomes a :class:`~harbench.nouns.PublishedResult`, as what plugins know of the papers of
their models does: there is one kind of number that harbench did not measure.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harbench.config.nodes import printable
from harbench.errors import ConfigError, did_you_mean
from harbench.metrics import METRICS
from harbench.nouns import PublishedResult

MOST_BYTES = 1_000_000
LONGEST = 500
"""Letters of a field."""

_TEXTS = ("model", "source", "note")
# Column of the CSV -> what tables head it by, after "printed".
SCORES = {name: metric.title.replace("\n", " ") for name, metric in METRICS.items()}
COUNTS = {"parameters": "parameters", "flops": "FLOPs"}
COLUMNS = (*_TEXTS, *SCORES, *COUNTS)

_COUNT = re.compile(r"\d[\d,.]*\s?[kKMGB]?")


def read_references(files: Iterable[Path], dataset: str, task: str) -> tuple[PublishedResult, ...]:
    """The rows of some files, in order.

    Args:
        files: CSV with a head, UTF-8: ``model`` and ``source`` (a citation or an address), at
            least one of :data:`SCORES` (percent, as printed) and :data:`COUNTS`, and a ``note``
            if there is one.
        dataset, task: What they are about.

    Raises:
        ConfigError: with ``file:line``, where a file is not there or a field is not right.
    """
    found: dict[tuple[str, str], tuple[str, PublishedResult]] = {}
    for path in files:
        for where, fields in _lines(path):
            result = _result(fields, where, dataset, task)
            place = (result.row, result.source)
            if place in found:
                raise ConfigError(
                    f"'{result.row}' of '{result.source}' is given twice, first at "
                    f"{found[place][0]}",
                    where=where,
                    expected="one line for each model and source",
                )
            found[place] = (where, result)
    return tuple(result for _, result in found.values())


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """``file:line`` and the fields of each line after the head."""
    rows = _rows(path)
    where, head = next(rows, (f"{path}:1", []))
    names = [name.strip() for name in head]
    for name in names:
        if name not in COLUMNS:
            raise ConfigError(
                f"unknown column '{printable(name)}'{did_you_mean(name, COLUMNS)}",
                where=where,
                expected=f"columns of {', '.join(COLUMNS)}",
            )
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"column '{twice}' is there twice", where=where)
    if not {"model", "source"} <= set(names) or not set(names) - set(_TEXTS):
        raise ConfigError(
            f"the columns are {printable(', '.join(names)) or 'none'}",
            where=where,
            expected=f"model, source, and one or more of {', '.join([*SCORES, *COUNTS])}",
        )
    for where, row in rows:
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(names):
            raise ConfigError(
                f"there are {len(row)} fields",
                where=where,
                expected=f"{len(names)}, as in the head; a field that holds a comma is quoted",
            )
        yield where, dict(zip(names, (field.strip() for field in row), strict=True))


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"the references cannot be read: {reason}", where=str(path), expected="a CSV file"
        ) from None
    if len(data) > MOST_BYTES:
        raise ConfigError(
            "the file is too large", where=str(path), expected=f"at most {MOST_BYTES:,} bytes"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "this is not UTF-8", where=f"{path}:{line}", expected="a file saved as UTF-8"
        ) from None
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        for row in reader:
            yield f"{path}:{line}", row
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"this is no CSV: {error}", where=f"{path}:{line}") from None


def _result(fields: dict[str, str], where: str, dataset: str, task: str) -> PublishedResult:
    for name, text in fields.items():
        if len(text) > LONGEST or not text.isprintable():
            what = "holds a control character" if len(text) <= LONGEST else "is too long"
            raise ConfigError(
                f"'{name}' {what}", where=where, expected=f"at most {LONGEST} letters on one line"
            )
    for name in ("model", "source"):
        if not fields[name]:
            wanted = {"model": "its name", "source": "a citation, or an address"}[name]
            raise ConfigError(f"'{name}' is empty", where=where, expected=wanted)
    printed = {}
    for name, title in {**SCORES, **COUNTS}.items():
        if text := fields.get(name, ""):
            right = _is_percent(text) if name in SCORES else _COUNT.fullmatch(text)
            if not right:
                wanted = "percent, as papers print it: 85.1" if name in SCORES else "912000 or 0.9M"
                raise ConfigError(f"{name} is '{text}'", where=where, expected=wanted)
            printed[title] = text
    if not printed:
        raise ConfigError(
            f"'{fields['model']}' has no number",
            where=where,
            expected=f"one of {', '.join(name for name in fields if name not in _TEXTS)}",
        )
    return PublishedResult(
        fields["model"], fields["source"], dataset, task, printed, {}, fields.get("note", "")
    )


def _is_percent(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    # 0.851 is a share that was taken for percent; no model that is reported is as bad as that.
    return math.isfinite(value) and (value == 0 or 1 < value <= 100)
