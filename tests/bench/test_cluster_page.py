"""python -m bench cluster: the page says what the CSV holds, and the arithmetic is right."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"bench.{name}")


def line(cells, **more):
    return {
        "cells": str(cells), "workers": "3", "rounds": "1", "planned_ms": "0.5", "run_ms": "6",
        "writing_ms": "4", "client_cpu_ms": "3", "scheduler_cpu_ms": "1.5", "plain_ms": "2",
        "client_mb": "300", "scheduler_mb": "150", "worker_mb": "200", "store_kb": "125", **more,
    }  # fmt: skip


def test_the_page_shows_the_csv(bench):
    cluster, kept = bench("cluster"), bench("kept")
    lines = kept.read_csv(ROOT / "docs" / "cluster.csv")
    assert [set(found) for found in lines] == [set(cluster.FIELDS)] * len(lines)
    page = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    assert kept.text_in(page, cluster.MARK) == cluster.text_of(lines)
    assert kept.text_in(page, cluster.MARK_THOUSAND) == cluster.text_of_thousand(lines[-1])


def test_it_is_linear_and_the_client_small_as_measured(bench):
    cluster = bench("cluster")
    lines = bench("kept").read_csv(ROOT / "docs" / "cluster.csv")
    assert len(lines) >= 3 and {int(found["cells"]) for found in lines} <= set(cluster.SIZES)
    amounts = [float(found["cells"]) for found in lines]
    seconds = [cluster.together(found) * float(found["cells"]) for found in lines]
    assert bench("scale_page").exponent(amounts, seconds) < 1.1
    assert all(float(found["client_mb"]) < 1000 for found in lines)


def test_a_new_line_takes_the_place_of_the_old_one(bench):
    merged = bench("cluster").merged
    lines = merged([line(1000), line(3000)], line(1000, run_ms="9"))
    assert [(found["cells"], found["run_ms"]) for found in lines] == [("1000", "9"), ("3000", "6")]


def test_of_several_rounds_the_median_is_kept(bench):
    rounds = [line(1000, run_ms=time) for time in ("9", "30", "8")]
    assert bench("cluster").middle(rounds) is rounds[0]
    assert bench("cluster").middle(rounds[:2]) is rounds[1]
    assert "grows" not in bench("cluster").text_of(rounds)


def test_linear_work_has_an_exponent_of_one(bench):
    text = bench("cluster").text_of([line(1000), line(30_000)])
    assert text.endswith("All of it grows as cells to the power of 1.00.\n")
    assert "| 1,000 | 0.50 ms | 6.00 ms | 6.50 ms | 4.00 ms | 3.00 ms | 1.50 ms | 2.00 ms |" in text


def test_what_allows_the_fewest_cells_comes_first(bench):
    rows = bench("cluster").text_of_thousand(line(1000)).splitlines()[2:]
    assert [row.split("|")[2:5] for row in rows] == [
        [" 3.00 ms ", " 333 ", " over 3.0 s "],
        [" 2.00 ms ", " 500 ", " over 2.0 s "],
        [" 1.50 ms ", " 667 ", " over 1.5 s "],
        [" 1.00 ms ", " 1,000 ", " over 1.0 s "],
    ]


def test_a_cell_of_no_work_is_a_result_that_the_store_takes(bench, tmp_path, workplace):
    from harbench.execute.jobs import CellJob
    from harbench.plan import plan
    from harbench.results import Store

    [benchmark] = workplace.benchmarks(
        "benchmarks: {toy: {dataset: toy, path: files, models: [small], seeds: 1}}"
    )
    [cell] = plan(benchmark, workplace.registry).cells
    result = bench("no_work").no_work(CellJob(cell)).outcome
    store = Store(tmp_path / "results")
    store.write(cell.key, result.record, result.measured, result.predictions, result.weights)
    assert store.has(cell.key)
