"""harbench run, table, analyse and schema, as a user meets them."""

import csv
import io
import json
import signal
import subprocess
import sys
import time

import pytest

from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN, hear_interrupts

pytestmark = pytest.mark.usefixtures("one_thread", "quick_latency")

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 1}
    seeds: 2
    models: [small]
"""


@pytest.fixture
def toy(cli, tmp_path):
    """Runs ``harbench --plugin toy_plugin.py ...`` in a folder with toy data."""
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)

    def run(*arguments):
        return cli("--plugin", TOY_PLUGIN, *arguments)

    return run


def test_run_prints_the_table_and_the_second_time_everything_is_cached(toy):
    first = toy("run", "b.yaml", "--jobs", "0")
    assert first.code == 0
    assert "small" in first.out and "±" in first.out
    assert "toy small, seed 1: NF" in first.err
    second = toy("run", "b.yaml", "--jobs", "0")
    assert (second.code, second.out) == (0, first.out)
    assert second.err == "2 cells were in results/ already (cached)\n"
    assert toy("table").out == first.out


def test_piped_output_is_plain(toy):
    ended = toy("run", "b.yaml", "--jobs", "0")
    for text in (ended.out, ended.err):
        assert not [c for c in text if ord(c) < 32 and c != "\n"]
    assert not [line for line in ended.out.splitlines() if line.endswith("  ")]


def test_quiet_prints_the_table_and_errors(toy):
    ended = toy("run", "b.yaml", "--jobs", "0", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == toy("table").out
    assert toy("run", "b.yaml", "-q").err == ""
    ended = toy("run", "b.yaml", "--jobs", "0", "-q", "--set", "models=[small, broken]")
    assert ended.code == 1
    first, second, last = ended.err.splitlines()
    assert first.startswith("toy broken, seed 0: failed: ")
    assert second.startswith("toy broken, seed 1: failed: ")
    assert last == "2 of 3 jobs failed"  # the cost of small is known
    # The next command speaks again.
    assert "already (cached)" in toy("run", "b.yaml").err


def test_json_is_the_tables_and_all_else_is_on_stderr(toy, tmp_path, cli):
    cli.install("per-class", "harbench_analyses.per_class")
    text = YAML.replace("[small]", "[small, broken]") + "    analyses: [per-class]\n"
    (tmp_path / "b.yaml").write_text(text)
    ended = toy("run", "b.yaml", "--jobs", "0", "--json")
    assert ended.code == 1
    assert "toy small, seed 0: NF" in ended.err and "jobs failed" in ended.err
    [found] = json.loads(ended.out)
    failed, analyses = found.pop("failed"), found.pop("analyses")
    assert [found] == json.loads(toy("table", "--format", "json").out)
    assert [(f["row"], f["fold"], f["seed"]) for f in failed] == [
        ("broken", "all", 0),
        ("broken", "all", 1),
    ]
    assert failed[0]["reason"].startswith("the model returned [32, 4]")
    assert [a["analysis"] for a in analyses] == ["per-class"]
    assert {row["class"] for row in analyses[0]["tables"]["small"]} >= {"wave", "turn"}
    ended = toy("run", "b.yaml", "--dry-run", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "--dry-run --json: a plan has no tables" in ended.err


def test_dry_run_lists_the_cells_and_trains_none(toy, tmp_path):
    ended = toy("run", "b.yaml", "--dry-run")
    assert ended.code == 0
    assert "fold all, seed 0: to train" in ended.out
    assert "2 cells to train, 0 cached; 1 costs to measure" in ended.out
    assert "236 train, 118 validation, 118 test windows" in ended.out
    assert "LEAKY" not in ended.out
    leaky = toy("run", "b.yaml", "--dry-run", "--set", "protocol.split={kind: random-windows}")
    assert "LEAKY: " in leaky.out
    assert not (tmp_path / "results").exists()
    toy("run", "b.yaml", "--seeds", "1", "--jobs", "0")
    ended = toy("run", "b.yaml", "--dry-run")
    assert "fold all, seed 0: (cached)" in ended.out
    assert "fold all, seed 1: to train" in ended.out
    assert "1 cells to train, 1 cached; 0 costs to measure" in ended.out


def test_a_failing_cell_is_exit_code_1_and_the_others_finish(toy):
    ended = toy("run", "b.yaml", "--jobs", "0", "--set", "models=[small, broken]")
    assert ended.code == 1
    assert "toy broken, seed 0: failed: the model returned [32, 4]" in ended.err
    assert "2 of 6 jobs failed" in ended.err
    assert "failed: the model returned [32, 4]" in ended.out
    assert "±" in ended.out
    ended = toy("run", "b.yaml", "--set", "models=[small, broken]", "--dry-run")
    assert "to train again; failed: the model returned" in ended.out


def test_missing_data_is_no_failure_unless_strict(toy):
    ended = toy("run", "b.yaml", "--jobs", "0", "--set", "path=nowhere")
    assert ended.code == 0
    assert "try: harbench datasets fetch toy" in ended.out
    assert "123 / 139" in ended.out
    strict = toy("run", "b.yaml", "--jobs", "0", "--set", "path=nowhere", "--strict")
    assert strict.code == 2
    assert strict.err.startswith("error: ")
    assert "harbench datasets fetch toy" in strict.err
    dry = toy("run", "b.yaml", "--set", "path=nowhere", "--dry-run")
    assert "data missing: the files of 'toy' are not here" in dry.out


def test_the_networks_of_missing_data_are_told_of_once(toy, tmp_path):
    one = YAML.replace("path: files", "path: nowhere")
    (tmp_path / "b.yaml").write_text(one + one.split("benchmarks:\n")[1].replace("toy:", "two:", 1))
    ended = toy("run", "b.yaml", "--jobs", "0")
    assert ended.out.count("123 / 139") == 1
    assert "two: two\nno NF measured; its networks are those above\n" in ended.out
    assert ended.out.count("try: harbench datasets fetch toy") == 2
    assert "123 / 139" in toy("run", "b.yaml", "two", "--jobs", "0").out


def test_what_was_measured_is_printed_last(toy, tmp_path):
    both = YAML + YAML.split("benchmarks:\n")[1].replace("toy:", "absent:", 1).replace(
        "path: files", "path: nowhere"
    )
    (tmp_path / "b.yaml").write_text(both)
    ended = toy("run", "b.yaml", "--jobs", "0")
    assert ended.code == 0
    assert ended.out.index("absent: absent") < ended.out.index("toy: toy")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.yaml"], "nope.yaml"),
        (["b.yaml", "tou"], "did you mean 'toy'"),
        (["b.yaml", "--set", "recipe.epoch=1"], "did you mean 'epochs'"),
        (["b.yaml", "--device", "gpu7"], "no device is called 'gpu7'"),
        (["b.yaml", "--seeds", "x"], "'x' is no number of seeds"),
        (["b.yaml", "--seeds", "0"], "'0' is no set of seeds"),
        (["b.yaml", "--seeds", "1,1"], "'1,1' is no set of seeds"),
        (["b.yaml", "--models", "smal"], "has no row 'smal'; did you mean 'small'"),
        (["b.yaml", "--set", "dataset=toi"], "no dataset is called 'toi'; did you mean 'toy'"),
        (["b.yaml", "--set", "models=[smal]"], "did you mean 'small'"),
        (
            ["b.yaml", "--set", "recipe.nesterov=true"],
            "b.yaml, benchmark 'toy', model 'small', recipe.nesterov: nesterov with adam and "
            "momentum 0 (expected sgd with a momentum above 0, or nesterov: false)",
        ),
        (
            ["b.yaml", "--set", "recipe={nesterov: true, optimizer: sgd}"],
            "recipe.nesterov: nesterov with sgd and momentum 0 (expected",
        ),
        (
            ["b.yaml", "--set", "models.small.recipe.class_weights=[1, 2]"],
            "b.yaml, benchmark 'toy', model 'small', recipe.class_weights: 2 class weights for 3 "
            "classes (expected one number a class, none or balanced)",
        ),
        (
            ["b.yaml", "--set", "protocol.null=drop", "--set", "recipe.class_weights=[1, 1, 1]"],
            "recipe.class_weights: 3 class weights for 2 classes",
        ),
        (
            ["b.yaml", "--set", "recipe.class_weights=[0, 0, 0]"],
            "recipe.class_weights: no class has a weight above 0",
        ),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(toy, tmp_path, arguments, message):
    ended = toy("run", *arguments, "--jobs", "0")
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    assert not (tmp_path / "results").exists()


def test_recipes_that_can_be_followed_are(toy):
    good = "{nesterov: true, optimizer: sgd, momentum: 0.9, class_weights: [0, 1, 2]}"
    ended = toy("run", "b.yaml", "--dry-run", "--set", f"recipe={good}")
    assert (ended.code, "2 cells to train" in ended.out) == (0, True)


def test_the_time_limit_is_that_of_analyses_as_well(toy, tmp_path, monkeypatch):
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins/again.py").write_text(AGAIN)
    limits = []
    from harbench.execute import run as run_module

    real = run_module.work_of

    def noted(*arguments, time_limit=None, **more):
        limits.append(time_limit)
        return real(*arguments, time_limit=time_limit, **more)

    monkeypatch.setattr(run_module, "work_of", noted)
    first = toy("run", "b.yaml", "--jobs", "0", "--timeout", "500", "--set", "analyses=[again]")
    assert first.code == 0, first.err
    assert limits == [500, 500]
    # What takes longer is ended there, too, and the analysis says so.
    monkeypatch.setattr(
        "harbench.execute.local.deadline", lambda job: -1.0 if hasattr(job, "cell") else 1e99
    )
    for words in (
        ("run", "b.yaml", "--set", "analyses={again: {options: {channel: ACC y}}}"),
        ("analyse", "again", "--option", "channel=ACC y"),
    ):
        ended = toy(*words, "--jobs", "0", "--timeout", "0.5")
        assert ended.code == (1 if words[0] == "run" else 2)
        assert "trainings failed" in ended.err
        assert "it took longer than its time limit of 0.5 s" in ended.err
    assert limits[2:] == [0.5, 0.5, 0.5]
    for command in (["analyse", "again"], ["ablate"], ["audit", "b.yaml", "--inflation"]):
        ended = toy(*command, "--timeout", "0")
        assert (ended.code, "--timeout: that is no time" in ended.err) == (2, True)


def test_seeds_models_set_and_out(toy, tmp_path):
    ended = toy(
        "run", "b.yaml", "--jobs", "0", "--seeds", "7,9", "--models", "small",
        "--set", "models=[small, broken]", "--out", "elsewhere",
    )  # fmt: skip
    assert ended.code == 0
    manifest = json.loads((tmp_path / "elsewhere/benchmarks/toy.json").read_text())
    assert [c["seed"] for c in manifest["rows"][0]["cells"]] == [7, 9]
    assert len(manifest["rows"]) == 1
    assert toy("table", "--out", "elsewhere").code == 0


def test_table_in_every_format(toy):
    toy("run", "b.yaml", "--jobs", "0")
    rows = list(csv.DictReader(io.StringIO(toy("table", "--format", "csv").out)))
    (content,) = json.loads(toy("table", "toy", "--format", "json").out)
    assert float(rows[0]["nf_mean"]) == content["rows"][0]["nf_mean"]
    assert "| Model |" in toy("table", "--format", "markdown").out
    assert r"\toprule" in toy("table", "--format", "latex").out
    assert "accuracy" in toy("table", "--metric", "accuracy").out
    heads = {flag: toy("table", *flag).out.split("\n small")[0] for flag in [(), ("--flops",)]}
    assert "MACs" in heads[()] and "MACs" not in heads[("--flops",)]


def test_table_without_results(toy):
    ended = toy("table")
    assert (ended.code, "there are no results yet" in ended.err) == (2, True)
    assert "try: harbench run benchmarks.yaml" in ended.err
    toy("run", "b.yaml", "--jobs", "0")
    assert "did you mean 'toy'" in toy("table", "tou").err
    assert "did you mean 'accuracy'" in toy("table", "--metric", "acuracy").err


def test_analyse_per_class(toy, cli):
    cli.install("per-class", "harbench_analyses.per_class")
    assert "there are no trained cells" in toy("analyse", "per-class").err
    toy("run", "b.yaml", "--jobs", "0")
    shown = toy("analyse", "per-class").out
    assert shown.startswith("toy: small")
    rows = list(csv.DictReader(io.StringIO(toy("analyse", "per-class", "toy", "--csv").out)))
    assert [row["class"] for row in rows] == ["Null", "wave", "turn"]
    assert sum(int(row["support"]) for row in rows) == 2 * 59
    table = json.loads(toy("table", "--metric", "macro_f1", "--format", "json").out)
    macro = sum(float(row["f1"]) for row in rows) / 3
    assert macro == pytest.approx(100 * table[0]["rows"][0]["macro_f1_mean"])
    assert "no analysis is called 'per-clas'; did you mean" in toy("analyse", "per-clas").err


AGAIN = """
import harbench
from harbench.nouns import Variant


