"""harbench verify and harbench reproduce, as a user meets them."""

import json

import pytest

from harbench.results.sealed import sealed_text
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 3
    models: [small]
"""


@pytest.fixture
def toy(cli, tmp_path):
    """Runs ``harbench --plugin toy_plugin.py ...`` where three cells are trained."""
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)

    def run(*arguments):
        return cli("--plugin", TOY_PLUGIN, *arguments)

    run.cli = cli
    run.records = lambda: sorted((tmp_path / "results/cells").glob("*/*/record.json"))
    assert run("run", "b.yaml", "--jobs", "0").code == 0
    return run


def test_verify_of_a_whole_and_of_an_edited_store(toy):
    # Without any plugin: the store is enough.
    ended = toy.cli("verify")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "results/: 3 cells, 354 predicted windows, 14 files; every score, key and hash is right\n"
    )
    path = toy.records()[1]
    path.write_text(path.read_text().replace('"stopped_early": false', '"stopped_early": true'))
    ended = toy.cli("verify", "results")
    assert ended.code == 1
    place = str(path.parent.relative_to(path.parents[3]))
    assert ended.out.splitlines()[1].split()[:2] == [place, "edited"]
    assert ended.out.splitlines()[-1].endswith("; 1 torn or edited")
    assert "try: delete what is torn or edited, and harbench run" in ended.err
    found = json.loads(toy.cli("verify", "--json").out)
    assert (found["clean"], found["cells"], found["windows"]) == (False, 3, 236)
    (finding,) = found["findings"]
    assert (finding["kind"], finding["where"]) == ("edited", place)


def test_verify_of_stale_and_unfinished_stores(toy):
    toy("run", "b.yaml", "--jobs", "0", "--seeds", "0,1")
    ended = toy.cli("verify")
    assert ended.code == 0
    assert "stale  in no table and no analysis" in ended.out
    assert toy.cli("verify", "--strict").code == 1
    assert "there are no results" in toy.cli("verify", "absent").err


def test_reproduce_by_key_and_by_folder(toy, tmp_path):
    record = toy.records()[0]
    key = record.parent.name
    ended = toy("reproduce", key[:10], "--jobs", "0")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == f"{key[:12]}: same bits"
    assert ended.out.splitlines()[-1] == "code, versions and machine are those of the first time"
    assert ended.err.startswith("training again: toy small, seed ")
    found = json.loads(toy("reproduce", record.parent, "--jobs", "0", "--json").out)
    assert (found["key"], found["verdict"], found["results"]) == (key, "same bits", [])
    assert found["interval"]["n_seeds"] == 2


def test_reproduce_of_an_edited_record_is_different(toy):
    record = toy.records()[0]
    content = json.loads(record.read_text())
    content["scores"]["nf"] = 0.999
    content["curve"][0]["train_loss"] += 1
    measured = record.with_name("measured.json")
    taken = json.loads(measured.read_text().replace('"numpy": "', '"numpy": "0.'))
    # With right seals: a record whose seal is broken is not read at all.
    for path, forged in ((record, content), (measured, taken)):
        del forged["seal"]
        path.write_text(sealed_text(forged))
    ended = toy("reproduce", record.parent.name, "--jobs", "0")
    assert "the learning curve differs from epoch 1 on (train_loss)" in ended.out
    assert "- 0 of 118 windows are classified otherwise" in ended.out
    assert "NF 99.900 stored" in ended.out
    assert "one more seed is expected between" in ended.out
    (line,) = [line for line in ended.out.splitlines() if "environment" in line or "numpy" in line]
    assert line.split()[:3:2] == ["versions", line.split()[2]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zzz"], "no cells begin with 'zzz'"),
        ([""], "3 cells begin with ''"),
        (["../.."], "no cells begin with '../..'"),
        (["zzz", "--out", "absent"], "no cells begin with"),
    ],
)
def test_reproduce_of_what_is_not_there(toy, arguments, message):
    ended = toy("reproduce", *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_time_limits(toy, tmp_path):
    ended = toy("run", "b.yaml", "--timeout", "0")
    assert ended.code == 2
    assert "--timeout: that is no time (expected seconds above 0)" in ended.err
    long = "recipe.epochs=1000000"
    ended = toy("run", "b.yaml", "--jobs", "0", "--seeds", "1", "--set", long, "--timeout", "0.5")
    assert ended.code == 1
    assert "seed 0: failed: it took longer than its time limit of 0.5 s" in ended.err
