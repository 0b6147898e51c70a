"""A stored cell trained once more from its record, and held against what was stored."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from harbench.data.channels import chosen_channels
from harbench.errors import ResultsError
from harbench.execute.jobs import CellJob, CellResult, Event, Executor, Failed, Finished
from harbench.nouns import Protocol, Recipe
from harbench.plan import Cell
from harbench.plan.keys import harbench_digest, library_versions, source_digest
from harbench.plugins import Registry, Shelf
from harbench.results import Store, StoredCell

Verdict = Literal["same bits", "within the interval", "different"]


@dataclass(frozen=True)
class Interval:
    """Where one more seed's NF is expected, with 95 % confidence, from the row's other seeds.

    Student's prediction interval of one further draw: mean +- t(0.975, n - 1) std sqrt(1 + 1/n)
    (Hahn & Meeker 1991, section 4.4).
    """

    low: float
    high: float
    n_seeds: int


@dataclass(frozen=True)
class Reproduced:
    """How a cell came out the second time.

    Args:
        key: Of the cell.
        verdict: ``same bits``: record, predictions and weights are equal to the byte. ``within
            the interval``: they are not, but NF is where another seed's would be.
        nf: Stored, and now.
        interval: Of the other seeds; None where fewer than two of them are in the store.
        results: What differs between the two results, a sentence each.
        environment: What differs in code, versions and machine: name, then, now.
    """

    key: str
    verdict: Verdict
    nf: tuple[float, float]
    interval: Interval | None
    results: tuple[str, ...]
    environment: tuple[tuple[str, str, str], ...]


def cell_of(stored: StoredCell, registry: Registry) -> Cell:
    """The cell that a record tells of, ready to be trained.

    Raises:
        ConfigError: no installed plugin offers its model or dataset.
    """
    facts, settings = stored.record["cell"], stored.record["settings"]
    where = str(stored.folder)
    dataset = registry.datasets.get(facts["dataset"], where=where)
    registry.models.get(facts["model"], where=where)
    protocol = Protocol.model_validate(settings["protocol"])
    # The protocol may name its split; what the name meant is stored beside it.
    resolved = Protocol.model_validate({"split": settings["split"]}).split
    assert resolved is not None and not isinstance(resolved, str)
    asked = stored.measured["asked_for_by"]
    wanted = protocol.model_copy(update={"channels": tuple(facts["channels"])})
    return Cell(
        key=stored.key,
        content=facts,
        benchmark=asked["benchmark"],
        row=asked["row"],
        dataset=facts["dataset"],
        path=Path(asked["path"]) if asked["path"] else None,
        task=facts["task"],
        protocol=protocol,
        split=resolved,
        length=settings["window"],
        step=settings["step"],
        channels=chosen_channels(dataset, wanted),
        fold=facts["fold"],
        model=facts["model"],
        options=facts["options"],
        recipe=None if facts["recipe"] is None else Recipe.model_validate(facts["recipe"]),
        seed=facts["seed"],
    )


def reproduce(
    store: Store,
    key: str,
    registry: Registry,
    executor: Executor,
    *,
    device: str | None = None,
    path: Path | None = None,
    plugin_files: tuple[Path, ...] = (),
    on_event: Callable[[Event], None] | None = None,
) -> Reproduced:
    """Train a stored cell again, in a temporary folder, and compare. The store is only read.

    Args:
        store: Where it is.
        key: Of the cell.
        registry: The plugins.
        executor: Where it is trained.
        device: To train on; None is the device of the first time.
        path: Where the dataset's files lie; None is where they lay the first time.
        plugin_files: Single-file plugins that workers must load as well.
        on_event: Told what happens.

    Raises:
        ResultsError: the cell is not there, or cannot be trained again.
    """
    stored = store.read(key)
    cell = cell_of(stored, registry)
    if path is not None:
        cell = replace(cell, path=path.resolve())
    job = CellJob(cell, device or str(stored.measured["device"]), plugin_files)
    result: CellResult | None = None
    for event in executor.run([job]):
        if on_event is not None and event is not None:
            on_event(event)
        if isinstance(event, Failed):
            raise ResultsError(
                f"the cell cannot be trained again: {event.reason}", where=str(stored.folder)
            )
        if isinstance(event, Finished) and isinstance(event.outcome, CellResult):
            result = event.outcome
    assert result is not None
    with tempfile.TemporaryDirectory(prefix="harbench-") as folder:
        again = Store(Path(folder)).write(
            key, result.record, result.measured, result.predictions, result.weights
        )
        differences = _differences(stored, again)
        if differences and cell.recipe is not None and cell.recipe.algorithms == "fast":
            differences.append("its recipe asks for fast algorithms, which promise no bits")
        nf = (float(stored.record["scores"]["nf"]), float(again.record["scores"]["nf"]))
        interval = expected(store, stored)
        verdict: Verdict = "same bits"
        if differences:
            inside = interval is not None and interval.low <= nf[1] <= interval.high
            verdict = "within the interval" if inside else "different"
        code = _code(stored, cell, registry)
        machine = _environment(stored.measured, again.measured)
        return Reproduced(key, verdict, nf, interval, tuple(differences), (*code, *machine))


def expected(store: Store, stored: StoredCell) -> Interval | None:
    """The interval of the row's other seeds on the same fold."""
    others: set[str] = set()
    for name in store.benchmarks():
        for row in store.benchmark(name)["rows"]:
            if stored.key in {cell["key"] for cell in row["cells"]}:
                fold = stored.record["cell"]["fold"]
                others |= {cell["key"] for cell in row["cells"] if cell["fold"] == fold}
    # A benchmark that was changed and run again may have the same row with other settings.
    seeds = {
        cell.record["cell"]["seed"]: float(cell.record["scores"]["nf"])
        for cell in (store.read(key) for key in sorted(others - {stored.key}) if store.has(key))
    }
    if len(seeds) < 2:
        return None
    from scipy.special import stdtrit

    n, values = len(seeds), list(seeds.values())
    mean = statistics.mean(values)
    half = float(stdtrit(n - 1, 0.975)) * statistics.stdev(values) * math.sqrt(1 + 1 / n)
    return Interval(mean - half, mean + half, n)


