"""--jobs is for reading a dataset, too."""

import pytest

from harbench.cli.planning import plan_one
from harbench.plan import Opened, opened, plan

TOY = """
benchmarks:
  toy: {dataset: toy, path: files, protocol: {window: 20, step: 10}, seeds: 1, models: [small]}
"""


@pytest.fixture
def asked(monkeypatch) -> list[int | None]:
    """How many processes each reading may take."""
    real, heard = opened.open_stream, []

    def hear(dataset, path, on_source, jobs):
        heard.append(jobs)
        return real(dataset, path, on_source, jobs)

    monkeypatch.setattr(opened, "open_stream", hear)
    return heard


@pytest.mark.parametrize("jobs", [0, 3, None])
def test_a_plan_reads_with_as_many_processes_as_it_is_told(workplace, asked, jobs):
    (benchmark,) = workplace.benchmarks(TOY)
    plan(benchmark, workplace.registry, opened=Opened(jobs))
    assert asked == [jobs]


@pytest.mark.parametrize("jobs", [0, 3])
def test_the_command_passes_its_jobs_on(workplace, asked, monkeypatch, jobs):
    monkeypatch.setattr("harbench.cli.planning.registry", lambda: workplace.registry)
    (benchmark,) = workplace.benchmarks(TOY)
    plan_one(benchmark, workplace.folder / "benchmarks.yaml", jobs)
    assert asked == [jobs]
