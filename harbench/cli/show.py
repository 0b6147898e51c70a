"""``harbench show``: one trained cell, looked at; or the list of those that there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.options import AsJson, Out

if TYPE_CHECKING:
    from harbench.report.cell_page import Place
    from harbench.results import Store


def show(
    record: Annotated[
        str | None,
        typer.Argument(help="Key of a cell, its first characters, or its folder; a list if none."),
    ] = None,
    out: Out = Path("results"),
    json: AsJson = False,
) -> None:
    """Show a trained cell: settings, versions, learning curve, confusions, scores by class.

    Where a saliency analysis covers the cell, its most important channels are shown as well.
    Without an argument the cells of the results folder are listed. Nothing is trained or loaded.
    """
    from harbench.cli.cell_choice import chosen_cell
    from harbench.results import Store
    from harbench.results.imports import imports

    if record is None:
        _list(Store(out), json=json)
        return
    asked = Store(out)
    store, key = chosen_cell(record, asked)
    bundle = next((i.name for i in imports(asked) if i.store.folder == store.folder), None)
    _show(store, key, bundle, json=json)


def _show(store: Store, key: str, bundle: str | None, *, json: bool) -> None:
    from dataclasses import asdict
    from json import dumps

    from harbench.cli.context import console
    from harbench.errors import ResultsError
    from harbench.report.cell_page import print_cell

    cell = store.read(key)
    places = list(_places(store, key))
    maps = _maps(store, key, places)
    if json:
        content = {
            "key": key,
            "folder": str(cell.folder),
            "imported": bundle,
            "tables": [asdict(place) for place in places],
            "record": cell.record,
            "measured": cell.measured,
            "saliency": maps,
        }
        typer.echo(dumps(content, indent=1, ensure_ascii=True))
        return
    try:
        print_cell(console(), cell, places, maps, bundle=bundle)
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"the record is not one that this version writes: {type(error).__name__}: {error}",
            where=str(cell.folder),
            fix=f"harbench verify {store.folder}",
        ) from error


def _places(store: Store, key: str) -> Iterator[Place]:
    from harbench.report.cell_page import Place

    for name in store.benchmarks():
        manifest = store.benchmark(name)
        for row in manifest["rows"]:
            if any(cell["key"] == key for cell in row["cells"]):
                yield Place(name, row["row"], manifest["simulates"])


def _maps(store: Store, key: str, places: list[Place]) -> list[dict[str, Any]]:
    """The saliency analyses whose networks this cell is one of."""
    rows = {(place.benchmark, place.row) for place in places}
    found = []
    for path in sorted(store.folder.glob("analyses/*/*/result.json")):
        benchmark, entry = path.parent.parent.name, path.parent.name
        content = store.analysis(benchmark, entry)
        if content is None or content["analysis"] != "saliency" or key not in content["cells"]:
            continue
        # It was given the cells of all rows, and looks at one: the first if none is named.
        row = content["options"].get("row") or _row_of(store, benchmark, content["cells"][0])
        if (benchmark, row) in rows:
            found.append(content)
    return found


def _row_of(store: Store, benchmark: str, key: str) -> str | None:
    if benchmark not in store.benchmarks():
        return None
    rows = store.benchmark(benchmark)["rows"]
    return next((r["row"] for r in rows if any(c["key"] == key for c in r["cells"])), None)


def _list(store: Store, *, json: bool) -> None:
    from json import dumps

    from harbench.cli.cell_choice import SHOWN
    from harbench.cli.context import print_rows
    from harbench.errors import ResultsError
    from harbench.report.plain_text import one_line

    lines = list(_cells(store))
    if json:
        typer.echo(dumps(lines, indent=1, ensure_ascii=True))
        return
    if not lines:
        raise ResultsError(
            "there are no trained cells yet",
            where=str(store.folder),
            fix="harbench run benchmarks.yaml",
        )
    heads = ["Record", "Benchmark", "Row", "Fold", "Seed#", "NF#", "State"]
    print_rows(
        heads,
        [
            [
                line["key"][:SHOWN],
                *(one_line(line[name]) for name in ("benchmark", "row", "fold", "seed")),
                "" if line["nf"] is None else f"{100 * line['nf']:.1f}",
                line["state"],
            ]
            for line in lines
        ],
    )


def _cells(store: Store) -> Iterator[dict[str, Any]]:
    """Those of the tables, as these name them; then those that are in none, and imported ones."""
    from harbench.results.imports import imports

    named = set()
    for benchmark in store.benchmarks():
        for row in store.benchmark(benchmark)["rows"]:
            for cell in row["cells"]:
                key = cell["key"]
                named.add(key)
                place = {"benchmark": benchmark, "row": row["row"]}
                yield {"key": key, **place, "fold": cell["fold"], "seed": cell["seed"]} | _state(
                    store, key
                )
    for key in _stored(store):
        if key not in named:
            yield _alone(store, key, "in no table")
    for imported in imports(store):
        for key in _stored(imported.store):
            yield _alone(imported.store, key, f"imported: {imported.name}")


def _stored(store: Store) -> list[str]:
    return [path.parent.name for path in sorted(store.folder.glob("cells/*/*/record.json"))]


def _alone(store: Store, key: str, state: str) -> dict[str, Any]:
    record = store.read(key).record
    facts = record["cell"]
    place = {"benchmark": "", "row": facts["model"], "fold": facts["fold"], "seed": facts["seed"]}
    return {"key": key, **place, "nf": record["scores"]["nf"], "state": state}


def _state(store: Store, key: str) -> dict[str, Any]:
    if store.has(key):
        return {"nf": store.read(key).record["scores"]["nf"], "state": "done"}
    failure = store.failure(key)
    return {"nf": None, "state": "failed" if failure else "not trained"}
