"""harbench audit, and the refusal of leaky protocols, as a user meets them."""

import csv
import io
import json

import pytest

from harbench.results.sealed import sealed_text
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

YAML = """
benchmarks:
  honest:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, split: fixed}
    recipe: {epochs: 1}
    seeds: 1
    models: [small]
  leaky:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10, split: {kind: random-windows}}
    recipe: {epochs: 1}
    seeds: 1
    models: [small, {short: {model: small, window: 10, step: 10}}]
"""
ALLOW = ("--set", "benchmarks.leaky.allow_leakage=true")


@pytest.fixture
def toy(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)

    def run(*arguments):
        return cli("--plugin", TOY_PLUGIN, *arguments)

    return run


def test_a_leaky_protocol_is_refused_before_anything_is_trained(toy, tmp_path):
    ended = toy("run", "b.yaml", "--jobs", "0")
    (leaky,) = json.loads(toy("audit", "b.yaml", "leaky", "--json").out)
    parts = leaky["audits"][0]["folds"][0]["parts"]
    assert (ended.code, ended.out) == (2, "")
    test, validation = (100 * parts[p]["shared"] for p in ("test", "validation"))
    assert 80 < test < 100
    assert ended.err.endswith(
        f"error: benchmark 'leaky', protocol.split: {test:.1f} % of the test windows and "
        f"{validation:.1f} % of the validation windows share samples with training windows in "
        "fold 'all' (windows of 20 samples every 10) (expected a split whose parts share no "
        "sample, such as {kind: blocks} or loso, or 'allow_leakage: true' in the benchmark, which "
        "marks its rows as leaky)\n  try: harbench audit b.yaml leaky\n"
    )
    assert not (tmp_path / "results").exists()
    dry = toy("run", "b.yaml", "--dry-run")
    assert dry.code == 2
    assert "cells to train" in dry.out and "share samples" in dry.err
    # The other ways out.
    assert toy("run", "b.yaml", "honest", "--jobs", "0").code == 0
    blocks = ("--set", "benchmarks.leaky.protocol.split={kind: blocks}")
    assert toy("run", "b.yaml", "--dry-run", *blocks).code == 0
    whole = ("--set", "benchmarks.leaky.protocol.step=20")
    assert toy("run", "b.yaml", "--dry-run", *whole).code == 0


def test_allowed_it_runs_and_every_format_marks_its_rows(toy):
    ended = toy("run", "b.yaml", "--jobs", "0", *ALLOW)
    assert ended.code == 0
    # Windows that do not overlap do not leak, though they are drawn at random.
    for text in (
        ended.out,
        toy("table").out,
        toy("table", "--format", "markdown").out,
        toy("table", "--format", "latex").out,
    ):
        lines = [line.replace("|", " ").split() for line in text.splitlines()]
        marks = {line[0]: line[1] for line in lines if line and line[0] in ("small", "short")}
        assert marks["small"].startswith("(leaky)")
        assert not marks["short"].startswith("(leaky)")
        assert "leaky: test windows share samples with training windows" in text
        assert text.count("(leaky)") == 1
        assert "LEAKY: up to" in text
        assert "test recordings train too" in text
    rows = {
        (row["benchmark"], row["row"]): row
        for row in csv.DictReader(io.StringIO(toy("table", "--format", "csv").out))
    }
    assert [row["leaky"] for row in rows.values()] == ["False", "True", "False"]
    content = json.loads(toy("table", "--format", "json").out)
    assert [r["leaky"] for b in content for r in b["rows"]] == [False, True, False]
    assert content[1]["lines"][1].startswith("LEAKY")
    assert 0.8 < content[1]["rows"][0]["test_overlap"] < 1
    assert float(rows["honest", "small"]["test_overlap"]) == 0


def test_allow_leakage_is_no_part_of_the_key(toy, tmp_path):
    blocks = ("--set", "benchmarks.leaky.protocol.split={kind: blocks}")
    toy("run", "b.yaml", "leaky", "--jobs", "0", *blocks)
    again = toy("run", "b.yaml", "leaky", "--jobs", "0", *blocks, *ALLOW)
    assert "2 cells were in results/ already (cached)" in again.err
    manifest = json.loads((tmp_path / "results/benchmarks/leaky.json").read_text())
    assert manifest["allow_leakage"] is True


