"""The plugins that docs/plugins.md prints are installed and used as it says."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

DOCS = Path(__file__).parents[2] / "docs" / "plugins.md"


@pytest.fixture(scope="module")
def examples():
    """File name -> text, of every block that the page marks as an example."""
    text = DOCS.read_text("utf-8")
    blocks = re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", text, re.DOTALL)
    return dict(blocks)


def install(project, site):
    """Put the package into ``site``: as a wheel where hatchling is here, else by hand."""
    site.mkdir()
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site)],
        cwd=project,
        capture_output=True,
        check=False,
    )
    if built.returncode == 0:
        [wheel] = site.glob("*.whl")
        zipfile.ZipFile(wheel).extractall(site)
        return
    settings = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = site / "harbench_tiny-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {settings['name']}\nVersion: {settings['version']}\n"
    )
    [(name, module)] = settings["entry-points"]["harbench"].items()
    (info / "entry_points.txt").write_text(f"[harbench]\n{name} = {module}\n")
    (site / f"{module}.py").write_bytes((project / f"{module}.py").read_bytes())


def test_model_package(child, examples, tmp_path, installed_environment):
    project = tmp_path / "tiny"
    project.mkdir()
    for name in ("pyproject.toml", "harbench_tiny.py"):
        (project / name).write_text(examples[f"tiny/{name}"])
    install(project, tmp_path / "site")
    paths = [str(tmp_path / "site"), installed_environment.get("PYTHONPATH", "")]
    listed = child("plugins", PYTHONPATH=":".join(filter(None, paths)))
    assert re.search(r"^tiny +harbench-tiny +0\.1\.0 +model tiny$", listed.stdout, re.MULTILINE)


def test_model_file_is_built(cli, examples, tmp_path):
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins" / "tiny.py").write_text(examples["tiny/harbench_tiny.py"])
    command = ["models", "show", "tiny", "--channels", 6, "--times", 50, "--classes", 7]
    ended = cli(*command)
    assert (ended.code, ended.err) == (0, "")
    # 6 * 5 * 32 + 32 and 32 * 7 + 7
    assert re.search(r"^parameters +1,223 ", ended.out, re.MULTILINE)
    assert f"harbench {' '.join(map(str, command))}" in DOCS.read_text("utf-8")


def test_model_is_as_short_as_promised(examples):
    code = [line for line in examples["tiny/harbench_tiny.py"].splitlines() if line.strip()]
    assert len(code) <= 25


def test_dataset_file(cli, examples, tmp_path):
    plugin = tmp_path / "csvset.py"
    plugin.write_text(examples["csvset.py"])
    assert "missing: no s*.csv in" in cli("--plugin", plugin, "datasets", "show", "csvset").out
    folder = tmp_path / "data" / "csvset"
    folder.mkdir(parents=True)
    for subject in (1, 2):
        (folder / f"s{subject:02d}.csv").write_text("x,y,z,label\n0.5,1,2,0\n3,4,nan,2\n")
    assert "ready: 2 files" in cli("--plugin", plugin, "datasets", "show", "csvset").out

    from harbench.plugins import load_plugins

    dataset = load_plugins([plugin]).datasets.get("csvset")
    recordings = [r for source in dataset.sources(folder) for r in dataset.read(source)]
    assert [r.subject for r in recordings] == ["s01", "s02"]
    expected = np.array([[0.5, 1, 2], [3, 4, np.nan]], dtype=np.float32)
    assert np.array_equal(recordings[0].signals, expected, equal_nan=True)
    assert recordings[0].labels["activity"].tolist() == [0, 2]


@pytest.mark.usefixtures("one_thread", "quick_latency")
def test_analysis_file(cli, examples, tmp_path):
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins" / "halved.py").write_text(examples["halved.py"])
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(
        "benchmarks:\n  toy:\n    dataset: toy\n    path: files\n"
        "    protocol: {window: 20, step: 10}\n    recipe: {epochs: 1}\n    seeds: 2\n"
        "    models: [small]\n    analyses: [{halved: {options: {keep: 3}}}]\n"
    )
    ran = cli("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0")
    assert ran.code == 0, ran.err
    assert "toy: halved\n" in ran.out
    assert ran.out.endswith("every second channel\n")
    assert "toy small [channel ACC x], seed 1: NF" in ran.err
    again = cli("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0")
    assert again.out == ran.out
    assert "NF" not in again.err
    wider = cli("--plugin", TOY_PLUGIN, "analyse", "halved", "toy", "--jobs", "0", "--json")
    rows = json.loads(wider.out)["tables"]["halved"]
    # 8 maps of 3 taps for a channel more.
    assert [row["parameters"] for row in rows] == [8 * (3 * 2 + 1) + 2 * 8 + 8 * 3 + 3] * 2


@pytest.mark.usefixtures("one_thread", "quick_latency")
def test_an_analysis_that_cannot_be_is_said_before_anything_is_trained(cli, tmp_path):
    write_toy_files(tmp_path / "files")
    cli.install("per-class", "harbench_analyses.per_class")
    start = "benchmarks: {toy: {dataset: toy, path: files, models: [small], analyses: "
    for analyses, said in (
        ("[halvd]", "no analysis is called 'halvd'"),
        ("[{per-class: {options: {kep: 3}}}]", "analysis 'per-class' has no option 'kep'"),
    ):
        (tmp_path / "b.yaml").write_text(start + analyses + "}}")
        ended = cli("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0")
        assert ended.code == 2
        assert said in ended.err
        assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("one_thread", "quick_latency")
def test_an_analysis_that_breaks_is_one_sentence_and_exit_code_1(cli, examples, tmp_path):
    (tmp_path / "harbench_plugins").mkdir()
    broken = examples["halved.py"].replace("import pandas as pd", "1 / 0")
    (tmp_path / "harbench_plugins" / "halved.py").write_text(broken)
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(
        "benchmarks: {toy: {dataset: toy, path: files, protocol: {window: 20}, seeds: 1, "
        "recipe: {epochs: 1}, models: [small], analyses: [halved]}}"
    )
    ended = cli("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0")
    assert ended.code == 1
    assert "analysis 'halved' broke: ZeroDivisionError: division by zero" in ended.err
    assert "Traceback" not in ended.err
    assert " small " in ended.out


def test_command_file(cli, examples, tmp_path):
    (tmp_path / "citing.py").write_text(examples["citing.py"])
    cli.install("ordonez2016", "harbench_models.ordonez2016")
    line = "harbench --plugin citing.py cite deepconvlstm"
    assert line in DOCS.read_text("utf-8")
    ended = cli(*line.split()[1:])
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Ord")
    assert "no model is called 'deepconv'" in cli("--plugin", "citing.py", "cite", "deepconv").err


def test_every_hook_is_documented():
    from harbench import hookspecs

    text = DOCS.read_text("utf-8")
    hooks = [name for name in vars(hookspecs) if name.startswith("register_")]
    assert len(hooks) == 7
    assert all(f"`{hook}(register)`" in text for hook in hooks)
