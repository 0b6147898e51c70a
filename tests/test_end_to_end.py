"""The founding benchmark, end to end, on simulated OPPORTUNITY: from files to the table."""

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harbench_datasets.opportunity_files import FILES

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks.yaml"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def harbench(installed_environment, tmp_path_factory):
    """Runs the command line in a folder of its own, which all tests of this module share."""
    folder = tmp_path_factory.mktemp("opportunity")
    environment = {
        **installed_environment,
        "HARBENCH_DATA": str(folder / "data"),
        "HARBENCH_CACHE": str(folder / "cache"),
    }

    def run(*arguments, expect=0):
        done = subprocess.run(
            [sys.executable, "-c", "from harbench.cli import main; main()", *map(str, arguments)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stderr
        return done.stdout

    run.folder = folder
    return run


SIMULATED = ("--set", "dataset=opportunity-sim")
LEARN = (
    "optimizer=adam",
    "learning_rate=2e-3",
    "batch_size=64",
    "weight_decay=0",
    "schedule=none",
)


@pytest.fixture(scope="module")
def simulated(harbench):
    """A small simulation in the data folder."""
    harbench("datasets", "simulate", "opportunity", "--scale", "0.01")
    return harbench


def recipe(*settings):
    return [word for setting in (*LEARN, *settings) for word in ("--set", f"recipe.{setting}")]


def rows(harbench, out):
    (table,) = json.loads(harbench("table", "table1", "--format", "json", "--out", out))
    assert table["lines"][0].startswith("SIMULATED data in the format of opportunity")
    return {row["row"]: row for row in table["rows"]}


def test_table1_without_data_prints_every_count_beside_the_papers(harbench):
    text = harbench("run", BENCHMARKS, "table1", "--out", "empty")
    table = {line.split()[0]: line for line in text.splitlines() if re.match(r" [a-z]", line)}
    for row, counts in {
        "resnet-like": ["24,146 / 24,594", "240,656", "89.2", "0.024M", "0.25M"],
        "yang2015": ["924,378", "12,086,900", "85.1", "0.912M*", "1.85M*"],
        "ordonez2016-cnn": ["7,486,546", "91,460,096", "88.3", "7.44M", "54.58M*"],
        "deepconvlstm": ["3,965,778", "115,233,280", "0.915", "996,800"],
        "tang2020-cnn": ["1,359,378", "26,129,664", "86.1", "3.2M", "41.9M"],
        "tang2020-lego": ["678,802", "13,874,432", "84.5", "0.42M", "13.78M"],
    }.items():
        for count in counts:
            assert count in table[row], (row, count)
    # The README shows the same counts, and so does the committed reference.
    readme = (ROOT / "README.md").read_text("utf-8")
    reference = (ROOT / "results/reference/table1.md").read_text("utf-8").replace("\\", "")
    for row in ("resnet-like", "yang2015", "ordonez2016-cnn", "deepconvlstm", "tang2020-cnn"):
        counts = re.findall(r"\d[\d,]{5,}", table[row])
        assert len(counts) >= 2
        for count in counts:
            assert re.search(rf"^ {row} .*{count}", readme, re.M), (row, count)
            assert re.search(rf"^. {row}.*{count}", reference, re.M), (row, count)
    for reason in ("912,238", "1,848,680", "7,443,136", "54,576,896", "not public"):
        assert reason in text
    assert "try: harbench datasets fetch opportunity" in text


def test_resnet_like_finds_the_planted_gestures(simulated):
    # With `label: last` a window may hold a single sample of its gesture, which nobody can tell.
    simulated(
        "run", BENCHMARKS, "table1", *SIMULATED, "--set", "protocol.label=majority",
        *recipe("epochs=30"), "--models", "resnet-like", "--seeds", "1", "--out", "found",
    )  # fmt: skip
    found = rows(simulated, "found")["resnet-like"]
    assert found["simulated"]
    assert found["macro_f1_mean"] > 0.8
    assert found["nf_mean"] > 0.9


def test_all_six_models_train_end_to_end(simulated):
    simulated(
        "run", BENCHMARKS, "table1", *SIMULATED, *recipe("epochs=1"), "--seeds", "1",
        "--set", "protocol.step=4 s", "--out", "six",
    )  # fmt: skip
    found = rows(simulated, "six")
    assert len(found) == 6
    for row in found.values():
        assert row["cells_done"] == row["cells"] == 1
        assert 0 < row["nf_mean"] <= 1


def test_the_paper_without_data_has_all_counts_and_no_nf(harbench):
    text = harbench("paper", BENCHMARKS, "--out", "empty")
    lines = text.splitlines()
    assert [line.split(":")[0] for line in lines if re.match(r"table\d: ", line)] == [
        "table1", "table2", "table3", "table4",
    ]  # fmt: skip
    table = {line[1:13].strip(): line for line in lines if re.match(r" (All|Top|Bottom) \d", line)}
    for row, numbers in {
        "All 113": ["91.6", "24594", "24,146 / 24,594", "240,656"],
        "Top 20": ["88.1", "19650", "19,682 / 20,130", "173,696"],
        "Bottom 20": ["57.6", "19650", "19,682 / 20,130", "173,696"],
        "Top 10": ["19,202 / 19,650", "166,496"],
    }.items():
        for number in numbers:
            assert number in table[row], (row, number)
        assert "–" in table[row]
    assert "harbench datasets fetch opportunity" in text
    for argument in ("53.16", "912,238", "91.6", "89.2", "Yang et al. 2015", "54,576,896"):
        assert argument in text.split("What in the paper does not add up")[1]


def test_the_paper_on_simulated_data_is_filled_and_marked(simulated):
    tables = ("table1", "table2", "table3", "table4")
    simulated(
        "run", BENCHMARKS, *tables, *SIMULATED, *recipe("epochs=1"), "--seeds", "2", "--models",
        "resnet-like", "--set", "protocol.label=majority", "--set", "protocol.step=2 s",
        "--out", "paper",
    )  # fmt: skip
    page = json.loads(simulated("paper", BENCHMARKS, "--out", "paper", "--json"))
    found = {table["benchmark"]: table for table in page["tables"]}
    assert list(found) == list(tables)
    for table in found.values():
        assert table["title"].startswith("SIMULATED DATA - ")
    text = simulated("paper", BENCHMARKS, "--out", "paper")
    body = text.split("What in the paper does not add up")[0]
    measured = [
        line for line in body.splitlines() if re.match(r" (part|full|All|Top|Bottom)\b", line)
    ]
    assert len(measured) == 3 + 5
    for line in measured:
        assert re.search(r"\d\d\.\d ± \d", line), line
    assert len(re.findall(r"^ (?:top|bottom) \d+ .* ± \d", body, re.M)) == 20
    files = simulated.folder / "paper" / "analyses" / "table4" / "ablation"
    kept = {path.suffix for path in files.iterdir()}
    assert kept == {".json", ".csv", ".pdf", ".svg", ".png"}


def test_the_whole_simulation_has_the_sizes_of_the_real_one(harbench):
    out = harbench.folder / "whole"
    harbench("datasets", "simulate", "opportunity", "--scale", "1", "--out", out)
    try:
        for file in FILES:
            lines = subprocess.run(
                ["wc", "-l", out / file.name], capture_output=True, text=True, check=True
            )
            assert int(lines.stdout.split()[0]) == file.rows, file.name
        whole = (*SIMULATED, "--set", f"path={out}", "--models", "deepconvlstm", "--dry-run")
        text = harbench("run", BENCHMARKS, "table1", *whole, "--set", "protocol.split=challenge")
        # Window 24, step 12. Within recordings, and as the literature counts, across them.
        assert "46,475 train, 0 validation, 9,890 test windows" in text
        assert "as some papers cut: 46,495 train, 0 validation, 9,894 test" in text
    finally:
        shutil.rmtree(out, ignore_errors=True)


def test_help_stays_fast_in_the_installed_program(harbench):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(3):
        harbench("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent / 3 < 0.4