def again(cells, train, *, channel="ACC x"):
    import pandas as pd

    [[made]] = train([Variant(cells[0], {"channels": (channel,)})])
    return harbench.AnalysisResult({"again": pd.DataFrame({"seed": [made.seed]})})


@harbench.hookimpl
def register_analyses(register):
    register(harbench.Analysis("again", "trains", again, trains=True))
"""
ANALYSIS = """
import harbench


def report(cells, *, size=2, name="x"):
    import pandas as pd
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().plot(range(size))
    table = pd.DataFrame({"cell": [c.seed for c in cells], "size": size, "name": name})
    return harbench.AnalysisResult({"sizes": table}, ("a note",), {"line": figure})


@harbench.hookimpl
def register_analyses(register):
    register(harbench.Analysis("report", "says its options", report))
"""


def test_analyse_passes_options_and_saves_figures(toy, tmp_path):
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins/report.py").write_text(ANALYSIS)
    toy("run", "b.yaml", "--jobs", "0")
    ended = toy("analyse", "report", "--option", "size=3", "--figures", "figures")
    assert ended.out.splitlines()[0] == "toy: sizes"
    assert ended.out.splitlines()[2].split() == ["0", "3", "x"]
    assert ended.out.splitlines()[-1] == "a note"
    saved = sorted(p.name for p in (tmp_path / "figures").iterdir())
    assert saved == ["toy-line.pdf", "toy-line.png", "toy-line.svg"]
    assert (
        "has no option 'sise'; did you mean 'size'"
        in toy("analyse", "report", "--option", "sise=3").err
    )
    assert "'size' has no '='" in toy("analyse", "report", "--option", "size").err
    for value in ("[", "[" * 5000, "!!python/name:os.system", "9" * 5000, "&a [*a]"):
        assert "is no value" in toy("analyse", "report", "--option", f"size={value}").err


def test_schema_is_json(cli):
    schema = json.loads(cli("schema").out)
    assert schema["$schema"].startswith("https://json-schema.org/")


@pytest.mark.slow
def test_ctrl_c_says_what_is_kept_and_how_to_go_on(installed_environment, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML.replace("epochs: 1", "epochs: 1000000"))
    process = subprocess.Popen(
        [sys.executable, "-c", "from harbench.cli import main; main()", "--plugin",
         str(TOY_PLUGIN), "run", "b.yaml", "--jobs", "2"],
        cwd=tmp_path, env={**installed_environment, "HARBENCH_CACHE": str(tmp_path / "cache")},
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=hear_interrupts,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        assert process.stderr.readline() == "read toy: 8 files\n"
        # The cost is measured before the cells, so once it is told, cells are being trained.
        assert process.stderr.readline().startswith("cost of small")
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopped; 0 of 2 cells are kept in results/" in err
    assert "go on with: harbench --plugin" in err
    assert "Traceback" not in err


def test_a_cached_run_and_a_table_import_no_torch(toy, child, tmp_path):
    toy("run", "b.yaml", "--jobs", "0")
    code = (
        "import sys\nfrom harbench.cli import main\n"
        "try: main()\nfinally: print('torch' in sys.modules, file=sys.stderr)"
    )
    for arguments in (["run", "b.yaml"], ["table"]):
        ended = child("--plugin", TOY_PLUGIN, *arguments, code=code,
                      HARBENCH_CACHE=str(tmp_path / "cache"))  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.splitlines()[-1] == "False"
