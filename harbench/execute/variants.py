"""Variants: finished cells trained once more under a changed protocol, for analyses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harbench.config import Benchmark, loads
from harbench.errors import ResultsError
from harbench.execute.trained import trained_cell
from harbench.nouns import Protocol, TrainedCell, Variant
from harbench.plan import Cell, Opened, PlannedBenchmark, plan
from harbench.plugins import Registry
from harbench.results import Store

CarryOut = Callable[[Sequence[PlannedBenchmark]], None]
"""Measures and trains what the store lacks of a plan, and keeps it."""


@dataclass(frozen=True)
class _Wanted:
    """A variant, planned: its cells, and the cost of their network."""

    cells: tuple[Cell, ...]
    cost_key: str
    planned: PlannedBenchmark


class VariantTrainer:
    """A :data:`harbench.nouns.Trainer` on a store.

    What a variant has in common with its cell comes from the benchmark's manifest, so that it is
    planned as the cell was. Its cells are kept in the store like all others: the next time they
    are there.

    Args:
        store: Results folder.
        registry: Gives the plugins.
        carry_out: Trains what is not there.
    """

    def __init__(self, store: Store, registry: Callable[[], Registry], carry_out: CarryOut) -> None:
        self._store = store
        self._registry = registry
        self._carry_out = carry_out
        self._benchmarks: dict[str, Benchmark] = {}
        self._opened = Opened()

    def __call__(self, wanted: Sequence[Variant]) -> list[list[TrainedCell]]:
        """The variants' cells, in order.

        Raises:
            ResultsError: a training failed; the cell was trained by another version of harbench
                or of its plugins, so that a variant would differ in more than its protocol.
            ConfigError: the protocol does not fit the dataset, or the model its channels.
        """
        found = [self._planned(variant) for variant in wanted]
        self._carry_out([item.planned for item in found])
        self._refuse_failures(cell for item in found for cell in item.cells)
        cells = []
        for variant, item in zip(wanted, found, strict=True):
            cells.append(
                [
                    trained_cell(
                        self._store,
                        self._registry,
                        benchmark=variant.of.benchmark,
                        row=variant.of.row,
                        fold=cell.fold,
                        seed=cell.seed,
                        key=cell.key,
                        cost_key=item.cost_key,
                        simulates=variant.of.simulates,
                        rate_hz=variant.of.rate_hz,
                    )
                    for cell in item.cells
                ]
            )
        return cells

    def _planned(self, variant: Variant) -> _Wanted:
        cell = variant.of
        settings = self._benchmark(cell)
        given = {**settings.protocol.model_dump(mode="python"), **dict(variant.protocol)}
        changed = settings.model_copy(update={"protocol": Protocol.model_validate(given)})
        planned = plan(changed, self._registry(), opened=self._opened, audit=False)
        if planned.missing is not None:
            raise planned.missing
        row = planned.rows[0]
        fold = None if "split" in variant.protocol else cell.fold
        of_variant = tuple(c for c in row.cells if fold is None or c.fold == fold)
        title = f"{row.name} [{_said(variant.protocol)}]"
        of_variant = tuple(replace(c, row=title) for c in of_variant)
        return _Wanted(
            of_variant,
            row.cost_key,
            replace(planned, rows=(replace(row, name=title, cells=of_variant),)),
        )

    def _benchmark(self, cell: TrainedCell) -> Benchmark:
        """The cell's benchmark with its row and seed alone, checked to give that very cell."""
        place = f"{cell.benchmark}/{cell.row}/{cell.seed}"
        if place not in self._benchmarks:
            text = self._store.benchmark(cell.benchmark)["settings"]
            whole = loads(text, f"{cell.benchmark}.json").benchmarks[0]
            rows = tuple(entry for entry in whole.models if entry.row == cell.row)
            only = {"models": rows, "seeds": (cell.seed,), "references": ()}
            alone = whole.model_copy(update=only)
            planned = plan(alone, self._registry(), opened=self._opened, audit=False)
            if planned.missing is not None:
                raise planned.missing
            if cell.key not in {c.key for c in planned.cells}:
                raise ResultsError(
                    "this cell was trained by another version of harbench, of its plugins or of "
                    "the data, so that nothing can be trained to be compared with it",
                    where=str(cell.folder),
                    fix=f"harbench run benchmarks.yaml {cell.benchmark}",
                )
            self._benchmarks[place] = alone
        return self._benchmarks[place]

    def _refuse_failures(self, cells: Iterable[Cell]) -> None:
        every = {cell.key: cell for cell in cells}
        failed = [cell for key, cell in every.items() if not self._store.has(key)]
        if failed:
            failure = self._store.failure(failed[0].key)
            raise ResultsError(
                f"{len(failed)} of {len(every)} trainings failed; "
                f"{failed[0].row}, fold {failed[0].fold}, seed {failed[0].seed}: "
                f"{failure['reason'] if failure else 'it was not trained'}",
                where=str(self._store.folder),
            )


def _said(protocol: Mapping[str, Any]) -> str:
    """What changes, in a few words: they stand beside a progress bar."""
    words = []
    for key, value in protocol.items():
        if key == "channels":
            words.append(f"{len(value)} channels" if len(value) != 1 else f"channel {value[0]}")
        elif key == "null":
            words.append("no NULL" if value == "drop" else "NULL")
        else:
            kind = getattr(value, "kind", None)
            words.append(f"{key} {kind or json.dumps(value, default=str)}")
    return ", ".join(words) or "as it was"