def test_audit_of_a_file(toy, tmp_path):
    ended = toy("audit", "b.yaml")
    assert ended.code == 1
    honest, leaky = ended.out.split("leaky: leaky\n")
    assert "audit: no test or validation window shares a sample with a training window" in honest
    rows = [line.split() for line in honest.splitlines() if line.startswith(" all ")]
    assert [row[1:4] for row in rows] == [
        ["train", "236", "2"],
        ["validation", "118", "0.0"],
        ["test", "118", "0.0"],
    ]
    assert "0 of 1" in honest
    assert "normalisation: fitted on the samples of the training windows, nothing else" in honest
    assert "gap filling: forward, from earlier samples of the recording only" in honest
    assert "labels: majority of the window's own samples" in honest
    assert "channels: all 3" in honest
    assert "row small: windows of 20 samples every 10" in leaky
    assert "row short: windows of 10 samples every 10" in leaky
    assert "4 of 4: s1, s2, s3 + 1" in leaky
    assert "harbench run refuses it: the benchmark does not say allow_leakage: true" in leaky
    allowed = toy("audit", "b.yaml", *ALLOW)
    assert allowed.code == 0
    assert "so it runs, and its rows are marked" in allowed.out
    assert toy("audit", "b.yaml", "honest").code == 0
    assert not (tmp_path / "results").exists()


def test_audit_of_results_is_that_of_the_file(toy, tmp_path):
    toy("run", "b.yaml", "--jobs", "0", *ALLOW)
    ended = toy("audit", "results")
    assert (ended.code, ended.out) == (0, toy("audit", "b.yaml", *ALLOW).out)
    assert json.loads(toy("audit", "results", "leaky", "--json").out)[0]["leaks"]
    # Of a run by an older harbench only the shares are known.
    path = tmp_path / "results/benchmarks/leaky.json"
    manifest = json.loads(path.read_text())
    for row in manifest["rows"]:
        for fold in row["folds"]:
            del fold["audit"]
    del manifest["seal"]
    path.write_text(sealed_text(manifest))
    old = toy("audit", "results", "leaky").out
    assert "LEAKY: up to" in old
    assert "1 of 1 folds were planned by an older harbench, without an audit" in old
    assert "small (leaky)" in toy("table", "leaky").out


def test_audit_says_what_fills_and_what_was_chosen(toy):
    more = "protocol={window: 20, step: 10, split: {kind: blocks}, fill: linear, channels: [ACC x]}"
    words = ("audit", "b.yaml", "honest", "--set", f"benchmarks.honest.{more}")
    out = toy(*words).out
    (found,) = json.loads(toy(*words, "--json").out)
    gaps = found["audits"][0]["folds"][0]["parts"]["train"]["gaps"]
    # 2 % of all values are missing, and but for ends of recordings all have one behind them.
    assert 0.01 < gaps["ahead"] / gaps["values"] <= gaps["filled"] / gaps["values"] < 0.03
    (line,) = [line for line in out.splitlines() if line.startswith(" all   train")]
    shown = " ".join(f"{100 * gaps[key] / gaps['values']:.2f} %" for key in ("filled", "ahead"))
    assert shown in " ".join(line.split())
    assert "linear fill looks ahead in" in out
    assert "gap filling: linear, between the samples before and behind the gap" in out
    assert "channels: 1 of 3, as the protocol names them" in out


