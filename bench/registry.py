"""The rows, by name."""

from __future__ import annotations

from bench import cells, reading, saliency, training, windowing
from bench.rows import Row

ROWS: dict[str, Row] = {
    row.name: row for group in (reading, windowing, training, cells, saliency) for row in group.ROWS
}
