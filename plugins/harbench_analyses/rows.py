"""Rows of a benchmark: which of the trained cells an analysis is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harbench.errors import ConfigError, ResultsError, did_you_mean
from harbench.nouns import TrainedCell


def one_row(
    cells: Sequence[TrainedCell], row: object = None
) -> tuple[list[TrainedCell], tuple[str, ...]]:
    """The cells of a row, and the names of the other rows.

    Where no row is named it is the first whose model is a network, if there is one: of an
    estimator only predictions and scores are kept.

    Raises:
        ConfigError: no trained row is called so.
        ResultsError: there is no cell.
    """
    rows = by_row(cells, row)
    networks = [name for name, found in rows.items() if _is_network(found[0])]
    name = next(iter(networks or rows))
    return rows[name], tuple(other for other in by_row(cells) if other != name)


def _is_network(cell: TrainedCell) -> bool:
    return cell.record["cell"]["recipe"] is not None


def by_row(cells: Sequence[TrainedCell], row: object = None) -> Mapping[str, list[TrainedCell]]:
    """Row -> its cells, in the order of the benchmark; of one row only, where it is named.

    Raises:
        ConfigError: no trained row is called so.
        ResultsError: there is no cell.
    """
    rows: dict[str, list[TrainedCell]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell)
    if not rows:
        raise ResultsError("there is no trained network", fix="harbench run benchmarks.yaml")
    if row is None:
        return rows
    name = str(row)
    if name not in rows:
        raise ConfigError(
            f"no trained row is called '{name}'{did_you_mean(name, rows)}",
            where="row",
            expected=f"one of {', '.join(rows)}",
        )
    return {name: rows[name]}