def test_missing_data_and_mistakes(toy, tmp_path):
    gone = ("--set", "benchmarks.leaky.path=nowhere")
    some = toy("audit", "b.yaml", *gone)
    assert some.code == 0
    assert "not audited: the files of 'toy' are not here" in some.out
    none = toy("audit", "b.yaml", "leaky", *gone)
    assert none.code == 2
    assert none.err.startswith("error: ")
    assert "try: harbench datasets fetch toy" in none.err
    assert json.loads(toy("audit", "b.yaml", *gone, "--json").out)[1]["missing"]
    (tmp_path / "empty").mkdir()
    for arguments, message in [
        (["absent.yaml"], "absent.yaml"),
        (["b.yaml", "leeky"], "did you mean 'leaky'"),
        (["empty"], "there are no results in it"),
        (["empty", "--set", "seeds=2"], "whose settings are past changing"),
    ]:
        ended = toy("audit", *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert message in ended.err


def test_inflation(toy, tmp_path):
    words = ("audit", "b.yaml", "honest", "--inflation", "--draws", "2", "--seeds", "2")
    ended = toy(*words, "--jobs", "0", "--blocks", "6", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    worth = {row["score"]: row for row in found["tables"]["what the leak is worth"]}
    assert list(worth) == ["NF", "NF, same classes", "macro F1"]
    nf = worth["NF"]
    assert nf["inflation"] == pytest.approx(nf["leaky"] - nf["honest"])
    assert nf["low"] < nf["inflation"] < nf["high"]
    (compared,) = found["tables"]["what was compared"]
    assert (compared["draws"], compared["seeds"]) == (2, 2)
    assert compared["shared"] > 80
    assert compared["train leaky"] == round(0.8 * 8 * 59)
    assert found["notes"][0].startswith("small: the leak is worth ")
    assert "over 2 draws" in found["notes"][0]
    assert len(list((tmp_path / "results/cells").glob("*/*"))) == 2 * 2 * 2
    again = toy(*words, "--jobs", "0", "--blocks", "6", "--json")
    assert again.out == ended.out
    assert "8 cells were in results/ already (cached)" in again.err
    assert not (tmp_path / "results/benchmarks").exists()
    # Of a results folder: its benchmarks' settings, its cells.
    toy("run", "b.yaml", "honest", "--jobs", "0")
    of_results = toy(
        "audit", "results", "--inflation", "--draws", "2", "--seeds", "2", "--blocks", "6",
        "--json", "--jobs", "0",
    )  # fmt: skip
    assert of_results.out == ended.out


def test_inflation_where_nothing_can_leak(toy):
    ended = toy("audit", "b.yaml", "honest", "--inflation", "--set", "protocol.step=20")
    assert ended.code == 2
    assert "windows of 20 samples every 20 do not overlap" in ended.err
    assert "--set protocol.step=50%" in ended.err
    gone = toy("audit", "b.yaml", "honest", "--inflation", "--set", "path=nowhere")
    assert gone.code == 2
    assert "harbench datasets fetch toy" in gone.err
    broken = ("--set", "models=[broken]", "--jobs", "0", "--draws", "1", "--seeds", "1")
    failed = toy("audit", "b.yaml", "honest", "--inflation", *broken)
    assert failed.code == 2
    assert "the model returned [32, 4]" in failed.err


def test_analyses_of_a_leaky_benchmark_carry_its_mark(toy, cli):
    cli.install("per-class", "harbench_analyses.per_class")
    analyses = ("--set", "analyses=[per-class]")
    ended = toy("run", "b.yaml", "leaky", "--jobs", "0", *ALLOW, *analyses)
    assert ended.code == 0, ended.err
    (content,) = json.loads(toy("table", "--format", "json").out)
    (line,) = (line for line in content["lines"] if line.startswith("LEAKY"))
    for out in (
        ended.out[ended.out.index("leaky (leaky)") - 400 :],
        toy("analyse", "per-class").out,
    ):
        assert f"{line} leaky (leaky): small" in " ".join(out.split())
        assert "\nleaky: short\n" in out
    rows = list(csv.DictReader(io.StringIO(toy("analyse", "per-class", "--csv").out)))
    assert {row["leaky"] for row in rows[:3]} == {"True"}
    assert json.loads(toy("analyse", "per-class", "--json").out)["leaks"] == line


def test_inflation_has_a_time_limit(toy, monkeypatch):
    from harbench.execute import run as run_module

    def noted(*_, time_limit=None, **__):
        raise AssertionError(f"limit {time_limit}")

    monkeypatch.setattr(run_module, "work_of", noted)
    ended = toy("audit", "b.yaml", "honest", "--inflation", "--draws", "1", "--timeout", "7")
    assert "limit 7" in ended.err


def test_a_recipe_that_cannot_be_followed_ends_an_inflation_at_once(toy, tmp_path):
    ended = toy("audit", "b.yaml", "honest", "--inflation", "--set", "recipe.nesterov=true")
    assert ended.code == 2
    assert "b.yaml, benchmark 'honest', model 'small', recipe.nesterov: nesterov" in ended.err
    assert not (tmp_path / "results").exists()
