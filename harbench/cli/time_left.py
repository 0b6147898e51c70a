"""How long a run will still take, from what its cells have taken so far."""

from __future__ import annotations

from dataclasses import dataclass

from harbench.cli.run_state import CellState, RunState


@dataclass(frozen=True)
class TimeLeft:
    """An estimate.

    Args:
        seconds: Of the cells that something is known of.
        whole: Whether that is all of them; else it takes longer.
    """

    seconds: float
    whole: bool


def time_left(state: RunState, now: float) -> TimeLeft | None:
    """What the cells that are queued or running will take; None where nothing is known yet.

    A cell takes as long as the mean of the cells of its row that this run has trained. Where there
    are none, a running one is foreseen from its own epochs, and a row from its running ones; else
    the work of a network counts (multiply-accumulates), at the speed of the networks that are
    known. One estimator says nothing of another. Cells from the store take no time, and of one
    that takes longer than was foreseen nothing is known any more. With several places all are
    kept busy, and the longest cell is waited for.
    """
    network_speed = _speed(state)
    total, longest, n_known, unknown = 0.0, 0.0, 0, 0
    for row in state.rows():
        mean = _mean(row.seconds)
        running = [cell for cell in row.running.values() if cell.owned]
        typical = mean if mean is not None else _mean(_foreseen(running))
        speed = network_speed if row.network else None
        for cell in running:
            whole = _whole(cell, mean, typical, speed)
            left = -1.0 if whole is None else whole - (now - cell.began)
            if left < 0:
                unknown += 1
                continue
            total, longest, n_known = total + left, max(longest, left), n_known + 1
        if not row.queued_cells:
            continue
        if typical is not None:
            each, of_row = typical, typical * row.queued_cells
        elif speed is not None:
            of_row = speed * row.queued_effort
            each = of_row / row.queued_cells
        else:
            unknown += row.queued_cells
            continue
        total, longest = total + of_row, max(longest, each)
        n_known += row.queued_cells
    if not n_known:
        return None
    return TimeLeft(max(total / state.places, longest), unknown == 0)


def _whole(
    cell: CellState, mean: float | None, typical: float | None, speed: float | None
) -> float | None:
    if mean is not None:
        return mean
    if cell.foreseen is not None:
        return cell.foreseen
    if typical is not None:
        return typical
    return None if speed is None else speed * cell.effort


def _speed(state: RunState) -> float | None:
    """Seconds for a unit of work of networks, of what is done and of what can be foreseen."""
    seconds = effort = 0.0
    for row in state.rows():
        if not row.network:
            continue
        seconds, effort = seconds + sum(row.seconds), effort + sum(row.efforts)
        for cell in row.running.values():
            if cell.owned and cell.foreseen is not None:
                seconds, effort = seconds + cell.foreseen, effort + cell.effort
    return seconds / effort if effort > 0 else None


def _foreseen(cells: list[CellState]) -> list[float]:
    return [cell.foreseen for cell in cells if cell.foreseen is not None]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
