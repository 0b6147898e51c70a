"""harbench export and import, and what table, verify and reproduce make of what was imported."""

import json
import shutil

import pytest

from toys.toy_plugin import write_toy_files
from toys.whole_store import whole_store
from toys.workplace import TOY_PLUGIN

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 2
    models: [small]
    references: others.csv
  more:
    dataset: toy
    path: files
    models: [small]
"""


@pytest.fixture
def shared(cli, tmp_path):
    """Somebody's results as results.harbench.zip, and no results of one's own."""
    whole_store(tmp_path / "theirs")
    ended = cli("export", "--results", "theirs")
    assert ended.code == 0
    return ended


def test_export_says_what_went_along(shared, cli, tmp_path):
    size = (tmp_path / "results.harbench.zip").stat().st_size
    first, second = shared.out.splitlines()
    assert first == f"results.harbench.zip: toy (2 rows); 4 cells, 16 files, {size:,} bytes"
    ended = cli(
        "export", "--results", "theirs", "--out", "a.zip", "--models", "wide", "--weights", "--json"
    )
    found = json.loads(ended.out)
    assert (found["benchmarks"], found["cells"]) == ({"toy": ["wide"]}, 2)
    assert (found["weights"], found["left_out"]) == (True, [])
    again = cli("export", "--results", "theirs", "--out", "b.zip", "--only", "toy")
    assert again.out.splitlines()[1] == second


def test_import_list_table_verify_remove(shared, cli, tmp_path):
    ended = cli("import", "results.harbench.zip")
    name = ended.out.split(":")[0]
    assert ended.out == (
        f"{name}: toy; 4 cells, 160 predicted windows; every score, key and hash is right\n"
        "its rows stand in: harbench table --out results\n"
    )
    assert cli("import", "results.harbench.zip").out == (
        f"{name} was imported before: nothing was changed\n"
    )
    assert cli("import", "--list").out.splitlines()[1].split()[:3] == [name, "toy", "4"]
    (listed,) = json.loads(cli("import", "--list", "--json").out)
    assert (listed["name"], listed["benchmarks"]) == (name, {"toy": ["small", "wide"]})
    table = cli("table")
    assert f"IMPORTED from {name}" in table.out
    assert "no results yet" in cli("table", "--own").err
    assert "4 cells, 160 predicted windows" in cli("verify").out
    (tmp_path / "results/imported" / name / "manifest.json").write_text("{}")
    ended = cli("verify")
    assert ended.code == 1
    assert f"imported/{name}" in ended.out
    ended = cli("table")
    assert (ended.code, ended.out) == (2, "")
    assert f"try: harbench import --remove {name}" in ended.err
    assert cli("import", "--remove", name).out == f"removed {name}\n"
    assert cli("import", "--list").out == "nothing was imported into results/\n"


@pytest.mark.parametrize(
    "arguments", [[], ["a.zip", "--list"], ["--list", "--remove", "a"], ["a.zip", "--remove", "a"]]
)
def test_import_does_one_thing(cli, arguments):
    ended = cli("import", *arguments)
    assert ended.code == 2
    assert "one thing at a time" in ended.err


def test_a_changed_byte_is_refused_with_the_files_name(shared, cli, tmp_path):
    path = tmp_path / "results.harbench.zip"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"peak_memory_bytes": 1000', b'"peak_memory_bytes": 1001', 1))
    ended = cli("import", "results.harbench.zip")
    assert (ended.code, ended.out) == (2, "")
    assert "error: results.harbench.zip: cells/" in ended.err
    assert "measured.json: it was changed; nothing was imported" in ended.err
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("one_thread", "quick_latency")
def test_a_run_is_shared_shown_and_trained_again(cli, tmp_path):
    def toy(*arguments):
        return cli("--plugin", TOY_PLUGIN, *arguments)

    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)
    (tmp_path / "others.csv").write_text("model,nf,source\nBigNet,99.5,Them 2018\n")
    ran = toy("run", "b.yaml", "toy", "--jobs", "0")
    assert ran.code == 0
    assert "BigNet [reported]" in ran.out and "reported by Them 2018, not measured here" in ran.out

    ended = toy("export", "b.yaml")
    assert ended.code == 0
    assert "left out: benchmark 'more' was not run" in ended.err
    assert "benchmark 'more': no results" not in ended.err
    ended = toy("export", "b.yaml", "--only", "more")
    assert ended.code == 2 and "no results of a benchmark 'more'" in ended.err

    shutil.move(tmp_path / "results", tmp_path / "theirs")
    shutil.move(tmp_path / "files", tmp_path / "moved")
    ended = toy("import", "results.harbench.zip", "--name", "lab")
    assert ended.code == 0
    cells = sorted((tmp_path / "results/imported").glob("*/cells/*/*"))
    before = {p: p.read_bytes() for p in (tmp_path / "results").rglob("*") if p.is_file()}
    assert not any(str(tmp_path).encode() in data for data in before.values())
    # Without the sender's weights, and with the data of this machine.
    ended = toy("reproduce", cells[0].name[:12], "--path", "moved", "--jobs", "0")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == f"{cells[0].name[:12]}: same bits"
    assert {p: p.read_bytes() for p in before} == before
    assert len([p for p in (tmp_path / "results").rglob("*") if p.is_file()]) == len(before)

    # Its settings run as they are, and its rows then stand beside one's own.
    settings = next((tmp_path / "results/imported").glob("*/settings/toy.yaml"))
    ended = toy("run", settings, "--set", "path=moved", "--jobs", "0")
    assert ended.code == 0
    rows = [line.split()[:2] for line in ended.out.splitlines() if line.strip().startswith("small")]
    assert [row[0] for row in rows] == ["small", "small"]
    assert rows[1][1].startswith("[lab-")