def _equal(first: StoredCell, second: StoredCell, name: str) -> bool:
    path = first.folder / name
    if not path.exists():  # weights that a bundle goes without: their hash is in the record
        return bool(first.record["sha256"][name] == second.record["sha256"][name])
    return path.read_bytes() == (second.folder / name).read_bytes()


def _differences(first: StoredCell, second: StoredCell) -> list[str]:
    found = []
    names = ("record.json", "predictions.npz", "weights.safetensors")
    unequal = [n for n in names if not _equal(first, second, n)]
    if not unequal:
        return []
    for then, now in zip(first.record["curve"], second.record["curve"], strict=False):
        if then != now:
            what = ", ".join(name for name in then if then[name] != now.get(name))
            found.append(f"the learning curve differs from epoch {then['epoch']} on ({what})")
            break
    if len(first.record["curve"]) != len(second.record["curve"]):
        lengths = (len(first.record["curve"]), len(second.record["curve"]))
        found.append(f"{lengths[0]} epochs were trained, and now {lengths[1]}")
    before, after = first.predictions(), second.predictions()
    n_windows = len(before.true)
    if len(after.true) == n_windows:
        other = int(np.count_nonzero(before.predicted != after.predicted))
        found.append(f"{other:,} of {n_windows:,} windows are classified otherwise")
        largest = float(np.abs(before.probabilities - after.probabilities).max(initial=0))
        found.append(f"probabilities differ by {largest:.2g} at most")
    changed = [
        name
        for name in first.record
        if name not in ("sha256", "curve", "confusion", "scores")
        and first.record[name] != second.record.get(name)
    ]
    if changed:
        found.append(f"the record differs in {', '.join(changed)}")
    return [*found, f"not the same bytes: {', '.join(unequal)}"]


def _code(stored: StoredCell, cell: Cell, registry: Registry) -> list[tuple[str, str, str]]:
    """Code that is another than that of the key."""
    origin = registry.models.origin(cell.model)
    facts = stored.record["cell"]
    build = registry.models.get(cell.model).build
    now = {
        "source": source_digest(build),
        "distribution": [origin.distribution, origin.version] if origin.version else None,
        "harbench": harbench_digest(),
    }
    if "libraries" in facts:
        now["libraries"] = _listed(library_versions(build))
        facts = {**facts, "libraries": _listed(facts["libraries"])}
    titles = {
        "source": f"source of model '{cell.model}'",
        "distribution": f"distribution of model '{cell.model}'",
        "libraries": f"libraries of model '{cell.model}'",
        "harbench": "harbench's own code (data and training)",
    }
    changed = [
        (titles[name], _short(facts.get(name)), _short(value))
        for name, value in now.items()
        if facts.get(name) != value
    ]
    return [*changed, *_methods(facts, registry)]


def _methods(facts: Mapping[str, Any], registry: Registry) -> list[tuple[str, str, str]]:
    """Losses and augmentations whose source is another than that of the key."""
    named = facts.get("methods", {})
    uses: list[tuple[str, Shelf[Any], dict[str, Any]]] = [
        *(("loss", registry.losses, one) for one in filter(None, [named.get("loss")])),
        *(("augmentation", registry.augmentations, one) for one in named.get("augment", ())),
    ]
    return [
        (f"source of {kind} '{one['name']}'", _short(one["source"]), _short(now))
        for kind, shelf, one in uses
        if (now := source_digest(shelf.get(one["name"]).build)) != one["source"]
    ]


def _listed(versions: Mapping[str, str]) -> list[str]:
    return [f"{name} {version}" for name, version in sorted(versions.items())]


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = "none" if value is None else str(value)
    return f"{text[:12]}..." if len(text) == 64 else text


def _environment(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    before = {"device": then.get("device"), **_flat(then.get("environment", {}))}
    after = {"device": now.get("device"), **_flat(now.get("environment", {}))}
    return [
        (name, _short(before.get(name)), _short(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name} ")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
